"""NRRD headers (https://teem.sourceforge.net/nrrd/format.html): Slicer's volumes, segmentations and sequences.

Each line must be one field of the format, one key with its value, or a comment. pynrrd is not used because it guesses
where we have to be sure.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError
from topogan.volumes.checks import cut_off, not_scalar, wrong_header
from topogan.volumes.geometry import Geometry, check_spacing, geometry_of_axes
from topogan.volumes.text_header import TextHeader, header_lines, quoted
from topogan.volumes.volume_file import VolumeFile

_TYPES = {
    "i1": "signed char, int8, int8_t",
    "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t",
    "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, int64, int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    "f4": "float",
    "f8": "double",
}
_TYPE_OF = {name: code for code, names in _TYPES.items() for name in names.split(", ")}
_ENDIAN = {"little": "<", "big": ">"}
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
_FIELD = re.compile(r"([A-Za-z][A-Za-z ]*): ([^\x00-\x1f]*)")
_VECTOR = re.compile(r"none|\(([^()]*)\)")


def read_nrrd(path: Path) -> VolumeFile:
    """Read the header of an NRRD file.

    Raises:
        InputError: one sentence that names the file.
    """
    header, segmented, end = _read_header(path)
    sizes = header.sizes("dimension", "sizes")
    phase_axis = _phase_axis(header, segmented, sizes)
    code, packing = header.choice("type", _TYPE_OF), header.choice("encoding", _PACKINGS)
    needs_order = np.dtype(code).itemsize > 1 and packing != "text"
    dtype = np.dtype(header.choice("endian", _ENDIAN, "" if needs_order else "little") + code)
    geometry = _geometry(header, sizes, phase_axis)
    data, offset = (header.data_file("data file"), 0) if "data file" in header.fields else (path, end)
    offset = _behind_lines(header, data, offset)
    numbers = int(np.prod(sizes)) * dtype.itemsize
    skipped = header.skipped("byte skip", None if packing else data.stat().st_size - offset - numbers)
    if packing in ("", "text"):
        offset, skipped = offset + skipped, 0
    phases = 1 if phase_axis is None else sizes[phase_axis]
    # The first axis is the fastest: phases there lie within each voxel.
    return VolumeFile(path, geometry, dtype, phases, data, offset, skipped, packing, phases_last=phase_axis == 0)


def _read_header(path: Path) -> tuple[TextHeader, bool, int]:
    """Return the fields (names in small letters), whether Slicer wrote segments, and where the data begin."""
    header, segmented = TextHeader(path), False
    lines = header_lines(path)
    magic, end = next(lines, ("", 0))
    if not re.fullmatch("NRRD000[1-5]", magic):
        raise InputError(f"{path} cannot be read as a volume: it does not begin as an NRRD file does.")
    for line, end in lines:  # noqa: B007 - where the last one ended
        if not line:
            break
        key, mark, _ = line.partition(":=")
        if line.startswith("#") or (mark and ":" not in key):
            segmented |= key == "Segment0_ID"
            continue
        field = _FIELD.fullmatch(line)
        name = field[1].lower() if field else ""
        name = _SYNONYMS.get(name, name)
        if field is None or mark or name not in _FIELDS:
            raise wrong_header(path, f"its line {quoted(line)} is no field of the format")
        header.add(name, field[2].strip())
    return header, segmented, end


def _phase_axis(header: TextHeader, segmented: bool, sizes: list[int]) -> int | None:
    kinds = header.fields.get("kinds", "domain " * len(sizes)).lower().split()
    if len(kinds) != len(sizes):
        raise header.wrong("kinds", f" for {len(sizes)} axes")
    others = [axis for axis, kind in enumerate(kinds) if kind not in _DOMAIN_KINDS]
    if not others:
        return 3 if len(sizes) == 4 else None
    axis = others[0]
    if segmented:
        raise InputError(f"The segments in {header.path} overlap: export them from Slicer as a label map.")
    if len(sizes) == 3 or len(others) > 1 or axis not in (0, 3) or kinds[axis] not in _PHASE_KINDS:
        raise not_scalar(header.path, sizes[axis])
    return axis


def _geometry(header: TextHeader, sizes: list[int], phase_axis: int | None) -> Geometry:
    path, fields = header.path, header.fields
    spatial = [axis for axis in range(len(sizes)) if axis != phase_axis]
    size = tuple(sizes[axis] for axis in spatial)
    for name, count in (("space units", 3), ("units", len(sizes))):
        units = re.findall(r'"([^"]*)"', fields.get(name, ""))
        if any(unit.lower() not in _MILLIMETRE for unit in units[:count]):
            raise header.wrong(name, " where the unit mm is read")
    for name in ("axis mins", "axis maxs"):
        if set(fields.get(name, "").lower().split()) - {"nan"}:
            raise wrong_header(path, f"it places its voxels by {name}")
    if "space directions" not in fields:
        if "spacings" not in fields:
            raise InputError(f"The voxel spacing of {path} is missing in its header: save it again from Slicer.")
        words = fields["spacings"].split()
        if len(words) != len(sizes):
            raise header.wrong("spacings", f" for {len(sizes)} axes")
        spacing = header.numbers("spacings", 3, [words[axis] for axis in spatial])
        check_spacing(path, spacing)
        return geometry_of_axes(size, np.diag(spacing), np.zeros(3))
    if "spacings" in fields:
        raise wrong_header(path, "it places its voxels by spacings and directions")
    flips = _flips(header)
    vectors = _vectors(header, "space directions")
    # SimpleITK writes a fourth axis of space for the phases, which must have nothing of the other three.
    directions = [axis for axis, words in enumerate(vectors) if words and (len(flips) == 3 or axis != phase_axis)]
    if len(vectors) != len(sizes) or directions != spatial:
        raise header.wrong("space directions", f" for {len(sizes)} axes")
    steps = np.array([header.numbers("space directions", len(flips), vectors[axis]) for axis in spatial])
    if steps[:, 3:].any():
        raise wrong_header(path, "its phases lie along an axis of space")
    origin = np.zeros(len(flips))
    if "space origin" in fields:
        words = [word for vector in _vectors(header, "space origin") for word in vector]
        origin = header.numbers("space origin", len(flips), words)
    return geometry_of_axes(size, steps[:, :3].T * flips[:3, None], (origin * flips)[:3])


def _flips(header: TextHeader) -> NDArray[np.float64]:
    """What turns the axes of the file's space to LPS, one sign an axis; ITK takes an unnamed space for LPS."""
    if "space" in header.fields:
        return np.array(header.choice("space", _SPACES), dtype=float)
    return np.ones(header.choice("space dimension", {"3": 3, "4": 4}))


def _vectors(header: TextHeader, name: str) -> list[list[str]]:
    """The words of each vector of a field; none for the word ``none``."""
    text = header.fields[name].lower()
    if _VECTOR.sub("", text).strip():
        raise header.wrong(name)
    return [[word.strip() for word in inner.split(",") if inner] for inner in _VECTOR.findall(text)]


def _behind_lines(header: TextHeader, data: Path, offset: int) -> int:
    """Where the (packed) data begin once ``line skip`` has been heeded."""
    lines = header.skipped("line skip", None)
    with data.open("rb") as file:
        file.seek(offset)
        while lines:
            piece = file.readline(1 << 16)
            if not piece:
                raise cut_off(header.path)
            lines -= piece.endswith(b"\n")
        return file.tell()
