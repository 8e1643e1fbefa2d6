"""Removes what preparations have left, and comparisons: one that failed here, or any of a killed Slicer and engine.

What the panel hands over holds copies of the scene's volumes, which must not outlive their use. Knows nothing of Qt.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

from topogan_contract.leftovers import is_left_of, is_partial, siblings
from topogan_contract.lock import RunLock, is_locked
from topogan_contract.preparation import LOCK_FILE, REQUEST_FILE

INPUT = "input"
"""Kind of the work folders (:func:`TopoGANLib.forms.user_settings.new_work_folder`) for what is handed over."""

_INPUT_FOLDER = re.compile(rf"{INPUT}-[0-9a-f]{{8}}")
# As the other panel names them: its work on a comparison, what lies in there, and the page for a browser.
_COMPARE_FOLDER = re.compile(r"compare-[0-9a-f]{8}")
_COMPARE_REQUEST = "request"
_OF_COMPARISON = (_COMPARE_REQUEST, "training-set", "comparison", "report.html", "engine.txt")
_PAGE = re.compile(r"comparison-[0-9a-f]{8}\.html")
# Time for an engine to load, on a slow disk as well, before it takes what was written for it.
_SECONDS_TO_TAKE_OVER = 600.0
# A comparison that goes on says how far it is more often, in any of a user's Slicers.
_QUIET_SECONDS = 600.0


def remove_leftovers(training_set: Path, made: Path, handed: Path | None) -> None:
    """Remove what a preparation that failed or was killed has left.

    Args:
        training_set: the folder that it was making.
        made: the folder that was made for the results; it stays if anything is in it.
        handed: the folder of its request, if there was one.
    """
    if handed is not None:
        shutil.rmtree(handed, ignore_errors=True)
    for left in siblings(training_set):
        if is_left_of(left.name, training_set) and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
    with suppress(OSError):  # not empty: something of it is worth keeping
        made.rmdir()


def remove_orphans(work: Path) -> None:
    """Remove the folders that were handed over, or begun, and that nobody will use any more.

    Where the disk knows no locks nobody is known to be gone, and everything stays. Of comparisons that goes which was
    written before this process began, and to which nothing was added for ten minutes.

    Args:
        work: the folder of the user in which they lie.

    Raises:
        OSError: ``work`` cannot be listed.
    """
    for folder in work.iterdir():
        if _INPUT_FOLDER.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink():
            with suppress(OSError):
                _remove_if_orphan(folder)
    for path in work.iterdir():
        with suppress(OSError):
            _remove_comparison(path)


def _remove_comparison(path: Path) -> None:
    is_page = _PAGE.fullmatch(path.name) is not None
    if path.is_symlink() or not (is_page or _COMPARE_FOLDER.fullmatch(path.name)):
        return
    if is_page and path.is_file():
        if _is_forgotten(path.stat().st_mtime):
            path.unlink()
        return
    ours = path.is_dir() and all(one.name in _OF_COMPARISON or is_partial(one.name) for one in path.iterdir())
    if ours and not is_locked(path / _COMPARE_REQUEST / LOCK_FILE) and _is_forgotten(_last_written(path)):
        shutil.rmtree(path, ignore_errors=True)


def _is_forgotten(written: float) -> bool:
    # The standard library notes when it was loaded, which is when the application starts; a reload does not change it.
    now = logging.makeLogRecord({})
    began = now.created - now.relativeCreated / 1000
    return written < min(began, now.created - _QUIET_SECONDS)


def _last_written(folder: Path) -> float:
    """When anything in a folder was written last, seconds since 1970."""
    found = [Path(parent) / name for parent, folders, files in os.walk(folder) for name in (*folders, *files)]
    return max(path.lstat().st_mtime for path in (folder, *found))


def _remove_if_orphan(folder: Path) -> None:
    path = folder / LOCK_FILE
    # Without the file, nothing has been written yet. Asked first: waiting for who keeps the lock would be in vain.
    if not path.exists() or is_locked(path):
        return
    lock = RunLock(path)
    if not lock.acquire():
        return
    waits = _waits_for_an_engine(folder)
    lock.release()  # Windows removes no file that is open
    if not waits:
        shutil.rmtree(folder, ignore_errors=True)


def _waits_for_an_engine(folder: Path) -> bool:
    """Whether it was written to its end a short time ago; the engine removes the request when it takes over."""
    try:
        return time.time() - (folder / REQUEST_FILE).stat().st_mtime < _SECONDS_TO_TAKE_OVER
    except FileNotFoundError:
        return False
