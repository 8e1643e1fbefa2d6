"""A region of a DICOM structure set (RTSTRUCT) as a segmentation on the grid of its CT.

Contours: DICOM PS3.3 C.8.8.6, https://dicom.nema.org/medical/dicom/current/output/chtml/part03/sect_C.8.8.6.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from matplotlib.path import Path as Outline
from pydicom.uid import RTStructureSetStorage

from topogan.errors import InputError
from topogan.volumes.dicom import DicomSeries, is_dicom_file, read_dicom, reading_dicom
from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.sources import VolumeSource

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
# Share of the distance of slices. Positions are written with few decimals (a real set: 0.001 mm off); a contour that
# was drawn between the slices is off by a good part of their distance.
_OFF_SLICE = 0.1
# Planning systems trace contours through voxel centers. A center on an outline counts as lying this many voxels
# (column, row) further on, so that neither rounding nor the direction of the outline decides; above the former, and
# not along a diagonal.
_TIE_BREAK = (1e-3, 1.7e-3)
# Read, it takes some ten times as much memory; the regions of a whole body take 50 MB.
_MAX_FILE = 128 << 20
_MOST_REGIONS_NAMED = 12
# mm; no scan lies there.
_FARTHEST = 1e5
_CONTOUR_DATA = 0x30060050


@dataclass(frozen=True)
class RegionChoice:
    """Which region of a structure set is wanted.

    Attributes:
        name: as in the file (upper and lower case are alike); empty where the user gave none.
        numbers: ROI numbers that together make the structure, for files without a region of that name.
        any_frame: accept a CT with another frame of reference.
    """

    name: str = ""
    numbers: tuple[int, ...] = (1,)
    any_frame: bool = False


def is_structure_set(path: Path) -> bool:
    """Tell by the file's own mark and class."""
    if not is_dicom_file(path):
        return False
    with reading_dicom(path):
        header = read_dicom(path, ["SOPClassUID"])
        return bool(header.get("SOPClassUID") == RTStructureSetStorage)


@dataclass(frozen=True)
class _Contour:
    """A closed outline: number of its slice, and its points [n, 2] as (column, row) in voxels."""

    slice_number: int
    points: np.ndarray


@dataclass(frozen=True)
class StructureSet:
    """One region, drawn in the slices of a CT; a source of one phase like the files of volumes.

    A voxel belongs to the region where its center lies inside an odd number of the slice's contours: an outline within
    another one is a hole.
    """

    path: Path
    geometry: Geometry
    contours: tuple[_Contour, ...]
    label: int
    phases: int = 1

    @classmethod
    def open(cls, path: Path, image: VolumeSource | None, choice: RegionChoice) -> StructureSet:
        """Read the contours of the chosen region.

        Args:
            path: the structure set.
            image: the CT that it was drawn on.
            choice: the region, by its name or number; in the volume its voxels have the first of the numbers.

        Raises:
            InputError: there is no image or no such region; or a contour is open, not flat, or between the slices.
        """
        if image is None:
            raise InputError(f"{path} holds contours: name the CT that they were drawn on with --ct.")
        if path.stat().st_size > _MAX_FILE:
            raise InputError(f"{path} is larger than {_MAX_FILE >> 20} MB: leave the other regions out of it.")
        with reading_dicom(path):
            contours = _read_contours(path, image, choice)
        return cls(path, image.geometry, contours, choice.numbers[0])

    def volumes(self) -> Iterator[Volume]:
        """Draw the region: label in, 0 out; uint16 [slice, row, column]."""
        columns, rows, slices = self.geometry.size
        array = np.zeros((slices, rows, columns), np.uint16)
        for contour in self.contours:
            _fill(array[contour.slice_number], contour.points)
        if not array.any():
            raise InputError(f"The contours in {self.path} enclose no voxel of the CT: give the CT they were drawn on.")
        array *= self.label
        yield Volume(array, self.geometry)


def _read_contours(path: Path, image: VolumeSource, choice: RegionChoice) -> tuple[_Contour, ...]:
    """The contours of the chosen region on the slices of the CT."""
    content = read_dicom(path)
    regions = {int(entry.ROINumber): entry for entry in content.get("StructureSetROISequence") or []}
    numbers = _chosen(path, regions, choice)
    for number in numbers:
        _check_frame(path, regions[number], image, choice)
    name = " and ".join(_called(regions[number]) for number in numbers)
    drawn = [entry for entry in content.get("ROIContourSequence") or [] if int(entry.ReferencedROINumber) in numbers]
    outlines = [outline for entry in drawn for outline in entry.get("ContourSequence") or []]
    if not outlines:
        raise InputError(f"The region {name} in {path} has no contours: choose another, or leave the file out.")
    places = [_place(path, name, number, one, image.geometry) for number, one in enumerate(outlines, start=1)]
    inside = tuple(contour for contour in places if 0 <= contour.slice_number < image.geometry.size[2])
    if not inside:
        raise InputError(
            f"No contour of the region {name} in {path} lies on a slice of {image.path}: "
            "give the CT that it was drawn on."
        )
    return inside


def _fill(plane: np.ndarray, points: np.ndarray) -> None:
    """Turn the voxels inside an outline over, from 0 to 1 or back; ``plane`` [row, column]."""
    last = np.array(plane.shape[::-1]) - 1
    low = np.clip(np.ceil(points.min(axis=0)), 0, last).astype(int)
    high = np.clip(np.floor(points.max(axis=0)), 0, last).astype(int)
    column, row = np.meshgrid(np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1))
    centers = np.stack([column.ravel(), row.ravel()], axis=1)
    centers = centers + _TIE_BREAK
    plane[row, column] ^= Outline(points).contains_points(centers).reshape(row.shape)


def _chosen(path: Path, regions: dict[int, pydicom.Dataset], choice: RegionChoice) -> tuple[int, ...]:
    if not regions:
        raise InputError(f"{path} holds no regions: it is empty or damaged; leave it out.")
    described = [_called(regions[number]) for number in sorted(regions)[:_MOST_REGIONS_NAMED]]
    known = ", ".join(described) + (" ..." if len(regions) > _MOST_REGIONS_NAMED else "")
    wanted = choice.name.strip().casefold()
    named = [number for number, region in regions.items() if wanted and _name(region).casefold() == wanted]
    if len(named) > 1:
        raise InputError(f"{path} holds several regions called {choice.name!r} ({known}): rename all but one.")
    if named:
        return (named[0],)
    # A misspelt name must not silently become region 1, which is often the whole body.
    by_name = bool(wanted) and choice.numbers == (1,)
    if by_name or not set(choice.numbers) <= regions.keys():
        asked = f"called {choice.name!r}" if by_name else f"number {' and '.join(map(str, choice.numbers))}"
        raise InputError(
            f"{path} holds no region {asked} but {known}: give one's name as --structure or its number as --label."
        )
    return choice.numbers


def _name(region: pydicom.Dataset) -> str:
    return str(region.get("ROIName") or "").strip()


def _called(region: pydicom.Dataset) -> str:
    return f"{int(region.ROINumber)} {_name(region)[:40]!r}"


def _check_frame(path: Path, region: pydicom.Dataset, image: VolumeSource, choice: RegionChoice) -> None:
    """Coordinates mean something only in the frame of reference that they were drawn in."""
    theirs = region.get("ReferencedFrameOfReferenceUID")
    ours = image.frame_of_reference if isinstance(image, DicomSeries) else ""
    if theirs and ours and theirs != ours and not choice.any_frame:
        raise InputError(
            f"{path} was drawn in another frame of reference than that of {image.path}: "
            "give its own CT, or choose 'resample', if both show the same patient in the same position."
        )


def _place(path: Path, name: str, number: int, outline: pydicom.Dataset, grid: Geometry) -> _Contour:
    """Bring a contour to the slices of the CT."""

    def refusal(what: str) -> InputError:
        return InputError(f"Contour {number} of the region {name} in {path} {what}.")

    kind = str(outline.get("ContourGeometricType"))[:30]
    if kind not in _CLOSED:
        raise refusal(f"is {kind}: only closed flat contours make a volume; close it where it was drawn")
    points = _points(outline)
    if points is None:
        raise refusal("is damaged: its points are fewer than it says, too few, or no places; export the set again")
    index = grid.to_index(points)
    slice_number = round(float(np.clip(index[:, 2].mean(), -1, grid.size[2])))
    if np.ptp(index[:, 2]) > 2 * _OFF_SLICE:
        raise refusal("does not lie flat in a slice of the CT: draw it in the CT's own slices")
    if np.abs(index[:, 2] - slice_number).max() > _OFF_SLICE and 0 <= slice_number < grid.size[2]:
        raise refusal("lies between two slices of the CT: draw it in the CT's own slices")
    return _Contour(slice_number, index[:, :2])


def _points(outline: pydicom.Dataset) -> np.ndarray | None:
    """The points [n, 3] in mm, LPS; None where they make no sense.

    Read from the bytes: as objects of pydicom the numbers of a large set would take gigabytes.
    """
    stored = outline.get_item(_CONTOUR_DATA)
    value = getattr(stored, "value", None)
    try:
        words = value.strip(b" \0").split(b"\\") if isinstance(value, bytes) else list(value or [])
        points = np.array([float(word) for word in words]).reshape(-1, 3)
        promised = int(outline.get("NumberOfContourPoints", len(points)))
    except (TypeError, ValueError):
        return None
    good = len(points) >= 3 and len(points) == promised and (np.abs(points) < _FARTHEST).all()
    return points if good else None
