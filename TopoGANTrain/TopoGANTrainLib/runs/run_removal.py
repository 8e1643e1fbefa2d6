"""Deleting a run from the disk, with the training set that was made for it alone. Knows nothing of Qt.

Nothing is removed that is not surely ours: what holds the description of a run, and no file but a run's. Links are not
followed. Each folder first gets a name of half-written results, so that what a killed removal leaves is no run.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from topogan_contract import run as layout
from topogan_contract import schemas
from topogan_contract.leftovers import partial_folder
from topogan_contract.lock import RunLock, is_locked
from topogan_contract.results import TRAINING_SET_FOLDER, take_mark_back
from topogan_contract.run import ALIVE
from topogan_contract.schemas import find_json
from topogan_contract.words import shown
from TopoGANLib.engine.run_monitor import RunMonitor
from TopoGANLib.words import tr as _
from TopoGANTrainLib.run.training_sets import first_other, own_training_set, remove_training_set


def remove_each(chosen: Sequence[tuple[Path, bool]]) -> tuple[list[Path], str, OSError | None]:
    """Remove runs, with their training sets where that was asked, until one refuses.

    On a thread: the application's translations are not for it.

    Returns:
        Those that are gone, a sentence on the one that is not, or its name and what the system said.
    """
    gone: list[Path] = []
    for run, with_training_set in chosen:
        try:
            remove_listed(run, with_training_set)
        except ValueError as error:
            return gone, str(error), None
        except OSError as error:
            return gone, run.parent.name, error
        gone.append(run)
    return gone, "", None


def remove_listed(folder: Path, with_training_set: bool = True) -> None:
    """Remove what the list of runs holds: a run (see :func:`remove_run`), or a training set without one.

    Raises:
        ValueError: it is needed, is not ours, or holds something else; a sentence.
        OSError: it cannot be removed.
    """
    if folder.name == TRAINING_SET_FOLDER:
        remove_training_set(folder)
    else:
        remove_run(folder, with_training_set)


def remove_run(run: Path, with_training_set: bool = True) -> None:
    """Remove a run, the training set beside it if that is wanted, and the folder of both if it is then empty.

    Args:
        run: the run folder.
        with_training_set: as far as it is still this run's alone; asked of :func:`own_training_set` before.

    Raises:
        ValueError: it works, is not ours, or holds something else; a sentence.
        OSError: it cannot be removed.
    """
    check_removable(run)
    made_for_it = own_training_set(run) if with_training_set else None
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
    take_mark_back(gone)
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
        raise ValueError(_("{name} is no folder of a run, or a link to one: it is not deleted.").format(name=name))
    # One without a description may be damaged, or anything; its status tells.
    known = (layout.CONFIG_FILE, schemas.RUN), (layout.STATUS_FILE, schemas.STATUS)
    if all(find_json(run / file, schema) is None for file, schema in known):
        raise ValueError(
            _("{name} does not say that it is a run of TopoGAN: look into its folder, and delete it there.").format(
                name=name
            )
        )
    other = first_other(run, lambda path: layout.OWN.fullmatch(path) is not None)
    if other:
        raise ValueError(
            _("{name} holds {other}, which is no part of a run: move that elsewhere first.").format(
                name=name, other=other
            )
        )
    report = RunMonitor(run).poll()
    if is_locked(run / layout.LOCK_FILE):
        raise ValueError(_working(run))
    if report is not None and report.state in ALIVE:
        raise ValueError(
            _("{name} may still work on another computer: stop it there, or delete its folder yourself.").format(
                name=name
            )
        )


def _working(run: Path) -> str:
    return _("{name} is being trained: stop it first.").format(name=shown(run.parent.name))
