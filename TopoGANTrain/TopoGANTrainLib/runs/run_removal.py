"""Deleting a run from the disk, with the training set that was made for it alone. Knows nothing of Qt.

Nothing is removed that is not surely ours: what holds the description of a run, and no file but a run's. Links are not
followed. Each folder first gets a name of half-written results, so that what a killed removal leaves is no run.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from topogan_contract import run as layout
from topogan_contract import schemas, training_set
from topogan_contract.leftovers import is_partial, partial_folder
from topogan_contract.lock import RunLock, is_locked
from topogan_contract.run import ALIVE
from topogan_contract.schemas import find_json, read_json
from topogan_contract.words import shown
from TopoGANLib.engine.run_monitor import RunMonitor
from TopoGANTrainLib.runs.run_list import find_runs

TRAINING_SET_FOLDER = "training-set"
"""Where a panel's training puts the training set that it makes: beside its run."""

_OF_FILE_MANAGERS = (".DS_Store", "Thumbs.db", "desktop.ini")
_MOST_BYTES = 1 << 20


def remove_run(run: Path) -> None:
    """Remove a run, the training set beside it if it is this run's alone, and the folder of both if it is then empty.

    Raises:
        ValueError: it works, is not ours, or holds something else; a sentence.
        OSError: it cannot be removed.
    """
    check_removable(run)
    made_for_it = own_training_set(run)
    lock = RunLock(run / layout.LOCK_FILE)
    if not lock.acquire():
        raise ValueError(_working(run))
    try:
        if sys.platform == "win32":  # a folder with an open file keeps its name: whoever opened it now is in the way
            lock.release()
        gone = partial_folder(run)
        os.replace(run, gone)
    finally:
        lock.release()
    folders = [gone]
    if made_for_it is not None:
        folders.append(partial_folder(made_for_it))
        os.replace(made_for_it, folders[-1])
    for folder in folders:
        shutil.rmtree(folder)
    with suppress(OSError):  # something else is in it
        run.parent.rmdir()


def check_removable(run: Path) -> None:
    """Refuse what works, is not ours, or holds something else.

    Raises:
        ValueError: a sentence that says why.
    """
    name = shown(run.parent.name)
    if run.is_symlink() or run.parent.is_symlink() or not run.is_dir():
        raise ValueError(f"{name} is no folder of a run, or a link to one: it is not deleted.")
    # One without a description may be damaged, or anything; its status tells.
    known = (layout.CONFIG_FILE, schemas.RUN), (layout.STATUS_FILE, schemas.STATUS)
    if all(find_json(run / file, schema) is None for file, schema in known):
        raise ValueError(f"{name} does not say that it is a run of TopoGAN: look into its folder, and delete it there.")
    other = _first_other(run, lambda entry: entry in (*layout.FILES, *layout.FOLDERS))
    if other:
        raise ValueError(f"{name} holds {other}, which is no part of a run: move that elsewhere first.")
    report = RunMonitor(run).poll()
    if is_locked(run / layout.LOCK_FILE):
        raise ValueError(_working(run))
    if report is not None and report.state in ALIVE:
        raise ValueError(f"{name} may still work on another computer: stop it there, or delete its folder yourself.")


def own_training_set(run: Path) -> Path | None:
    """The training set beside a run that nobody else needs; None where there is none, or it has to stay.

    It stays where anything else lies beside it, where it holds a file that is not its own, and where another run of
    these results was trained from it.
    """
    folder = run.parent / TRAINING_SET_FOLDER
    with suppress(OSError, ValueError):
        described = read_json(folder / training_set.DESCRIPTION_FILE, _MOST_BYTES)
        beside = {path.name for path in run.parent.iterdir()} - {run.name, folder.name, *_OF_FILE_MANAGERS}
        ours = isinstance(described, dict) and str(described.get("schema")).startswith(training_set.KIND)
        if ours and not beside and not folder.is_symlink() and not _first_other(folder, _is_of_a_training_set):
            others = (other for other in find_runs(run.parent.parent) if other != run)
            return None if described.get("content_hash") in _learned(others) else folder
    return None


def _learned(runs: Iterable[Path]) -> set[Any]:
    """Content hashes of what runs were trained from."""
    configs = (find_json(run / layout.CONFIG_FILE, schemas.RUN) or {} for run in runs)
    found = (config.get("training_set") for config in configs)
    return {str(one.get("content_hash")) for one in found if isinstance(one, dict)}


def _is_of_a_training_set(name: str) -> bool:
    return training_set.FILES.fullmatch(name) is not None


def _first_other(folder: Path, ours: Callable[[str], bool]) -> str:
    """The first entry of a folder that is not ours; empty if there is none."""
    names = sorted(path.name for path in folder.iterdir())
    others = (name for name in names if not ours(name) and not is_partial(name) and name not in _OF_FILE_MANAGERS)
    return shown(next(others, ""))


def _working(run: Path) -> str:
    return f"{shown(run.parent.name)} is being trained: stop it first."
