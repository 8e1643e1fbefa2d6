"""Where the training set of a run lies, kept in the user's own settings.

A run folder holds no path of the user's files, because runs are shared; to resume one without asking, the user's
computer remembers it.
"""

from __future__ import annotations

from pathlib import Path

from topogan.errors import InputError
from topogan.files import read_json, write_json
from topogan_contract.machine import user_folder

SCHEMA = "topogan.known-run/1"


def remember_dataset(run_id: str, dataset: Path) -> bool:
    """Remember where the training set of a run lies; False if the user's settings cannot be written."""
    path = _path(run_id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"dataset": str(dataset.absolute())}, SCHEMA)
    except OSError:
        return False
    return True


def remembered_dataset(run_id: str) -> Path | None:
    """Return what :func:`remember_dataset` stored, or None."""
    try:
        return Path(read_json(_path(run_id), SCHEMA)["dataset"])
    except (InputError, KeyError, TypeError):
        return None


def _path(run_id: str) -> Path:
    return user_folder() / "runs" / f"{run_id}.json"
