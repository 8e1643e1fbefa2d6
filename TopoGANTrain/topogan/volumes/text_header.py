"""Headers that are lines of text: NRRD's and MetaImage's.

They are taken literally or not at all. Other readers guess, each in its own way, so that a file could show one thing
here and another there: every field stands once, and every number is one that all of them read alike.
"""

from __future__ import annotations

import math
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError
from topogan.volumes.checks import check_dimensions, wrong_header

# Slicer's segmentations of a hundred structures take 100 kB in 1,500 lines.
_MAX_BYTES, _MAX_LINES = 4 << 20, 20_000
_MOST_QUOTED = 60
# Each digit has one place in these patterns: a million of them are no work.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)

T = TypeVar("T")


def header_lines(path: Path) -> Iterator[tuple[str, int]]:
    """Each line of a file, and where the next one begins; the format tells which is the header's last."""
    with path.open("rb") as file:
        for _ in range(_MAX_LINES):
            line = file.readline(_MAX_BYTES)
            if not line:
                return
            if file.tell() >= _MAX_BYTES:
                raise wrong_header(path, f"it is longer than {_MAX_BYTES >> 20} MB")
            yield line.decode("utf-8", "replace").removesuffix("\n").removesuffix("\r"), file.tell()
    raise wrong_header(path, f"it has more than {_MAX_LINES} lines")


def quoted(value: str) -> str:
    """What a header says, at bounded length."""
    return repr(value if len(value) <= _MOST_QUOTED else value[:_MOST_QUOTED] + "...")


class TextHeader:
    """The fields of a header, by name. Each method raises InputError for a field that is not what it should be."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fields: dict[str, str] = {}

    def add(self, name: str, value: str) -> None:
        """Take a field from a line."""
        if name in self.fields:
            raise wrong_header(self.path, f"it has the field {quoted(name)} twice")
        self.fields[name] = value

    def wrong(self, name: str, why: str = "") -> InputError:
        """The sentence for a field."""
        value = quoted(self.fields[name]) if name in self.fields else "missing"
        return wrong_header(self.path, f"its {name} is {value}{why}")

    def choice(self, name: str, choices: Mapping[str, T], default: str = "") -> T:
        """What the field's word, in small letters, stands for."""
        word = self.fields.get(name, default).lower()
        if word not in choices:
            raise self.wrong(name)
        return choices[word]

    def numbers(self, name: str, count: int, words: Sequence[str] | None = None) -> NDArray[np.float64]:
        """Exactly ``count`` finite numbers: those of ``words`` where the field's own are not simply all."""
        words = self.fields.get(name, "").split() if words is None else words
        values = np.array([float(word) if _NUMBER.fullmatch(word) else math.nan for word in words])
        if len(values) != count or not np.isfinite(values).all():
            raise self.wrong(name, f" where {count} number{'s' * (count > 1)} should be")
        return values

    def whole_numbers(self, name: str, count: int, default: str = "") -> list[int]:
        """Exactly ``count`` of them."""
        words = self.fields.get(name, default).split()
        if len(words) != count or not all(map(_WHOLE.fullmatch, words)):
            raise self.wrong(name, f" where {count} whole number{'s' * (count > 1)} should be")
        return [int(word) for word in words]

    def sizes(self, dimensions: str, sizes: str) -> list[int]:
        """The voxels along each axis of a volume or a series of phases, by the names of two fields."""
        (axes,) = self.whole_numbers(dimensions, 1)
        check_dimensions(self.path, axes)
        found = self.whole_numbers(sizes, axes)
        if min(found) < 1:
            raise self.wrong(sizes)
        return found

    def skipped(self, name: str, all_but_data: int | None) -> int:
        """How many bytes a field says lie before the data; -1 stands for ``all_but_data``, if that is known."""
        (count,) = self.whole_numbers(name, 1, "0")
        if count < -1 or (count == -1 and all_but_data is None):
            raise self.wrong(name)
        return max(all_but_data or 0, 0) if count == -1 else count

    def data_file(self, name: str) -> Path:
        """The one file beside the header that holds the data: never one that an attacker would like to be read."""
        word = self.fields[name]
        if word.startswith("LIST") or "%" in word:
            raise InputError(f"{self.path} has its data in several files: save it as one file in Slicer.")
        if "\0" in word:
            raise self.wrong(name)
        file = self.path.parent / word
        if file.resolve().parent != self.path.resolve().parent:
            raise InputError(f"{self.path} says that its data lie in another folder: put both files into one.")
        try:
            regular = stat.S_ISREG(file.stat().st_mode)
        except OSError:
            regular = False
        if not regular:
            raise InputError(
                f"{self.path} cannot be read as a volume: the file with its data, {quoted(word)}, is missing."
            )
        return file
