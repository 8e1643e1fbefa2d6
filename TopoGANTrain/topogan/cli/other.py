"""Commands on everything at once, and on this computer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

import topogan
from topogan.cli.options import Labels, Output, Overwrite, Structures, Table, Unions, structures_given, with_settings
from topogan.config import TrainSettings
from topogan.errors import InputError
from topogan.presets import train_settings
from topogan.progress import ProgressReporter, duration
from topogan_contract.estimate import ANSWER


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


def version() -> None:
    """Print the version."""
    print(topogan.__version__)


COMMANDS = (demo, doctor, version)
"""In the order of the help."""
