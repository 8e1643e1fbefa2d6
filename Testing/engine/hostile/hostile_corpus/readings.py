"""Headers that two readers take in two ways: what we read must be all that anyone could."""
# ruff: noqa: E501 - one case a line, as a table

from __future__ import annotations

import bz2
import gzip
import os
import struct
import zlib
from collections.abc import Callable

from hostile_corpus import metaimage, nifti, nrrd
from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.scene import labels, save

WRONG = "header of .* is wrong"
NOT_A_FIELD = "is no field of the format"
TWICE = "twice"
SPELLING = "another spelling, or twice|cannot be read as a volume"


def beside(
    name: str, content: bytes, data_file: str, make: Callable[[Place, str], None]
) -> Callable[[Place], Arguments]:
    """A header whose data are said to lie in ``data_file``, which ``make`` puts into the same folder."""

    def build(place: Place) -> Arguments:
        path = place.path(f"inner/{name}")
        path.write_bytes(content)
        make(place, data_file)
        return prepare(place, path)

    return build


def pipe(place: Place, name: str) -> None:
    os.mkfifo(place.path(f"inner/{name}"))


def link_out(place: Place, name: str) -> None:
    secret = place.path("secret.raw")
    secret.write_bytes(nrrd.DATA)
    place.path(f"inner/{name}").symlink_to(secret)


def folder(place: Place, name: str) -> None:
    place.path(f"inner/{name}/x")


def flipped(packed: bytes) -> bytes:
    """One voxel's value changed within packed data, which only their checksum can tell."""
    return packed[: len(packed) // 2] + bytes([packed[len(packed) // 2] ^ 1]) + packed[len(packed) // 2 + 1 :]


def nrrd_line(line: str, instead_of: str = "") -> Callable[[Place], Arguments]:
    """A right file with one more line, perhaps in the place of another."""
    content = nrrd.header()
    lines = [
        one
        for one in content.split(b"\n\n", 1)[0].split(b"\n")
        if not instead_of or not one.startswith(instead_of.encode())
    ]
    lines.insert(2, line.encode("utf-8", "surrogateescape"))
    return nrrd.file(b"\n".join(lines) + b"\n\n" + nrrd.DATA)


def meta_line(line: bytes, instead_of: bytes = b"\0") -> Callable[[Place], Arguments]:
    lines = [one for one in metaimage.content(b"").split(b"\n") if not one.startswith(instead_of)]
    lines.insert(1, line)
    return metaimage.file(b"\n".join(lines) + metaimage.DATA)


def detached_nrrd(make: Callable[[Place, str], None]) -> Callable[[Place], Arguments]:
    return beside("mask.nhdr", nrrd.header(b"", data_file="data.raw"), "data.raw", make)


def detached_meta(make: Callable[[Place, str], None]) -> Callable[[Place], Arguments]:
    return beside("mask.mhd", metaimage.content(b"", ElementDataFile="data.raw"), "data.raw", make)


def turned(content: bytearray) -> bytearray:
    """sform turned by 90 degrees against qform."""
    struct.pack_into("<2h", content, nifti.QFORM_CODE, 1, 1)
    struct.pack_into("<12f", content, nifti.SROW_X, 0, -1.5, 0, 0, 1.5, 0, 0, 0, 0, 0, 2, 0)
    return content


def shifted(content: bytearray) -> bytearray:
    """sform and qform a centimetre apart."""
    x = struct.unpack_from("<f", content, nifti.SROW_X + 12)[0]
    struct.pack_into("<f", content, nifti.SROW_X + 12, x + 10.0)
    return content


def changed_when_packed(place: Place) -> Arguments:
    """A right .nii.gz in which the data, stored as they are, differ from their checksum."""
    path = save(place.path("mask.nii"), labels())
    content = flipped(gzip.compress(path.read_bytes(), 0))
    path.unlink()
    path = place.path("mask.nii.gz")
    path.write_bytes(content)
    return prepare(place, path)


NRRD = [
    Case("NRRD: field hidden as a key", nrrd_line("spacings: 9 9 9 :="), NOT_A_FIELD),
    Case("NRRD: data file hidden as a key", nrrd_line("data file: /etc/passwd :=x"), NOT_A_FIELD),
    Case("NRRD: 5,000 letters of spacings as a key", nrrd_line("spacings: " + "9 " * 2500 + ":= "), NOT_A_FIELD),
    Case("NRRD: negative byte skip as a key", nrrd_line("byte skip: -5 :="), NOT_A_FIELD),
    Case("NRRD: a field twice", nrrd_line("sizes: 32 32 40"), TWICE),
    Case("NRRD: a field twice in other letters", nrrd_line("SIZES: 32 32 40"), TWICE),
    Case("NRRD: a synonym of a field", nrrd_line("datafile: data.raw\nData File: other.raw"), TWICE),
    Case("NRRD: blank before a field", nrrd_line(" sizes: 1 1 1"), NOT_A_FIELD),
    Case("NRRD: tab after the colon", nrrd_line("sizes:\t32 32 40", "sizes"), NOT_A_FIELD),
    Case("NRRD: no blank after the colon", nrrd_line("sizes:32 32 40", "sizes"), NOT_A_FIELD),
    Case("NRRD: carriage return within a field", nrrd_line("sizes: 32 32 40\rsizes: 1 1 1", "sizes"), NOT_A_FIELD),
    Case("NRRD: NUL within a field", nrrd_line("content: a\0b"), NOT_A_FIELD),
    Case("NRRD: a line of letters that are not UTF-8", nrrd_line("cont\udcff: x"), NOT_A_FIELD),
    Case("NRRD: a field of the future", nrrd_line("resampling: yes"), NOT_A_FIELD),
    Case("NRRD: 30,000 keys", nrrd.file(nrrd.header(more="a:=b\n" * 30_000)), "more than 20000 lines"),
    Case("NRRD: header longer than the look", nrrd.file(nrrd.header(more="key:=" + "x" * (5 << 20) + "\n")), WRONG),
    Case("NRRD: byte skip -2", nrrd.file(nrrd.header(byte_skip="-2")), "byte skip is"),
    Case("NRRD: byte skip in words", nrrd.file(nrrd.header(byte_skip="some")), "byte skip is"),
    Case("NRRD: byte skip from the end of packed data", nrrd.file(nrrd.header(gzip.compress(nrrd.DATA), encoding="gzip", byte_skip="-1")), "byte skip is"),
    Case("NRRD: line skip -1", nrrd.file(nrrd.header(line_skip="-1")), "line skip is"),
    Case("NRRD: endian missing", nrrd.file(nrrd.header(nrrd.DATA * 2, type="short")), "endian"),
    Case("NRRD: sizes with underscores", nrrd.file(nrrd.header(sizes="3_2 32 40")), WRONG),
    Case("NRRD: spacing with underscores", nrrd.file(nrrd.header(space_directions="(1_5,0,0) (0,1.5,0) (0,0,2)")), WRONG),
    Case("NRRD: spacing 10³⁰⁰ mm", nrrd.file(nrrd.header(space_directions="(1e300,0,0) (0,1.5,0) (0,0,2)")), "spacing"),
    Case("NRRD: spacings and directions", nrrd_line("spacings: 1 1 1"), "places its voxels"),
    Case("NRRD: centimetres", nrrd_line('space units: "cm" "cm" "cm"'), "unit"),
    Case("NRRD: another space", nrrd.file(nrrd.header(space="scanner-xyz")), "space is"),
    Case("NRRD: two phase axes", nrrd.file(nrrd.phases(2, kinds="list domain domain list")), "values per voxel"),
    Case("NRRD: phases in the middle", nrrd.file(nrrd.phases(2, kinds="domain list domain domain")), "values per voxel|directions"),
    Case("NRRD: data in a pipe", detached_nrrd(pipe), "is missing"),
    Case("NRRD: data in a link that leads out", detached_nrrd(link_out), "in another folder"),
    Case("NRRD: a data file with a name of 3,000 letters", nrrd.file(nrrd.header(b"", data_file="9" * 3000)), "is missing"),
    Case("NRRD: data in a folder", detached_nrrd(folder), "is missing"),
    Case("NRRD: text that overflows", nrrd.file(nrrd.header(b"999 " * 40960, encoding="text")), "damaged"),
    Case("NRRD: text that ends early", nrrd.file(nrrd.header(b"1 2 3 ", encoding="text")), "cut off"),
    Case("NRRD: one word of text of 20 MB", nrrd.file(nrrd.header(b"1" * (20 << 20) + b" 1" * 40960, encoding="text")), "damaged"),
    Case("NRRD: a number of 2 MB", nrrd.file(nrrd.header(space_origin="(" + "1" * (2 << 20) + "x,0,0)")), "space origin is"),
    Case("NRRD: words between the directions", nrrd.file(nrrd.header(space_directions="(1.5,0,0) x (0,1.5,0) (0,0,2)")), "space directions is"),
    Case("NRRD: origin without brackets", nrrd.file(nrrd.header(space_origin="-24,-20,100")), "space origin is"),
    Case("NRRD: lines skip beyond the end, 10¹⁷ of them", nrrd.file(nrrd.header(line_skip="1" + "0" * 17)), "cut off"),
    Case("NRRD: a byte of the packed data changed", nrrd.file(nrrd.header(flipped(gzip.compress(nrrd.DATA, 0)), encoding="gzip")), "damaged"),
    Case("NRRD: a byte of the bzip2 data changed", nrrd.file(nrrd.header(flipped(bz2.compress(nrrd.DATA)), encoding="bzip2")), "damaged"),
    Case("NRRD: bzip2 of something else", nrrd.file(nrrd.header(b"BZh9" + b"x" * 400, encoding="bzip2")), "damaged|cut off"),
]  # fmt: skip

META_CASES = [
    Case("MetaImage: colon instead of the sign", meta_line(b"NDims : 3", b"NDims"), "cannot be read as a volume"),
    Case("MetaImage: tab before the sign", meta_line(b"NDims\t= 3", b"NDims"), "cannot be read as a volume"),
    Case("MetaImage: blank before a name", meta_line(b" NDims = 3", b"NDims"), "cannot be read as a volume"),
    Case("MetaImage: another case", meta_line(b"ndims = 3", b"NDims"), SPELLING),
    Case("MetaImage: a name twice", meta_line(b"DimSize = 1 1 1"), SPELLING),
    Case("MetaImage: a name twice in another case", meta_line(b"DIMSIZE = 1 1 1"), SPELLING),
    Case("MetaImage: two names of the place", meta_line(b"Position = 1 2 3"), "more than one of"),
    Case("MetaImage: two names of the axes", meta_line(b"Orientation = 1 0 0 0 1 0 0 0 1"), "more than one of"),
    Case("MetaImage: line end of Unicode", meta_line("Comment = x\u2028ElementDataFile = /etc/passwd".encode()), "cannot be read as a volume"),
    Case("MetaImage: NUL in a value", meta_line(b"Comment = a\0b"), "cannot be read as a volume"),
    Case("MetaImage: 3 MB of blanks in a name", meta_line(b"NDims" + b" " * (3 << 20) + b"x"), "cannot be read as a volume"),
    Case("MetaImage: 3 MB of blanks in a value", meta_line(b"Comment = a" + b" " * (3 << 20) + b"\0"), "cannot be read as a volume"),
    Case("MetaImage: a number of 2 MB", meta_line(b"ElementSpacing = " + b"1" * (2 << 20) + b"x 1 1", b"ElementSpacing"), "ElementSpacing is"),
    Case("MetaImage: a byte of the packed data changed", metaimage.file(metaimage.content(flipped(zlib.compress(metaimage.DATA, 0)), CompressedData="True")), "damaged"),
    Case("MetaImage: header size of packed data from the end", metaimage.file(metaimage.content(metaimage.ZIPPED, CompressedData="True", HeaderSize="-1")), "HeaderSize is"),
    Case("MetaImage: 20,000 lines", metaimage.file(b"".join(b"K%d = v\n" % n for n in range(20_000)) + metaimage.content()), "lines|cannot be read"),
    Case("MetaImage: half the packed data said", metaimage.file(metaimage.content(metaimage.ZIPPED, CompressedData="True", CompressedDataSize="50")), "packed data have"),
    Case("MetaImage: packed size negative", metaimage.file(metaimage.content(metaimage.ZIPPED, CompressedData="True", CompressedDataSize="-1")), "packed data have"),
    Case("MetaImage: half of the unpacked", metaimage.file(metaimage.content(zlib.compress(metaimage.DATA[:9000]), CompressedData="True")), "cut off"),
    Case("MetaImage: scaled numbers", meta_line(b"ElementToIntensityFunctionSlope = 2"), "scaled"),
    Case("MetaImage: element size of two numbers", meta_line(b"ElementSize = 1 1"), "where 3 numbers"),
    Case("MetaImage: center of two numbers", meta_line(b"CenterOfRotation = 1 1", b"CenterOfRotation"), "where 3 numbers"),
    Case("MetaImage: axes longer than 1", metaimage.file(metaimage.content(TransformMatrix="9 0 0 0 1 0 0 0 1")), "no unit vectors"),
    Case("MetaImage: spacing with underscores", metaimage.file(metaimage.content(ElementSpacing="1_0 1.5 2")), "ElementSpacing is"),
    Case("MetaImage: truth in words", metaimage.file(metaimage.content(CompressedData="perhaps")), "CompressedData is"),
    Case("MetaImage: header size -2", metaimage.file(metaimage.content(HeaderSize="-2")), "HeaderSize is"),
    Case("MetaImage: data in a pipe", detached_meta(pipe), "is missing"),
    Case("MetaImage: data in a link that leads out", detached_meta(link_out), "in another folder"),
    Case("MetaImage: data in a folder", detached_meta(folder), "is missing"),
    Case("MetaImage: data file with a line end of Windows within", metaimage.file(metaimage.content(ElementDataFile="a\rb")), "cannot be read as a volume"),
]  # fmt: skip

NIFTI_CASES = [
    Case("NIfTI: sform turned against qform", nifti.as_segmentation("mask.nii", turned), "disagree"),
    Case("NIfTI: sform beside qform", nifti.as_segmentation("mask.nii.gz", shifted), "disagree"),
    Case("NIfTI: 3 mm against 1 mm", nifti.as_segmentation("mask.nii", nifti.field(nifti.PIXDIM + 4, "3f", 3, 3, 3)), "by pixdim"),
    Case("NIfTI: slope 0 with an intercept", nifti.as_scan(nifti.field(nifti.SLOPE, "2f", 0.0, 5.0)), "scaled by 0"),
    Case("NIfTI: no slope but an intercept", nifti.as_scan(nifti.field(nifti.SLOPE, "2f", nifti.NAN, -10.0)), "scaled by 0"),
    Case("NIfTI: slope 10⁻³⁰", nifti.as_scan(nifti.field(nifti.SLOPE, "2f", 1e-30, 0.0)), "scaled by 1e-30"),
    Case("NIfTI: data begin between bytes", nifti.as_segmentation("mask.nii", nifti.field(nifti.VOX_OFFSET, "f", 352.5)), "begin at byte"),
    Case("NIfTI: an unknown unit", nifti.as_segmentation("mask.nii", nifti.field(123, "b", 7)), "unit of length"),
    Case("NIfTI: a byte of the packed data changed", changed_when_packed, "damaged"),
    Case("NIfTI: metres", nifti.as_segmentation("mask.nii", nifti.field(123, "b", 1)), "unit must be mm"),
]  # fmt: skip

CASES = [*NRRD, *META_CASES, *NIFTI_CASES]
