"""What volumes and segments of the scene hold, as grids of voxels, or why they cannot be used.

Nothing is copied: the arrays are views of the nodes' voxels, which they keep alive.
"""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from TopoGANLib.scene.grid import Grid
from TopoGANLib.words import tr as _


class InputError(ValueError):
    """What the user has chosen cannot be used: one sentence that says why, and what to do."""


def reference_grid(segmentation: slicer.vtkMRMLSegmentationNode) -> Grid | None:
    """The voxels that the segments were drawn on, mostly those of a volume; None where nobody has said.

    Its array holds nothing and takes no memory.
    """
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    text = segmentation.GetSegmentation().GetConversionParameter(name)
    geometry = slicer.vtkOrientedImageData()
    if not text or not slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, geometry, False):
        return None
    shape, matrix = _place(geometry)
    return Grid(np.broadcast_to(np.uint8(0), shape), matrix) if min(shape) > 0 else None


def check_image(volume: slicer.vtkMRMLScalarVolumeNode) -> None:
    """See that a volume can be a CT; quick.

    Raises:
        InputError: it cannot.
    """
    image = volume.GetImageData()
    if image is None or not image.GetNumberOfPoints():
        raise InputError(_("The CT is empty: choose another volume."))
    if image.GetNumberOfScalarComponents() != 1:
        raise InputError(_("The CT is a color picture: choose a CT volume."))


def check_segment(segment: slicer.vtkSegment) -> None:
    """See that a segment is not empty; one that is a surface is not looked into.

    Raises:
        InputError: it is.
    """
    labelmap = segment.GetRepresentation(
        slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    )
    if labelmap is not None and (labelmap.IsEmpty() or not _has(labelmap_grid(labelmap), segment.GetLabelValue())):
        raise InputError(empty_sentence(segment.GetName()))


def empty_sentence(segment: str) -> str:
    """What is said of a segment without a voxel."""
    return _("The segment {segment} is empty: draw it first, or choose another.").format(segment=segment)


def _has(grid: Grid, label: int) -> bool:
    # From the middle on, where a structure is as a rule, so that few slices have to be looked at.
    count = len(grid.array)
    order = sorted(range(count), key=lambda number: abs(number - count // 2))
    return any((grid.array[number] == label).any() for number in order)


def volume_grid(volume: slicer.vtkMRMLScalarVolumeNode) -> Grid:
    """The voxels of a volume.

    Raises:
        InputError: it cannot be a CT.
    """
    check_image(volume)
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    return Grid(slicer.util.arrayFromVolume(volume), slicer.util.arrayFromVTKMatrix(matrix))


def labelmap_of(
    segmentation: slicer.vtkMRMLSegmentationNode, segment: slicer.vtkSegment
) -> slicer.vtkOrientedImageData:
    """The labelmap of a segment, which others may share.

    Raises:
        InputError: the segment is empty.
    """
    name = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    if segment.GetRepresentation(name) is None:
        # Surfaces, as of an imported model. The one step that can take long here.
        segmentation.GetSegmentation().CreateRepresentation(name)
    labelmap = segment.GetRepresentation(name)
    if labelmap is None or labelmap.IsEmpty():
        raise InputError(empty_sentence(segment.GetName()))
    return labelmap


def labelmap_grid(labelmap: slicer.vtkOrientedImageData) -> Grid:
    """The voxels of a labelmap."""
    # The labelmap holds only the part where its segments are.
    shape, matrix = _place(labelmap)
    return Grid(vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(shape), matrix)


def _place(geometry: slicer.vtkOrientedImageData) -> tuple[list[int], np.ndarray]:
    """Number of slices, rows and columns, and where they are."""
    extent = geometry.GetExtent()
    matrix = vtk.vtkMatrix4x4()
    geometry.GetImageToWorldMatrix(matrix)
    start = np.eye(4)
    start[:3, 3] = extent[0], extent[2], extent[4]
    shape = [extent[end] - extent[end - 1] + 1 for end in (5, 3, 1)]
    return shape, slicer.util.arrayFromVTKMatrix(matrix) @ start


def resampled(labelmap: slicer.vtkOrientedImageData, reference: slicer.vtkOrientedImageData) -> Grid:
    """A segment that was made on other voxels, such as one copied from another segmentation."""
    moved = slicer.vtkOrientedImageData()
    slicer.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
        labelmap, reference, moved, False, True
    )
    return labelmap_grid(moved)
