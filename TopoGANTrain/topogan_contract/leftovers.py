"""Names under which files and folders are written until they are whole.

A killed process leaves them behind. Whoever clears up removes only what has such a name: nothing else is surely ours.
"""

from __future__ import annotations

import re
import uuid
from pathlib import Path

# Names may have 255 bytes on most disks, and a letter takes up to 4; the rest is for what marks a temporary folder.
_NAME_KEPT = 50
_MARK = r"\.[0-9a-f]{8}\.partial"
_ANY = re.compile(rf"(\..+)?{_MARK}(\..+)?")


def partial_file(path: Path) -> Path:
    """A new name beside ``path``; the suffix stays last because libraries choose the file format by it."""
    return path.with_name(f".{uuid.uuid4().hex[:8]}.partial{''.join(path.suffixes)}")


def partial_folder(path: Path) -> Path:
    """A new name beside ``path``."""
    return path.with_name(f".{path.name[:_NAME_KEPT]}.{uuid.uuid4().hex[:8]}.partial")


def replaced_run(run: Path, new_id: str) -> Path:
    """Where the run that another one (of this id) replaces is kept until that one is finished."""
    return run.with_name(f".{run.name[:_NAME_KEPT]}.{new_id}.replaced")


def replaced_runs(run: Path) -> list[Path]:
    """All folders beside ``run`` that :func:`replaced_run` may have named."""
    pattern = re.compile(rf"\.{re.escape(run.name[:_NAME_KEPT])}\.[0-9a-f]{{32}}\.replaced")
    return sorted(path for path in siblings(run) if pattern.fullmatch(path.name))


def is_partial(name: str) -> bool:
    """Whether a file or folder of this name is half written."""
    return _ANY.fullmatch(name) is not None


def is_left_of(name: str, path: Path) -> bool:
    """Whether something of this name was left beside ``path`` by someone who was writing ``path``."""
    folder = rf"\.{re.escape(path.name[:_NAME_KEPT])}\.[0-9a-f]{{8}}\.(partial|replaced)"
    file = _MARK + re.escape("".join(path.suffixes))
    return re.fullmatch(f"{folder}|{file}" if path.suffixes else folder, name) is not None


def siblings(path: Path) -> list[Path]:
    """What lies in the folder of ``path``; nothing where that cannot be listed."""
    try:
        return [other for other in path.parent.iterdir() if other.name.startswith(".")]
    except OSError:
        return []
