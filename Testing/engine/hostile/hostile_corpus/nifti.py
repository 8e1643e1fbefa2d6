"""NIfTI files that lie."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable

import numpy as np
import SimpleITK as sitk

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.scene import image_of, labels, save, scan

# Byte offsets in a NIfTI-1 header (nifti1.h).
DIM, DATATYPE, BITPIX, PIXDIM, VOX_OFFSET, SLOPE = 40, 70, 72, 76, 108, 112
QFORM_CODE, QUATERN_B, QOFFSET_X, SROW_X = 252, 256, 268, 280
NAN, INF = float("nan"), float("inf")

Spoil = Callable[[bytearray], bytes | bytearray]


def field(offset: int, form: str, *values: float) -> Spoil:
    """Overwrite a header field."""

    def spoil(content: bytearray) -> bytearray:
        struct.pack_into("<" + form, content, offset, *values)
        return content

    return spoil


def all_of(*spoils: Spoil) -> Spoil:
    def spoil(content: bytearray) -> bytes | bytearray:
        for one in spoils:
            content = bytearray(one(content))
        return content

    return spoil


def sform(*rows: float) -> Spoil:
    return all_of(field(QFORM_CODE, "2h", 0, 1), field(SROW_X, "12f", *rows))


def as_segmentation(name: str, spoil: Spoil) -> Callable[[Place], Arguments]:
    """Spoil a right segmentation; ``name`` may end in .nii or .nii.gz."""

    def build(place: Place) -> Arguments:
        plain = save(place.path("plain.nii"), labels())
        content = bytes(spoil(bytearray(plain.read_bytes())))
        plain.unlink()
        path = place.path(name)
        path.write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
        return prepare(place, path)

    return build


def as_scan(spoil: Spoil) -> Callable[[Place], Arguments]:
    """Spoil the CT of a right segmentation."""

    def build(place: Place) -> Arguments:
        mask = save(place.path("mask.nii"), labels())
        ct = save(place.path("ct.nii"), scan(labels()))
        ct.write_bytes(bytes(spoil(bytearray(ct.read_bytes()))))
        return prepare(place, mask, ct)

    return build


def raw(name: str, content: bytes) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        path = place.path(name)
        path.write_bytes(content)
        return prepare(place, path)

    return build


def damaged_gzip(place: Place) -> Arguments:
    path = save(place.path("mask.nii.gz"), labels())
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    return prepare(place, path)


def bomb(place: Place) -> Arguments:
    """A right header and 700 MB of zeros in less than a megabyte."""
    size = 896
    plain = save(place.path("plain.nii"), labels())
    header = bytearray(plain.read_bytes()[:352])
    plain.unlink()
    struct.pack_into("<4h", header, DIM, 3, size, size, size)
    path = place.path("bomb.nii.gz")
    zeros = gzip.compress(bytes(1 << 24), 9)
    path.write_bytes(gzip.compress(bytes(header)) + zeros * ((size**3 >> 24) + 1))
    return prepare(place, path)


def flat(place: Place) -> Arguments:
    path = place.path("flat.nii")
    sitk.WriteImage(sitk.GetImageFromArray(labels()[20]), str(path))
    return prepare(place, path)


def five_dimensions(content: bytearray) -> bytearray:
    struct.pack_into("<8h", content, DIM, 5, 32, 32, 10, 2, 2, 1, 1)
    return content


def colored(place: Place) -> Arguments:
    path = place.path("colors.nii.gz")
    sitk.WriteImage(image_of(np.repeat(labels()[..., None], 3, axis=3), isVector=True), str(path))
    return prepare(place, path)


def complex_numbers(place: Place) -> Arguments:
    path = place.path("complex.nii")
    sitk.WriteImage(image_of(labels().astype(np.complex64)), str(path))
    return prepare(place, path)


def with_values(*values: float) -> Callable[[Place], Arguments]:
    """A CT with some voxels that are no numbers."""

    def build(place: Place) -> Arguments:
        ct = scan(labels()).astype(np.float32)
        ct[5, 5, : len(values)] = values
        return prepare(place, save(place.path("mask.nii"), labels()), save(place.path("ct.nii.gz"), ct))

    return build


DAMAGED = "cannot be read as a volume|is cut off|header of .* is wrong|packed data of .* are damaged"
SPACING_SAYS = "voxel spacing of .* correct its header"

CASES = [
    Case("NIfTI: empty file", raw("empty.nii", b""), DAMAGED),
    Case("NIfTI: empty gzip file", raw("empty.nii.gz", b""), DAMAGED),
    Case("NIfTI: gzip of nothing", raw("nothing.nii.gz", gzip.compress(b"")), DAMAGED),
    Case("NIfTI: a text", raw("text.nii", b"I am a volume, trust me.\n" * 40), DAMAGED),
    Case("NIfTI: header cut off", as_segmentation("short.nii", lambda content: content[:200]), DAMAGED),
    Case("NIfTI: header alone", as_segmentation("alone.nii", lambda content: content[:352]), "is cut off"),
    Case("NIfTI: half the data", as_segmentation("half.nii", lambda c: c[: len(c) // 2]), "is cut off"),
    Case("NIfTI: half the data, zipped", as_segmentation("half.nii.gz", lambda c: c[: len(c) // 2]), "is cut off"),
    Case("NIfTI: bits flipped in the zip", damaged_gzip, DAMAGED),
    Case("NIfTI: header size 0", as_segmentation("mask.nii", field(0, "i", 0)), DAMAGED),
    Case("NIfTI: header size 2^31", as_segmentation("mask.nii", field(0, "i", 2**31 - 1)), DAMAGED),
    Case("NIfTI: magic overwritten", as_segmentation("mask.nii", field(344, "4s", b"evil")), DAMAGED),
    Case("NIfTI: no dimension", as_segmentation("mask.nii", field(DIM, "h", 0)), DAMAGED),
    Case("NIfTI: 99 dimensions", as_segmentation("mask.nii", field(DIM, "h", 99)), DAMAGED),
    Case("NIfTI: negative number of dimensions", as_segmentation("mask.nii", field(DIM, "h", -3)), DAMAGED),
    Case("NIfTI: negative size", as_segmentation("mask.nii", field(DIM, "2h", 3, -32)), DAMAGED),
    Case("NIfTI: size 0", as_segmentation("mask.nii", field(DIM, "2h", 3, 0)), DAMAGED),
    Case("NIfTI: claims 32767³ voxels", as_segmentation("mask.nii", field(DIM, "4h", 3, *[32767] * 3)), DAMAGED),
    Case("NIfTI: claims 32767³, zipped", as_segmentation("mask.nii.gz", field(DIM, "4h", 3, *[32767] * 3)), DAMAGED),
    Case("NIfTI: claims 32767⁷", as_segmentation("mask.nii", field(DIM, "8h", 7, *[32767] * 7)), "has 7 dimensions"),
    Case("NIfTI: claims 2 GB", as_segmentation("mask.nii", field(DIM, "4h", 3, 1300, 1300, 1300)), DAMAGED),
    Case("NIfTI: data type unknown", as_segmentation("mask.nii", field(DATATYPE, "h", 9999)), DAMAGED),
    Case("NIfTI: data type 0", as_segmentation("mask.nii", field(DATATYPE, "h", 0)), DAMAGED),
    Case("NIfTI: one bit a voxel", as_segmentation("mask.nii", field(DATATYPE, "2h", 1, 1)), DAMAGED),
    Case("NIfTI: type and bits disagree", as_segmentation("mask.nii", field(DATATYPE, "2h", 64, 8)), DAMAGED),
    Case("NIfTI: complex numbers", complex_numbers, "complex|kind of number"),
    Case("NIfTI: colors", colored, "color or vector image"),
    Case("NIfTI: flat picture", flat, "has 2 dimensions"),
    Case("NIfTI: five dimensions", as_segmentation("five.nii", five_dimensions), "has 5 dimensions"),
    Case("NIfTI: data begin before the file", as_segmentation("mask.nii", field(VOX_OFFSET, "f", -1e6)), DAMAGED),
    Case("NIfTI: data begin behind the file", as_segmentation("mask.nii", field(VOX_OFFSET, "f", 1e9)), "is cut off"),
    Case("NIfTI: data begin nowhere", as_segmentation("mask.nii", field(VOX_OFFSET, "f", NAN)), DAMAGED),
    Case("NIfTI: data begin at infinity", as_segmentation("mask.nii", field(VOX_OFFSET, "f", INF)), DAMAGED),
    Case("NIfTI: spacing 0", as_segmentation("mask.nii", field(PIXDIM + 4, "f", 0.0)), SPACING_SAYS),
    Case("NIfTI: spacing negative", as_segmentation("mask.nii", field(PIXDIM + 8, "f", -1.5)), SPACING_SAYS),
    Case("NIfTI: spacing NaN", as_segmentation("mask.nii.gz", field(PIXDIM + 12, "f", NAN)), SPACING_SAYS),
    Case("NIfTI: spacing infinite", as_segmentation("mask.nii", field(PIXDIM + 4, "f", INF)), SPACING_SAYS),
    Case("NIfTI: spacing 1e30", as_segmentation("mask.nii", field(PIXDIM + 4, "f", 1e30)), "by pixdim"),
    Case("NIfTI: spacing 1e-30", as_segmentation("mask.nii", field(PIXDIM + 4, "f", 1e-30)), "by pixdim"),
    Case("NIfTI: spacing 500 mm", as_segmentation("mask.nii", field(PIXDIM + 4, "3f", 500, 500, 500)), "by pixdim"),
    Case("NIfTI: quaternion NaN", as_segmentation("mask.nii", field(QUATERN_B, "3f", NAN, NAN, NAN)), "axes|sheared"),
    Case("NIfTI: origin NaN", as_segmentation("mask.nii", field(QOFFSET_X, "f", NAN)), "position or the axes"),
    Case("NIfTI: sheared", as_segmentation("m.nii", sform(1, 0.5, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)), "sheared|axes"),
    Case("NIfTI: axes all 0", as_segmentation("m.nii", sform(*[0.0] * 12)), "axes|sheared"),
    Case("NIfTI: axes NaN", as_segmentation("m.nii", sform(*[NAN] * 12)), "axes|sheared"),
    Case("NIfTI: two axes alike", as_segmentation("m.nii", sform(1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0)), "axes|sheared"),
    Case("NIfTI: scan scaled by infinity", as_scan(field(SLOPE, "2f", INF, 0.0)), "scaled by inf"),
    Case("NIfTI: scan scaled by 1e38", as_scan(field(SLOPE, "2f", 1e38, 0.0)), "not numbers|HU"),
    Case("NIfTI: scan with NaN", with_values(NAN, NAN), "2 voxels that are not numbers"),
    Case("NIfTI: scan with both infinities", with_values(INF, -INF), "2 voxels that are not numbers"),
    Case("NIfTI: bomb of zeros", bomb, "would grow"),
]
