"""What ITK lets pass in a NIfTI file without a word: a cut-off end, and a voxel size of zero or NaN.

Both were tried with SimpleITK 2.5: half a ``.nii`` or ``.nii.gz`` is filled up with zeros, and a spacing of 0 or NaN
becomes 1 mm. Layouts: https://nifti.nimh.nih.gov (nifti1.h, nifti2.h).
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from topogan.errors import InputError

_CHUNK = 1 << 20


@dataclass(frozen=True)
class _Layout:
    """Where a NIfTI version keeps the fields that are checked here: byte offset and struct format."""

    header_bytes: int
    dimensions: tuple[int, str]
    bits: tuple[int, str]
    spacing: tuple[int, str]
    data_offset: tuple[int, str]


_LAYOUTS = (
    _Layout(348, (40, "8h"), (72, "h"), (76, "8f"), (108, "f")),
    _Layout(540, (16, "8q"), (14, "h"), (104, "8d"), (168, "q")),
)


def check_nifti(path: Path) -> None:
    """Refuse a NIfTI file that is cut off or has no usable voxel size; other faults are left to ITK.

    Raises:
        InputError: one sentence that names the file.
    """
    compressed = path.name.lower().endswith(".gz")
    cut_off = InputError(f"{path} is cut off: its data end before its header says so; copy it again.")
    try:
        with gzip.open(path) if compressed else open(path, "rb") as file:
            needed = _needed_bytes(path, file.read(544))
            if needed is None:
                return
            available = _count_up_to(file, needed) if compressed else path.stat().st_size
    except gzip.BadGzipFile:
        return  # not compressed at all: ITK reads it, or says that it cannot
    except (EOFError, zlib.error) as error:
        raise cut_off from error
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror}): check its permissions.") from error
    if available < needed:
        raise cut_off


def _needed_bytes(path: Path, header: bytes) -> int | None:
    """Return how long the decompressed file must be, or None for what is not a single-file NIfTI header."""
    for order in "<>":
        for layout in _LAYOUTS:
            if len(header) >= layout.header_bytes and struct.unpack_from(order + "i", header)[0] == layout.header_bytes:
                return _from_header(path, header, order, layout)
    return None


def _from_header(path: Path, header: bytes, order: str, layout: _Layout) -> int:
    def field(place: tuple[int, str]) -> tuple[float, ...]:
        return struct.unpack_from(order + place[1], header, place[0])

    count, *sizes = (int(value) for value in field(layout.dimensions))
    spacing = field(layout.spacing)[1:4]
    if not all(math.isfinite(value) and value > 0 for value in spacing):
        shown = " x ".join(f"{value:g}" for value in spacing)
        raise InputError(f"The voxel spacing of {path} is {shown} mm: correct its header, it must be above 0.")
    voxels = math.prod(max(size, 1) for size in sizes[: min(max(count, 0), 7)])
    return int(field(layout.data_offset)[0]) + voxels * int(field(layout.bits)[0]) // 8


def _count_up_to(file: gzip.GzipFile, needed: int) -> int:
    """Decompress on, without keeping anything, until ``needed`` bytes have been seen or the file ends."""
    while file.tell() < needed and file.read(_CHUNK):
        pass
    return file.tell()
