"""DICOM segmentations (SEG), written by highdicom, and what spoils them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import UID

from hostile_corpus.case import Arguments, Case, Place, prepare
from hostile_corpus.dicom import FRAME, SERIES, right_series, slice_dataset
from hostile_corpus.scene import labels, scan

Edit = Callable[[Dataset], None]


def two_tubes() -> dict[str, np.ndarray]:
    """A wall and the cavity in it, bool [slice, row, column]; the cavity reaches a voxel into the wall in 10 slices."""
    wall = labels() == 1
    z, y, x = np.indices(wall.shape, dtype=float)
    distance = np.hypot(y - wall.shape[1] / 2, x - wall.shape[2] / 2 + np.sin(z / 6))
    return {"wall": wall, "cavity": distance < np.where(z < 10, 6, 5)}


def segmentation_object(segments: dict[str, np.ndarray], kind: str = "BINARY", **how: Any) -> Dataset:
    """Segments by name, numbered from 1, on the scene's scan."""
    from highdicom.seg import Segmentation, SegmentDescription

    first = next(iter(segments.values()))
    images = [_with_names(slice_dataset(plane, number)) for number, plane in enumerate(scan(labels())[: len(first)])]
    described = [
        SegmentDescription(number, name, codes.SCT.Organ, codes.SCT.Heart, "MANUAL")
        for number, name in enumerate(segments, start=1)
    ]
    stacked = np.stack(list(segments.values()), axis=-1)
    if kind == "LABELMAP":
        stacked = (stacked * np.arange(1, len(segments) + 1)).max(axis=-1)
    array = stacked.astype(np.float32 if kind == "FRACTIONAL" else np.uint8)
    named = {"series_number": 1, "instance_number": 1, "manufacturer": "x", "manufacturer_model_name": "x"}
    named |= {"series_instance_uid": f"{SERIES}.9", "sop_instance_uid": f"{SERIES}.99"}
    return Segmentation(
        images, array, kind, described, software_versions="1", device_serial_number="1", **{**named, **how}
    )


def _with_names(header: Dataset) -> Dataset:
    """What highdicom copies from the images."""
    for name in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyID", "AccessionNumber"):
        setattr(header, name, "")
    header.StudyInstanceUID, header.StudyDate, header.StudyTime = f"{SERIES}.5", "", ""
    return header


def segmented(
    *more: str, edit: Edit | None = None, spoil: Callable[[bytes], bytes] | None = None, kind: str = "BINARY"
) -> Callable[[Place], Arguments]:
    """A right CT series and its segmentation."""

    def build(place: Place) -> Arguments:
        content = segmentation_object(two_tubes(), kind)
        if edit:
            edit(content)
        path = place.path("seg.dcm")
        content.save_as(path)
        if spoil:
            path.write_bytes(spoil(path.read_bytes()))
        return prepare(place, path, right_series(place.folder / "series"), *(more or BOTH))

    return build


def header(**values: object) -> Edit:
    def edit(content: Dataset) -> None:
        for name, value in values.items():
            setattr(content, name, value)

    return edit


def moved(number: int, *position: float) -> Edit:
    """Another place for one frame."""

    def edit(content: Dataset) -> None:
        content.PerFrameFunctionalGroupsSequence[number].PlanePositionSequence[0].ImagePositionPatient = list(position)

    return edit


def without_frames(content: Dataset) -> None:
    content.PerFrameFunctionalGroupsSequence = Sequence([])


def fewer_groups(content: Dataset) -> None:
    content.PerFrameFunctionalGroupsSequence = content.PerFrameFunctionalGroupsSequence[:-3]


def without_positions(content: Dataset) -> None:
    for frame in content.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence


def tilted(content: Dataset) -> None:
    for number, frame in enumerate(content.PerFrameFunctionalGroupsSequence):
        frame.PlanePositionSequence[0].ImagePositionPatient = [-24 + number, -20, 100 + 2 * number]


def of_segment(number: int) -> Edit:
    """All frames say that they show this one."""

    def edit(content: Dataset) -> None:
        for frame in content.PerFrameFunctionalGroupsSequence:
            frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = number

    return edit


def half_the_pixels(content: Dataset) -> None:
    content.PixelData = content.PixelData[: len(content.PixelData) // 2]


def compressed(content: Dataset) -> None:
    content.PixelData = pydicom.encaps.encapsulate([content.PixelData])
    content["PixelData"].VR, content["PixelData"].is_undefined_length = "OB", True
    content.file_meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.5")


def named(*names: str) -> Edit:
    def edit(content: Dataset) -> None:
        for segment, name in zip(content.SegmentSequence, names, strict=True):
            segment.SegmentLabel = name

    return edit


def elsewhere(place: Place) -> Arguments:
    """On a scan that lies between its voxels."""
    arguments = segmented()(place)
    for file in sorted(Path(place.folder / "series").iterdir()):
        content = pydicom.dcmread(file)
        content.ImagePositionPatient[0] += 0.7
        content.save_as(file)
    return arguments


BOTH = ("--structure", "wall", "--structure", "cavity")
DAMAGED = "cannot be read as DICOM"
UNEVEN = "do not lie one above the other"
CASES = [
    Case(f"SEG: {name}", build, says)
    for name, build, says in (
        ("probabilities", segmented(kind="FRACTIONAL"), "of the type FRACTIONAL: export it as a binary one"),
        ("a type unheard of", segmented(edit=header(SegmentationType="MOEBIUS")), "of the type MOEBIUS"),
        ("no such segment", segmented("--structure", "aorta"), "no segment called 'aorta' but 1 'wall', 2 'cavity'"),
        (
            "one of two segments not there",
            segmented("--structure", "wall", "--structure", "aorta"),
            "No volume shows the structure aorta: .* no segment called 'aorta' but 1 'wall', 2 'cavity'",
        ),
        ("no such number", segmented("--label", "9"), "no segment number 9 but 1 'wall'"),
        ("two segments of one name", segmented(edit=named("wall", "Wall")), "several segments called 'wall'"),
        ("no segments", segmented(edit=header(SegmentSequence=Sequence([]))), f"{DAMAGED}|holds no segments"),
        ("65,000 rows and columns", segmented(edit=header(Rows=65000, Columns=65000)), "is cut off"),
        ("no rows", segmented(edit=header(Rows=0)), "is cut off"),
        ("two billion frames", segmented(edit=header(NumberOfFrames=2**31 - 1)), "has 2147483647 frames"),
        ("a minus of frames", segmented(edit=header(NumberOfFrames=-80)), "is cut off"),
        ("more frames than described", segmented(edit=fewer_groups), DAMAGED),
        ("frames not described", segmented(edit=without_frames), DAMAGED),
        ("frames without places", segmented(edit=without_positions), f"{DAMAGED}|{UNEVEN}"),
        ("frames of a segment that is not there", segmented(edit=of_segment(7)), DAMAGED),
        ("frames of one segment twice", segmented(edit=of_segment(1)), DAMAGED),
        ("a frame between the others", segmented(edit=moved(5, -24, -20, 110.7)), UNEVEN),
        (
            "a frame a mile away",
            segmented(edit=moved(5, -24, -20, 100 + 2 * 800_000)),
            "voxels, more than|grow|position",
        ),
        ("a frame at a place NaN", segmented(edit=moved(5, -24, -20, "1e999")), f"{DAMAGED}|{UNEVEN}|position"),
        ("a frame of two coordinates", segmented(edit=moved(5, -24, -20)), f"{DAMAGED}|{UNEVEN}"),
        ("frames askew", segmented(edit=tilted), f"{DAMAGED}|{UNEVEN}"),
        ("half the pixels", segmented(edit=half_the_pixels), f"{DAMAGED}|is cut off"),
        ("compressed", segmented(edit=compressed), "is compressed: export it without"),
        ("cut off", segmented(spoil=lambda content: content[: len(content) // 2]), f"{DAMAGED}|cut off|no volume"),
        ("header alone", segmented(spoil=lambda content: content[:600]), DAMAGED),
        ("noise behind the header", segmented(spoil=lambda c: c[:1200] + bytes(range(256)) * 30), DAMAGED),
        ("of another frame of reference", segmented(edit=header(FrameOfReferenceUID=FRAME + ".7")), "another frame of"),
        ("between the voxels of its image", elsewhere, "does not lie on the grid"),
    )
]
