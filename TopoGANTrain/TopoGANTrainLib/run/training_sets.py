"""The training sets of a results folder: which no run has learned from, which a run needs, and how one is deleted.

Knows nothing of Qt. As with runs, nothing is removed that is not surely ours, and links are not followed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from topogan_contract import run as layout
from topogan_contract import schemas, training_set
from topogan_contract.leftovers import is_partial, partial_folder
from topogan_contract.results import RUN_FOLDER, TRAINING_SET_FOLDER
from topogan_contract.schemas import find_json
from topogan_contract.words import shown
from TopoGANLib.words import tr as _
from TopoGANTrainLib.run.folders import MOST_RUNS, every_run, folders_of

_OF_FILE_MANAGERS = (".DS_Store", "Thumbs.db", "desktop.ini")


def unused_sets(results: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The training sets of a results folder that no run is known to need, with what they say of themselves.

    None of its runs was trained from them, and nobody has marked them (see :func:`topogan_contract.results.mark_used`).
    Of a run elsewhere that learned before the engine marked what it learns from nobody can know.
    """
    places = (folder for folder in folders_of(results) if not os.path.lexists(folder / RUN_FOLDER))
    described = ((folder / TRAINING_SET_FOLDER, _described(folder / TRAINING_SET_FOLDER)) for folder in sorted(places))
    found = [(folder, words) for folder, words in described if words is not None][:MOST_RUNS]
    found = [(folder, words) for folder, words in found if not _is_marked(folder)]
    with suppress(OSError):
        used = learned(every_run(results)) if found else set()
        return [(folder, words) for folder, words in found if _hash(words) not in used]
    return []


def own_training_set(run: Path) -> Path | None:
    """The training set beside a run that nobody else needs; None where there is none, or it has to stay.

    It stays where anything else lies beside it, where it holds a file that is not its own, and where another run of
    these results, or one elsewhere (see :func:`topogan_contract.results.mark_used`), was trained
    from it.
    """
    folder = run.parent / TRAINING_SET_FOLDER
    with suppress(OSError):
        described = _described(folder)
        alone = described is not None and not _beside(folder, run.name) and not _other_files(folder)
        if described is not None and alone and not _is_marked(folder):
            others = (other for other in every_run(run.parent.parent) if other != run)
            return None if _hash(described) in learned(others) else folder
    return None


def remove_training_set(folder: Path) -> None:
    """Remove a training set that no run has learned from, and the folder that was made for it.

    Raises:
        ValueError: a run needs it, it is not ours, or holds something else; a sentence.
        OSError: it cannot be removed.
    """
    name = shown(folder.parent.name)
    described = _described(folder)
    if described is None or folder.parent.is_symlink():
        raise ValueError(
            _("{name} holds no training set of TopoGAN, or a link to one: it is not deleted.").format(name=name)
        )
    other = _other_files(folder)
    if other:
        raise ValueError(
            _("{name} holds {other}, which is no part of a training set: move that elsewhere first.").format(
                name=name, other=other
            )
        )
    if _is_marked(folder):
        raise ValueError(
            _(
                "{name} has been trained on in another folder of results: delete that run first, or, if you know that "
                "it is gone, the folder of {name} yourself."
            ).format(name=name)
        )
    runs = every_run(folder.parent.parent)
    if os.path.lexists(folder.parent / RUN_FOLDER) or _hash(described) in learned(runs):
        raise ValueError(_("{name} has been trained on: delete the runs that need it first.").format(name=name))
    gone = partial_folder(folder)
    os.replace(folder, gone)
    shutil.rmtree(gone)
    with suppress(OSError):  # something else is in it
        folder.parent.rmdir()


def learned(runs: Iterable[Path]) -> set[str]:
    """Content hashes of what runs were trained from."""
    return {str(recorded.get("content_hash")) for recorded in map(_recorded, runs) if recorded}


def training_set_beside(run: Path) -> Path | None:
    """The training set of a run that lies beside it; None where it does not."""
    return _that_of(_recorded(run), run.parent)


def training_set_elsewhere(run: Path, dropped: Callable[[], bool]) -> Path | None:
    """The training set of a run among the other ones of its results; None where it is not there, or nobody waits.

    So a run can be resumed whose folder was renamed or copied, also to another computer. It reads a file in each
    folder, which takes long on a slow disk.
    """
    recorded = _recorded(run)
    for folder in folders_of(run.parent.parent):
        found = None if dropped() else _that_of(recorded, folder)
        if found is not None:
            return found
    return None


def first_other(folder: Path, ours: Callable[[str], bool]) -> str:
    """The first file in a folder, or below it, that is not ours; empty if there is none."""
    for parent, folders, files in os.walk(folder):
        place = Path(parent)
        links = [name for name in folders if (place / name).is_symlink()]
        # What was half removed, or half written, goes whole.
        folders[:] = [name for name in folders if not is_partial(name)]
        for name in sorted([*links, *files]):
            path = (place / name).relative_to(folder).as_posix()
            # A link in the place of a folder goes itself, not what it leads to.
            known = path in layout.FOLDERS if name in links else ours(path) or name in _OF_FILE_MANAGERS
            if not known and not is_partial(name):
                return shown(path)
    return ""


def _described(folder: Path) -> dict[str, Any] | None:
    """What a training set says of itself; None for anything else, and for a link to one."""
    return None if folder.is_symlink() else training_set.find_description(folder)


def _recorded(run: Path) -> dict[str, Any]:
    """What a run says of the training set that it learns from."""
    recorded = (find_json(run / layout.CONFIG_FILE, schemas.RUN) or {}).get("training_set")
    return recorded if isinstance(recorded, dict) else {}


def _that_of(recorded: dict[str, Any], folder: Path) -> Path | None:
    """The training set in a folder if it is the recorded one: with the same window and names as well."""
    described = _described(folder / TRAINING_SET_FOLDER)
    if described is None or training_set.difference(recorded, training_set.identity(described)):
        return None
    return folder / TRAINING_SET_FOLDER


def _is_marked(folder: Path) -> bool:
    with suppress(OSError):
        return any(training_set.MARKS.fullmatch(name) for name in os.listdir(folder))
    return True


def _hash(described: dict[str, Any]) -> str:
    return str(described.get("content_hash"))


def _beside(folder: Path, run: str) -> set[str]:
    return {path.name for path in folder.parent.iterdir()} - {run, folder.name, *_OF_FILE_MANAGERS}


def _other_files(folder: Path) -> str:
    return first_other(folder, lambda name: training_set.FILES.fullmatch(name) is not None)
