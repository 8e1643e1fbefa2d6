"""MetaImage headers (.mha, .mhd; https://itk.org/Wiki/MetaIO/Documentation), taken literally or not at all.

Each line must be ``Name = value``, with the names as MetaIO writes them and each once: other readers take tabs, colons,
other cases and repetitions in other ways.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from topogan.errors import InputError
from topogan.volumes.geometry import Geometry, geometry_of_axes
from topogan.volumes.stored import StoredArray, number, quoted, said_in_header

_MAX_HEADER, _MAX_LINES = 1 << 20, 10_000
_TYPES = {
    "CHAR": "i1", "UCHAR": "u1", "SHORT": "i2", "USHORT": "u2", "INT": "i4", "UINT": "u4", "LONG": "i4", "ULONG": "u4",
    "LONG_LONG": "i8", "ULONG_LONG": "u8", "FLOAT": "f4", "DOUBLE": "f8",
}  # fmt: skip
# Of each of these pairs and triples a header may have one.
_SAME = (
    ("Offset", "Position", "Origin"),
    ("TransformMatrix", "Orientation", "Rotation"),
    ("BinaryDataByteOrderMSB", "ElementByteOrderMSB"),
)
_READ = {
    "ObjectType", "NDims", "BinaryData", "CompressedData", "CompressedDataSize", "DimSize", "HeaderSize", "ElementType",
    "ElementSpacing", "ElementSize", "CenterOfRotation", "ElementNumberOfChannels", "ElementDataFile",
    "ElementToIntensityFunctionSlope", "ElementToIntensityFunctionOffset", *(name for names in _SAME for name in names),
}  # fmt: skip
_SPELLING = {name.lower(): name for name in _READ}
# No control codes and no line ends of Unicode, which other readers might take for one.
_LINE = re.compile(r"([A-Za-z][\w ]*?) *= *([^\x00-\x1f\x7f\x85\u2028\u2029]*?) *\r?")
_TRUTH = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


def read_metaimage(path: Path) -> tuple[StoredArray, Geometry]:
    """Read the header of a MetaImage file.

    Raises:
        InputError: one sentence that names the file.
    """
    fields, end = _read_header(path)
    kind = fields.get("ElementType", "").removeprefix("MET_").removesuffix("_ARRAY")
    if kind not in _TYPES:
        raise said_in_header(path, f"the type of its numbers is {quoted(fields.get('ElementType'))}")
    axes = _whole(path, fields, "NDims")
    if axes not in (3, 4):
        raise InputError(
            f"{path} has {axes} dimensions where a volume has 3 (or 4 with phases): "
            "give a volume, or the folder of its PNG slices."
        )
    if (channels := _whole(path, {"ElementNumberOfChannels": "1", **fields}, "ElementNumberOfChannels")) != 1:
        raise InputError(
            f"{path} holds {channels} values per voxel (a color or vector image): "
            "give one with a single value per voxel."
        )
    function = [
        fields.get(f"ElementToIntensityFunction{name}", said) for name, said in (("Slope", "1"), ("Offset", "0"))
    ]
    if [number(word) for word in function] != [1.0, 0.0]:
        raise said_in_header(path, "its numbers are to be scaled")
    sizes = [int(size) if size == int(size) else 0 for size in _numbers(path, fields, "DimSize", axes)]
    if min(sizes) < 1:
        raise said_in_header(path, f"its size is {quoted(fields['DimSize'])}")
    big = _true(path, fields, "BinaryDataByteOrderMSB") or _true(path, fields, "ElementByteOrderMSB")
    dtype = np.dtype((">" if big else "<") + _TYPES[kind])
    packing = "zlib" if _true(path, fields, "CompressedData") else ""
    if "BinaryData" in fields and not _true(path, fields, "BinaryData"):
        packing = "text"
    detached = fields["ElementDataFile"]
    if detached.startswith("LIST") or "%" in detached:
        raise InputError(f"{path} has its data in several files: save it as one file in Slicer.")
    file, offset = (path, end) if detached == "LOCAL" else (path.parent / detached, 0)
    offset = _behind_header(path, fields, file, offset, packing, int(np.prod(sizes)) * dtype.itemsize)
    stored = StoredArray(path, file, tuple(reversed(sizes)), dtype, offset, packing=packing)
    _check_packed_size(path, fields, stored)
    return stored, _geometry(path, fields, sizes)


def _read_header(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields and where the data begin: behind ``ElementDataFile``, which is the last one."""
    with path.open("rb") as file:
        start = file.read(_MAX_HEADER)
    fields: dict[str, str] = {}
    end = 0
    for _ in range(_MAX_LINES):
        stop = start.find(b"\n", end)
        line = start[end : stop if stop >= 0 else len(start)]
        match = re.fullmatch(
            r"([A-Za-z][\w ]*?) *= ?([^\x00-\x1f\x7f\x85\u2028\u2029]*?) *\r?", line.decode("utf-8", "replace")
        )
        if match is None:
            raise InputError(f"{path} cannot be read as a volume: it does not begin as a MetaImage file does.")
        name, value = match[1], match[2]
        if _SPELLING.get(name.lower(), name) != name or name.lower() in {one.lower() for one in fields}:
            raise said_in_header(path, f"it has {quoted(name)} in another spelling, or twice")
        fields[name] = value
        end = stop + 1 if stop >= 0 else len(start)
        if name == "ElementDataFile":
            break
        if stop < 0:
            raise InputError(f"{path} cannot be read as a volume: its header does not end.")
    else:
        raise said_in_header(path, f"it has more than {_MAX_LINES} lines")
    for names in _SAME:
        if sum(name in fields for name in names) > 1:
            raise said_in_header(path, f"it has more than one of {', '.join(names)}")
    return fields, end


def _geometry(path: Path, fields: dict[str, str], sizes: list[int]) -> Geometry:
    axes = len(sizes)
    if "ElementSpacing" not in fields:
        raise InputError(f"The voxel spacing of {path} is missing in its header: save it again from Slicer.")
    spacing = np.array(_numbers(path, fields, "ElementSpacing", axes))
    for name in ("ElementSize", "CenterOfRotation"):
        if name in fields:  # with another number of values MetaIO takes the next line for one
            _numbers(path, fields, name, axes)
    if min(spacing) <= 0:
        shown = " x ".join(f"{value:g}" for value in spacing[:3])
        raise InputError(f"The voxel spacing of {path} is {shown} mm: correct its header, it must be above 0.")
    origin, matrix = np.zeros(axes), np.eye(axes)
    for name in _SAME[0]:
        if name in fields:
            origin = np.array(_numbers(path, fields, name, axes))
    for name in _SAME[1]:
        if name in fields:
            matrix = np.array(_numbers(path, fields, name, axes * axes)).reshape(axes, axes)
    if axes == 4 and not np.allclose(matrix[3], [0, 0, 0, 1]) | np.allclose(matrix[:, 3], [0, 0, 0, 1]):
        raise said_in_header(path, "its phases lie along an axis of space")
    if not np.allclose(np.linalg.norm(matrix[:3, :3], axis=1), 1.0, atol=1e-3):
        raise InputError(f"The axes in the header of {path} are no unit vectors: save it again from Slicer.")
    # Row k of the matrix is the direction of axis k.
    return geometry_of_axes(tuple(sizes[:3]), (matrix[:3, :3] * spacing[:3, None]).T, origin[:3])


def _behind_header(path: Path, fields: dict[str, str], file: Path, offset: int, packing: str, count: int) -> int:
    size = fields.get("HeaderSize", "0")
    if not re.fullmatch(r"-1|[0-9]{1,15}", size):
        raise said_in_header(path, f"HeaderSize is {quoted(size)}")
    if size == "-1" and not packing and file.is_file():
        return max(offset, file.stat().st_size - count)
    if int(size) > 0 and file == path:
        raise said_in_header(path, "it skips some of its data")
    return offset + max(int(size), 0)


def _check_packed_size(path: Path, fields: dict[str, str], stored: StoredArray) -> None:
    said = fields.get("CompressedDataSize")
    if stored.packing != "zlib" or said is None or not stored.file.is_file():
        return
    there = stored.file.stat().st_size - stored.offset
    if not re.fullmatch(r"[0-9]{1,15}", said) or int(said) > there:
        raise said_in_header(path, f"its packed data have {quoted(said)} bytes and the file {there}")
    if int(said) != there:
        raise said_in_header(path, f"its packed data have {said} bytes and {there} follow")


def _whole(path: Path, fields: dict[str, str], name: str) -> int:
    value = _numbers(path, fields, name, 1)[0]
    if value != int(value):
        raise said_in_header(path, f"{name} is {quoted(fields[name])}")
    return int(value)


def _true(path: Path, fields: dict[str, str], name: str) -> bool:
    word = fields.get(name, "false").lower()
    if word not in _TRUTH:
        raise said_in_header(path, f"{name} is {quoted(fields[name])}")
    return _TRUTH[word]


def _numbers(path: Path, fields: dict[str, str], name: str, count: int) -> list[float]:
    values = [number(word) for word in fields.get(name, "").split()]
    if len(values) != count or not np.isfinite(values).all():
        raise said_in_header(
            path, f"{name} is {quoted(fields.get(name))} where {count} number{'s' * (count > 1)} should be"
        )
    return values
