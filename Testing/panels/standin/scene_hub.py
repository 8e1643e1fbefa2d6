"""One observer of the scene for all stand-in widgets, so that a test can count everybody else's."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import slicer
import vtk

# The order of qMRMLSceneModel's own observer: after those of the panels.
_LATE = -10.0
_EVENTS = (
    "NodeAddedEvent", "EndCloseEvent", "EndImportEvent", "EndRestoreEvent", "EndBatchProcessEvent",
)  # fmt: skip


class SceneHub:
    """Tells widgets when the scene's nodes have changed; holds no widget alive."""

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene
        self._listeners: list[weakref.WeakMethod[Callable[[str, slicer.vtkMRMLNode | None], None]]] = []
        # VTK has a name for its own events only, so each gets a callback that knows its.
        self._tags = [scene.AddObserver(getattr(scene, event), self._callback(event)) for event in _EVENTS]
        self._tags.append(scene.AddObserver(scene.NodeAboutToBeRemovedEvent, self._leaving, _LATE))

    def listen(self, listener: Callable[[str, slicer.vtkMRMLNode | None], None]) -> None:
        """Call a bound method with the event's name at every change, and with the node that is about to leave."""
        self._listeners.append(weakref.WeakMethod(listener))

    def close(self) -> None:
        """Stop observing."""
        for tag in self._tags:
            self._scene.RemoveObserver(tag)

    def _callback(self, event: str) -> Callable[..., None]:
        return lambda *_: self._changed(event)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _leaving(self, scene: slicer.vtkMRMLScene, event: str, node: slicer.vtkMRMLNode) -> None:
        self._changed("NodeAboutToBeRemovedEvent", node)

    def _changed(self, event: str, node: slicer.vtkMRMLNode | None = None) -> None:
        # The end of an import is told within the batch, and the list of nodes does not wait for the batch's end.
        if self._scene.IsBatchProcessing() and event != "EndImportEvent":
            return
        self._listeners = [listener for listener in self._listeners if listener() is not None]
        for listener in list(self._listeners):
            method = listener()
            if method is not None:
                method(event, node)
