"""Commands that make data: a phantom, and training sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from topogan.cli.options import Labels, Output, Overwrite, Structures, Table, Unions, structures_given, with_settings
from topogan.config import PhantomSettings, PrepareSettings, validated
from topogan.errors import InputError
from topogan.presets import prepare_settings, preset_names
from topogan.progress import ProgressReporter


@with_settings(PhantomSettings)
def phantom(out: Output, overwrite: Overwrite = False, *, given: dict[str, Any]) -> None:
    """Write a beating-heart CT phantom (images, segmentations, short-axis planes) to try everything on."""
    settings = validated(PhantomSettings, given)
    from topogan.phantom import make_phantom

    with ProgressReporter() as report:
        folder = make_phantom(out, settings, overwrite=overwrite, on_event=report)
    print(f"Phantom: {folder}")


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


COMMANDS = (phantom, prepare)
"""In the order of the help."""
