"""What ITK lets pass in an NRRD file: data anywhere on the disk, no spacing, packed data that end early.

Format: https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np

from topogan.errors import InputError
from topogan.volumes.stored import Claim, check_claim, quoted, said_in_header
from topogan_contract.synthesis import LONGEST_NRRD_LINE

# Slicer's segmentations of a hundred structures take 100 kB.
_MAX_HEADER = 4 << 20
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
_PACKINGS = {"raw": "", "gzip": "gzip", "gz": "gzip"}


def check_nrrd(path: Path) -> None:
    """Refuse an NRRD file that is cut off, lies about its size, or has its data elsewhere.

    Raises:
        InputError: one sentence that names the file.
    """
    fields, end = _read_header(path)
    numbers = np.dtype(_TYPE_OF.get(fields.get("type", "").lower(), "V0"))
    encoding = fields.get("encoding", "").lower()
    if not numbers.itemsize:
        raise said_in_header(path, f"the type of its numbers is {quoted(fields.get('type'))}")
    if encoding not in _PACKINGS:
        raise said_in_header(path, f"its encoding is {quoted(fields.get('encoding'))} where raw or gzip is read")
    if any(fields.get(name, "0") != "0" for name in ("line skip", "lineskip", "byte skip", "byteskip")):
        raise said_in_header(path, "it skips some of its data")
    if "space directions" not in fields and "spacings" not in fields:
        raise InputError(f"The voxel spacing of {path} is missing in its header: save it again from Slicer.")
    count = math.prod(_sizes(path, fields)) * numbers.itemsize
    detached = fields.get("data file", fields.get("datafile"))
    if detached is not None and (detached.startswith("LIST") or re.search(r"%\d*d", detached)):
        raise InputError(f"{path} has its data in several files: save it as one file in Slicer.")
    file, offset = (path, end) if detached is None else (path.parent / detached, 0)
    # NaN is looked for when the voxels are read: ITK leaves it as it is in this format.
    check_claim(path, Claim(file, offset, count, count, _PACKINGS[encoding]))


def _read_header(path: Path) -> tuple[dict[str, str], int]:
    """Return the fields (names in lower case) and where the data begin."""
    with path.open("rb") as file:
        start = file.read(_MAX_HEADER)
    if not re.match(rb"NRRD000[1-5]\r?\n", start):
        raise InputError(f"{path} cannot be read as a volume: it does not begin as an NRRD file does.")
    blank = re.search(rb"\n\r?\n", start)
    end = blank.end() if blank else len(start)
    # The longest line that has a use, directions in four dimensions, takes 300. Keys with values may be of any length.
    lines = [line for line in start[:end].split(b"\n")[1:] if not line.startswith(b"#") and b":=" not in line]
    if any(len(line) > LONGEST_NRRD_LINE for line in lines):
        raise said_in_header(path, f"it has a line of more than {LONGEST_NRRD_LINE} letters")
    pairs = (line.decode("utf-8", "replace").partition(": ") for line in lines)
    return {name.strip().lower(): value.strip() for name, mark, value in pairs if mark}, end


def _sizes(path: Path, fields: dict[str, str]) -> list[int]:
    words = fields.get("sizes", "").split()
    if fields.get("dimension") != str(len(words)) or not all(word.isascii() and word.isdigit() for word in words):
        raise said_in_header(
            path, f"its dimension is {quoted(fields.get('dimension'))} and its sizes are {quoted(fields.get('sizes'))}"
        )
    sizes = [int(word) for word in words if len(word) < 20]
    if len(sizes) < len(words) or 0 in sizes or len(words) > 16:
        raise said_in_header(path, f"its sizes are {quoted(fields['sizes'])}")
    return sizes
