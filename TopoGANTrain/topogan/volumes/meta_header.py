"""What ITK lets pass in a MetaImage file (.mha, .mhd): lies that crash it, packed data that end early, data anywhere.

Tried with SimpleITK 2.5: ``NDims = -3`` is a segmentation fault, half the packed data give whatever the memory held.
Format: https://itk.org/Wiki/MetaIO/Documentation
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from topogan.errors import InputError
from topogan.volumes.stored import Claim, check_claim, quoted, said_in_header

_MAX_HEADER = 1 << 20
_TYPES = {
    "CHAR": "i1",
    "UCHAR": "u1",
    "SHORT": "i2",
    "USHORT": "u2",
    "INT": "i4",
    "UINT": "u4",
    "LONG": "i4",
    "ULONG": "u4",
    "LONG_LONG": "i8",
    "ULONG_LONG": "u8",
    "FLOAT": "f4",
    "DOUBLE": "f8",
}


def check_meta(path: Path) -> None:
    """Refuse a MetaImage file that is cut off, lies about its size or place, or has its data elsewhere.

    Raises:
        InputError: one sentence that names the file.
    """
    fields, end = _read_header(path)
    kind = fields.get("ElementType", "").removeprefix("MET_").removesuffix("_ARRAY")
    if kind not in _TYPES:
        raise said_in_header(path, f"the type of its numbers is {quoted(fields.get('ElementType'))}")
    if fields.get("HeaderSize", "0") not in ("0", "-1"):
        raise said_in_header(path, "it skips some of its data")
    if fields.get("BinaryData", "True").lower() != "true":
        raise said_in_header(path, "its data are written as text")
    axes = int(_numbers(path, fields, "NDims", 1)[0])
    if not 2 <= axes <= 4:
        raise said_in_header(path, f"it has {axes} dimensions where a volume has 3 (or 4 with phases)")
    _check_place(path, fields, axes)
    sizes = _numbers(path, fields, "DimSize", axes)
    if any(size < 1 or size != int(size) for size in sizes):
        raise said_in_header(path, f"its size is {quoted(fields['DimSize'])}")
    channels = _numbers(path, {"ElementNumberOfChannels": "1", **fields}, "ElementNumberOfChannels", 1)[0]
    voxel = int(channels) * np.dtype(_TYPES[kind]).itemsize
    detached = fields["ElementDataFile"]
    if detached.startswith("LIST") or "%" in detached:
        raise InputError(f"{path} has its data in several files: save it as one file in Slicer.")
    inside = detached.upper() == "LOCAL"
    file, offset = (path, end) if inside else (path.parent / detached, 0)
    packing = "zlib" if fields.get("CompressedData", "False").lower() == "true" else ""
    count, at_once = (math.prod(int(size) for size in part) * voxel for part in (sizes, sizes[:3]))
    check_claim(path, Claim(file, offset, count, at_once, packing))


def _read_header(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields and where the data begin: behind ``ElementDataFile``, which is the last one."""
    with path.open("rb") as file:
        start = file.read(_MAX_HEADER)
    last = re.search(rb"^ElementDataFile *= *[^\n]*(\n|\Z)", start, re.MULTILINE)
    if last is None:
        raise InputError(f"{path} cannot be read as a volume: it does not begin as a MetaImage file does.")
    lines = start[: last.end()].decode("utf-8", "replace").splitlines()
    pairs = (line.partition("=") for line in lines)
    return {name.strip(): value.strip() for name, mark, value in pairs if mark}, last.end()


def _check_place(path: Path, fields: dict[str, str], axes: int) -> None:
    if "ElementSpacing" not in fields:
        raise InputError(f"The voxel spacing of {path} is missing in its header: save it again from Slicer.")
    _numbers(path, fields, "ElementSpacing", axes)
    for name, count in (("Offset", axes), ("Position", axes), ("Origin", axes), ("TransformMatrix", axes * axes)):
        if name in fields:
            _numbers(path, fields, name, count)


def _numbers(path: Path, fields: dict[str, str], name: str, count: int) -> list[float]:
    try:
        values = [float(word) for word in fields[name].split()]
    except (KeyError, ValueError):
        values = []
    if len(values) != count or not np.isfinite(values).all():
        raise said_in_header(
            path, f"{name} is {quoted(fields.get(name))} where {count} number{'s' * (count > 1)} should be"
        )
    return values
