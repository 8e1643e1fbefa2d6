"""Segments of a DICOM segmentation (SEG) as label ids, on the grid of its image where one is given.

highdicom reads it: it sorts the frames by their own positions and unpacks their bits. It needs a newer pydicom than
some Slicers have, so it is installed for this alone (``topogan[seg]``).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from topogan.errors import InputError
from topogan.volumes.checks import check_growth, check_size, cut_off
from topogan.volumes.dicom import is_dicom_file, read_dicom, reading_dicom
from topogan.volumes.geometry import SAME_GRID_TOLERANCE, Geometry, Volume, geometry_of_axes
from topogan.volumes.regions import Absent, Drawn, RegionChoice, check_frame, choose
from topogan.volumes.sources import VolumeSource

if TYPE_CHECKING:
    from highdicom.seg import Segmentation

_BINARY, _LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"
# Implicit and explicit little endian.
_PLAIN = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
# Read, what stands before the pixels takes some ten times as much memory; 24 structures of 1,000 slices take 30 MB.
_MAX_HEADER, _MAX_FRAMES = 128 << 20, 50_000
# Share of the distance of slices by which their positions may be rounded.
_UNEVEN = 0.05
_HEADER = ("NumberOfFrames", "Rows", "Columns", "BitsAllocated", "SegmentationType")


def is_segmentation(path: Path) -> bool:
    """Tell by the file's own mark and class."""
    if not is_dicom_file(path):
        return False
    with reading_dicom(path):
        return read_dicom(path, ["SOPClassUID"]).get("SOPClassUID") in (_BINARY, _LABEL_MAP)


@dataclass(frozen=True)
class SegmentationObject(Drawn):
    """Structures as segments of a DICOM segmentation. Where two overlap, the first one wins."""

    own: Geometry
    """Of the frames: from the first to the last that is there."""
    segments: tuple[tuple[int, ...], ...]
    """Numbers of the segments of each structure."""

    @classmethod
    def open(cls, path: Path, image: VolumeSource | None, *choices: RegionChoice) -> SegmentationObject:
        """Read the header.

        Args:
            path: the file.
            image: what was segmented; None for the segmentation alone.
            choices: the segment of each structure, by its label (a name) or number.

        Raises:
            InputError: it is no binary segmentation in even slices, has none of the segments, or is cut off; or
                highdicom is missing.
        """
        segments: list[tuple[int, ...]] = []
        absent: dict[int, Absent] = {}
        with _reading(path):
            _check_header(path)
            content = _read(path)
            names = {
                number: str(content.get_segment_description(number).segment_label)
                for number in content.segment_numbers
                if number
            }
            for number, choice in enumerate(choices, start=1):
                try:
                    segments.append(choose(path, names, choice, "segment"))
                except Absent as why:
                    segments.append(())
                    absent[number] = why
            if not any(segments):
                raise absent[1]
            if image is not None:
                check_frame(path, str(content.get("FrameOfReferenceUID") or ""), image, choices[0])
            own = _geometry(path, content)
        on_image = image is not None and _steps(own, image.geometry) is not None
        geometry = image.geometry if image is not None and on_image else own
        return cls(path, geometry, absent, own, tuple(segments))

    def volumes(self) -> Iterator[Volume]:
        """Unpack the structures: their numbers, from 1, and 0 elsewhere; uint8 [slice, row, column]."""
        self.overlaps.clear()
        array = np.zeros(self.own.size[::-1], np.uint8)
        with _reading(self.path):
            content = _read(self.path)
            for number, segments in enumerate(self.segments, start=1):
                for segment in segments:
                    found = content.get_volume(segment_numbers=[segment], rtol=_UNEVEN, dtype=np.uint8)
                    self._lay(array, number, found.array[..., 0] != 0)
        array = _moved(array, self.own, self.geometry)
        if not array.any():
            raise InputError(
                f"The segments in {self.path} have no voxel on the image: give the image they were made on."
            )
        yield Volume(array, self.geometry)


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    # highdicom prints what goes wrong before it raises it.
    with reading_dicom(path), redirect_stderr(io.StringIO()):
        yield


def _check_header(path: Path) -> None:
    """Refuse what is no binary segmentation, and what would take more memory than the file says, before it is read."""
    header = read_dicom(path, _HEADER)
    kind = str(header.SegmentationType)[:30]
    if kind not in ("BINARY", "LABELMAP"):
        raise InputError(f"{path} holds a segmentation of the type {kind}: export it as a binary one.")
    if header.file_meta.TransferSyntaxUID not in _PLAIN:
        raise InputError(f"{path} is compressed: export it without (Explicit VR Little Endian).")
    frames, rows, columns = (int(header[name].value) for name in ("NumberOfFrames", "Rows", "Columns"))
    pixels = rows * columns * frames * int(header.BitsAllocated) // 8
    if frames > _MAX_FRAMES:
        raise InputError(f"{path} has {frames} frames: leave segments out of it.")
    if min(frames, rows, columns) < 1 or pixels > (stored := path.stat().st_size):
        raise cut_off(path)
    if stored - pixels > _MAX_HEADER:
        raise InputError(f"{path} says {(stored - pixels) >> 20} MB beside its pixels: leave segments out of it.")


def _read(path: Path) -> Segmentation:
    try:
        from highdicom.seg import segread
    except ImportError as error:
        raise InputError(
            f"{path} is a DICOM segmentation, which needs highdicom: pip install 'topogan[seg]'."
        ) from error
    return segread(path, lazy_frame_retrieval=True)


def _geometry(path: Path, content: Segmentation) -> Geometry:
    found = content.get_volume_geometry(rtol=_UNEVEN)
    if found is None:
        raise InputError(
            f"The frames of {path} do not lie one above the other at even distances: load it in Slicer, export it as a "
            "label map on the grid of its image, and give that."
        )
    # highdicom's axes are slice, row, column.
    steps = np.asarray(found.affine)[:3, 2::-1]
    geometry = geometry_of_axes(found.spatial_shape[::-1], steps, np.asarray(found.affine)[:3, 3])
    geometry.check(path)
    check_size(path, geometry.size)
    check_growth(path, int(np.prod(geometry.size, dtype=float)), path.stat().st_size)
    return geometry


def _steps(own: Geometry, grid: Geometry) -> tuple[np.ndarray, np.ndarray] | None:
    """How ``own`` lies on another grid, if voxels lie on voxels: a step along each of its axes (rows of [3, 3]), and
    its first voxel, as indices of the grid; else None.
    """
    ends = np.array(np.meshgrid(*((0, count - 1) for count in own.size))).reshape(3, 8).T
    index = grid.to_index(own.to_point(np.concatenate([np.zeros((1, 3)), np.eye(3), ends])))
    first = np.rint(index[0]).astype(int)
    steps = np.rint(index[1:4] - index[0]).astype(int)
    turned = all((np.abs(steps).sum(axis=axis) == 1).all() for axis in (0, 1))
    off = np.abs(index[4:] - first - ends @ steps).max()
    return (steps, first) if turned and off <= SAME_GRID_TOLERANCE else None


def _moved(array: np.ndarray, own: Geometry, grid: Geometry) -> np.ndarray:
    """Voxels [slice, row, column] of ``own`` on a grid that it lies on; what is beyond it is cut."""
    if grid is own or (found := _steps(own, grid)) is None:
        return array
    steps, first = found
    order = np.abs(steps).argmax(axis=0)
    signs = steps[order, range(3)]
    turned = array.T.transpose(order)[tuple(slice(None, None, sign) for sign in signs)]
    low = first - np.where(signs < 0, np.array(turned.shape) - 1, 0)
    start, stop = np.maximum(low, 0), np.minimum(low + turned.shape, grid.size)
    placed = np.zeros(grid.size[::-1], np.uint8)
    if (start < stop).all():
        into, out_of = (
            tuple(slice(one, other) for one, other in zip(start - away, stop - away, strict=True)) for away in (0, low)
        )
        placed.T[into] = turned[out_of]
    return placed
