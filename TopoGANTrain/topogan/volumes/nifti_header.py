"""What ITK lets pass in a NIfTI file without a word, or answers with a crash or a print of its own.

Tried with SimpleITK 2.5: half a file is filled up with zeros, a spacing of 0 or NaN becomes 1 mm, NaN in a rotation,
a position or a voxel becomes 0. Layouts: https://nifti.nimh.nih.gov (nifti1.h, nifti2.h).
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from topogan.errors import InputError
from topogan.volumes.stored import Claim, check_claim, said_in_header

_Place = tuple[int, str]


@dataclass(frozen=True)
class _Layout:
    """Where a NIfTI version keeps its fields: byte offset and struct format."""

    size: int
    magic: tuple[int, bytes]
    dimensions: _Place
    datatype: _Place
    bits: _Place
    spacing: _Place
    data_offset: _Place
    slope: _Place
    form_codes: _Place
    rotation: _Place
    axes: _Place


_LAYOUTS = (
    _Layout(348, (344, b"n+1\0"), (40, "8h"), (70, "h"), (72, "h"), (76, "8f"), (108, "f"), (112, "2f"), (252, "2h"),
            (256, "6f"), (280, "12f")),
    _Layout(540, (4, b"n+2\0\r\n\x1a\n"), (16, "8q"), (12, "h"), (14, "h"), (104, "8d"), (168, "q"), (176, "2d"),
            (344, "2i"), (352, "6d"), (400, "12d")),
)  # fmt: skip
# NIfTI's code of a type -> bytes of a voxel. Complex numbers and colors are read, and refused as such.
_BYTES = {2: 1, 4: 2, 8: 4, 16: 4, 32: 8, 64: 8, 128: 3, 256: 1, 512: 2, 768: 4, 1024: 8, 1280: 8, 1792: 16, 2304: 4}
_FRACTIONS = {16: "f4", 64: "f8"}


def check_nifti(path: Path) -> None:
    """Refuse a NIfTI file that is cut off, lies about its size, or says nothing sensible of its place.

    Raises:
        InputError: one sentence that names the file.
    """
    packed = _is_gzip(path)
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            start = file.read(544)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is cut off: its data end before its header says so; copy it again.") from error
    for order in "<>":
        for layout in _LAYOUTS:
            place, magic = layout.magic
            if start[place : place + len(magic)] == magic and start[:4] == struct.pack(order + "i", layout.size):
                check_claim(path, _Header(path, start.ljust(layout.size, b"\0"), order, layout).claim(packed))
                return
    raise InputError(f"{path} cannot be read as a volume: it has no NIfTI header (or an old Analyze one).")


def _is_gzip(path: Path) -> bool:
    # By the content, as ITK does: some tools name unpacked files .nii.gz.
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


@dataclass(frozen=True)
class _Header:
    path: Path
    content: bytes
    order: str
    layout: _Layout

    def claim(self, packed: bool) -> Claim:
        """Check every field that matters; return what the header says of the data."""
        self._check_place()
        code, bits = (int(self._field(place)[0]) for place in (self.layout.datatype, self.layout.bits))
        if _BYTES.get(code, 0) * 8 != bits:
            raise said_in_header(self.path, f"the type of its numbers is {code} with {bits} bits")
        offset = self._field(self.layout.data_offset)[0]
        if not (math.isfinite(offset) and offset >= self.layout.size):
            raise said_in_header(self.path, f"its data cannot begin at byte {offset:g}")
        if any(math.isinf(value) for value in self._field(self.layout.slope)):
            raise said_in_header(self.path, "its values are scaled by infinity")
        sizes = self._sizes()
        count = math.prod(sizes) * _BYTES[code]
        numbers = np.dtype(self.order + _FRACTIONS[code]) if code in _FRACTIONS else None
        # In packed files the header is a part of what is unpacked.
        before = int(offset) if packed else 0
        at_once = math.prod(sizes[:3]) * _BYTES[code]
        if packed:
            return Claim(self.path, 0, before + count, at_once, "gzip", numbers)
        return Claim(self.path, int(offset), count, at_once, "", numbers)

    def _sizes(self) -> list[int]:
        count, *sizes = (int(value) for value in self._field(self.layout.dimensions))
        if not 1 <= count <= 7 or min(sizes[:count]) < 1:
            raise said_in_header(
                self.path, f"it has {count} dimensions of {' x '.join(map(str, sizes[: max(count, 3)]))} voxels"
            )
        return sizes[:count]

    def _check_place(self) -> None:
        spacing = self._field(self.layout.spacing)[1:4]
        if not all(math.isfinite(value) and value > 0 for value in spacing):
            shown = " x ".join(f"{value:g}" for value in spacing)
            raise InputError(f"The voxel spacing of {self.path} is {shown} mm: correct its header, it must be above 0.")
        by_rotation, by_axes = self._field(self.layout.form_codes)
        used = self._field(self.layout.rotation) if by_rotation > 0 else ()
        used += self._field(self.layout.axes) if by_axes > 0 else ()
        if not all(math.isfinite(value) for value in used):
            raise said_in_header(self.path, "the position or the axes in it are not numbers")

    def _field(self, place: _Place) -> tuple[float, ...]:
        return struct.unpack_from(self.order + place[1], self.content, place[0])
