"""Stacks of samples and single volumes: one kind of NRRD file, and the limits within which both sides read it.

A file of masks names its segments, so that Slicer opens it as a segmentation by itself.
"""

from __future__ import annotations

import gzip
import math
import re
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from topogan_contract.synthesis import MOST_PIXELS

_NUMBER = r"(-?[0-9.]{1,24}(?:e[+-]?[0-9]{1,3})?)"
_VECTOR = rf"\({_NUMBER},{_NUMBER},{_NUMBER}\)"
# What the engine writes, and what ITK wrote for version 0.1.0 (with comments); other headers are not read.
_HEADER = re.compile(
    rf"""NRRD0004
(?:#[^\n]*\n)*type: (unsigned char|short)
dimension: 3
space: left-posterior-superior
sizes: ([1-9][0-9]{{0,8}}) ([1-9][0-9]{{0,8}}) ([1-9][0-9]{{0,8}})
space directions: {_VECTOR} {_VECTOR} {_VECTOR}
kinds: domain domain domain
(?:endian: (little|big)\n)?encoding: (gzip|raw)
space origin: {_VECTOR}
((?:Segment[0-9][^\n:]*:=[^\n]*\n)*)(?:[A-Za-z_]{{1,40}}:=[^\n]*\n)*
""".encode()
)
# Keys by which Slicer opens a file as a segmentation (vtkMRMLSegmentationStorageNode.cxx).
_SEGMENT = re.compile(
    r"""Segment[0-9]+_ID:=[^\n]*
Segment[0-9]+_Name:=([^\n]*)
Segment[0-9]+_Color:=([01](?:\.[0-9]+)?) ([01](?:\.[0-9]+)?) ([01](?:\.[0-9]+)?)
Segment[0-9]+_LabelValue:=([0-9]{1,3})
Segment[0-9]+_Layer:=0
Segment[0-9]+_Extent:=[^\n]*
(?:Segment[0-9]+_Tags:=TerminologyEntry:([^\n]*)\|\n)?"""
)
# 24 structures, each with a name, seven keys, and a terminology entry of 1,000 letters of up to 4 bytes.
_MAX_HEADER = 1 << 17
# No pixel lies further from 0, in mm.
_FARTHEST = 1e9
# Deflate shrinks nothing further (https://zlib.net/zlib_tech.html).
_MOST_SHRUNK = 1032


class Segment(NamedTuple):
    """What a label of a mask means."""

    name: str
    label: int
    color: str
    """``#rrggbb``."""
    terminology: str = ""
    """Slicer's serialized terminology entry, or nothing."""


@dataclass(frozen=True)
class Stack:
    """Pictures of one size, one sample a slice; or one volume."""

    dtype: str
    """numpy's name of the type: ``|u1``, ``<i2`` or ``>i2``."""
    size: tuple[int, ...]
    """(columns, rows, samples), of a volume (columns, rows, slices); the data lie with the columns fastest."""
    axes: tuple[tuple[float, ...], ...]
    """The step from one column, row and sample (slice) to the next, to the patient's left, back and head in mm."""
    origin: tuple[float, ...]
    """Where the first pixel lies, likewise."""
    data: bytes
    segments: tuple[Segment, ...] = ()
    """Of the labels, where the file names them."""


def stack_header(
    dtype: str, size: tuple[int, ...], pixel_size: float, content: str, segments: Iterable[Segment] = ()
) -> bytes:
    """The NRRD header of a stack or a volume with gzipped data.

    Args:
        dtype: ``|u1`` or ``<i2``.
        size: (columns, rows, samples or slices).
        pixel_size: mm.
        content: what it is, one line.
        segments: what the labels mean; with them, Slicer opens the file as a segmentation by itself.
    """
    type_name = {"|u1": "unsigned char", "<i2": "short"}[dtype]
    endian = "" if type_name == "unsigned char" else "endian: little\n"
    directions = " ".join(
        f"({','.join(repr(float(pixel_size)) if row == column else '0' for column in range(3))})" for row in range(3)
    )
    return (
        f"NRRD0004\ntype: {type_name}\ndimension: 3\nspace: left-posterior-superior\n"
        f"sizes: {size[0]} {size[1]} {size[2]}\nspace directions: {directions}\nkinds: domain domain domain\n"
        f"{endian}encoding: gzip\nspace origin: (0,0,0)\n{_segment_lines(segments, size)}content:={content}\n\n"
    ).encode()


def _segment_lines(segments: Iterable[Segment], size: tuple[int, ...]) -> str:
    extent = " ".join(f"0 {length - 1}" for length in size)
    return "".join(
        f"Segment{number}_ID:=Segment_{label}\nSegment{number}_Name:={_escaped(name)}\n"
        f"Segment{number}_Color:={' '.join(f'{int(color[at : at + 2], 16) / 255:.4g}' for at in (1, 3, 5))}\n"
        f"Segment{number}_LabelValue:={label}\nSegment{number}_Layer:=0\nSegment{number}_Extent:={extent}\n"
        # A bar ends a tag.
        + (f"Segment{number}_Tags:=TerminologyEntry:{_escaped(entry.replace('|', ''))}|\n" if entry else "")
        for number, (name, label, color, entry) in enumerate(segments)
    )


def _escaped(text: str) -> str:
    """A value of an NRRD key, in which a backslash begins an escape."""
    return text.replace("\\", "\\\\")


def _plain(escaped: str) -> str:
    return escaped.replace("\\\\", "\\")


def _read_segments(lines: str, size: tuple[int, ...]) -> tuple[Segment, ...]:
    found = []
    for name, *color, label, entry in _SEGMENT.findall(lines):
        red, green, blue = (round(float(part) * 255) for part in color)
        found.append(Segment(_plain(name), int(label), f"#{red:02x}{green:02x}{blue:02x}", _plain(entry)))
    labels = [segment.label for segment in found]
    # Taken literally or not at all.
    if _segment_lines(found, size) != lines or len(set(labels)) < len(labels) or not all(0 < n < 256 for n in labels):
        raise ValueError("no list of segments that the engine wrote")
    return tuple(found)


def read_stack(path: Path) -> Stack:
    """Read a stack of slices, or one file of a volume, with all that its header says or not at all.

    Raises:
        OSError, EOFError, zlib.error: it cannot be read, or its data are damaged.
        ValueError: it is no stack or volume that the engine wrote, or larger than any.
    """
    state = path.stat()
    if not stat.S_ISREG(state.st_mode):
        raise ValueError("no file")
    with path.open("rb") as file:
        header = _HEADER.match(file.read(_MAX_HEADER))
        if header is None:
            raise ValueError("no stack")
        kind, columns, rows, samples, *steps, endian, encoding, x, y, z, segments = (
            value.decode() if value else "" for value in header.groups()
        )
        if (kind == "short") != bool(endian):
            raise ValueError("no order of bytes")
        size = (int(columns), int(rows), int(samples))
        named = _read_segments(segments, size)
        numbers = [float(value) for value in (*steps, x, y, z)]
        if math.prod(size) > MOST_PIXELS or not all(abs(value) < _FARTHEST for value in numbers):
            raise ValueError("beyond measure")
        dtype = {"": "|u1", "little": "<i2", "big": ">i2"}[endian]
        count = math.prod(size) * int(dtype[-1])
        # Before memory is taken for it.
        if (state.st_size - header.end()) * (_MOST_SHRUNK if encoding == "gzip" else 1) < count:
            raise ValueError("cut off")
        file.seek(header.end())
        with gzip.GzipFile(fileobj=file) if encoding == "gzip" else file as stream:
            data = stream.read(count)
            if len(data) != count or stream.read(1):  # reading on compares gzip's checksum
                raise ValueError("more or fewer pixels than said")
    axes = tuple(tuple(numbers[start : start + 3]) for start in (0, 3, 6))
    return Stack(dtype, size, axes, tuple(numbers[9:]), data, named)
