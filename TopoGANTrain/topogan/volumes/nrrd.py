"""NRRD headers (https://teem.sourceforge.net/nrrd/format.html): Slicer's volumes, segmentations and sequences.

A header is taken literally or not at all: each line must be one field of the format, one key with its value, or a
comment, and a field may stand once. pynrrd is not used because it guesses where we have to be sure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from topogan.errors import InputError
from topogan.volumes.geometry import Geometry, geometry_of_axes
from topogan.volumes.stored import StoredArray, number, quoted, said_in_header

# Slicer's segmentations of a hundred structures take 100 kB in 1,500 lines.
_MAX_HEADER, _MAX_LINES = 4 << 20, 20_000
_TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_TYPE_OF = {name: code for code, names in _TYPES.items() for name in names}
_PACKINGS = {"raw": "", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_PACKINGS |= dict.fromkeys(("text", "txt", "ascii"), "text")
# What turns a space's axes to LPS.
_SPACES = {
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1), "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
_MILLIMETRE = {"", "mm", "millimeter", "millimeters", "millimetre", "millimetres"}
_FIELDS = {
    "content", "number", "type", "block size", "dimension", "space", "space dimension", "sizes", "spacings",
    "thicknesses", "axis mins", "axis maxs", "centers", "labels", "units", "min", "max", "old min", "old max", "endian",
    "encoding", "line skip", "byte skip", "sample units", "space units", "space origin", "space directions",
    "measurement frame", "data file", "kinds",
}  # fmt: skip
_SYNONYMS = {
    "blocksize": "block size", "axismins": "axis mins", "axismaxs": "axis maxs", "centerings": "centers",
    "oldmin": "old min", "oldmax": "old max", "lineskip": "line skip", "byteskip": "byte skip",
    "sampleunits": "sample units", "datafile": "data file",
}  # fmt: skip
# Slicer writes a sequence with its phases as a "list" axis.
_PHASE_KINDS = {"list", "time"}
_DOMAIN_KINDS = {"domain", "space", "none", "???"}
_VECTOR = re.compile(r"none|\([^()]*\)")


def read_nrrd(path: Path) -> tuple[StoredArray, Geometry]:
    """Read the header of an NRRD file.

    Raises:
        InputError: one sentence that names the file.
    """
    fields, keys, end = _read_header(path)
    dtype = _dtype(path, fields)
    packing = _PACKINGS.get(fields.get("encoding", "").lower())
    if packing is None:
        raise said_in_header(path, f"its encoding is {quoted(fields.get('encoding'))}")
    sizes = _sizes(path, fields)
    phase_axis = _phase_axis(path, fields, keys, sizes)
    geometry = _geometry(path, fields, sizes, phase_axis)
    file, offset = _data_file(path, fields, end)
    offset, skipped = _skips(path, fields, file, offset, packing, int(np.prod(sizes)) * dtype.itemsize)
    shape = tuple(reversed(sizes))
    # The first axis is the fastest: phases there lie within each voxel.
    return StoredArray(path, file, shape, dtype, offset, skipped, packing, phases_last=phase_axis == 0), geometry


def _read_header(path: Path) -> tuple[dict[str, str], dict[str, str], int]:
    """Return the fields (names in lower case), the keys, and where the data begin."""
    with path.open("rb") as file:
        start = file.read(_MAX_HEADER)
    if not re.match(rb"NRRD000[1-5]\r?\n", start):
        raise InputError(f"{path} cannot be read as a volume: it does not begin as an NRRD file does.")
    blank = re.search(rb"\n\r?\n", start)
    if blank is None and len(start) == _MAX_HEADER:
        raise said_in_header(path, f"it is longer than {_MAX_HEADER >> 20} MB")
    end = blank.end() if blank else len(start)
    lines = start[: blank.start() if blank else end].split(b"\n")[1:]
    if len(lines) > _MAX_LINES:
        raise said_in_header(path, f"it has more than {_MAX_LINES} lines")
    fields: dict[str, str] = {}
    keys: dict[str, str] = {}
    for line in lines:
        text = line.decode("utf-8", "replace").removesuffix("\r")
        if text.startswith("#") or not text:
            continue
        key, mark, value = text.partition(":=")
        if mark and ":" not in key:
            keys[key] = value
            continue
        field = re.fullmatch(r"([A-Za-z][A-Za-z ]*): ([^\x00-\x1f]*)", text)
        name = field[1].lower() if field else ""
        name = _SYNONYMS.get(name, name)
        if field is None or mark or name not in _FIELDS:
            raise said_in_header(path, f"its line {quoted(text)} is no field of the format")
        if name in fields:
            raise said_in_header(path, f"it has the field {name} twice")
        fields[name] = field[2].strip()
    return fields, keys, end


def _dtype(path: Path, fields: dict[str, str]) -> np.dtype[np.generic]:
    code = _TYPE_OF.get(fields.get("type", "").lower())
    if code is None:
        raise said_in_header(path, f"the type of its numbers is {quoted(fields.get('type'))}")
    order = {"little": "<", "big": ">"}.get(fields.get("endian", "").lower())
    if order is None and np.dtype(code).itemsize > 1 and _PACKINGS.get(fields.get("encoding", "").lower()) != "text":
        raise said_in_header(path, f"the order of its bytes (endian) is {quoted(fields.get('endian'))}")
    return np.dtype((order or "=") + code)


def _sizes(path: Path, fields: dict[str, str]) -> list[int]:
    words = fields.get("sizes", "").split()
    if fields.get("dimension") != str(len(words)) or not all(re.fullmatch(r"[0-9]{1,18}", word) for word in words):
        raise said_in_header(
            path, f"its dimension is {quoted(fields.get('dimension'))} and its sizes are {quoted(fields.get('sizes'))}"
        )
    sizes = [int(word) for word in words]
    if 0 in sizes:
        raise said_in_header(path, f"its sizes are {quoted(fields['sizes'])}")
    if len(sizes) not in (3, 4):
        raise InputError(
            f"{path} has {len(sizes)} dimensions where a volume has 3 (or 4 with phases): "
            "give a volume, or the folder of its PNG slices."
        )
    return sizes


def _phase_axis(path: Path, fields: dict[str, str], keys: dict[str, str], sizes: list[int]) -> int | None:
    kinds = fields.get("kinds", " ".join(["domain"] * len(sizes))).lower().split()
    if len(kinds) != len(sizes):
        raise said_in_header(path, f"its kinds are {quoted(fields.get('kinds'))} for {len(sizes)} axes")
    others = [axis for axis, kind in enumerate(kinds) if kind not in _DOMAIN_KINDS]
    if len(sizes) == 4 and not others:
        others = [3]
    if len(sizes) == 3 and not others:
        return None
    axis = others[0]
    if "Segment0_ID" in keys and kinds[axis] not in _DOMAIN_KINDS:
        raise InputError(f"The segments in {path} overlap: export them from Slicer as a label map.")
    if len(sizes) == 3 or len(others) > 1 or axis not in (0, 3) or kinds[axis] not in _PHASE_KINDS | _DOMAIN_KINDS:
        raise InputError(
            f"{path} holds {sizes[axis]} values per voxel (a color or vector image): "
            "give one with a single value per voxel."
        )
    return axis


def _geometry(path: Path, fields: dict[str, str], sizes: list[int], phase_axis: int | None) -> Geometry:
    spatial = [axis for axis in range(len(sizes)) if axis != phase_axis]
    size = tuple(sizes[axis] for axis in spatial)
    for name in ("space units", "units"):
        found = re.findall(r'"([^"]*)"', fields.get(name, ""))
        if any(unit.lower() not in _MILLIMETRE for unit in (found[:3] if name == "space units" else found)):
            raise said_in_header(path, f"its unit is {quoted(fields[name])} where mm is read")
    if "space directions" not in fields and "spacings" not in fields:
        raise InputError(f"The voxel spacing of {path} is missing in its header: save it again from Slicer.")
    unread = [name for name in ("axis mins", "axis maxs") if set(fields.get(name, "").lower().split()) - {"nan"}]
    if unread or ("space directions" in fields and "spacings" in fields):
        raise said_in_header(path, f"it places its voxels by {unread[0] if unread else 'spacings and directions'}")
    if "space directions" not in fields:
        spacings = [
            _positive(path, fields, "spacings", fields["spacings"].split(), len(sizes), axis) for axis in spatial
        ]
        return geometry_of_axes(size, np.diag(spacings), np.zeros(3))
    flips = _flips(path, fields)
    vectors = _VECTOR.findall(fields["space directions"].lower())
    # SimpleITK writes a fourth axis of space for the phases, which must have nothing of the other three.
    directions = [axis for axis, one in enumerate(vectors) if one != "none" and (len(flips) == 3 or axis != phase_axis)]
    if len(vectors) != len(sizes) or directions != spatial:
        raise said_in_header(path, f"space directions is {quoted(fields['space directions'])}")
    steps = np.array([_vector(path, fields, "space directions", vectors[axis], len(flips)) for axis in spatial])
    if steps[:, 3:].any():
        raise said_in_header(path, "its phases lie along an axis of space")
    origin = _vector(
        path, fields, "space origin", fields.get("space origin", "(" + "0," * (len(flips) - 1) + "0)"), len(flips)
    )
    return geometry_of_axes(size, steps[:, :3].T * flips[:3, None], (origin * flips)[:3])


def _flips(path: Path, fields: dict[str, str]) -> np.ndarray:
    """What turns the axes of the file's space to LPS, one sign an axis; ITK takes an unnamed space for LPS."""
    name = fields.get("space", "").lower()
    dimension = fields.get("space dimension", "")
    if name not in _SPACES and not (name == "" and dimension in ("3", "4")):
        raise said_in_header(path, f"its space is {quoted(fields.get('space'))} where LPS, RAS or LAS is read")
    return np.array(_SPACES.get(name, [1] * int(dimension or 3)), dtype=float)


def _vector(path: Path, fields: dict[str, str], name: str, text: str, count: int) -> np.ndarray:
    words = text.strip().removeprefix("(").removesuffix(")").split(",")
    return np.array([_number(path, fields, name, words, count, place) for place in range(count)])


def _positive(path: Path, fields: dict[str, str], name: str, words: Sequence[str], count: int, place: int) -> float:
    value = _number(path, fields, name, words, count, place)
    if value <= 0:
        raise InputError(f"The voxel spacing of {path} is {value:g} mm: correct its header, it must be above 0.")
    return value


def _number(path: Path, fields: dict[str, str], name: str, words: Sequence[str], count: int, place: int) -> float:
    """One of ``count`` numbers; of the others nothing is asked (an axis of phases has no spacing)."""
    value = number(words[place].strip()) if len(words) == count else math.nan
    if not math.isfinite(value):
        raise said_in_header(path, f"{name} is {quoted(fields.get(name))}")
    return value


def _data_file(path: Path, fields: dict[str, str], end: int) -> tuple[Path, int]:
    detached = fields.get("data file")
    if detached is None:
        return path, end
    if detached.startswith("LIST") or "%" in detached:
        raise InputError(f"{path} has its data in several files: save it as one file in Slicer.")
    return path.parent / detached, 0


def _skips(path: Path, fields: dict[str, str], file: Path, offset: int, packing: str, count: int) -> tuple[int, int]:
    """Return the bytes before the (packed) data, and those before the numbers once they are unpacked."""
    lines, skipped = (fields.get(name, "0") for name in ("line skip", "byte skip"))
    if not re.fullmatch(r"[0-9]{1,6}", lines) or not re.fullmatch(r"-1|[0-9]{1,15}", skipped):
        raise said_in_header(path, f"it skips {quoted(lines)} lines and {quoted(skipped)} bytes")
    if lines != "0":
        if not file.is_file():
            return offset, 0
        with file.open("rb") as content:
            content.seek(offset)
            for _ in range(int(lines)):
                content.readline(1 << 16)
            offset = content.tell()
    if skipped == "-1":
        if packing or not file.is_file():
            raise said_in_header(path, "it skips bytes from the end of packed data")
        return max(offset, file.stat().st_size - count), 0
    return (offset, int(skipped)) if packing not in ("", "text") else (offset + int(skipped), 0)
