"""The cameras of the 3-D views: turned to volumes, and given back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer

from TopoGANLib.scene.own import is_own, mark_own

_CAMERA = "vtkMRMLCameraNode"
# Straight at a heart, a little from the left and from above, RAS.
_VIEWED_FROM = np.array([-0.5, 0.9, 0.45])
# Of the volume's edge, at the 3-D view's angle of 30°.
_VIEW_DISTANCE = 1.9

State = tuple[tuple[float, ...], ...]
"""Position and focal point (RAS, mm) of a camera, and what is up for it."""


def look_at(bounds: Sequence[float], scene: slicer.vtkMRMLScene) -> None:
    """Turn all cameras to a box; where no view has made one yet, add that of the first view.

    Args:
        bounds: R, A and S from and to, mm [6].
        scene: whose cameras they are.
    """
    if not cameras_of(scene):
        camera = scene.AddNewNodeByClass(_CAMERA, "Camera")
        camera.SetLayoutName("1")
        mark_own(camera)
    low, high = np.array(bounds).reshape(3, 2).T
    middle, edge = (low + high) / 2, (high - low).max()
    direction = _VIEWED_FROM / np.linalg.norm(_VIEWED_FROM)
    for camera in cameras_of(scene):
        put(camera, (tuple(middle + _VIEW_DISTANCE * edge * direction), tuple(middle), (0.0, 0.0, 1.0)))


def cameras_of(scene: slicer.vtkMRMLScene) -> list[slicer.vtkMRMLCameraNode]:
    """All cameras of a scene."""
    return list(slicer.util.getNodesByClass(_CAMERA, scene))


def state_of(camera: slicer.vtkMRMLCameraNode) -> State:
    """Where a camera is, and whereto it looks."""
    return tuple(camera.GetPosition()), tuple(camera.GetFocalPoint()), tuple(camera.GetViewUp())


def put(camera: slicer.vtkMRMLCameraNode, state: State) -> None:
    """Put a camera where it was."""
    position, focal_point, up = state
    with slicer.util.NodeModify(camera):
        camera.SetFocalPoint(focal_point)
        camera.SetPosition(position)
        camera.SetViewUp(up)
    camera.ResetClippingRange()


def remove_own_cameras(scene: slicer.vtkMRMLScene) -> None:
    """Take out what :func:`look_at` has added; a view that shows through it makes its own."""
    for camera in cameras_of(scene):
        if is_own(camera):
            scene.RemoveNode(camera)
