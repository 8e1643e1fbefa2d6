"""Hands a volume and a segment of the scene to the engine, as files.

Looking at the scene is quick and done on the application's thread; writing is slow and may be done on any other,
because nothing of MRML is touched there: the arrays are views of the nodes' voxels, which they keep alive.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
class SceneInput:
    """One patient: a segment, and the volume in which it lies.

    Usage::

        chosen = read_scene_input(volume, segmentation, segment_id)
        images, segmentations = chosen.write(folder)
    """

    structure: str
    """The segment's name."""
    image: Grid | None
    labels: Grid
    label: int
    """The segment's value in ``labels``."""

    def write(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Write ``ct.nrrd`` and ``segmentation.nrrd`` (1 = segment); return the paths of images and segmentations.

        Raises:
            InputError: the segment is empty.
            OSError: the folder cannot be written.
        """
        if not any((block == self.label).any() for block in self.labels.array):
            raise InputError(_EMPTY.format(segment=self.structure))
        folder.mkdir(parents=True, exist_ok=True)
        images = []
        if self.image is not None:
            write_nrrd(folder / "ct.nrrd", self.image)
            images.append(folder / "ct.nrrd")
        write_nrrd(folder / "segmentation.nrrd", self.labels, only=self.label)
        return images, [folder / "segmentation.nrrd"]


def read_scene_input(
    volume: slicer.vtkMRMLScalarVolumeNode | None, segmentation: slicer.vtkMRMLSegmentationNode, segment_id: str
) -> SceneInput:
    """Look at what the user has chosen; nothing is copied.

    Args:
        volume: the CT; None for masks without a picture.
        segmentation: holds the segment.
        segment_id: its id there, not its name.

    Raises:
        InputError: one sentence on what cannot be used, and what to do.
    """
    for node in filter(None, (volume, segmentation)):
        if node.GetParentTransformNode() is not None:
            raise InputError(
                f"{node.GetName()} is moved by a transform: harden the transform (Data module) and try again."
            )
    segment = segmentation.GetSegmentation().GetSegment(segment_id)
    if segment is None:
        raise InputError(f"{segmentation.GetName()} has no segment {segment_id!r}: choose another.")
    image = None if volume is None else _volume_grid(volume)
    labels = _labelmap_grid(segmentation, segment)
    return SceneInput(segment.GetName(), image, labels, int(segment.GetLabelValue()))


def plane_of(slice_node: slicer.vtkMRMLSliceNode) -> list[list[float]]:
    """The plane of a slice view, such as Red, as its SliceToRAS matrix: 4 rows of 4."""
    matrix: list[list[float]] = slicer.util.arrayFromVTKMatrix(slice_node.GetSliceToRAS()).tolist()
    return matrix


def write_nrrd(path: Path, grid: Grid, only: int | None = None) -> None:
    """Write voxels as they are, uncompressed: fast, and without the copies that a library would make.

    Args:
        path: file to write.
        grid: what to write.
        only: write 1 where the array has this value and 0 elsewhere, instead of the values.
    """
    lps = _TO_LPS @ grid.ijk_to_ras
    kind = np.dtype(np.uint8) if only is not None else grid.array.dtype.newbyteorder("<")
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
            block = grid.array[start : start + _SLICES_AT_ONCE]
            values = block == only if only is not None else block
            np.ascontiguousarray(values, dtype=kind).tofile(file)


def _volume_grid(volume: slicer.vtkMRMLScalarVolumeNode) -> Grid:
    image = volume.GetImageData()
    if image is None or not image.GetNumberOfPoints():
        raise InputError(f"{volume.GetName()} is empty: choose another volume.")
    if image.GetNumberOfScalarComponents() != 1:
        raise InputError(f"{volume.GetName()} is a color picture: choose a CT volume.")
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return Grid(slicer.util.arrayFromVolume(volume), slicer.util.arrayFromVTKMatrix(matrix))


def _labelmap_grid(segmentation: slicer.vtkMRMLSegmentationNode, segment: slicer.vtkSegment) -> Grid:
    name = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    if segment.GetRepresentation(name) is None:
        # Surfaces, as of an imported model. The one step that can take long here.
        segmentation.GetSegmentation().CreateRepresentation(name)
    labelmap = segment.GetRepresentation(name)
    if labelmap is None or labelmap.IsEmpty():
        raise InputError(_EMPTY.format(segment=segment.GetName()))
    # The labelmap holds only the part where its segments are.
    extent = labelmap.GetExtent()
    shape = [extent[end] - extent[end - 1] + 1 for end in (5, 3, 1)]
    array = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(shape)
    matrix = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(matrix)
    start = np.eye(4)
    start[:3, 3] = extent[0], extent[2], extent[4]
    return Grid(array, slicer.util.arrayFromVTKMatrix(matrix) @ start)


def _vector(values: np.ndarray) -> str:
    return "(" + ",".join(repr(float(value)) for value in values) + ")"
