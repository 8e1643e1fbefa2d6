"""Places in a volume and in the slice views that show it: RAS, mm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer
import vtk

from TopoGANLib.scene.layouts import GALLERY_VIEW_ID

Position = tuple[float, float, float]


def center_of_slice(image: slicer.vtkMRMLScalarVolumeNode, number: int | None) -> Position:
    """The center of a slice, or with None of the whole volume, as long as nobody puts it under a transform."""
    columns, rows, slices = image.GetImageData().GetDimensions()
    ijk_to_ras = vtk.vtkMatrix4x4()
    image.GetIJKToRASMatrix(ijk_to_ras)
    at = (slices - 1) / 2 if number is None else number
    r, a, s, _ = ijk_to_ras.MultiplyPoint(((columns - 1) / 2, (rows - 1) / 2, at, 1))
    return r, a, s


def offset_along_stack(image: slicer.vtkMRMLScalarVolumeNode, position: Position) -> float:
    """Slice offset, mm, at which a view along the slices of a volume shows a place."""
    directions = np.zeros((3, 3))
    image.GetIJKToRASDirections(directions)
    return float(directions[:, 2] @ position)


def jump_all_views(scene: slicer.vtkMRMLScene, position: Sequence[float]) -> None:
    """Move every slice view to a place but that of the gallery, which lies elsewhere."""
    kind = slicer.vtkMRMLSliceNode
    gallery = scene.GetNodeByID(GALLERY_VIEW_ID)
    every_group = -1
    kind.JumpAllSlices(scene, *position, kind.OffsetJumpSlice, every_group, gallery)
