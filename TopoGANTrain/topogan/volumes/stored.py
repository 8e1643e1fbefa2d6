"""The numbers of a volume in a file, read in one pass by what its header was found to say.

Nothing else reads a volume's file: what was verified is what is decoded. Memory is taken only for what the file can
hold, and packed data are unpacked once, one phase at a time.
"""

from __future__ import annotations

import bz2
import gzip
import io
import math
import os
import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError

_CHUNK = 1 << 20
# The furthest that a packing can shrink anything: deflate (https://zlib.net/zlib_tech.html), and bzip2, whose blocks
# of 900 kB of one value take 40 bytes.
_MOST_SHRUNK = {"": 1, "gzip": 1032, "zlib": 1032, "bzip2": 25_000}
# Empty label maps shrink a thousandfold, too: only what would also be large is refused.
_MAX_GROWTH = 200
_GROWTH_COUNTS_FROM = 512 << 20
# 1024 x 1024 x 1024; a header that claims more is a lie far more often than a scan.
_MAX_VOXELS = 1 << 30
# Numbers written as text take many times their memory while they are read.
_MAX_TEXT = 256 << 20
_MOST_QUOTED = 60
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DAMAGED = (zlib.error, gzip.BadGzipFile, EOFError, OSError, ValueError, OverflowError)


@dataclass(frozen=True)
class StoredArray:
    """Where the numbers lie and how they are written.

    Attributes:
        path: what the user named, for messages.
        file: where the numbers are: ``path`` itself or a file beside it.
        shape: of the array in C order: [z, y, x], [phase, z, y, x], or [z, y, x, phase] with ``phases_last``.
        dtype: with its byte order.
        offset: bytes of the file before the (packed) numbers.
        skipped: bytes before the numbers once they are unpacked.
        packing: ``""``, ``"gzip"``, ``"zlib"``, ``"bzip2"`` or ``"text"``.
        phases_last: the phases of a voxel lie one after the other.
        scale: (slope, intercept) of the values, where they are not the numbers themselves.
    """

    path: Path
    file: Path
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    offset: int = 0
    skipped: int = 0
    packing: str = ""
    phases_last: bool = False
    scale: tuple[float, float] | None = None

    @property
    def phases(self) -> int:
        """How many there are."""
        return (self.shape[-1] if self.phases_last else self.shape[0]) if len(self.shape) == 4 else 1

    @property
    def grid(self) -> tuple[int, ...]:
        """[z, y, x] of one phase."""
        return self.shape[:3] if self.phases_last else self.shape[-3:]

    def check(self) -> None:
        """Refuse data that are not there, cannot be whole, or are far larger than their file.

        Raises:
            InputError: one sentence that names the file.
        """
        _check_place(self.path, self.file)
        stored = self.file.stat().st_size - self.offset
        if self.packing == "text":
            if self.file.stat().st_size > _MAX_TEXT:
                raise InputError(f"{self.path} holds too much text to read: save it again from Slicer.")
            check_size(self.path, self.grid[::-1])
            return
        needed = self.skipped + prod(self.shape) * self.dtype.itemsize
        if stored * _MOST_SHRUNK[self.packing] < needed:
            raise cut_off(self.path)
        check_size(self.path, self.grid[::-1])
        if self.packing:
            at_once = self.shape if self.phases_last else self.grid
            check_growth(self.path, prod(at_once) * self.dtype.itemsize, stored)
        if self.packing == "gzip":
            self._check_end(needed)

    def arrays(self) -> Iterator[NDArray[np.generic]]:
        """Read one phase [z, y, x] after the other, in one pass through the file.

        Raises:
            InputError: the data are damaged or end early, or hold NaN or infinity.
        """
        try:
            if self.packing == "text":
                yield from self._split(self._text())
                return
            with self._stream() as stream:
                _skip(stream, self.skipped)
                for _ in range(1 if self.phases_last else self.phases):
                    yield from self._split(self._read(stream, self.shape if self.phases_last else self.grid))
        except EOFError as error:
            raise cut_off(self.path) from error
        except InputError:
            raise
        except _DAMAGED as error:
            raise InputError(f"The packed data of {self.path} are damaged: copy it again.") from error

    def _split(self, array: NDArray[np.generic]) -> Iterator[NDArray[np.generic]]:
        if not self.phases_last:
            yield self._values(array)
            return
        for phase in range(self.phases):
            yield self._values(np.ascontiguousarray(array[..., phase]))

    def _values(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        if array.dtype.byteorder not in "=|":
            array = array.astype(array.dtype.newbyteorder("="))
        if self.scale is not None:
            slope, intercept = self.scale
            with np.errstate(over="ignore", invalid="ignore"):
                scaled = array.astype(np.float64) * slope + intercept
                array = scaled if array.dtype == np.float64 else scaled.astype(np.float32)
        check_numbers(self.path, array)
        return array

    def _stream(self) -> IO[bytes]:
        file = self.file.open("rb")
        file.seek(self.offset)
        if self.packing == "gzip":
            return cast(IO[bytes], gzip.GzipFile(fileobj=file))
        if self.packing == "bzip2":
            return bz2.open(file)
        return cast(IO[bytes], io.BufferedReader(_Inflated(file), _CHUNK)) if self.packing else file

    def _read(self, stream: IO[bytes], shape: tuple[int, ...]) -> NDArray[np.generic]:
        array = np.empty(shape, self.dtype)
        left = memoryview(array.reshape(-1).view(np.uint8).data)
        while left:
            count = stream.readinto(left[:_CHUNK])  # type: ignore[attr-defined]
            if not count:
                raise EOFError
            left = left[count:]
        return array

    def _text(self) -> NDArray[np.generic]:
        with self.file.open("rb") as file:
            file.seek(self.offset)
            words = file.read().split()
        if len(words) < prod(self.shape):
            raise EOFError
        words = words[: prod(self.shape)]
        if any(b"_" in word for word in words):
            raise ValueError("an underscore")
        return np.array(words).astype(self.dtype).reshape(self.shape)

    def _check_end(self, needed: int) -> None:
        """A gzip file ends with the size of what it holds: one that was cut off is found without unpacking it."""
        with self.file.open("rb") as file:
            file.seek(-4, os.SEEK_END)
            said = int.from_bytes(file.read(4), "little")
            if said == needed % 2**32:
                return
            # It may also have several parts, or a tail behind the data: only looking through it can tell.
            file.seek(self.offset)
            found = 0
            try:
                with gzip.GzipFile(fileobj=file) as stream:
                    while found < needed and (chunk := stream.read(_CHUNK)):
                        found += len(chunk)
            except EOFError:
                pass
            except _DAMAGED as error:
                raise InputError(f"The packed data of {self.path} are damaged: copy it again.") from error
        if found < needed:
            raise cut_off(self.path)


class _Inflated(io.RawIOBase):
    """What zlib (or gzip, as MetaIO accepts) packed, unpacked as it is asked for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unpack = zlib.decompressobj(wbits=47)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._unpack.eof:
            packed = self._unpack.unconsumed_tail or self._file.read(_CHUNK)
            if not packed:
                raise EOFError
            if data := self._unpack.decompress(packed, len(buffer)):
                buffer[: len(data)] = data
                return len(data)
        return 0

    def close(self) -> None:
        self._file.close()
        super().close()


def number(word: str) -> float:
    """A number as every reader takes it; NaN for all else (Python alone would also read 1_000)."""
    return float(word) if _NUMBER.fullmatch(word) else math.nan


def _skip(stream: IO[bytes], count: int) -> None:
    while count:
        skipped = len(stream.read(min(count, _CHUNK)))
        if not skipped:
            raise EOFError
        count -= skipped


def _check_place(path: Path, file: Path) -> None:
    if "\0" in file.name:
        raise said_in_header(path, "the name of the file with its data is none")
    if file.resolve().parent != path.resolve().parent:
        raise InputError(f"{path} says that its data lie in another folder: put both files into one.")
    try:
        regular = stat.S_ISREG(file.stat().st_mode)
    except (OSError, ValueError):
        regular = False
    if not regular:
        raise InputError(f"{path} cannot be read as a volume: the file with its data, {file.name}, is missing.")


def check_numbers(path: Path, array: NDArray[np.generic]) -> None:
    """Refuse an array with NaN or infinity.

    Raises:
        InputError: one sentence that names the file.
    """
    if array.dtype.kind != "f":
        return
    # The sum is finite exactly when all are: one pass without a temporary array of the volume's size.
    with np.errstate(invalid="ignore", over="ignore"):
        total = np.sum(array, dtype=np.float64)
    if not np.isfinite(total) and (count := int(np.count_nonzero(~np.isfinite(array)))):
        noun = "voxel that is not a number" if count == 1 else "voxels that are not numbers"
        raise InputError(f"{path} holds {count} {noun} (NaN or infinity): repair it first.")


def check_growth(path: Path, unpacked: int, stored: int) -> None:
    """Refuse packed data that take little of the disk and much of the memory; both in bytes."""
    if unpacked > max(_GROWTH_COUNTS_FROM, stored * _MAX_GROWTH):
        raise InputError(
            f"{path} would grow {unpacked // max(stored, 1)}-fold to {unpacked >> 20} MB when it is unpacked: "
            "if that is no mistake, save it without compression."
        )


def check_size(path: Path, sizes: tuple[int, ...]) -> None:
    """Refuse a volume of more voxels than any scan has; ``sizes`` are those of one phase."""
    if np.prod(sizes, dtype=float) > _MAX_VOXELS:
        shown = " x ".join(str(size) for size in sizes)
        raise InputError(f"{path} has {shown} voxels, more than can be read: crop it in Slicer first.")


def cut_off(path: Path) -> InputError:
    """The sentence for data that end early."""
    return InputError(f"{path} is cut off: its data end before its header says so; copy it again.")


def said_in_header(path: Path, what: str) -> InputError:
    """The sentence for a header that contradicts itself or asks for what is not read."""
    return InputError(f"The header of {path} is wrong: {what}; save it again from Slicer.")


def quoted(value: str | None) -> str:
    """What a header says, at bounded length."""
    return "missing" if value is None else repr(value if len(value) <= _MOST_QUOTED else value[:_MOST_QUOTED] + "...")
