"""NRRD files that lie; also Slicer's sequences and segmentations."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable

import numpy as np

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.scene import SHAPE, labels, save, scan

FIELDS = {
    "type": "uint8",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": " ".join(str(size) for size in reversed(SHAPE)),
    "space directions": "(1.5,0,0) (0,1.5,0) (0,0,2)",
    "kinds": "domain domain domain",
    "encoding": "raw",
    "space origin": "(-24,-20,100)",
}
DATA = labels().tobytes()

Change = dict[str, str | None]


def content(changes: Change | None = None, data: bytes = DATA, magic: str = "NRRD0004", more: str = "") -> bytes:
    """A file with some of its fields replaced, added, or (None) left out; a blank in a name stands as ``_``."""
    named = {name.replace("_", " "): value for name, value in (changes or {}).items()}
    lines = [f"{name}: {value}" for name, value in {**FIELDS, **named}.items() if value is not None]
    return f"{magic}\n".encode() + "\n".join(lines).encode() + b"\n" + more.encode() + b"\n" + data


def header(data: bytes = DATA, magic: str = "NRRD0004", more: str = "", **changes: str | None) -> bytes:
    return content(changes, data, magic, more)


def file(data: bytes, name: str = "mask.nrrd") -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        path = place.path(name)
        path.write_bytes(data)
        return prepare(place, path)

    return build


def pointing_to(data_file: str, beside: str | None = None, size: int = len(DATA)) -> Callable[[Place], Arguments]:
    """A header whose data lie in another file."""

    def build(place: Place) -> Arguments:
        if beside is not None:
            place.path(beside).write_bytes(DATA[:size])
        path = place.path("inner/mask.nhdr")
        path.write_bytes(header(b"", data_file=data_file))
        return prepare(place, path)

    return build


def bomb(place: Place) -> Arguments:
    """700 MB of zeros in less than a megabyte."""
    size = 896
    zeros = gzip.compress(bytes(1 << 24), 9) * (size**3 >> 24) + gzip.compress(bytes(size**3 % (1 << 24)))
    path = place.path("bomb.nrrd")
    path.write_bytes(header(zeros, encoding="gzip", sizes=f"{size} {size} {size}"))
    return prepare(place, path)


def with_nan(place: Place) -> Arguments:
    ct = scan(labels()).astype(np.float32)
    ct[3, 3, 3] = np.nan
    return prepare(place, save(place.path("mask.nrrd"), labels()), save(place.path("ct.nrrd"), ct))


def phases(count: int, **changes: str) -> bytes:
    """Slicer's sequence: a list axis before the spatial ones."""
    sizes = f"{count} {FIELDS['sizes']}"
    fields = {
        "dimension": "4", "sizes": sizes, "kinds": "list domain domain domain",
        "space_directions": f"none {FIELDS['space directions']}", **changes,
    }  # fmt: skip
    return header(np.repeat(labels()[..., None], min(count, 3), axis=3).tobytes(), **fields)


DAMAGED = "cannot be read as a volume|is cut off|header of .* is wrong|packed data of .* are damaged"
AXES = "axes in the header"
SPACING = "voxel spacing"
COLOR = "color or vector"

CASES = [
    Case("NRRD: empty file", file(b""), DAMAGED),
    Case("NRRD: first line alone", file(b"NRRD0004\n"), DAMAGED),
    Case("NRRD: version of the future", file(header(magic="NRRD0099")), DAMAGED),
    Case("NRRD: no end of the header", file(header().replace(b"\n\n", b"\n")[:200]), DAMAGED),
    Case("NRRD: half the data", file(header(DATA[: len(DATA) // 2])), DAMAGED),
    Case("NRRD: no data", file(header(b"")), DAMAGED),
    Case("NRRD: half of the zip", file(header(gzip.compress(DATA)[:400], encoding="gzip")), DAMAGED),
    Case("NRRD: no zip where one is said", file(header(encoding="gzip")), DAMAGED),
    Case(
        "NRRD: bits flipped in the zip", file(header(gzip.compress(DATA)[:-9] + b"123456789", encoding="gzip")), DAMAGED
    ),
    Case("NRRD: bzip2 cut off", file(header(bz2.compress(DATA)[:200], encoding="bzip2")), DAMAGED),
    Case("NRRD: text encoding without text", file(header(b"zero one two", encoding="text")), DAMAGED),
    Case("NRRD: encoding unknown", file(header(encoding="magic")), DAMAGED),
    Case("NRRD: type unknown", file(header(type="quaternion")), DAMAGED),
    Case("NRRD: blocks of a gigabyte", file(header(type="block", more="block size: 1073741824\n")), DAMAGED),
    Case("NRRD: no type", file(header(type=None)), DAMAGED),
    Case("NRRD: no sizes", file(header(sizes=None)), DAMAGED),
    Case("NRRD: sizes in words", file(header(sizes="many many many")), DAMAGED),
    Case("NRRD: size 0", file(header(sizes="32 0 40")), DAMAGED),
    Case("NRRD: size negative", file(header(sizes="32 -32 40")), DAMAGED),
    Case("NRRD: claims 10¹⁵ voxels", file(header(sizes="100000 100000 100000")), DAMAGED),
    Case(
        "NRRD: claims 10¹⁵, zipped",
        file(header(gzip.compress(DATA), encoding="gzip", sizes="100000 100000 100000")),
        DAMAGED,
    ),
    Case("NRRD: claims 2⁶⁴ voxels", file(header(sizes="4294967296 4294967296 1")), DAMAGED),
    Case("NRRD: claims 8 GB", file(header(sizes="2000 2000 2000")), DAMAGED),
    Case(
        "NRRD: claims 8 GB, zipped", file(header(gzip.compress(DATA), encoding="gzip", sizes="2000 2000 2000")), DAMAGED
    ),
    Case("NRRD: bomb of zeros", bomb, "would grow"),
    Case("NRRD: 40 dimensions", file(header(dimension="40")), "has 40 dimensions"),
    Case("NRRD: dimensions and sizes disagree", file(header(dimension="4")), DAMAGED),
    Case(
        "NRRD: two dimensions",
        file(
            header(
                dimension="2",
                sizes="32 1280",
                kinds=None,
                space=None,
                space_directions=None,
                space_origin=None,
                spacings="1 1",
            )
        ),
        "2 dimensions",
    ),
    Case(
        "NRRD: five dimensions",
        file(
            header(
                dimension="5",
                sizes="32 32 10 2 2",
                kinds=None,
                space=None,
                space_directions=None,
                space_origin=None,
                spacings="1 1 1 1 1",
            )
        ),
        DAMAGED + "|5 dimensions",
    ),
    Case("NRRD: spacing 0", file(header(space_directions="(0,0,0) (0,1.5,0) (0,0,2)")), SPACING + "|" + DAMAGED),
    Case(
        "NRRD: spacing NaN",
        file(header(space_directions="(nan,0,0) (0,1.5,0) (0,0,2)")),
        SPACING + "|" + AXES + "|" + DAMAGED,
    ),
    Case(
        "NRRD: spacing infinite",
        file(header(space_directions="(inf,0,0) (0,1.5,0) (0,0,2)")),
        SPACING + "|" + AXES + "|" + DAMAGED,
    ),
    Case("NRRD: spacing 10⁹ mm", file(header(space_directions="(1e9,0,0) (0,1e9,0) (0,0,1e9)")), SPACING),
    Case("NRRD: spacing 10⁻⁹ mm", file(header(space_directions="(1e-9,0,0) (0,1e-9,0) (0,0,1e-9)")), SPACING),
    Case("NRRD: sheared", file(header(space_directions="(1.5,0,0) (0.7,1.5,0) (0,0,2)")), AXES),
    Case("NRRD: tilted gantry", file(header(space_directions="(1.5,0,0) (0,1.5,0) (0,0.5,2)")), AXES),
    Case("NRRD: two axes alike", file(header(space_directions="(1.5,0,0) (1.5,0,0) (0,0,2)")), AXES),
    Case("NRRD: origin NaN", file(header(space_origin="(nan,0,0)")), "position or the axes|" + DAMAGED),
    Case("NRRD: origin in words", file(header(space_origin="(here,there,0)")), DAMAGED),
    Case("NRRD: origin 10³⁰ mm away", file(header(space_origin="(1e30,0,0)")), "position"),
    Case("NRRD: data skip beyond the end", file(header(byte_skip="1000000000")), DAMAGED),
    Case("NRRD: lines skip beyond the end", file(header(line_skip="100000000")), DAMAGED),
    Case("NRRD: header line of 8 MB", file(header(more="# " + "x" * (8 << 20) + "\n")[: (8 << 20) + 300]), DAMAGED),
    Case("NRRD: a space of 3,000 letters", file(header(space="9" * 3000)), "its space is"),
    Case("NRRD: a line of 3,000 letters", file(header(more="9" * 3000 + "\n")), "is no field"),
    Case("NRRD: data in /etc/passwd", pointing_to("/etc/passwd"), "in another folder"),
    Case("NRRD: data one folder up", pointing_to("../secret.raw", "secret.raw"), "in another folder"),
    Case("NRRD: data file missing", pointing_to("gone.raw"), DAMAGED),
    Case("NRRD: data file cut off", pointing_to("mask.raw", "inner/mask.raw", 999), DAMAGED),
    Case("NRRD: data in a device", pointing_to("/dev/zero"), "in another folder"),
    Case(
        "NRRD: data in 10⁹ files",
        pointing_to("slice%09d.raw 0 1000000000 1"),
        "several files|in another folder|" + DAMAGED,
    ),
    Case("NRRD: data in a list of files", pointing_to("LIST\n/etc/passwd\n/etc/hosts"), "is no field"),
    Case(
        "NRRD: colors",
        file(
            header(
                b"\1" * (3 * len(DATA)),
                dimension="4",
                sizes=f"3 {FIELDS['sizes']}",
                kinds="RGB-color domain domain domain",
                space_directions=f"none {FIELDS['space directions']}",
            )
        ),
        COLOR,
    ),
    Case(
        "NRRD: vectors",
        file(
            header(
                b"\1" * (3 * len(DATA)),
                dimension="4",
                sizes=f"3 {FIELDS['sizes']}",
                kinds="vector domain domain domain",
                space_directions=f"none {FIELDS['space directions']}",
            )
        ),
        COLOR,
    ),
    Case(
        "NRRD: overlapping segments",
        file(phases(3).replace(b"\n\n", b"\nSegment0_ID:=Segment_1\n\n", 1), "over.seg.nrrd"),
        "overlap",
    ),
    Case("NRRD: sequence of 10⁹ phases", file(phases(10**9), "long.seq.nrrd"), DAMAGED),
    Case("NRRD: sequence cut off", file(phases(30), "short.seq.nrrd"), DAMAGED),
    Case("NRRD: scan with NaN", with_nan, "1 voxels? that"),
]
