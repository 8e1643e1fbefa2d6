"""The user's views: what they showed before samples were put into them, to be given back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import slicer

from TopoGANLib.scene.cameras import cameras_of, put, state_of
from TopoGANLib.scene.layouts import GALLERY_VIEW_ID


class _State(NamedTuple):
    """What a view shows."""

    volumes: tuple[str | None, ...]
    """IDs of background, foreground and label map."""
    opacity: float
    """Of the foreground."""
    plane: np.ndarray
    """SliceToRAS, mm [4, 4]."""
    field_of_view: tuple[float, float, float]

    def is_turned_as(self, other: _State) -> bool:
        """Whether the planes are parallel, and the pictures in them upright alike."""
        return np.allclose(self.plane[:3, :3], other.plane[:3, :3])


class UsersViews:
    """The slice views, but that of the gallery, and the 3-D views' cameras as they were when this was made.

    Usage::

        views = UsersViews(slicer.app.applicationLogic())
        show_picture(nodes, slicer.app.applicationLogic())
        views.are_ours()
        views.give_back()
    """

    def __init__(self, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
        """Note what they show.

        Args:
            application_logic: knows the views.
        """
        nodes = slicer.util.getNodesByClass("vtkMRMLSliceNode")
        logics = [application_logic.GetSliceLogic(node) for node in nodes if node.GetID() != GALLERY_VIEW_ID]
        self._logics = [logic for logic in logics if logic is not None]
        self._before = self._ours = [_state_of(logic) for logic in self._logics]
        self._cameras = cameras_of(slicer.mrmlScene)
        self._places = self._our_places = [state_of(camera) for camera in self._cameras]

    def are_ours(self) -> None:
        """What they show now is not the user's."""
        self._ours = [_state_of(logic) for logic in self._logics]
        self._our_places = [state_of(camera) for camera in self._cameras]

    def give_back(self) -> None:
        """Let each show what it did; where the user has chosen another volume since, or another plane or place of a
        camera, that stays.

        A view that was empty keeps the samples, where it need not be turned for that.
        """
        for logic, before, ours in zip(self._logics, self._before, self._ours, strict=True):
            if logic.GetSliceNode() is None or (before.volumes[0] is None and ours.is_turned_as(before)):
                continue
            now = _state_of(logic)
            chosen = now.volumes[0] not in (None, ours.volumes[0])
            if not chosen:
                _show(logic.GetSliceCompositeNode(), before)
            if now.is_turned_as(ours) and not (chosen and ours.is_turned_as(before)):
                _turn(logic.GetSliceNode(), before)
        for camera, place, our in zip(self._cameras, self._places, self._our_places, strict=True):
            if camera.GetScene() is not None and state_of(camera) == our:
                put(camera, place)


def _state_of(logic: slicer.vtkMRMLSliceLogic) -> _State:
    node, composite = logic.GetSliceNode(), logic.GetSliceCompositeNode()
    volumes = (composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID(), composite.GetLabelVolumeID())
    plane = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS()).copy()
    return _State(volumes, composite.GetForegroundOpacity(), plane, node.GetFieldOfView())


def _show(view: slicer.vtkMRMLSliceCompositeNode, state: _State) -> None:
    scene = slicer.mrmlScene
    background, foreground, labels = (one if one and scene.GetNodeByID(one) else None for one in state.volumes)
    view.SetBackgroundVolumeID(background)
    view.SetForegroundVolumeID(foreground)
    view.SetForegroundOpacity(state.opacity)
    view.SetLabelVolumeID(labels)


def _turn(node: slicer.vtkMRMLSliceNode, state: _State) -> None:
    with slicer.util.NodeModify(node):
        node.GetSliceToRAS().DeepCopy(state.plane.ravel().tolist())
        node.UpdateMatrices()
        # Of another height of the window the application makes the width anew.
        node.SetFieldOfView(*state.field_of_view)
