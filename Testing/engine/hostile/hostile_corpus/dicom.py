"""DICOM series that lie, and folders that are no series."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EncapsulatedPDFStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    RLELossless,
    SegmentationStorage,
)

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.scene import ORIGIN, SPACING, labels, save, scan

SERIES, FRAME = "1.2.826.0.1.3680043.10.1", "1.2.826.0.1.3680043.10.2"
# Slices where headers are edited: enough to be refused.
FEW = 32
Edit = Callable[[int, Dataset], None]
Spoil = Callable[[bytes], bytes]


def slice_dataset(plane: np.ndarray, number: int, uid: str = CTImageStorage) -> FileDataset:
    """One slice of the scene's scan."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = uid, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = f"{SERIES}.{number + 1}"
    header = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    header.SOPClassUID, header.SOPInstanceUID = uid, meta.MediaStorageSOPInstanceUID
    header.Modality, header.SeriesInstanceUID, header.FrameOfReferenceUID = "CT", SERIES, FRAME
    header.Rows, header.Columns = plane.shape
    header.PixelSpacing, header.ImageOrientationPatient = [SPACING[1], SPACING[0]], [1, 0, 0, 0, 1, 0]
    header.ImagePositionPatient = [ORIGIN[0], ORIGIN[1], ORIGIN[2] + SPACING[2] * number]
    header.SliceThickness = SPACING[2]
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit, header.PixelRepresentation = 15, 1
    header.RescaleSlope, header.RescaleIntercept = "1", "0"
    header.PixelData = np.ascontiguousarray(plane, np.int16).tobytes()
    return header


def write_series(folder: Path, array: np.ndarray, edit: Edit | None = None) -> Path:
    """Write [slice, row, column] of HU as a series, each header edited first."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, plane in enumerate(array):
        header = slice_dataset(plane, number)
        if edit:
            edit(number, header)
        header.save_as(folder / f"IM{number:03d}", enforce_file_format=True)
    return folder


@cache
def _right_files() -> list[bytes]:
    files = []
    for number, plane in enumerate(scan(labels())):
        content = io.BytesIO()
        slice_dataset(plane, number).save_as(content, enforce_file_format=True)
        files.append(content.getvalue())
    return files


def right_series(folder: Path) -> Path:
    """The scene's whole scan as a series (written a hundred times, so made once)."""
    folder.mkdir(parents=True)
    for number, content in enumerate(_right_files()):
        (folder / f"IM{number:03d}").write_bytes(content)
    return folder


def series(edit: Edit | None = None, spoil: Spoil | None = None) -> Callable[[Place], Arguments]:
    """A right mask with a series whose headers are edited, or whose files' bytes are spoiled at the end."""

    def build(place: Place) -> Arguments:
        mask = labels()[:FEW] if edit else labels()
        folder = place.folder / "series"
        folder = write_series(folder, scan(mask), edit) if edit else right_series(folder)
        for file in sorted(folder.iterdir()) if spoil else []:
            file.write_bytes(spoil(file.read_bytes()))
        return prepare(place, save(place.path("mask.nii.gz"), mask), folder)

    return build


def everywhere(**values: object) -> Edit:
    def edit(number: int, header: Dataset) -> None:
        for name, value in values.items():
            setattr(header, name, value)

    return edit


def at(place: int, **values: object) -> Edit:
    """Change one slice alone."""

    def edit(number: int, header: Dataset) -> None:
        if number == place:
            everywhere(**values)(number, header)

    return edit


def without(name: str) -> Edit:
    return lambda number, header: delattr(header, name)


def text_of(name: str, old: bytes, new: bytes) -> Spoil:
    """Overwrite a value in the file by another one of the same length, which pydicom would not write."""
    assert len(old) == len(new), name
    return lambda content: content.replace(old, new)


def moved(step: Callable[[int], tuple[float, float, float]]) -> Edit:
    def edit(number: int, header: Dataset) -> None:
        header.ImagePositionPatient = [start + way for start, way in zip(ORIGIN, step(number), strict=True)]

    return edit


def nested(levels: int) -> Edit:
    """Sequences within sequences, deeper than Python's stack."""

    def edit(number: int, header: Dataset) -> None:
        if number:
            return
        inner = Dataset()
        for _ in range(levels):
            outer = Dataset()
            outer.ReferencedSeriesSequence = Sequence([inner])
            inner = outer
        header.ReferencedSeriesSequence = Sequence([inner])

    return edit


def deep(place: Place) -> Arguments:
    """20,000 sequences of undefined length, each within the one before, written by hand."""
    arguments = series()(place)
    file = place.folder / "series" / "IM000"
    content = file.read_bytes()
    opened = struct.pack("<HH2sHI", 0x0008, 0x1115, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    before = content.index(struct.pack("<HH", 0x0020, 0x000E))
    file.write_bytes(content[:before] + opened * 20_000 + content[before:])
    return arguments


def renamed_syntax(uid: str) -> Edit:
    """Say that the plain pixels are compressed."""

    def edit(number: int, header: Dataset) -> None:
        header.file_meta.TransferSyntaxUID = uid
        if uid != DeflatedExplicitVRLittleEndian:
            header.PixelData = pydicom.encaps.encapsulate([b"no picture at all"])
            header["PixelData"].is_undefined_length = True

    return edit


def two_series(place: Place) -> Arguments:
    arguments = series()(place)
    other = slice_dataset(scan(labels())[0], 99)
    other.SeriesInstanceUID = SERIES + ".9"
    other.save_as(place.folder / "series" / "other", enforce_file_format=True)
    return arguments


def removed(*numbers: int) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        arguments = series()(place)
        for number in numbers:
            (place.folder / "series" / f"IM{number:03d}").unlink()
        return arguments

    return build


def doubled(place: Place) -> Arguments:
    arguments = series()(place)
    file = place.folder / "series" / "IM007"
    file.with_name("IM007 copy").write_bytes(file.read_bytes())
    return arguments


def single_object(uid: str, edit: Edit | None = None) -> Callable[[Place], Arguments]:
    """A folder with one file of another kind."""

    def build(place: Place) -> Arguments:
        header = slice_dataset(scan(labels())[0], 0, uid)
        if edit:
            edit(0, header)
        folder = place.folder / "series"
        folder.mkdir()
        header.save_as(folder / "object.dcm", enforce_file_format=True)
        return prepare(place, save(place.path("mask.nii.gz"), labels()), folder)

    return build


def no_pixels(number: int, header: Dataset) -> None:
    for name in ("Rows", "Columns", "PixelData"):
        delattr(header, name)


def single_file(place: Place) -> Arguments:
    arguments = series()(place)
    arguments[-1] += "/IM003"
    return arguments


def as_segmentation(place: Place) -> Arguments:
    folder = right_series(place.folder / "series")
    return prepare(place, folder, folder)


def huge(size: int, **more: object) -> Edit:
    return everywhere(Rows=size, Columns=size, **more)


DAMAGED = "cannot be read as DICOM|is cut off|cannot be read as a volume"

CASES = [
    Case("DICOM: slices cut off", series(spoil=lambda content: content[:-1000]), "is cut off"),
    Case("DICOM: header cut off", series(spoil=lambda content: content[:300]), DAMAGED + "|hold no images"),
    Case("DICOM: first line alone", series(spoil=lambda content: content[:132]), DAMAGED + "|hold no images"),
    Case(
        "DICOM: zeros behind the first line", series(spoil=lambda c: c[:132] + bytes(2000)), DAMAGED + "|hold no images"
    ),
    Case(
        "DICOM: noise behind the first line",
        series(spoil=lambda c: c[:132] + bytes(range(256)) * 9),
        DAMAGED + "|hold no",
    ),
    Case(
        "DICOM: a value of 4 GB",
        series(spoil=lambda c: c.replace(b"\x20\x00\x0e\x00UI", b"\x20\x00\x0e\x00UN\x00\x00\xff\xff\xff\x7f")),
        DAMAGED + "|hold no|says nothing",
    ),
    Case("DICOM: sequences 20,000 deep", deep, DAMAGED),
    Case("DICOM: claims 65535² pixels", series(huge(65535)), "more than can be read"),
    Case(
        "DICOM: claims 65535², compressed",
        series(lambda n, h: (huge(65535)(n, h), renamed_syntax(JPEGLosslessSV1)(n, h))[0]),
        "more than can be read",
    ),
    Case(
        "DICOM: claims 5000², compressed",
        series(lambda n, h: (huge(5000)(n, h), renamed_syntax(RLELossless)(n, h))[0]),
        "would grow",
    ),
    Case("DICOM: no JPEG where one is said", series(renamed_syntax(JPEGLosslessSV1)), DAMAGED),
    Case("DICOM: no JPEG 2000 where one is said", series(renamed_syntax(JPEG2000Lossless)), DAMAGED),
    Case(
        "DICOM: no run lengths where they are said", series(renamed_syntax(RLELossless)), DAMAGED + "|are others than"
    ),
    Case(
        "DICOM: deflated as a whole", series(renamed_syntax(DeflatedExplicitVRLittleEndian)), "is a deflated DICOM file"
    ),
    Case("DICOM: no pixels", series(without("PixelData")), DAMAGED),
    Case("DICOM: no rows", series(everywhere(Rows=0)), "is wrong"),
    Case("DICOM: 7 bits", series(everywhere(BitsAllocated=7)), DAMAGED + "|bits"),
    Case("DICOM: 64 bits", series(everywhere(BitsAllocated=64, BitsStored=64, HighBit=63)), DAMAGED + "|bits"),
    Case("DICOM: color", series(everywhere(SamplesPerPixel=3, PhotometricInterpretation="RGB")), "color image"),
    Case("DICOM: several frames", series(everywhere(NumberOfFrames=40)), "several frames"),
    Case("DICOM: spacing 0", series(everywhere(PixelSpacing=[0, 1])), "voxel spacing"),
    Case("DICOM: spacing negative", series(everywhere(PixelSpacing=[-1, 1])), "voxel spacing"),
    Case("DICOM: spacing 5 m", series(everywhere(PixelSpacing=[5000, 5000])), "voxel spacing"),
    Case("DICOM: spacing NaN", series(spoil=text_of("spacing", b"1.5\\1.5 ", b"nan\\nan ")), "PixelSpacing"),
    Case("DICOM: spacing in words", series(spoil=text_of("spacing", b"1.5\\1.5 ", b"wide\\ish")), DAMAGED),
    Case("DICOM: one number as spacing", series(everywhere(PixelSpacing=1.5)), "PixelSpacing"),
    Case("DICOM: no spacing", series(without("PixelSpacing")), "says nothing of its PixelSpacing"),
    Case("DICOM: no position", series(without("ImagePositionPatient")), "says nothing of its ImagePosition"),
    Case("DICOM: position of two numbers", series(everywhere(ImagePositionPatient=[1, 2])), "ImagePositionPatient"),
    Case(
        "DICOM: position infinite", series(everywhere(ImagePositionPatient=[0, 0, 1e300])), "place of another|position"
    ),
    Case("DICOM: no orientation", series(without("ImageOrientationPatient")), "says nothing of its ImageOrientation"),
    Case("DICOM: axes all 0", series(everywhere(ImageOrientationPatient=[0] * 6)), "place of another|axes"),
    Case(
        "DICOM: axes sheared", series(everywhere(ImageOrientationPatient=[1, 0, 0, 0.6, 0.8, 0])), "axes|uneven|apart"
    ),
    Case("DICOM: axes too long", series(everywhere(ImageOrientationPatient=[2, 0, 0, 0, 2, 0])), "axes"),
    Case("DICOM: tilted gantry", series(moved(lambda number: (0, 0.5 * number, 2.0 * number))), "tilted gantry"),
    Case("DICOM: a slice is missing", removed(11), "a slice is missing"),
    Case("DICOM: every third slice is missing", removed(*range(0, 39, 3)), "a slice is missing"),
    Case("DICOM: a slice twice", doubled, "lie at the place of another"),
    Case("DICOM: all slices at one place", series(moved(lambda number: (0, 0, 0))), "lie at the place of another"),
    Case("DICOM: uneven slices", series(moved(lambda number: (0, 0, 2.0 * number + 0.9 * (number > 6)))), "apart"),
    Case("DICOM: two series mixed", two_series, "holds 2 DICOM series"),
    Case("DICOM: a slice of another size", series(at(5, Rows=16)), "differ in size"),
    Case("DICOM: a slice of another spacing", series(at(5, PixelSpacing=[1, 1])), "differ in size"),
    Case("DICOM: a slice turned", series(at(5, ImageOrientationPatient=[0, 1, 0, 1, 0, 0])), "differ in size"),
    Case("DICOM: scaled by 0", series(everywhere(RescaleSlope=0)), "scaled by 0"),
    Case(
        "DICOM: scaled by NaN",
        series(spoil=lambda c: c.replace(b"(\x00S\x10DS\x02\x001 ", b"(\x00S\x10DS\x02\x00na")),
        "scaled by nan|cannot be read",
    ),
    Case("DICOM: scaled by 10³⁰⁸", series(everywhere(RescaleSlope="1e308")), "scaled by 1e"),
    Case("DICOM: values that are not HU", series(everywhere(RescaleIntercept="5000")), "cannot be CT in HU"),
    Case(
        "DICOM: one slice of unknown thickness",
        single_object(CTImageStorage, without("SliceThickness")),
        "one slice only",
    ),
    Case("DICOM: one slice", single_object(CTImageStorage), "does not lie on the grid"),
    Case("DICOM: a PDF", single_object(EncapsulatedPDFStorage, no_pixels), "hold no images"),
    Case(
        "DICOM: a segmentation object",
        single_object(SegmentationStorage, everywhere(NumberOfFrames=40)),
        "several frames",
    ),
    Case("DICOM: a single file", single_file, "name the folder"),
    Case("DICOM: the scan as segmentation", as_segmentation, "it is a scan"),
]
