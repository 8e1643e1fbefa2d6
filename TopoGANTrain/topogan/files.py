"""Writing so that a reader, a crash or a full disk never meets half a file.

Everything is written under a temporary name beside its destination and moved there in one step.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from topogan.errors import DiskFull, InputError
from topogan.results import check_replaceable
from topogan_contract import leftovers, schemas

# On Windows a reader that has the destination open blocks the replacement for as long as it reads.
_REPLACE_ATTEMPTS = 50
_REPLACE_PAUSE_SECONDS = 0.02
_DISK_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NOT_EMPTY = {errno.ENOTEMPTY, errno.EEXIST}
_LEFTOVER_SECONDS = 24 * 3600.0
_MOST_QUOTED = 60
# pathlib makes, walks and removes folders by recursion.
_DEEPEST = 200
# RENAME_EXCHANGE of Linux (renameat2(2)) and RENAME_SWAP of macOS (renamex_np(2)); AT_FDCWD.
_SWAP, _HERE = 2, -100


def replace(source: Path, destination: Path) -> None:
    """Move ``source`` over ``destination`` in one step, waiting up to a second for readers on Windows."""
    for attempt in range(_REPLACE_ATTEMPTS):
        try:
            os.replace(source, destination)
            return
        except PermissionError:
            if attempt == _REPLACE_ATTEMPTS - 1:
                raise
            time.sleep(_REPLACE_PAUSE_SECONDS)


def replace_keeping(source: Path, path: Path, kept: Path) -> None:
    """Move ``path`` to ``kept`` and ``source`` to ``path``, in two steps; if the second fails, the first is undone."""
    replace(path, kept)
    try:
        replace(source, path)
    except BaseException:
        replace(kept, path)
        raise


@contextmanager
def staged_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of ``path``; on success it becomes ``path``, else it is removed.

    Raises:
        DiskFull: no space is left.
    """
    temporary = leftovers.partial_file(path)
    try:
        yield temporary
        replace(temporary, path)
    except OSError as error:
        check_disk_full(path, error)
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def staged_folder(path: Path, overwrite: bool, kind: str) -> Iterator[Path]:
    """Yield a temporary folder beside ``path``; on success it becomes ``path``, else it is removed.

    With ``overwrite`` the old folder stays in place until the new one is complete; ``kind`` says what alone may be
    replaced (see :func:`check_new_folder`).

    Raises:
        InputError: ``path`` holds something and ``overwrite`` is false (also when that came there in the meantime), or
            its parent cannot be written.
        DiskFull: no space is left.
    """
    # Through links: the folder that a link leads to is written, not a folder in the place of the link.
    path = Path(os.path.realpath(path))
    check_new_folder(path, overwrite, kind)
    remove_leftovers(path)
    temporary = leftovers.partial_folder(path)
    try:
        temporary.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"The folder {path.parent} cannot be written ({error.strerror}): choose another.") from error
    try:
        yield temporary
        check_new_folder(path, overwrite, kind)  # again: another process may have finished in the meantime
        _move_folder(temporary, path)
    except DiskFull as error:
        raise DiskFull(path) from error
    except OSError as error:
        check_disk_full(path, error)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _move_folder(source: Path, path: Path) -> None:
    """Make ``source`` the folder ``path``; what was there is gone afterwards, or in ``source``."""
    if path.exists() and any(path.iterdir()):
        if exchange(source, path):
            return
        replaced = source.with_suffix(".replaced")
        replace_keeping(source, path, replaced)
        shutil.rmtree(replaced, ignore_errors=True)
        return
    try:
        if path.exists():
            path.rmdir()
        replace(source, path)
    except OSError as error:
        if error.errno in _NOT_EMPTY:
            raise InputError(
                f"The folder {path} was filled by another program in the meantime: name a new one."
            ) from error
        raise


def remove_leftovers(path: Path) -> None:
    """Remove what processes that were killed have left beside ``path`` a day ago or earlier."""
    for left in leftovers.siblings(path):
        # Without a result under its name, the one that was to be replaced is all that there is.
        lost = left.suffix == ".replaced" and not path.exists()
        if leftovers.is_left_of(left.name, path) and not lost:
            remove_if_old(left)


def remove_if_old(left: Path) -> None:
    """Remove a file or folder unless it was touched of late, by someone who may still use it."""
    try:
        touched = max(entry.lstat().st_mtime for entry in (left, *left.rglob("*")))
    except (OSError, RecursionError):
        return  # it is being removed, or not ours to look at
    if time.time() - touched > _LEFTOVER_SECONDS:
        remove_own(left)


def remove_own(left: Path) -> None:
    """Remove a file or folder that was half written; a link, which we never write, stays."""
    with suppress(OSError):
        if left.is_symlink():
            return
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        elif left.is_file():
            left.unlink()


def check_disk_full(path: Path, error: OSError) -> None:
    """Raise DiskFull, which names ``path``, if ``error`` says that no space was left for it."""
    if error.errno in _DISK_FULL:
        raise DiskFull(path) from error


def check_new_folder(path: Path, overwrite: bool, kind: str) -> None:
    """Refuse an output folder that already holds something, before any long work starts.

    Args:
        path: where a result shall be written.
        overwrite: a result of the same kind may be replaced.
        kind: schema of the result ("topogan.run/1").

    Raises:
        InputError: ``path`` is a file or a whole disk, or a folder that is not empty while ``overwrite`` is false, or
            one that may not be replaced (see :func:`topogan.results.check_replaceable`).
    """
    check_name(path)
    try:
        if path.exists() and not path.is_dir():
            raise InputError(f"{path} is a file: name a new folder for the output.")
        if path.is_dir() and os.path.ismount(path):
            raise InputError(f"{path} is a whole disk, which cannot be replaced: name a folder on it.")
        if not path.is_dir() or not any(path.iterdir()):
            _check_writable(path.parent)
            return
    except OSError as error:
        raise InputError(f"The folder {path} cannot be written ({error.strerror}): choose another.") from error
    if not overwrite:
        raise InputError(f"The folder {path} is not empty: name a new folder, or add --overwrite to replace it.")
    _check_writable(path.parent)
    check_replaceable(path, kind)


def write_json(path: Path, content: dict[str, Any], schema: str, indent: int | None = 2) -> None:
    """Write ``content`` with its ``schema`` ("topogan.run/1": a name and a major version) as one replacement.

    NaN and infinity are refused: they are not JSON, and other readers would choke on them. Without ``indent`` it is one
    line, for what is large and written often.
    """
    text = json.dumps({"schema": schema, **content}, indent=indent, allow_nan=False)
    with staged_file(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path, schema: str, *older: str) -> dict[str, Any]:
    """Read what :func:`write_json` wrote, in its ``schema`` or in one of the ``older`` ones.

    Raises:
        InputError: the file is missing, is not JSON, or holds another schema or a newer major version.
    """
    try:
        content = schemas.read_json(path)
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing: is {path.parent} the right folder?") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as JSON: it is damaged or not a TopoGAN file.") from error
    found = content.get("schema") if isinstance(content, dict) else None
    if not isinstance(content, dict) or found not in (schema, *older):
        raise InputError(
            f"{path} has the schema {repr(found)[:_MOST_QUOTED]} where {schema!r} is expected: "
            "it is another kind of file, or was written by another version of TopoGAN."
        )
    return content


def content_hash(hashes: dict[str, str]) -> str:
    """SHA-256 of the names and hashes of files, whatever their order."""
    text = "".join(f"{name} {hashes[name]}\n" for name in sorted(hashes))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def check_new_file(path: Path, overwrite: bool, *kinds: str) -> None:
    """Refuse a file to write, before any long work starts.

    Args:
        path: where it shall be written.
        overwrite: it may be replaced.
        kinds: schemas of a JSON file, "topogan.evaluation/1" and older ones: one of another schema is not replaced.

    Raises:
        InputError: it is a folder, exists while ``overwrite`` is false, is another kind of file, or its folder is not
            there or not writable.
    """
    check_name(path)
    if not path.parent.is_dir():
        raise InputError(f"The folder {path.parent} does not exist: create it first, or choose another.")
    if path.is_dir():
        raise InputError(f"{path} is a folder: choose another name.")
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists: choose another name, or add --overwrite to replace it.")
    if path.exists() and kinds and not any(schemas.find_json(path, schema) for schema in kinds):
        raise InputError(f"{path} is another kind of file and is not replaced: choose another name.")
    _check_writable(path.parent)


def check_outside(path: Path, folder: Path, what: str) -> None:
    """Refuse an output that would lie in the folder that it is made from, which would be no whole ``what`` any more.

    Raises:
        InputError: it would.
    """
    inside = Path(os.path.realpath(path))
    if Path(os.path.realpath(folder)) in (inside, *inside.parents):
        raise InputError(f"{path} would lie inside the {what} {folder}: name a folder outside of it.")


def _check_writable(folder: Path) -> None:
    """Refuse a folder that cannot be written; one that is not there yet stands for the one that it will be made in."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    # By the rights that count when files are opened, where the system tells the two kinds apart.
    effective = {"effective_ids": True} if os.access in os.supports_effective_ids else {}
    if not os.access(folder, os.W_OK, **effective):
        raise InputError(f"The folder {folder} cannot be written: check its permissions, or choose another.")


def check_name(path: Path) -> None:
    """Refuse a path that a library in C++ or Rust could not open, or end the process over, or that is too deep to make.

    Raises:
        InputError: its name is not UTF-8, or it lies more than 200 folders deep.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"The name of {path} is not in UTF-8: rename it, or copy it elsewhere.") from error
    if len(path.parts) > _DEEPEST:
        raise InputError(
            f"{str(path)[:_MOST_QUOTED]}... lies {len(path.parts)} folders deep, more than {_DEEPEST}: name another."
        )


def check_exists(path: Path) -> None:
    """Refuse a path that a user named when nothing is there, or when it cannot be read.

    Raises:
        InputError: one sentence that names it.
    """
    try:
        path.stat()
        if path.is_dir():
            os.scandir(path).close()
        elif path.is_file():  # not a pipe, which would keep us waiting
            path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{path} does not exist: check the spelling of the path.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror}): check its name and permissions.") from error


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, so that no one ever finds neither; False where the system cannot."""
    names = os.fsencode(one), os.fsencode(other)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "darwin":
            return bool(library.renamex_np(*names, _SWAP) == 0)
        return bool(library.renameat2(_HERE, names[0], _HERE, names[1], _SWAP) == 0)
    except (AttributeError, OSError, TypeError):  # Windows, and C libraries before 2018
        return False
