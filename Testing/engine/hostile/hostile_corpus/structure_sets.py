"""DICOM structure sets (RTSTRUCT) with contours that make no volume."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.dicom import FRAME, SERIES, right_series
from hostile_corpus.scene import ORIGIN, SHAPE, SPACING, labels, save, scan

Contour = tuple[str, np.ndarray]
"""Kind and points [n, 3] in mm, LPS."""
Edit = Callable[[Dataset], None]


def circle(radius: float, slice_number: float, center: tuple[float, float] = (16, 16), points: int = 40) -> np.ndarray:
    """Points [n, 3] in mm of a circle around a voxel of the scene; radius in mm."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    x = ORIGIN[0] + SPACING[0] * center[0] + radius * np.cos(angle)
    y = ORIGIN[1] + SPACING[1] * center[1] + radius * np.sin(angle)
    return np.stack([x, y, np.full(points, ORIGIN[2] + SPACING[2] * slice_number)], axis=1)


def tube(outer: float = 15.0, inner: float = 7.5) -> list[Contour]:
    """A ring on every slice: its hole is a contour of its own."""
    return [("CLOSED_PLANAR", circle(radius, number)) for number in range(SHAPE[0]) for radius in (outer, inner)]


def structure_set(regions: dict[str, Sequence[Contour]], frame: str = FRAME) -> FileDataset:
    """Regions by name, numbered from 1."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = RTStructureSetStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = SERIES + ".1000"
    content = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    content.SOPClassUID, content.SOPInstanceUID = RTStructureSetStorage, meta.MediaStorageSOPInstanceUID
    content.Modality = "RTSTRUCT"
    names, drawn = [], []
    for number, (name, contours) in enumerate(regions.items(), start=1):
        region, outlines = Dataset(), Dataset()
        region.ROINumber, region.ROIName, region.ReferencedFrameOfReferenceUID = number, name, frame
        outlines.ReferencedROINumber = number
        outlines.ContourSequence = DicomSequence([_contour(*contour) for contour in contours])
        names.append(region)
        drawn.append(outlines)
    content.StructureSetROISequence, content.ROIContourSequence = DicomSequence(names), DicomSequence(drawn)
    return content


def _contour(kind: str, points: np.ndarray) -> Dataset:
    outline = Dataset()
    outline.ContourGeometricType, outline.NumberOfContourPoints = kind, len(points)
    outline.ContourData = [f"{value:.4f}" for value in points.ravel()]
    return outline


def drawn(
    regions: dict[str, Sequence[Contour]], *more: str, edit: Edit | None = None, frame: str = FRAME
) -> Callable[[Place], Arguments]:
    """A right CT series and a structure set."""

    def build(place: Place) -> Arguments:
        series = right_series(place.folder / "series")
        content = structure_set(regions, frame)
        if edit:
            edit(content)
        path = place.path("rtss.dcm")
        content.save_as(path, enforce_file_format=True)
        return prepare(place, path, series, *more)

    return build


def one(kind: str, points: np.ndarray) -> Callable[[Place], Arguments]:
    """A right tube with one contour more."""
    return drawn({"tube": [*tube(), (kind, points)]}, "--structure", "tube")


def without_ct(place: Place) -> Arguments:
    arguments = drawn({"tube": tube()})(place)
    where = arguments.index("--ct")
    return arguments[:where] + arguments[where + 2 :]


def spoiled(spoil: Callable[[bytes], bytes]) -> Callable[[Place], Arguments]:
    def build(place: Place) -> Arguments:
        arguments = drawn({"tube": tube()}, "--structure", "tube")(place)
        path = place.folder / "rtss.dcm"
        path.write_bytes(spoil(path.read_bytes()))
        return arguments

    return build


def first_contour(**values: object) -> Edit:
    def edit(content: Dataset) -> None:
        for name, value in values.items():
            setattr(content.ROIContourSequence[0].ContourSequence[0], name, value)

    return edit


def tilted(slope: float) -> np.ndarray:
    points = circle(15, 10)
    points[:, 2] += slope * (points[:, 0] - points[:, 0].mean())
    return points


def of_phases(place: Place) -> Arguments:
    """A structure set on a CT of three phases."""
    arguments = drawn({"tube": tube()})(place)
    ct = save(place.path("ct.nii"), np.stack([scan(labels())] * 3))
    arguments[arguments.index("--ct") + 1] = str(ct)
    return arguments


def sagittal() -> np.ndarray:
    points = circle(15, 20)
    return np.stack([np.full(len(points), -3.0), points[:, 0], points[:, 1] + 150], axis=1)


DAMAGED = "cannot be read as DICOM"
TUBE = {"tube": tube()}
CASES = [
    Case("RTSTRUCT: without its CT", without_ct, "name the CT that they were drawn on"),
    Case(
        "RTSTRUCT: name misspelt",
        drawn({"body": tube(), "tube": tube()}, "--structure", "tub"),
        "holds no region called 'tub' but 1 'body', 2 'tube'",
    ),
    Case("RTSTRUCT: number not there", drawn(TUBE, "--label", "9"), "holds no region number 9 but 1 'tube'"),
    Case(
        "RTSTRUCT: one of two numbers not there", drawn(TUBE, "--label", "1", "--label", "9"), "holds no region number"
    ),
    Case(
        "RTSTRUCT: two regions of one name",
        drawn({"tube": tube(), "TUBE ": tube()}, "--structure", "tube"),
        "several regions called 'tube'",
    ),
    Case("RTSTRUCT: a region without contours", drawn({"tube": []}), "has no contours"),
    Case("RTSTRUCT: no regions", drawn({}), "holds no regions"),
    Case(
        "RTSTRUCT: 500 regions, none meant",
        drawn({f"region {n}": [] for n in range(500)}, "--structure", "x"),
        r"12 'region 11' \.\.\.",
    ),
    Case("RTSTRUCT: an open contour", one("OPEN_PLANAR", circle(15, 10)), "Contour 81 .* is OPEN_PLANAR"),
    Case("RTSTRUCT: an open, crooked contour", one("OPEN_NONPLANAR", circle(15, 10)), "is OPEN_NONPLANAR"),
    Case("RTSTRUCT: a point", one("POINT", circle(15, 10)[:1]), "is POINT"),
    Case("RTSTRUCT: a kind unheard of", one("MOEBIUS", circle(15, 10)), "is MOEBIUS"),
    Case(
        "RTSTRUCT: no kind",
        drawn(TUBE, edit=lambda c: delattr(c.ROIContourSequence[0].ContourSequence[0], "ContourGeometricType")),
        "is None|says nothing",
    ),
    Case("RTSTRUCT: a tilted contour", one("CLOSED_PLANAR", tilted(0.3)), "does not lie flat in a slice"),
    Case("RTSTRUCT: contours in sagittal planes", one("CLOSED_PLANAR", sagittal()), "does not lie flat in a slice"),
    Case("RTSTRUCT: a contour between slices", one("CLOSED_PLANAR", circle(15, 10.5)), "lies between two slices"),
    Case("RTSTRUCT: a contour of two points", one("CLOSED_PLANAR", circle(15, 10)[:2]), "is damaged"),
    Case("RTSTRUCT: a contour of no points", one("CLOSED_PLANAR", np.zeros((0, 3))), "is damaged"),
    Case(
        "RTSTRUCT: fewer points than promised",
        drawn(TUBE, edit=first_contour(NumberOfContourPoints=4000)),
        "Contour 1 .* is damaged",
    ),
    Case(
        "RTSTRUCT: numbers that are no triples",
        drawn(TUBE, edit=first_contour(ContourData=["1", "2", "3", "4"])),
        "is damaged",
    ),
    Case(
        "RTSTRUCT: points NaN",
        spoiled(
            lambda c: c.replace(b"15.0000\\4.0000\\100.0000", b"nan0000\\4.0000\\100.0000").replace(
                b"nan0000", b"nan    "
            )
        ),
        "is damaged",
    ),
    Case(
        "RTSTRUCT: points in words",
        spoiled(lambda c: c.replace(b"15.0000\\4.0000\\100.0000", b"fifteen\\4.0000\\100.0000")),
        "is damaged",
    ),
    Case("RTSTRUCT: points far away", one("CLOSED_PLANAR", circle(15, 10) * 1e12), "is damaged"),
    Case(
        "RTSTRUCT: region beyond the CT",
        drawn({"tube": [("CLOSED_PLANAR", circle(15, n)) for n in range(100, 130)]}),
        "No contour .* lies on a slice",
    ),
    Case(
        "RTSTRUCT: region beside the CT",
        drawn({"tube": [("CLOSED_PLANAR", circle(15, n, center=(900, 900))) for n in range(40)]}),
        "enclose no voxel",
    ),
    Case("RTSTRUCT: outlines that cancel", drawn({"tube": [*tube(), *tube()]}), "enclose no voxel"),
    Case("RTSTRUCT: of another frame of reference", drawn(TUBE, frame=FRAME + ".7"), "another frame of reference"),
    Case("RTSTRUCT: on a CT of three phases", of_phases, "has 1 phase.* and .* has 3"),
    Case("RTSTRUCT: contours of a few slices", drawn({"tube": tube()[:10]}), "hold 5 usable slices"),
    Case("RTSTRUCT: of 130 MB", spoiled(lambda content: content + bytes(130 << 20)), "is larger than 128 MB"),
    Case(
        "RTSTRUCT: cut off",
        spoiled(lambda content: content[: len(content) // 2]),
        DAMAGED + "|holds no regions|is damaged|no contours",
    ),
    Case("RTSTRUCT: header alone", spoiled(lambda content: content[:600]), DAMAGED + "|holds no regions"),
    Case(
        "RTSTRUCT: noise behind the header",
        spoiled(lambda c: c[:400] + bytes(range(256)) * 30),
        DAMAGED + "|holds no regions|no volume",
    ),
    Case(
        "RTSTRUCT: a region called like an essay",
        drawn({"x" * 60_000: []}, "--structure", "y"),
        "holds no region called 'y'",
    ),
]
