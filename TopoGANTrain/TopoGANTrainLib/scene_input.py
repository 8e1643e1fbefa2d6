"""Hands a volume and segments of the scene to the engine, as files.

Looking at the scene is quick and done on the application's thread; writing is slow and may be done on any other,
because nothing of MRML is touched there: the arrays are views of the nodes' voxels, which they keep alive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
# Written in portions: one write of a whole volume would keep other threads waiting.
_SLICES_AT_ONCE = 8
_EMPTY = "The segment {segment} is empty: draw it first, or choose another."
# The names of NRRD's numbers are numpy's, but for these.
_NRRD_TYPES = {"float32": "float", "float64": "double"}


class InputError(ValueError):
    """What the user has chosen cannot be used: one sentence that says why, and what to do."""


@dataclass(frozen=True)
class Grid:
    """Voxels and their place."""

    array: np.ndarray
    """[slice, row, column]"""
    ijk_to_ras: np.ndarray
    """float [4, 4], from (column, row, slice, 1) to (R, A, S, 1) in mm."""


@dataclass(frozen=True)
class SceneStructure:
    """One segment."""

    name: str
    color: str
    """As ``#rrggbb``."""
    terminology: str
    """Slicer's serialized entry, or nothing."""
    grid: Grid
    """Holds other segments, too."""
    label: int
    """The segment's value in ``grid``."""


@dataclass(frozen=True)
class SceneInput:
    """One patient: segments, and the volume in which they lie.

    Usage::

        chosen = read_scene_input(volume, segmentation, segment_ids)
        images, segmentations, remark = chosen.write(folder)
    """

    structures: tuple[SceneStructure, ...]
    """Where two overlap, the earlier one wins."""
    image: Grid | None

    @property
    def table(self) -> list[dict[str, Any]]:
        """The structures of the written segmentation, as :mod:`topogan_contract.preparation` wants them."""
        return [
            {"name": one.name, "labels": [label], "color": one.color, "terminology": one.terminology}
            for label, one in enumerate(self.structures, start=1)
        ]

    def measured_volume(self) -> tuple[float, float]:
        """Longest edge of the box around all structures, and that of a cube as large as the image's voxel, in mm.

        The second is 0 without an image.
        """
        labels, _ = _merge(self.structures)
        voxel = np.linalg.norm(labels.ijk_to_ras[:3, :3], axis=0)
        # The array's axes are slices, rows and columns.
        filled = [np.flatnonzero(labels.array.any(axis=others)) for others in ((0, 1), (0, 2), (1, 2))]
        longest = max(
            (float(edge * (np.ptp(one) + 1)) for edge, one in zip(voxel, filled, strict=True) if len(one)), default=0.0
        )
        own = 0.0 if self.image is None else float(np.cbrt(abs(np.linalg.det(self.image.ijk_to_ras[:3, :3]))))
        return longest, own

    def measured(self) -> tuple[float, float]:
        """Width of the widest slice of all structures together, and the image's own pixel, in mm (0 without image)."""
        labels, _ = _merge(self.structures)
        # Along columns and rows.
        pixel = np.linalg.norm(labels.ijk_to_ras[:3, :2], axis=0)
        widest = 0.0
        for mask in labels.array:
            shown = [np.flatnonzero(mask.any(axis=axis)) for axis in (0, 1)]
            if len(shown[0]):
                widest = max(widest, *(pixel * [np.ptp(found) + 1 for found in shown]).tolist())
        own = 0.0 if self.image is None else float(np.linalg.norm(self.image.ijk_to_ras[:3, :2], axis=0).min())
        return widest, own

    def write(self, folder: Path) -> tuple[list[Path], list[Path], str]:
        """Write ``ct.nrrd`` and ``segmentation.nrrd`` (1 = first structure).

        Returns:
            The paths of images and segmentations, and a sentence on what overlaps, empty if nothing does.

        Raises:
            InputError: a segment is empty, or lies under others with all its voxels.
            OSError: the folder cannot be written.
        """
        labels, remark = _merge(self.structures)
        folder.mkdir(parents=True, exist_ok=True)
        images = []
        if self.image is not None:
            write_nrrd(folder / "ct.nrrd", self.image)
            images.append(folder / "ct.nrrd")
        write_nrrd(folder / "segmentation.nrrd", labels)
        return images, [folder / "segmentation.nrrd"], remark


def read_scene_input(
    volume: slicer.vtkMRMLScalarVolumeNode | None,
    segmentation: slicer.vtkMRMLSegmentationNode,
    segment_ids: Sequence[str],
) -> SceneInput:
    """Look at what the user has chosen; nothing is copied, but for segments on a grid of their own.

    Args:
        volume: the CT; None for masks without a picture.
        segmentation: holds the segments.
        segment_ids: their ids there, not their names; where two overlap, the earlier one wins.

    Raises:
        InputError: one sentence on what cannot be used, and what to do.
    """
    for node in filter(None, (volume, segmentation)):
        if node.GetParentTransformNode() is not None:
            raise InputError(
                f"{node.GetName()} is moved by a transform: harden the transform (Data module) and try again."
            )
    segments = [segmentation.GetSegmentation().GetSegment(identifier) for identifier in segment_ids]
    if None in segments:
        missing = segment_ids[segments.index(None)]
        raise InputError(f"{segmentation.GetName()} has no segment {missing!r}: choose another.")
    names = [segment.GetName() for segment in segments]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"Two of the segments are named {twice}: rename one.")
    image = None if volume is None else _volume_grid(volume)
    labelmaps = [_labelmap(segmentation, segment) for segment in segments]
    grids = [_labelmap_grid(labelmap) for labelmap in labelmaps]
    for number, (labelmap, grid) in enumerate(zip(labelmaps, grids, strict=True)):
        if _voxels_between(grids[0], grid) is None:
            grids[number] = _resampled(labelmap, labelmaps[0])
    return SceneInput(tuple(map(_structure, segments, grids)), image)


def plane_of(slice_node: slicer.vtkMRMLSliceNode) -> list[list[float]]:
    """The plane of a slice view, such as Red, as its SliceToRAS matrix: 4 rows of 4."""
    matrix: list[list[float]] = slicer.util.arrayFromVTKMatrix(slice_node.GetSliceToRAS()).tolist()
    return matrix


def write_nrrd(path: Path, grid: Grid) -> None:
    """Write voxels as they are, uncompressed: fast, and without the copies that a library would make."""
    lps = _TO_LPS @ grid.ijk_to_ras
    kind = grid.array.dtype.newbyteorder("<")
    slices, rows, columns = grid.array.shape
    header = [
        "NRRD0004",
        f"type: {_NRRD_TYPES.get(kind.name, kind.name)}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {columns} {rows} {slices}",
        "space directions: " + " ".join(_vector(lps[:3, axis]) for axis in range(3)),
        "kinds: domain domain domain",
        "endian: little",
        "encoding: raw",
        f"space origin: {_vector(lps[:3, 3])}",
    ]
    with path.open("wb") as file:
        file.write(("\n".join(header) + "\n\n").encode("ascii"))
        for start in range(0, slices, _SLICES_AT_ONCE):
            np.ascontiguousarray(grid.array[start : start + _SLICES_AT_ONCE], dtype=kind).tofile(file)


def _volume_grid(volume: slicer.vtkMRMLScalarVolumeNode) -> Grid:
    image = volume.GetImageData()
    if image is None or not image.GetNumberOfPoints():
        raise InputError(f"{volume.GetName()} is empty: choose another volume.")
    if image.GetNumberOfScalarComponents() != 1:
        raise InputError(f"{volume.GetName()} is a color picture: choose a CT volume.")
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return Grid(slicer.util.arrayFromVolume(volume), slicer.util.arrayFromVTKMatrix(matrix))


def _labelmap(segmentation: slicer.vtkMRMLSegmentationNode, segment: slicer.vtkSegment) -> slicer.vtkOrientedImageData:
    name = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    if segment.GetRepresentation(name) is None:
        # Surfaces, as of an imported model. The one step that can take long here.
        segmentation.GetSegmentation().CreateRepresentation(name)
    labelmap = segment.GetRepresentation(name)
    if labelmap is None or labelmap.IsEmpty():
        raise InputError(_EMPTY.format(segment=segment.GetName()))
    return labelmap


def _labelmap_grid(labelmap: slicer.vtkOrientedImageData) -> Grid:
    # The labelmap holds only the part where its segments are.
    extent = labelmap.GetExtent()
    shape = [extent[end] - extent[end - 1] + 1 for end in (5, 3, 1)]
    array = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(shape)
    matrix = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(matrix)
    start = np.eye(4)
    start[:3, 3] = extent[0], extent[2], extent[4]
    return Grid(array, slicer.util.arrayFromVTKMatrix(matrix) @ start)


def _resampled(labelmap: slicer.vtkOrientedImageData, reference: slicer.vtkOrientedImageData) -> Grid:
    """A segment that was made on other voxels, such as one copied from another segmentation."""
    moved = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        labelmap, reference, moved, False, True
    )
    return _labelmap_grid(moved)


def _structure(segment: slicer.vtkSegment, grid: Grid) -> SceneStructure:
    color = "#" + "".join(f"{round(255 * part):02x}" for part in segment.GetColor())
    return SceneStructure(segment.GetName(), color, segment.GetTerminology() or "", grid, int(segment.GetLabelValue()))


def _voxels_between(one: Grid, other: Grid) -> np.ndarray | None:
    """int [3], (slice, row, column) of ``one`` where ``other`` begins; None if their voxels do not fall together."""
    matrix = np.linalg.inv(one.ijk_to_ras) @ other.ijk_to_ras
    steps = np.round(matrix[:3, 3])
    # A hundredth of a voxel: matrices come out of files with few digits.
    aligned = np.allclose(matrix[:3, :3], np.eye(3), atol=1e-4) and np.allclose(matrix[:3, 3], steps, atol=1e-2)
    return steps[::-1].astype(int) if aligned else None


def _merge(structures: Sequence[SceneStructure]) -> tuple[Grid, str]:
    """One label map of all structures, 1 the first, and a sentence on what overlaps."""
    first = structures[0].grid
    starts = np.array([_voxels_between(first, one.grid) for one in structures])
    ends = starts + [one.grid.array.shape for one in structures]
    low = starts.min(axis=0)
    labels = np.zeros(ends.max(axis=0) - low, np.min_scalar_type(len(structures)))
    overlaps = []
    for label, (structure, start) in enumerate(zip(structures, starts - low, strict=True), start=1):
        size = structure.grid.array.shape
        there = labels[tuple(slice(begin, begin + count) for begin, count in zip(start, size, strict=True))]
        found = covered = 0
        # Slice by slice, as above.
        for mine, taken in zip(structure.grid.array, there, strict=True):
            inside = mine == structure.label
            free = inside & (taken == 0)
            taken[free] = label
            found += np.count_nonzero(inside)
            covered += np.count_nonzero(inside) - np.count_nonzero(free)
        if not found:
            raise InputError(_EMPTY.format(segment=structure.name))
        if covered == found:
            raise InputError(f"{structure.name} lies wholly under segments above it: move it up, or leave it out.")
        if covered:
            overlaps.append(f"{structure.name} {covered:,}")
    matrix = first.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, :3] @ low[::-1]
    if not overlaps:
        return Grid(labels, matrix), ""
    return Grid(labels, matrix), f"Voxels that fall to a structure above it: {', '.join(overlaps)}."


def _vector(values: np.ndarray) -> str:
    return "(" + ",".join(repr(float(value)) for value in values) + ")"
