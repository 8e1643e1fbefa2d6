"""Commands on a training: begin it, go on with it, end it, ask how it is doing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from topogan.cli.options import Overwrite, with_settings
from topogan.config import TrainSettings
from topogan.presets import preset_names, train_settings
from topogan.progress import ProgressReporter, duration
from topogan_contract.words import shown

_LONGEST_ERROR = 1000


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
    from topogan.runs.folder import check_run_folder
    from topogan.training import train as run_train
    from topogan.training.checks import check_names

    def begin() -> None:
        check_names(settings)
        check_run_folder(out.absolute(), overwrite)

    with ProgressReporter() as report:
        if request is not None:
            from topogan.dataset.request import prepare_as_requested

            prepare_as_requested(request, dataset, settings, report, check=begin)
        folder = run_train(dataset, out, settings, model, overwrite, report, adapt_structures)
    _say_how_it_ended(folder)


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


def stop(run: Annotated[Path, typer.Argument(help="Run folder.")]) -> None:
    """Ask a running training to write a checkpoint and stop."""
    from topogan.runs import request_stop

    request_stop(run)
    print("Asked to stop.")


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


COMMANDS = (train, resume, stop, status)
"""In the order of the help."""
