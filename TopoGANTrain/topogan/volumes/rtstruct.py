"""Regions of a DICOM structure set (RTSTRUCT) as a segmentation on the grid of its CT.

Contours: DICOM PS3.3 C.8.8.6, https://dicom.nema.org/medical/dicom/current/output/chtml/part03/sect_C.8.8.6.html
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pydicom
from matplotlib.path import Path as Outline
from pydicom.uid import RTStructureSetStorage

from topogan.errors import InputError
from topogan.volumes.dicom import is_dicom_file, read_dicom, reading_dicom
from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.regions import Absent, Drawn, RegionChoice, called, check_frame, choose
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
# mm; no scan lies there.
_FARTHEST = 1e5
_CONTOUR_DATA = 0x30060050


def is_structure_set(path: Path) -> bool:
    """Tell by the file's own mark and class."""
    if not is_dicom_file(path):
        return False
    with reading_dicom(path):
        header = read_dicom(path, ["SOPClassUID"])
        return bool(header.get("SOPClassUID") == RTStructureSetStorage)


@dataclass(frozen=True)
class _Contour:
    """A closed outline of a region: number of its slice, and its points [n, 2] as (column, row) in voxels."""

    region: int
    slice_number: int
    points: np.ndarray


@dataclass(frozen=True)
class StructureSet(Drawn):
    """Structures as the contours of regions in the slices of a CT.

    A voxel belongs to a region where its center lies inside an odd number of the slice's contours: an outline within
    another one is a hole. Where two structures overlap, the first one wins.
    """

    contours: tuple[tuple[_Contour, ...], ...]
    """Of each structure."""

    @classmethod
    def open(cls, path: Path, image: VolumeSource | None, *choices: RegionChoice) -> StructureSet:
        """Read the contours of the chosen regions.

        Args:
            path: the structure set.
            image: the CT that it was drawn on.
            choices: the region of each structure, by its name or number.

        Raises:
            InputError: there is no image or none of the regions; or a contour is open, not flat, or between the slices.
        """
        if image is None:
            raise InputError(f"{path} holds contours: name the CT that they were drawn on with --ct.")
        if path.stat().st_size > _MAX_FILE:
            raise InputError(f"{path} is larger than {_MAX_FILE >> 20} MB: leave the other regions out of it.")
        contours: list[tuple[_Contour, ...]] = []
        absent: dict[int, Absent] = {}
        with reading_dicom(path):
            content = read_dicom(path)
            for number, choice in enumerate(choices, start=1):
                try:
                    contours.append(_read_contours(path, content, image, choice))
                except Absent as why:
                    contours.append(())
                    absent[number] = why
        if not any(contours):
            raise absent[1]
        return cls(path, image.geometry, absent, tuple(contours))

    def volumes(self) -> Iterator[Volume]:
        """Draw the structures: their numbers, from 1, and 0 elsewhere; uint8 [slice, row, column]."""
        columns, rows, slices = self.geometry.size
        array = np.zeros((slices, rows, columns), np.uint8)
        self.overlaps.clear()
        for number, contours in enumerate(self.contours, start=1):
            for (slice_number, _), outlines in groupby(sorted(contours, key=_place_of), key=_place_of):
                plane = np.zeros((rows, columns), bool)
                for outline in outlines:
                    _fill(plane, outline.points)
                self._lay(array[slice_number], number, plane)
        if not array.any():
            raise InputError(f"The contours in {self.path} enclose no voxel of the CT: give the CT they were drawn on.")
        yield Volume(array, self.geometry)


def _place_of(contour: _Contour) -> tuple[int, int]:
    return contour.slice_number, contour.region


def _read_contours(
    path: Path, content: pydicom.Dataset, image: VolumeSource, choice: RegionChoice
) -> tuple[_Contour, ...]:
    """The contours of the chosen regions on the slices of the CT."""
    regions = {int(entry.ROINumber): entry for entry in content.get("StructureSetROISequence") or []}
    names = {number: str(region.get("ROIName") or "") for number, region in regions.items()}
    numbers = choose(path, names, choice, "region")
    for number in numbers:
        check_frame(path, str(regions[number].get("ReferencedFrameOfReferenceUID") or ""), image, choice)
    name = " and ".join(called(number, names[number]) for number in numbers)
    drawn = [entry for entry in content.get("ROIContourSequence") or [] if int(entry.ReferencedROINumber) in numbers]
    outlines = [
        (int(entry.ReferencedROINumber), outline) for entry in drawn for outline in entry.get("ContourSequence") or []
    ]
    if not outlines:
        raise Absent(f"The region {name} in {path} has no contours: choose another, or leave the file out.")
    places = [
        _place(path, name, number, region, outline, image.geometry)
        for number, (region, outline) in enumerate(outlines, start=1)
    ]
    inside = tuple(contour for contour in places if 0 <= contour.slice_number < image.geometry.size[2])
    if not inside:
        raise Absent(
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


def _place(path: Path, name: str, number: int, region: int, outline: pydicom.Dataset, grid: Geometry) -> _Contour:
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
    return _Contour(region, slice_number, index[:, :2])


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
