"""The command line: ``topogan`` and ``python -m topogan``.

Exit codes: 0 done, 1 the work failed, 2 the input is wrong. Every failure is one sentence on standard error.
"""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

import topogan
from topogan.cli_options import Labels, Structures, Table, Unions, structures_given, with_settings
from topogan.config import (
    DownstreamSettings,
    PhantomSettings,
    PrepareSettings,
    SynthesisSettings,
    TrainSettings,
    validated,
)
from topogan.console import own_terminal
from topogan.errors import InputError, WorkError
from topogan.files import read_json
from topogan.presets import prepare_settings, preset_names, train_settings
from topogan.progress import ProgressReporter, duration
from topogan_contract import schemas
from topogan_contract.estimate import ANSWER
from topogan_contract.synthesis import REPORT_FILE
from topogan_contract.words import escaped, shown

app = typer.Typer(
    help="Synthetic, topologically faithful cardiac CT: learn masks with their topology, paint CT texture on them.\n\n"
    "The usual order: prepare, train, synthesize, evaluate. 'topogan demo OUT' does all of it on a phantom.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# Torch's threads wait for each other by spinning. Where other programs want the cores as well, a small network then
# trains 3 to 4 times slower (measured: 84 s against 25 s for 60 steps); sleeping costs little on an idle computer.
# OpenMP reads this when torch loads, which is after this line.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_LONGEST_ERROR = 1000

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output folder if it exists.")]
Output = Annotated[Path, typer.Argument(help="Folder to write; it must be new or empty.")]


@app.command()
@with_settings(PhantomSettings)
def phantom(out: Output, overwrite: Overwrite = False, *, given: dict[str, Any]) -> None:
    """Write a beating-heart CT phantom (images, segmentations, short-axis planes) to try everything on."""
    settings = validated(PhantomSettings, given)
    from topogan.phantom import make_phantom

    with ProgressReporter() as report:
        folder = make_phantom(out, settings, overwrite=overwrite, on_event=report)
    print(f"Phantom: {folder}")


@app.command()
@with_settings(PrepareSettings, without=("structure", "labels"))
def prepare(
    out: Output,
    segmentation: Annotated[
        list[Path] | None,
        typer.Option(
            "--segmentation",
            "-s",
            help="Segmentation file (also a DICOM SEG, or with --ct a structure set) or a folder of files. Repeatable.",
        ),
    ] = None,
    ct: Annotated[
        list[Path] | None,
        typer.Option(
            "--ct", "-c", help="CT file, DICOM folder, or a folder of files; in the order of the segmentations."
        ),
    ] = None,
    cases: Annotated[
        Path | None,
        typer.Option(
            help="In place of both: a CSV table with the columns image, label, patient and, if wanted, phase."
        ),
    ] = None,
    request: Annotated[
        Path | None,
        typer.Option(
            help="In place of all other options: a folder with a request.json that says what to prepare; a file 'stop' "
            "in it ends the preparation (used by the Slicer panel)."
        ),
    ] = None,
    plane: Annotated[
        str, typer.Option(help="'axial', or a JSON file with a 4x4 SliceToRAS matrix, or a list of one per volume.")
    ] = "axial",
    preset: Annotated[str | None, typer.Option(help=f"Named settings: {', '.join(preset_names())}.")] = None,
    structure: Structures = None,
    label: Labels = None,
    union: Unions = None,
    structures: Table = None,
    overwrite: Overwrite = False,
    *,
    given: dict[str, Any],
) -> None:
    """Turn CT volumes and segmentations into a training set. Segmentations alone are enough for masks."""
    single, table = structures_given(structure, label, union, structures)
    if request is not None:
        if any((segmentation, ct, cases, preset, single, table, given, overwrite, plane != "axial")):
            raise InputError(f"{request} is to say what to prepare: leave all other options out.")
        from topogan.dataset.request import prepare_as_requested

        with ProgressReporter() as report:
            prepare_as_requested(request, out, None, report)
    else:
        settings = prepare_settings(preset, {**given, **single})
        from topogan.dataset import prepare as run_prepare
        from topogan.dataset.case_table import volumes_given
        from topogan.plane import read_plane

        volumes = volumes_given(segmentation or [], ct or [], cases, read_plane(plane))
        with ProgressReporter() as report:
            run_prepare(
                out,
                volumes.segmentations,
                volumes.images,
                settings,
                volumes.patients,
                volumes.planes,
                overwrite,
                report,
                table=table,
            )
    print(f"Training set: {out} (look at preview.png)")


@app.command()
@with_settings(TrainSettings)
def train(
    dataset: Annotated[Path, typer.Argument(help="Training set, made by 'topogan prepare'.")],
    out: Annotated[Path, typer.Argument(help="Run folder to write; it must be new or empty.")],
    model: Annotated[Path | None, typer.Option("--from", help="Model package to go on from (fine-tuning).")] = None,
    adapt_structures: Annotated[
        bool,
        typer.Option(
            "--adapt-structures", help="With --from: if the model knows other structures, keep what they share."
        ),
    ] = False,
    preset: Annotated[str | None, typer.Option(help=f"Named settings: {', '.join(preset_names())}.")] = None,
    request: Annotated[
        Path | None,
        typer.Option(
            "--prepare",
            help="Folder with a request.json that says what to prepare the training set from, before the training; "
            "a file 'stop' in it ends the preparation (used by the Slicer panel).",
        ),
    ] = None,
    overwrite: Overwrite = False,
    *,
    given: dict[str, Any],
) -> None:
    """Train masks and textures; stop with Ctrl-C or 'topogan stop', go on with 'topogan resume'."""
    settings = train_settings(preset, given)
    from topogan.dataset.request import prepare_as_requested
    from topogan.runs.folder import check_run_folder
    from topogan.training import train as run_train
    from topogan.training.checks import check_names

    def begin() -> None:
        check_names(settings)
        check_run_folder(out.absolute(), overwrite)

    with ProgressReporter() as report:
        if request is not None:
            prepare_as_requested(request, dataset, settings, report, check=begin)
        folder = run_train(dataset, out, settings, model, overwrite, report, adapt_structures)
    _say_how_it_ended(folder)


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(help="Run folder that was stopped or interrupted.")],
    dataset: Annotated[Path | None, typer.Option(help="Training set, if it has been moved since.")] = None,
) -> None:
    """Go on with a run exactly where its last checkpoint stands."""
    from topogan.training import resume as run_resume

    with ProgressReporter() as report:
        folder = run_resume(run, dataset=dataset, on_event=report)
    _say_how_it_ended(folder)


def _say_how_it_ended(folder: Path) -> None:
    from topogan.runs import read_status

    status = read_status(folder)
    if status.state == "finished":
        print(f"Run: {folder}\nModel: {folder / 'model'}")
    else:
        print(f"Stopped at step {status.step} of {status.total}: 'topogan resume {folder}' goes on.")


@app.command()
def stop(run: Annotated[Path, typer.Argument(help="Run folder.")]) -> None:
    """Ask a running training to write a checkpoint and stop."""
    from topogan.runs import request_stop

    request_stop(run)
    print("Asked to stop.")


@app.command()
def status(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how a run is doing."""
    from topogan.runs import read_status

    found = read_status(run)
    if as_json:
        print(json.dumps(found.as_dict()))
        return
    left = f", {duration(found.eta_seconds)} left" if found.eta_seconds is not None else ""
    print(f"{found.state}: step {found.step} of {found.total}{left}")
    if found.error:
        print(shown(found.error, _LONGEST_ERROR))


@app.command()
@with_settings(SynthesisSettings, repeated={"betti": ";"})
def synthesize(
    model: Annotated[Path, typer.Argument(help="Model package: a folder or a .zip.")],
    out: Output,
    training_set: Annotated[
        Path | None, typer.Option(help="Also give each sample's Dice to its nearest training mask.")
    ] = None,
    overwrite: Overwrite = False,
    *,
    given: dict[str, Any],
) -> None:
    """Draw masks, textures and persistence diagrams, of slices or of volumes, from a model."""
    settings = validated(SynthesisSettings, given)
    from topogan.synthesis import synthesize as run_synthesize

    with ProgressReporter() as report:
        folder = run_synthesize(model, out, settings, training_set=training_set, overwrite=overwrite, on_event=report)
    print(read_json(folder / REPORT_FILE, schemas.SYNTHESIS)["summary"])
    print(f"Samples: {folder} (look at gallery.png)")


@app.command()
def serve(
    folder: Annotated[Path, typer.Argument(help="Folder in which requests are put and results appear.")],
    parent: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Process id to end with; 0 is none.")] = 0,
) -> None:
    """Answer synthesis requests until the parent process is gone (used by the Slicer panel)."""
    from topogan.serve import serve as run_serve

    run_serve(folder, parent_pid=parent)


@app.command()
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
    with ProgressReporter() as report:
        image = run_paint(
            model, segmentation, out, table, seed=seed, plane=read_plane(plane), overwrite=overwrite, on_event=report
        )
    print(f"Painted: {image} (synthetic, as the file beside it says)")


@app.command()
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
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the report if it exists.")] = False,
) -> None:
    """Compare samples with real masks of test patients: topology, shape, texture, memorization."""
    from topogan.evaluation import evaluate as run_evaluate

    with ProgressReporter() as progress:
        result = run_evaluate(
            synthesis,
            training_set,
            report,
            overwrite=overwrite,
            on_event=progress,
            feature_network=feature_network,
        )
    print(result.summary())
    print(f"Report: {report}")


@app.command()
@with_settings(DownstreamSettings)
def downstream(
    synthesis: Annotated[Path, typer.Argument(help="Folder made by 'topogan synthesize', with textures.")],
    training_set: Annotated[Path, typer.Option(help="Training set whose test patients are segmented.")],
    out: Annotated[Path | None, typer.Option(help="JSON file to write with the scores of every seed.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    *,
    given: dict[str, Any],
) -> None:
    """Train a U-Net on real, on synthetic and on both slices, and segment test patients with each."""
    settings = validated(DownstreamSettings, given)
    from topogan.evaluation.downstream import downstream as run_downstream

    with ProgressReporter() as report:
        result = run_downstream(synthesis, training_set, out, settings, overwrite=overwrite, on_event=report)
    print(result.summary())


@app.command()
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

    print(f"Exported ({layout}): {run_export(synthesis, out, layout, overwrite, sample)}")


@app.command()
def pack(
    model: Annotated[Path, typer.Argument(help="Model package: a folder, such as RUN/model.")],
    archive: Annotated[Path, typer.Argument(help="File to write, ending with .zip.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
) -> None:
    """Pack a model into one .zip to share it; read its report on memorization first."""
    from topogan.model import pack_model

    print(f"Packed: {pack_model(model, archive, overwrite=overwrite)}")


@app.command()
@with_settings(TrainSettings)
def demo(
    out: Output,
    segmentation: Annotated[list[Path] | None, typer.Option("--segmentation", "-s", help="Your segmentations.")] = None,
    ct: Annotated[list[Path] | None, typer.Option("--ct", "-c", help="Your CT volumes.")] = None,
    structure: Structures = None,
    label: Labels = None,
    union: Unions = None,
    structures: Table = None,
    volumes: Annotated[bool, typer.Option("--volumes", help="Learn whole volumes in place of slices.")] = False,
    overwrite: Overwrite = False,
    *,
    given: dict[str, Any],
) -> None:
    """Do everything once, on the phantom or on your data: prepare, train, synthesize, evaluate, Slicer scene."""
    if ct and not segmentation:
        raise InputError("--ct was given without --segmentation: the structure to learn comes from the segmentation.")
    choice = structures_given(structure, label, union, structures)
    if any(choice) and not segmentation:
        raise InputError("Structures were named without --segmentation: the phantom's are those of the demo's preset.")
    from topogan.demo import run_demo

    with ProgressReporter() as report:
        run_demo(out, segmentation or [], ct or [], choice, given, overwrite, report, volumes)


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    timings: Annotated[
        bool, typer.Option("--timings", help="Also time a few steps, and say how long a training of each size takes.")
    ] = False,
    preset: Annotated[str | None, typer.Option(help="Settings of that training; the defaults without.")] = None,
    structure_count: Annotated[int, typer.Option(min=1, max=24, help="How many structures it learns.")] = 1,
    training_set: Annotated[Path | None, typer.Option(help="Training set whose structures and pixels count.")] = None,
    volumes: Annotated[bool, typer.Option("--volumes", help="Time sizes of volumes instead of slices.")] = False,
    estimate: Annotated[
        Path | None,
        typer.Option(
            help="JSON file (topogan.estimate-request/1) that describes a training: also time a few steps, and say "
            "what it takes (used by the Slicer panel)."
        ),
    ] = None,
) -> None:
    """Say whether this Python can run the engine, and what to do if not; with --timings what a patch size means."""
    from topogan.doctor import examine

    found = examine()
    if timings and not found["problems"]:
        from topogan.timings import SizedStructures, size_table
        from topogan.training_set import TrainingSet

        known = (
            SizedStructures(structure_count, axes=3 if volumes else 2)
            if training_set is None
            else SizedStructures.of(TrainingSet.open(training_set))
        )
        found["timings"] = size_table(train_settings(preset, {}), known)
    if estimate is not None and not found["problems"]:
        from topogan.estimate import estimate as run_estimate

        found[ANSWER] = run_estimate(estimate)
    if as_json:
        print(json.dumps(found))
    else:
        print(f"TopoGAN {found['topogan']} at {found['path']}")
        print(f"Python {found['python']} ({found['system']}), devices: {', '.join(found['devices']) or 'none'}")
        print("  ".join(f"{name} {version or 'missing'}" for name, version in found["packages"].items()))
        print("\n".join(found["problems"] or ["No problem found.", *found["notes"]]))
        print("".join(f"{row['words']}\n" for row in found.get("timings", [])), end="")
        if ANSWER in found:
            print(found[ANSWER].get("error") or _estimate_in_words(found[ANSWER]))
    if found["problems"]:
        raise typer.Exit(1)


def _estimate_in_words(found: dict[str, Any]) -> str:
    memory, free, disk = (found[name] / 1e9 for name in ("memory_bytes", "free_memory_bytes", "disk_bytes"))
    return (
        f"About {duration(found['seconds'])} on {found['device']}; {memory:.1f} GB of memory ({free:.1f} GB are free), "
        f"{disk:.1f} GB on disk."
    )


@app.command()
def version() -> None:
    """Print the version."""
    print(topogan.__version__)


# Typer's own complaints (unknown option, wrong type) share this base, which it does not export by name.
_UsageError = typer.BadParameter.__mro__[1]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with the contract's exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file name that the terminal's encoding does not know must not end a finished job with an error.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command; return its exit code instead of leaving the process."""
    own_terminal()
    try:
        return int(app(arguments, prog_name="topogan", standalone_mode=False) or 0)
    except (Exception, KeyboardInterrupt) as error:
        code, sentence = next((code, say(error)) for kinds, code, say in _ENDINGS if isinstance(error, kinds))
        if sentence is None:
            raise
        return _complain(sentence, code)


def _trouble_with_files(error: OSError) -> str:
    what = error.filename if isinstance(error.filename, str) else "A file"
    return f"{what} cannot be read or written ({error.strerror or error}): check the disk and the permissions."


def _unexpected(error: Exception) -> str | None:
    """What a user reads of a fault of ours: enough to report it, without the paths of a traceback."""
    if os.environ.get("TOPOGAN_TRACEBACK"):
        return None
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"TopoGAN failed unexpectedly ({type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}): please "
        "report this fault; with TOPOGAN_TRACEBACK=1 in the environment the command shows more."
    )


# How a command can end: kinds of errors, the exit code, and what is said; the first that fits counts.
_ENDINGS: list[tuple[Any, int, Callable[[Any], str | None]]] = [
    ((InputError,), 2, str),
    ((WorkError,), 1, str),
    ((_UsageError,), 2, lambda error: f"{error.format_message().rstrip('.')}: see 'topogan --help'."),
    ((KeyboardInterrupt, typer.Abort), 1, lambda error: "Interrupted."),
    ((MemoryError,), 1, lambda error: "There is not enough memory: close other programs, or use smaller batches."),
    ((OSError,), 1, _trouble_with_files),
    ((Exception,), 1, _unexpected),
]


def _complain(sentence: str, code: int) -> int:
    """Print one line: names of files may hold line ends and codes that would drive the terminal."""
    print(escaped(sentence), file=sys.stderr)
    return code


if __name__ == "__main__":
    main()
