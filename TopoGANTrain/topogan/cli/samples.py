"""Commands on a trained model and its samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from topogan.cli.options import Output, Overwrite, Structures, Table, structures_given, with_settings
from topogan.config import DownstreamSettings, PrepareSettings, SynthesisSettings, validated
from topogan.files import read_json
from topogan.progress import ProgressReporter
from topogan_contract import schemas
from topogan_contract.synthesis import EXPORT_FILE, REPORT_FILE

_SECONDS_BETWEEN_LINES = 0.5


@with_settings(SynthesisSettings, repeated={"betti": ";"})
def synthesize(
    model: Annotated[Path, typer.Argument(help="Model package: a folder or a .zip.")],
    out: Output,
    training_set: Annotated[
        Path | None, typer.Option(help="Also give each sample's Dice to its nearest training mask.")
    ] = None,
    reject_copies: Annotated[
        Path | None,
        typer.Option(
            help="The training set of the model: leave out possible copies of its training masks, and draw "
            "again. Textures are not looked at."
        ),
    ] = None,
    overwrite: Overwrite = False,
    *,
    given: dict[str, Any],
) -> None:
    """Draw masks, textures and persistence diagrams, of slices or of volumes, from a model."""
    settings = validated(SynthesisSettings, given)
    from topogan.synthesis import synthesize as run_synthesize

    with ProgressReporter() as report:
        folder = run_synthesize(
            model,
            out,
            settings,
            training_set=training_set,
            overwrite=overwrite,
            reject_copies=reject_copies,
            on_event=report,
        )
    print(read_json(folder / REPORT_FILE, schemas.SYNTHESIS)["summary"])
    print(f"Samples: {folder} (look at gallery.png)")


def serve(
    folder: Annotated[Path, typer.Argument(help="Folder in which requests are put and results appear.")],
    parent: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Process id to end with; 0 is none.")] = 0,
) -> None:
    """Answer synthesis requests until the parent process is gone (used by the Slicer panel)."""
    from topogan.serve import serve as run_serve

    run_serve(folder, parent_pid=parent)


def paint(
    model: Annotated[Path, typer.Argument(help="Model package with textures: a folder or a .zip.")],
    segmentation: Annotated[Path, typer.Argument(help="Segmentation to paint on: any grid, also a DICOM SEG.")],
    out: Annotated[Path, typer.Argument(help="Image to write on its grid: .nii.gz, .nii, .nrrd or .mha.")],
    structure: Structures = None,
    structures: Table = None,
    plane: Annotated[
        str, typer.Option(help="'axial', or a JSON file with a 4x4 SliceToRAS matrix: the plane that was trained in.")
    ] = "axial",
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Another seed gives another texture.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the image if it exists.")] = False,
) -> None:
    """Paint CT texture on a segmentation of your own."""
    single, table = structures_given(structure, None, None, structures)
    from topogan.painting import paint as run_paint
    from topogan.plane import read_plane
    from topogan.structures import StructureTable

    if single:
        table = StructureTable.of_one(validated(PrepareSettings, single))
    # A panel reads these lines; painting takes seconds or minutes.
    with ProgressReporter(seconds_between_lines=_SECONDS_BETWEEN_LINES) as report:
        image = run_paint(
            model, segmentation, out, table, seed=seed, plane=read_plane(plane), overwrite=overwrite, on_event=report
        )
    print(f"Painted: {image} (synthetic, as the file beside it says)")


def evaluate(
    synthesis: Annotated[Path, typer.Argument(help="Folder made by 'topogan synthesize'.")],
    training_set: Annotated[Path, typer.Option(help="Training set whose test patients the samples are compared with.")],
    report: Annotated[Path, typer.Option(help="HTML page to write; the numbers go beside it as .json.")] = Path(
        "report.html"
    ),
    feature_network: Annotated[
        Path | None,
        typer.Option(help="Weights of a ResNet-50 (.safetensors) whose features give the KID of the textures."),
    ] = None,
    comparison: Annotated[
        Path | None,
        typer.Option(help="Also write this folder, with ranks and nearest training images (used by the Slicer panel)."),
    ] = None,
    request: Annotated[
        Path | None,
        typer.Option(
            "--prepare",
            help="Folder with a request.json that says what to prepare the training set from, before the comparison "
            "(used by the Slicer panel).",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the report if it exists.")] = False,
) -> None:
    """Compare samples with real masks of test patients: topology, shape, texture, memorization."""
    from topogan.dataset.request import prepare_as_requested
    from topogan.evaluation import evaluate as run_evaluate

    with ProgressReporter() as progress:
        if request is not None:
            prepare_as_requested(request, training_set, None, progress, reference=True)
        result = run_evaluate(
            synthesis,
            training_set,
            report,
            overwrite=overwrite,
            on_event=progress,
            feature_network=feature_network,
            comparison=comparison,
        )
    print(result.summary())
    print(f"Report: {report}")


@with_settings(DownstreamSettings)
def downstream(
    synthesis: Annotated[Path, typer.Argument(help="Folder made by 'topogan synthesize', with textures.")],
    training_set: Annotated[Path, typer.Option(help="Training set whose test patients are segmented.")],
    out: Annotated[Path | None, typer.Option(help="JSON file to write with the scores of every seed.")] = None,
    model: Annotated[
        Path | None,
        typer.Option(help="Also compare with the training masks themselves, deformed and painted by this model."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    *,
    given: dict[str, Any],
) -> None:
    """Train a U-Net with and without synthetic slices and augmentation, and segment test patients with each."""
    settings = validated(DownstreamSettings, given)
    from topogan.evaluation.downstream import downstream as run_downstream

    with ProgressReporter() as report:
        result = run_downstream(synthesis, training_set, out, settings, model, overwrite=overwrite, on_event=report)
    print(result.summary())


def export(
    synthesis: Annotated[Path, typer.Argument(help="Folder made by 'topogan synthesize'.")],
    out: Output,
    layout: Annotated[
        str,
        typer.Option(
            help="nnunet: the raw layout of nnU-Net v2, of volumes for 3d_fullres; nifti, nrrd, png: pairs of image "
            "and labels; dicom: CT and segmentation objects."
        ),
    ] = "nnunet",
    sample: Annotated[list[int] | None, typer.Option(help="A sample, the first is 0. Repeatable; else all.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Write samples, slices or volumes, as training data for a segmentation network, or for other tools."""
    from topogan.export import export as run_export

    folder = run_export(synthesis, out, layout, overwrite, sample)
    print(f"Exported ({layout}): {folder}")
    if privacy := read_json(folder / EXPORT_FILE, schemas.EXPORT).get("privacy"):
        print(f"Privacy: {privacy}")


def pack(
    model: Annotated[Path, typer.Argument(help="Model package: a folder, such as RUN/model.")],
    archive: Annotated[Path, typer.Argument(help="File to write, ending with .zip.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
) -> None:
    """Pack a model into one .zip to share it; says first how close its samples come to patients."""
    from topogan.model import pack_model
    from topogan.model.metadata import read_metadata

    packed = pack_model(model, archive, overwrite=overwrite)
    metadata = read_metadata(model, model)
    if metadata.privacy:
        print(f"Privacy: {metadata.privacy}")
    print(f"Packed: {packed}")


COMMANDS = (synthesize, serve, paint, evaluate, downstream, export, pack)
"""In the order of the help."""
