"""One observer of the scene for all stand-in widgets, so that a test can count everybody else's."""

from __future__ import annotations

import weakref
from collections.abc import Callable

import slicer

_EVENTS = (
    "NodeAddedEvent", "NodeRemovedEvent", "EndCloseEvent", "EndImportEvent", "EndRestoreEvent", "EndBatchProcessEvent",
)  # fmt: skip


class SceneHub:
    """Tells widgets when the scene's nodes have changed; holds no widget alive."""

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene
        self._listeners: list[weakref.WeakMethod[Callable[[str], None]]] = []
        self._tags = [scene.AddObserver(getattr(scene, event), self._changed) for event in _EVENTS]

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call a bound method with the event's name at every change."""
        self._listeners.append(weakref.WeakMethod(listener))

    def close(self) -> None:
        """Stop observing."""
        for tag in self._tags:
            self._scene.RemoveObserver(tag)

    def _changed(self, caller: object, event: str) -> None:
        if self._scene.IsBatchProcessing():
            return
        self._listeners = [listener for listener in self._listeners if listener() is not None]
        for listener in list(self._listeners):
            method = listener()
            if method is not None:
                method(event)
