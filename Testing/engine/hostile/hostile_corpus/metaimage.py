"""MetaImage files (.mha, .mhd) that lie."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.scene import SHAPE, labels

FIELDS = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "-24 -20 100",
    "CenterOfRotation": "0 0 0",
    "ElementSpacing": "1.5 1.5 2",
    "DimSize": " ".join(str(size) for size in reversed(SHAPE)),
    "ElementType": "MET_UCHAR",
    "ElementDataFile": "LOCAL",
}
DATA = labels().tobytes()
ZIPPED = zlib.compress(DATA)


def content(data: bytes = DATA, **changes: str | None) -> bytes:
    """A file with some of its fields replaced, added, or (None) left out; the data file is named last."""
    fields = {**FIELDS, **changes}
    fields["ElementDataFile"] = fields.pop("ElementDataFile")
    lines = [f"{name} = {value}" for name, value in fields.items() if value is not None]
    return "\n".join(lines).encode() + b"\n" + data


def file(data: bytes, name: str = "mask.mha") -> Callable[[Place], Arguments]:
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
        path = place.path("inner/mask.mhd")
        path.write_bytes(content(b"", ElementDataFile=data_file))
        return prepare(place, path)

    return build


def bomb(place: Place) -> Arguments:
    """550 MB of zeros in half a megabyte."""
    size = 820
    pack = zlib.compressobj(9)
    block = bytes(1 << 24)
    zeros = b"".join(pack.compress(block) for _ in range(size**3 >> 24))
    zeros += pack.compress(bytes(size**3 % (1 << 24))) + pack.flush()
    path = place.path("bomb.mha")
    path.write_bytes(
        content(zeros, CompressedData="True", CompressedDataSize=str(len(zeros)), DimSize=f"{size} {size} {size}")
    )
    return prepare(place, path)


DAMAGED = "cannot be read as a volume|is cut off|header of .* is wrong|packed data of .* are damaged"
AXES = "axes in the header|TransformMatrix"
SPACING = "[sS]pacing"

CASES = [
    Case("MetaImage: empty file", file(b""), DAMAGED),
    Case("MetaImage: half a header", file(content()[:120]), DAMAGED),
    Case("MetaImage: half the data", file(content(DATA[:20_000])), DAMAGED),
    Case("MetaImage: no data", file(content(b"")), DAMAGED),
    Case("MetaImage: half of the zip", file(content(ZIPPED[:200], CompressedData="True")), DAMAGED),
    Case("MetaImage: no zip where one is said", file(content(CompressedData="True")), DAMAGED),
    Case(
        "MetaImage: size of the zip a lie",
        file(content(ZIPPED, CompressedData="True", CompressedDataSize="999999999999")),
        DAMAGED,
    ),
    Case("MetaImage: bomb of zeros", bomb, "would grow"),
    Case("MetaImage: no dimensions", file(content(NDims="0")), "has 0 dimensions"),
    Case("MetaImage: 100 dimensions", file(content(NDims="100")), "has 100 dimensions"),
    Case("MetaImage: negative number of dimensions", file(content(NDims="-3")), "has -3 dimensions"),
    Case("MetaImage: dimensions and sizes disagree", file(content(NDims="4")), DAMAGED + "|" + SPACING + "|" + AXES),
    Case(
        "MetaImage: two dimensions",
        file(content(NDims="2", DimSize="32 1280", ElementSpacing="1 1", Offset="0 0", TransformMatrix="1 0 0 1")),
        "2 dimensions",
    ),
    Case("MetaImage: size 0", file(content(DimSize="32 0 40")), DAMAGED),
    Case("MetaImage: size negative", file(content(DimSize="32 -32 40")), DAMAGED),
    Case("MetaImage: size a fraction", file(content(DimSize="32 32 1e9")), DAMAGED),
    Case("MetaImage: claims 10¹⁵ voxels", file(content(DimSize="100000 100000 100000")), DAMAGED),
    Case(
        "MetaImage: claims 10¹⁵, zipped",
        file(content(ZIPPED, CompressedData="True", DimSize="100000 100000 100000")),
        DAMAGED,
    ),
    Case("MetaImage: claims 8 GB", file(content(DimSize="2000 2000 2000")), DAMAGED),
    Case(
        "MetaImage: claims 8 GB, zipped",
        file(content(ZIPPED, CompressedData="True", DimSize="2000 2000 2000")),
        DAMAGED,
    ),
    Case(
        "MetaImage: claims 10⁹ phases",
        file(
            content(
                NDims="4",
                DimSize="32 32 40 1000000000",
                ElementSpacing="1 1 1 1",
                Offset="0 0 0 0",
                TransformMatrix="1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
            )
        ),
        DAMAGED,
    ),
    Case("MetaImage: type unknown", file(content(ElementType="MET_DREAM")), DAMAGED),
    Case("MetaImage: no type", file(content(ElementType=None)), DAMAGED),
    Case("MetaImage: type a text", file(content(ElementType="MET_STRING")), DAMAGED),
    Case("MetaImage: type too wide", file(content(ElementType="MET_DOUBLE")), DAMAGED),
    Case("MetaImage: spacing 0", file(content(ElementSpacing="0 1.5 2")), SPACING),
    Case("MetaImage: spacing negative", file(content(ElementSpacing="1.5 -1.5 2")), SPACING + "|" + DAMAGED),
    Case("MetaImage: spacing NaN", file(content(ElementSpacing="nan 1.5 2")), SPACING + "|" + DAMAGED),
    Case("MetaImage: spacing missing", file(content(ElementSpacing=None)), SPACING),
    Case("MetaImage: spacing 10³⁰ mm", file(content(ElementSpacing="1e30 1e30 1e30")), SPACING),
    Case("MetaImage: sheared", file(content(TransformMatrix="1 0 0 0.5 1 0 0 0 1")), AXES),
    Case("MetaImage: axes all 0", file(content(TransformMatrix="0 0 0 0 0 0 0 0 0")), AXES),
    Case(
        "MetaImage: axes NaN",
        file(content(TransformMatrix="nan 0 0 0 1 0 0 0 1")),
        AXES + "|position or the axes|" + DAMAGED,
    ),
    Case("MetaImage: place NaN", file(content(Offset="nan nan nan")), "Offset is"),
    Case("MetaImage: colors", file(content(b"\1" * (3 * len(DATA)), ElementNumberOfChannels="3")), "color or vector"),
    Case(
        "MetaImage: a billion channels",
        file(content(ElementNumberOfChannels="1000000000")),
        DAMAGED + "|color or vector",
    ),
    Case("MetaImage: data in /etc/passwd", pointing_to("/etc/passwd"), "in another folder"),
    Case("MetaImage: data one folder up", pointing_to("../secret.raw", "secret.raw"), "in another folder"),
    Case("MetaImage: data file missing", pointing_to("gone.raw"), DAMAGED),
    Case("MetaImage: data file cut off", pointing_to("mask.raw", "inner/mask.raw", 999), DAMAGED),
    Case("MetaImage: data in a device", pointing_to("/dev/zero"), "in another folder"),
    Case("MetaImage: data in a list of files", pointing_to("LIST\n/etc/passwd"), "several files"),
    Case("MetaImage: data in many files", pointing_to("slice%09d.raw 0 1000000000 1"), "several files"),
    Case("MetaImage: no data file", file(content(ElementDataFile=None)), DAMAGED),
    Case("MetaImage: header line of 8 MB", file(b"Comment = " + b"x" * (8 << 20) + b"\n" + content()), DAMAGED),
]
