"""The synthesis folder: its files, and the limits within which both sides read them, for they may be a stranger's.

Samples are slices (``axes`` 2) or volumes (3). Slices lie in two stacks, ``masks.nrrd`` and ``textures.nrrd``; a volume
has a file for its mask and one for its texture, :func:`mask_file` and :func:`texture_file`, without stacks. Masks hold
label ids: n is structure n of the table, counted from 1. *Regions* are the structures, then the unions of some
("a + b"). Diagrams lie sample by sample, and in a sample region by region; they count in pixels, which they name as
(row, column), of volumes as (slice, row, column).

Volumes have edges of one length and lie as the identity in LPS: columns to the patient's left, rows to the back, slices
to the head, the first voxel at the origin.

``report.json`` of the second schema says, beside counts and settings:

- ``axes``: 2 for slices, 3 for volumes; 2 where it is missing;
- ``count`` samples of ``size`` pixels along each axis, of ``pixel_size_mm``;
- ``table``: ``structures``, each with ``name``, ``color`` and ``terminology``, and ``unions``, lists of names;
- ``regions``: for each ``name``, ``valid_percent``, ``expected_betti`` ([b0, b1]; null where it depends on the level),
  ``betti_histogram`` and ``betti_histogram_before_cleaning`` ({"1,1": samples}), ``area_mm2`` (``mean``, ``smallest``,
  ``largest``); of volumes [b0, b1, b2], {"1,0,0": samples} and ``volume_ml`` in its place (:data:`SIZE_NAMES`);
  and ``real``, how long the bars of real masks are (:mod:`topogan_contract.real_bars`), which may be missing;
- ``valid_percent``: samples of which every structure is valid;
- ``requested_betti``: null, "real", or for each region [b0, b1] (of volumes [b0, b1, b2]), "real" or null;
- ``copies_left_out``: how many possible copies of training samples were drawn again; missing where nobody looked;
  ``copies_bar``: with how many (``held_out``) masks of which ``part`` they were compared; missing in older files, too;
- ``privacy``: how close samples of the model come to patients, a sentence of :mod:`topogan_contract.privacy`; missing
  where the model has no figures;
- ``levels``: the ``lowest`` and ``highest`` level, 0 to 1, or null where the model knows none, as of volumes.

The first schema knows one structure: ``structure`` is its name, ``expected_betti`` and both histograms stand beside it,
``requested_betti`` is one pair, and the columns of ``samples.csv`` are ``b0``, ``b1``, ``verdict`` and ``area_mm2``.
"""

from __future__ import annotations

import gzip
import math
import re
import stat
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from topogan_contract.sizes import VOLUME_SIZES

REPORT_FILE = "report.json"
MASKS_FILE = "masks.nrrd"
TEXTURES_FILE = "textures.nrrd"
DIAGRAMS_FILE = "diagrams.npz"
SAMPLES_FILE = "samples.csv"
EXPORT_FILE = "topogan.json"
"""In a folder of exported samples: their ``layout``, that they are ``synthetic``, what is ``said`` of them, which
``samples`` of the synthesis they are, and of ``privacy`` what to know before they are shared, where that is known."""
MOST_PIXELS = 1 << 28
"""Of all samples of a folder together: whoever reads it holds them all."""

VALID = "valid"
"""What a verdict on a region begins with where nothing is wrong."""
SIZE_NAMES = {2: "area_mm2", 3: "volume_ml"}
"""What the size of a structure is called: of slices, of volumes."""


def mask_file(sample: int) -> str:
    """Path in the folder of the mask of a volume: a segmentation that Slicer opens by its name."""
    return f"volumes/{sample:05d}_mask.seg.nrrd"


def texture_file(sample: int) -> str:
    """Path in the folder of the texture of a volume; missing where the model paints none."""
    return f"volumes/{sample:05d}_texture.nrrd"


def region_columns(name: str, axes: int = 2) -> tuple[str, ...]:
    """The columns of ``samples.csv`` on one region: its Betti numbers, one for each axis, and last the verdict.

    Before them stand ``sample``, ``seed`` and ``level`` (or empty).
    """
    return (*(f"b{dimension} {name}" for dimension in range(axes)), f"verdict {name}")


def size_column(name: str, axes: int = 2) -> str:
    """The column of ``samples.csv`` with the area of a structure in mm², of volumes its volume in ml."""
    return f"{SIZE_NAMES[axes]} {name}"


def real_column(name: str) -> str:
    """The column of ``samples.csv`` that says how many real samples have the same Betti numbers of a region, in %.

    Of real slices those of the sample's level count, where it has one. Folders of models that know no real topologies,
    and those of earlier versions, have no such column.
    """
    return f"real % {name}"


def axes_of(report: Mapping[str, Any]) -> int:
    """2 where ``report.json`` tells of slices, 3 of volumes.

    Raises:
        ValueError: it tells of something else.
    """
    axes = report.get("axes", 2)
    if type(axes) is not int or axes not in SIZE_NAMES:
        raise ValueError("axes are 2 or 3")
    return axes


def volumes_of(report: Mapping[str, Any]) -> tuple[int, int]:
    """How many volumes ``report.json`` tells of, and their edge in voxels.

    Raises:
        ValueError: no folder holds so many, or volumes of that size.
    """
    count, size = report.get("count"), report.get("size")
    if type(count) is not int or type(size) is not int or size not in VOLUME_SIZES:
        raise ValueError(f"volumes have {', '.join(map(str, VOLUME_SIZES))} voxels along an edge")
    if not 0 < count <= MOST_PIXELS // size**3:
        raise ValueError("more volumes than a synthesis holds")
    return count, size


DIAGRAM_ARRAYS = ("dimension", "birth", "death", "birth_index", "death_index")
"""Of all diagrams one after another: [n], the pixels [n, axes]."""
DIAGRAM_COUNTS = "counts"
"""Int [diagrams]: how many rows belong to each."""
# Beyond every training set: 7 million classes of 36 bytes; a diagram costs memory of its own, however empty it is.
_MAX_BYTES = 256 << 20
_MAX_DIAGRAMS = 1 << 20

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


def check_diagrams_size(path: Path) -> None:
    """Refuse an ``.npz`` that would grow beyond measure: it is a zip and may be a bomb.

    Raises:
        OSError, zipfile.BadZipFile: it cannot be read.
        ValueError: it is larger than the diagrams of any set.
    """
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _MAX_BYTES:
            raise ValueError("larger than the diagrams of any set")


def diagrams_fit_together(arrays: Mapping[str, Any], counts: Any, axes: int | None = None) -> bool:
    """Whether numpy's arrays, by the names of :data:`DIAGRAM_ARRAYS`, are rows of diagrams of these lengths.

    With ``axes``, of slices (2) or volumes (3) alone.
    """
    kinds = {name: "iuf" if name in ("birth", "death") else "iu" for name in DIAGRAM_ARRAYS}
    numbers = all(array.dtype.kind in kinds[name] for name, array in arrays.items()) and counts.dtype.kind in "iu"
    if not numbers or counts.ndim != 1 or len(counts) > _MAX_DIAGRAMS or (counts < 0).any():
        return False
    return (
        all(
            array.ndim == (2 if name.endswith("_index") else 1) and len(array) == counts.sum()
            for name, array in arrays.items()
        )
        and arrays["birth_index"].shape == arrays["death_index"].shape
        and axes in (None, arrays["birth_index"].shape[1])
        and _are_classes(arrays)
    )


def _are_classes(arrays: Mapping[str, Any]) -> bool:
    """Whether each row is a class of an image or a volume that does not die before it is born; NaN is none."""
    dimension, birth, death = (arrays[name] for name in ("dimension", "birth", "death"))
    axes = arrays["birth_index"].shape[1]
    return bool(((dimension >= 0) & (dimension < axes)).all() and axes <= 3 and (birth <= death).all())
