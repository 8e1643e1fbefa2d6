"""A folder of results, as a panel makes it: ``results/Myocardium-1/run``, with the training set beside the run.

A run may learn from a training set in other results, and then leaves a mark in it, a file with the run's id. The mark
names no path: a training set may be given away. Where the training set of a run lies the user's settings know.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

from topogan_contract import run as layout
from topogan_contract import schemas
from topogan_contract.machine import user_folder
from topogan_contract.schemas import find_json

RUN_FOLDER = "run"
TRAINING_SET_FOLDER = "training-set"
_ID = re.compile(r"[0-9a-f]{32}")


def known_run(run_id: str) -> Path:
    """The file in the user's settings that says where the training set of a run lies."""
    return user_folder() / "runs" / f"{run_id}.json"


def mark_used(training_set: Path, run: Path, run_id: str) -> None:
    """Say in a training set that a run learns from it which is not among the results that it lies in.

    Whoever looks through these does not find that run, and would take the set for unused, to be deleted. Nothing is
    written where the run is found there, or the set is none of a panel's.
    """
    found = run.name == RUN_FOLDER and run.parent.parent.resolve() == training_set.parent.parent.resolve()
    if training_set.name == TRAINING_SET_FOLDER and not found:
        with suppress(OSError):  # a disk that cannot be written: nothing is removed from it either
            _mark(training_set, run_id).write_text(json.dumps({"schema": schemas.USED}), encoding="utf-8")


def known_training_set(run: Path) -> Path | None:
    """Where the training set of a run lies, or once lay, as the user's settings know; None where they do not."""
    run_id = _id_of(run)
    place = (find_json(known_run(run_id), schemas.KNOWN_RUN) or {}).get("dataset") if run_id else None
    return Path(place) if isinstance(place, str) else None


def take_mark_back(run: Path) -> None:
    """The mark of a run goes that is being removed, or is to learn elsewhere; where its training set is still found."""
    place = known_training_set(run)
    if place is not None:
        with suppress(OSError, ValueError):
            _mark(place, _id_of(run)).unlink()


def _id_of(run: Path) -> str:
    """What a run calls itself; empty for anything else."""
    run_id = (find_json(run / layout.CONFIG_FILE, schemas.RUN) or {}).get("id")
    return run_id if isinstance(run_id, str) and _ID.fullmatch(run_id) else ""


def _mark(training_set: Path, run_id: str) -> Path:
    return training_set / f"used-{run_id}.json"
