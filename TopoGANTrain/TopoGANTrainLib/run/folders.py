"""Where the runs of a results folder are: ``results/Myocardium-1/run``, with their training sets beside them.

Links are not followed: what they lead to is listed where it is.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from topogan_contract import run as layout
from topogan_contract.results import RUN_FOLDER

MOST_RUNS = 500
_MOST_FOLDERS = 10_000


def folders_of(results: Path) -> list[Path]:
    """The folders in a results folder, in no order; at most 10,000, none where it cannot be read."""
    found: list[Path] = []
    with suppress(OSError), os.scandir(results) as entries:
        for _, entry in zip(range(_MOST_FOLDERS), entries, strict=False):
            if entry.is_dir(follow_symlinks=False):
                found.append(results / entry.name)
    return found


def find_runs(results: Path) -> list[Path]:
    """The run folders of a results folder, the one that was written last first; at most 500."""
    found = [folder / RUN_FOLDER for folder in folders_of(results)]
    return sorted(filter(_is_run, found), key=lambda run: (-written(run), run))[:MOST_RUNS]


def every_run(results: Path) -> list[Path]:
    """The run folders of a results folder, however many, in no order: for whoever removes what a run may need.

    Raises:
        OSError: the folder cannot be read, so that nobody knows.
    """
    with os.scandir(results) as entries:
        found = [results / entry.name / RUN_FOLDER for entry in entries if entry.is_dir(follow_symlinks=False)]
    return [run for run in found if _is_run(run)]


def written(run: Path) -> float:
    """When a run last said how it is doing, seconds since 1970 by the clock of the disk; 0 where nobody knows."""
    for path in (run / layout.STATUS_FILE, run):
        with suppress(OSError):
            return path.lstat().st_mtime
    return 0.0


def is_removed(run: Path) -> bool:
    """Whether a run is gone for good; of a disk that is only away for now, an empty mount point may be left."""
    with suppress(OSError):
        return not run.parent.exists() and any(run.parent.parent.iterdir())
    return False


def _is_run(run: Path) -> bool:
    """Any folder may be called *run*."""
    return _is_folder(run) and any(
        (run / name).is_file() for name in (layout.CONFIG_FILE, layout.STATUS_FILE, layout.LOCK_FILE)
    )


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False
