"""Packing a model package into one file, and unpacking one that comes from a stranger."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from topogan.errors import InputError, WorkError
from topogan.files import check_new_file, remove_if_old, remove_leftovers, staged_file
from topogan.model import layout
from topogan.model.layout import refused

# Weights hardly compress; only a bomb of more than a few megabytes does so a hundredfold.
_MAX_RATIO = 100
_RATIO_COUNTS_FROM = 16 << 20
_MAX_DIRECTORY_BYTES = 1 << 20
_CHUNK = 1 << 20
_PREFIX = "topogan-model-"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
# A fixed time makes the same package the same zip, and tells no one when it was made.
_NO_TIME = (1980, 1, 1, 0, 0, 0)


class CautiousFile(io.FileIO):
    """A file that is never read in large chunks: ``zipfile`` reads the whole table of contents at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = _MAX_DIRECTORY_BYTES
        if size > _MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("its table of contents is too large")
        return super().read(size)


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Yield a temporary folder with the files that the engine opens; it is removed at the end.

    Raises:
        InputError: the file is no zip, is damaged, or holds links, foreign files, paths that lead out of it, too many
            files, or more data than a model can have.
        WorkError: the disk of temporary files is full.
    """
    _remove_left_unpacked()
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as temporary:
        folder = Path(temporary)
        try:
            with CautiousFile(path) as file, zipfile.ZipFile(file) as archive:
                _unpack(archive, folder, path)
        except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, UnicodeError) as error:
            raise refused(path, f"it is damaged or no zip file ({error})") from error
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise WorkError(f"The disk of {folder} is full: free some space to unpack {path}.") from error
            raise refused(path, f"it cannot be read ({error.strerror})") from error
        yield folder


def _remove_left_unpacked() -> None:
    """Remove what killed processes have left a day ago or earlier, but no link and nothing of another user's."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            state = left.lstat()
            if stat.S_ISDIR(state.st_mode) and (not hasattr(os, "getuid") or state.st_uid == os.getuid()):
                remove_if_old(left)


def _unpack(archive: zipfile.ZipFile, folder: Path, package: Path) -> None:
    members = _members(archive, package)
    left = layout.MAX_BYTES
    for name, member in members.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(member) as source, target.open("wb") as copy:
            # Counted again while unpacking: the sizes in the table of contents are only what the zip says of itself.
            while chunk := source.read(_CHUNK):
                left -= len(chunk)
                if left < 0:
                    raise _too_large(package)
                copy.write(chunk)


def _members(archive: zipfile.ZipFile, package: Path) -> dict[str, zipfile.ZipInfo]:
    """The members to unpack, by their name in the package, after everything that the table of contents gives away."""
    entries = archive.infolist()
    if len(entries) > layout.MAX_ENTRIES:
        raise refused(package, f"it holds more than {layout.MAX_ENTRIES} files")
    if sum(entry.file_size for entry in entries) > layout.MAX_BYTES:
        raise _too_large(package)
    for entry in entries:
        _check_entry(entry, package)
    top = _top_folder([entry.filename for entry in entries])
    members: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.filename.removeprefix(top)
        if entry.is_dir() or not layout.is_opened(name, package):
            continue
        if name in members:
            raise refused(package, f"it holds {name!r} twice")
        members[name] = entry
    return members


def _check_entry(entry: zipfile.ZipInfo, package: Path) -> None:
    name = entry.filename
    if not name or "\0" in name:
        raise refused(package, "it holds a file without a name")
    if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
        raise refused(package, f"the path {name!r} leads out of it")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise refused(package, f"{name!r} is a link or a device instead of a file")
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        raise refused(package, f"{name!r} is encrypted or compressed in an unusual way", "pack it as a plain zip")
    if entry.file_size > max(_RATIO_COUNTS_FROM, entry.compress_size * _MAX_RATIO):
        raise refused(package, f"{name!r} would grow more than {_MAX_RATIO}-fold when unpacked")


def _top_folder(names: list[str]) -> str:
    """MONAI's zips hold one folder with everything in it: return "folder/", or "" where the files lie at the top."""
    found = [name for name in names if name.endswith(f"/{layout.METADATA}") and name.count("/") == 2]
    return found[0].removesuffix(layout.METADATA) if found and layout.METADATA not in names else ""


def _too_large(package: Path) -> InputError:
    return refused(package, f"it would unpack to more than {layout.MAX_BYTES >> 20} MB")


def pack_model(folder: Path, path: Path, overwrite: bool = False) -> Path:
    """Zip a model package for sharing.

    Args:
        folder: the package.
        path: zip file to write; inside, everything lies in one folder of the same name.
        overwrite: replace an existing file.

    Raises:
        InputError: ``folder`` is not a model package, or ``path`` exists, lies in it, or is no name for a zip.
        WorkError: the zip could not be written.
    """
    folder, path = Path(folder), Path(path)
    layout.check_folder(folder, folder)
    if path.suffix.lower() != ".zip":
        raise InputError(f"{path} does not end in .zip: name the package so.")
    if folder.resolve() in path.resolve().parents:
        raise InputError(f"{path} lies in the package, which would then hold a foreign file: name another place.")
    check_new_file(path, overwrite)
    remove_leftovers(path)
    documents = [file.relative_to(folder).as_posix() for file in sorted((folder / "docs").rglob("*")) if file.is_file()]
    names = [name for name in dict.fromkeys([*layout.FILES, *documents]) if (folder / name).is_file()]
    try:
        with staged_file(path) as temporary:
            _pack(folder, names, path.stem, temporary)
    except OSError as error:
        raise WorkError(f"{path} could not be written ({error.strerror}): free some space and try again.") from error
    return path


def _pack(folder: Path, names: list[str], top: str, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(f"{top}/{name}", _NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with (folder / name).open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target, _CHUNK)
