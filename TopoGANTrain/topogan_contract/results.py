"""A folder of results, as a panel makes it: ``results/Myocardium-1/run``, with the training set beside the run."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from topogan_contract import schemas
from topogan_contract.training_set import USED_FILE

RUN_FOLDER = "run"
TRAINING_SET_FOLDER = "training-set"


def mark_used(training_set: Path, run: Path) -> None:
    """Say in a training set that a run learns from it which is not among the results that it lies in.

    Whoever looks through these does not find that run, and would take the set for unused, to be deleted. Nothing is
    written where the run is found there, or the set is none of a panel's. The mark names no path: a training set may be
    given away.
    """
    found = run.name == RUN_FOLDER and run.parent.parent.resolve() == training_set.parent.parent.resolve()
    if training_set.name == TRAINING_SET_FOLDER and not found:
        with suppress(OSError):  # a disk that cannot be written: nothing is removed from it either
            (training_set / USED_FILE).write_text(json.dumps({"schema": schemas.USED}), encoding="utf-8")
