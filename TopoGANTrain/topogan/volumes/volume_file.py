"""Volumes in one file: NIfTI, NRRD, MetaImage. ITK never sees them: the header that was checked is the one decoded.

Memory is taken only for what the file can hold, and packed data are unpacked once, one phase at a time.
"""

from __future__ import annotations

import bz2
import gzip
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from math import prod
from pathlib import Path
from typing import IO, Protocol

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError
from topogan.volumes.checks import check_finite, check_growth, check_size, cut_off
from topogan.volumes.geometry import Geometry, Volume

_CHUNK = 1 << 20
# The furthest that a packing can shrink anything: deflate (https://zlib.net/zlib_tech.html), and bzip2, whose blocks
# of 900 kB of one value take 40 bytes. A digit may stand for a number of 8 bytes.
_MOST_SHRUNK = {"": 1, "text": 8, "gzip": 1032, "zlib": 1032, "bzip2": 25_000}
# Text is held whole, and of some numbers at a time each takes as much memory as the longest.
_MAX_TEXT, _LONGEST_NUMBER = 256 << 20, 40


class _Stream(Protocol):
    def read(self, count: int, /) -> bytes: ...


@dataclass(frozen=True)
class VolumeFile:
    """A file of one volume or of several phases: where its numbers lie and how they are written.

    Attributes:
        path: what the user named, for messages.
        geometry: of each phase.
        dtype: with its byte order.
        phases: how many volumes follow each other in time.
        data: the file with the numbers: ``path`` itself or one beside it.
        offset: bytes of the file before the (packed) numbers.
        skipped: bytes before the numbers once they are unpacked.
        packing: ``""``, ``"gzip"``, ``"zlib"``, ``"bzip2"`` or ``"text"``.
        phases_last: the phases of a voxel lie one after the other, not each phase's voxels.
        scale: (slope, intercept) of the values, where they are not the numbers themselves.

    Raises:
        InputError: the geometry is not valid, or the data are cut off or far larger than their file.
    """

    path: Path
    geometry: Geometry
    dtype: np.dtype[np.generic]
    phases: int
    data: Path
    offset: int
    skipped: int = 0
    packing: str = ""
    phases_last: bool = False
    scale: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        self.geometry.check(self.path)
        size = self.data.stat().st_size
        phase = prod(self.geometry.size) * self.dtype.itemsize
        needed = self.skipped + phase * self.phases
        if (size - self.offset) * _MOST_SHRUNK[self.packing] < needed:
            raise cut_off(self.path)
        check_size(self.path, self.geometry.size)
        if self.packing == "text" and size > _MAX_TEXT:
            raise InputError(f"{self.path} holds too much text to read: save it again from Slicer.")
        if self.packed:
            check_growth(self.path, phase * self.phases if self.phases_last else phase, size - self.offset)
        if self.packing == "gzip":
            self._check_end(needed)

    @property
    def packed(self) -> bool:
        """Whether the data are compressed."""
        return self.packing not in ("", "text")

    def volumes(self) -> Iterator[Volume]:
        """Read one phase after the other, in one pass through the file.

        Raises:
            InputError: the data are damaged or end early, or hold NaN or infinity.
        """
        grid = self.geometry.size[::-1]
        with self._faults_told(), self.data.open("rb") as file:
            stream = self._unpacked(file)
            _skip(stream, self.skipped)
            if self.phases_last:
                every = self._read(stream, (*grid, self.phases), last=True)
                arrays = (every[..., phase] for phase in range(self.phases))
            else:
                arrays = (self._read(stream, grid, phase == self.phases - 1) for phase in range(self.phases))
            # No name may hold a phase while the next one is read, as a loop's would.
            yield from map(self._volume, arrays)

    @contextmanager
    def _faults_told(self) -> Iterator[None]:
        try:
            yield
        except EOFError as error:
            raise cut_off(self.path) from error
        except InputError:
            raise
        except (zlib.error, OSError, ValueError, OverflowError) as error:
            raise InputError(f"The packed data of {self.path} are damaged: copy it again.") from error

    def _unpacked(self, file: IO[bytes]) -> _Stream:
        file.seek(self.offset)
        if self.packing == "gzip":
            return gzip.GzipFile(fileobj=file)
        if self.packing == "zlib":
            return _Inflated(file)
        if self.packing == "bzip2":
            return bz2.BZ2File(file)
        return _Spelled(file, self.dtype) if self.packing == "text" else file

    def _read(self, stream: _Stream, shape: tuple[int, ...], last: bool) -> NDArray[np.generic]:
        array = np.empty(shape, self.dtype)
        left = memoryview(array.reshape(-1).view(np.uint8).data)
        while left:
            chunk = stream.read(min(len(left), _CHUNK))
            if not chunk:
                raise EOFError
            left[: len(chunk)] = chunk
            left = left[len(chunk) :]
        if last and self.packed:
            stream.read(_CHUNK)  # only at its end does a packing compare its checksum
        return array

    def _volume(self, array: NDArray[np.generic]) -> Volume:
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
        if self.scale is not None:
            slope, intercept = self.scale
            with np.errstate(over="ignore", invalid="ignore"):
                scaled = array.astype(np.float64) * slope + intercept
                array = scaled if array.dtype == np.float64 else scaled.astype(np.float32)
        check_finite(self.path, array)
        return Volume(array, self.geometry)

    def _check_end(self, needed: int) -> None:
        """A gzip file ends with the size of what it holds: one that was cut off is found without unpacking it."""
        with self._faults_told(), self.data.open("rb") as file:
            file.seek(-4, os.SEEK_END)
            if int.from_bytes(file.read(4), "little") != needed % 2**32:
                # It may also have several parts, or a tail behind the data: only looking through it can tell.
                _skip(self._unpacked(file), needed)


class _Spelled:
    """What is written as text, as the bytes of an array of these numbers."""

    def __init__(self, file: IO[bytes], dtype: np.dtype[np.generic]) -> None:
        self._words = (match[0] for match in re.finditer(rb"\S+", file.read()))
        self._dtype = dtype

    def read(self, count: int, /) -> bytes:
        words = list(islice(self._words, count // self._dtype.itemsize))
        # Python alone would read 1_000.
        if any(b"_" in word or len(word) > _LONGEST_NUMBER for word in words):
            raise ValueError("no number")
        return np.array(words).astype(self._dtype).tobytes()


class _Inflated:
    """What zlib (or gzip, as MetaIO accepts) packed, unpacked as it is asked for."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._unpack = zlib.decompressobj(wbits=47)

    def read(self, count: int, /) -> bytes:
        data = b""
        while not data and not self._unpack.eof:
            packed = self._unpack.unconsumed_tail or self._file.read(_CHUNK)
            if not packed:
                raise EOFError
            data = self._unpack.decompress(packed, count)
        return data


def _skip(stream: _Stream, count: int) -> None:
    while count:
        skipped = len(stream.read(min(count, _CHUNK)))
        if not skipped:
            raise EOFError
        count -= skipped
