"""Where the training set of a run lies, kept in the user's own settings.

A run folder holds no path of the user's files, because runs are shared; to resume one without asking, the user's
computer remembers it.
"""

from __future__ import annotations

from pathlib import Path

from topogan.errors import InputError
from topogan.files import read_json, write_json
from topogan_contract import schemas
from topogan_contract.results import known_run


def remember_dataset(run_id: str, dataset: Path) -> bool:
    """Remember where the training set of a run lies; False if the user's settings cannot be written."""
    path = known_run(run_id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"dataset": str(dataset.absolute())}, schemas.KNOWN_RUN)
    except OSError:
        return False
    return True


def remembered_dataset(run_id: str) -> Path | None:
    """Return what :func:`remember_dataset` stored, or None."""
    try:
        return Path(read_json(known_run(run_id), schemas.KNOWN_RUN)["dataset"])
    except (InputError, KeyError, TypeError):
        return None
