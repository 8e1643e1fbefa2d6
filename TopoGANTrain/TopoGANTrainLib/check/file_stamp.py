"""Tells whether the files on disk that a training set was made from are still the same; knows nothing of Qt or MRML.

Asks the disk for every file, which takes long where there are many or the disk is far away: meant for a thread.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from TopoGANTrainLib.data.files_input import says_cases

# As the engine allows: a table of 100,000 lines, each with two names of 160 letters.
_MOST_BYTES, _MOST_LINES = 16 << 20, 100_000
_NAMES_FILES = ("image", "label")
# imagesTr and labelsTr in a folder of nnU-Net, and series of DICOM in them.
_DEPTH = 3


def paths_in(value: Any) -> tuple[Path, ...]:
    """All paths that an input names, in its fields and lists; asks no disk."""
    return tuple(_paths(value))


def stamp(paths: Iterable[Path]) -> str:
    """What becomes another text whenever one of the files is changed, replaced, removed, or a new one comes.

    Looks into folders, and at the files that a table of cases names. Of files it reads no more than time and size.
    """
    digest = hashlib.sha256()
    for path in paths:
        for one in (path, *(_named_in(path) if says_cases(path) else ())):
            for line in _lines(one, _DEPTH):
                digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _paths(one)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _paths(getattr(value, field.name))


def _lines(path: Path, depth: int) -> Iterator[str]:
    try:
        if path.is_dir():
            for name in sorted(os.listdir(path)) if depth > 0 else ():
                yield from _lines(path / name, depth - 1)
            return
        state = path.stat()
    except (OSError, ValueError):  # ValueError: no path at all
        yield f"{path}: missing\0"
        return
    yield f"{path}: {state.st_mtime_ns} {state.st_size}\0"


def _named_in(table: Path) -> list[Path]:
    """The files of a table of cases; none of one that the engine will not read either."""
    try:
        if table.stat().st_size > _MOST_BYTES:
            return []
        text = table.read_bytes().decode("utf-8-sig")
        header = text.partition("\n")[0]
        separator = ";" if ";" in header and "," not in header else ","
        rows = csv.reader(text.splitlines(keepends=True), delimiter=separator)
        columns = [name.strip().lower() for name in next(rows, [])]
        read = [dict(zip(columns, row, strict=False)) for row, _number in zip(rows, range(_MOST_LINES), strict=False)]
    except (OSError, ValueError, csv.Error):
        return []
    names = (row.get(column, "").strip() for row in read for column in _NAMES_FILES)
    return [table.parent / name for name in names if name]
