"""The mouse in the slice views chooses a sample: a click or the wheel in the gallery, the wheel over a stack."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import qt
import slicer
import vtk

if TYPE_CHECKING:
    from TopoGANLib.scene.nodes import SynthesisNodes

# Further than this from press to release it is a drag: window and level, or moving the picture.
_CLICK_PIXELS = 3
# Before Slicer's own, which may keep an event to themselves.
_FIRST = 10.0


class SliceLink:
    """Listens to the slice views of a synthesis."""

    def __init__(self, nodes: Callable[[], SynthesisNodes | None], choose: Callable[[int], None]) -> None:
        """Listen to nothing yet.

        Args:
            nodes: the synthesis that is looked at, if there is one.
            choose: is called with the sample that was chosen.
        """
        self._nodes, self._choose = nodes, choose
        self._observed: list[tuple[Any, int]] = []
        self._pressed: tuple[int, int] | None = None
        self._offsets: dict[str, float] = {}
        self._returns = False

    def listen(self) -> None:
        """Listen to the views that there are now; a layout makes its own."""
        from TopoGANLib.scene.layouts import GALLERY_VIEW, GALLERY_VIEW_ID

        self.close()
        manager = slicer.app.layoutManager()
        widget = None if manager is None else manager.sliceWidget(GALLERY_VIEW)
        if widget is not None:
            interactor = widget.sliceView().interactor()
            self._observe(interactor, vtk.vtkCommand.LeftButtonPressEvent, self._press, _FIRST)
            self._observe(interactor, vtk.vtkCommand.LeftButtonReleaseEvent, self._release, _FIRST)
        for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
            moved = self._move_gallery if node.GetID() == GALLERY_VIEW_ID else self._move_stack
            self._observe(node, vtk.vtkCommand.ModifiedEvent, moved)

    def close(self) -> None:
        """Let go of the views."""
        for sender, number in self._observed:
            sender.RemoveObserver(number)
        self._observed = []
        self._offsets = {}

    def _observe(self, sender: Any, event: int, slot: Callable[[Any, Any], None], priority: float = 0.0) -> None:
        self._observed.append((sender, sender.AddObserver(event, slot, priority)))

    def _press(self, interactor: vtk.vtkRenderWindowInteractor, event: Any) -> None:
        self._pressed = interactor.GetEventPosition()

    def _release(self, interactor: vtk.vtkRenderWindowInteractor, event: Any) -> None:
        from TopoGANLib.scene.gallery import sample_in_gallery
        from TopoGANLib.scene.layouts import GALLERY_VIEW_ID

        pressed, self._pressed = self._pressed, None
        x, y = interactor.GetEventPosition()
        nodes, view = self._nodes(), slicer.mrmlScene.GetNodeByID(GALLERY_VIEW_ID)
        if nodes is None or view is None or pressed is None:
            return
        if max(abs(x - pressed[0]), abs(y - pressed[1])) > _CLICK_PIXELS:
            return
        r, a, s, _ = view.GetXYToRAS().MultiplyPoint((x, y, 0, 1))
        sample = sample_in_gallery(nodes, (r, a, s))
        if sample is not None:
            self._choose(sample)

    def _move_gallery(self, view: slicer.vtkMRMLSliceNode, event: Any) -> None:
        """The sheet has one slice: the wheel goes to the next sample, and the view stays."""
        if not self._returns and self._away(view):
            # A view that tells of its change takes no other: it would draw the place that it was moved to.
            self._returns = True
            qt.QTimer.singleShot(0, self._return)

    def _return(self) -> None:
        from TopoGANLib.scene.gallery import gallery_offset
        from TopoGANLib.scene.layouts import GALLERY_VIEW_ID

        self._returns = False
        # The panel may be closed by now, and its widgets gone.
        nodes = self._nodes() if self._observed else None
        view = slicer.mrmlScene.GetNodeByID(GALLERY_VIEW_ID)
        if nodes is None or view is None:
            return
        slices = self._away(view)
        if not slices:
            return
        view.SetSliceOffset(gallery_offset(nodes))
        sample = nodes.chosen_sample + (1 if slices > 0 else -1)
        if abs(slices) < 1.5 and 0 <= sample < nodes.count:
            self._choose(sample)

    def _away(self, view: slicer.vtkMRMLSliceNode) -> float:
        """How many slices a view is above the sheet; 0 without one."""
        from TopoGANLib.scene.gallery import gallery_offset

        nodes = self._nodes()
        plane = None if nodes is None else gallery_offset(nodes)
        if nodes is None or plane is None:
            return 0.0
        away = (view.GetSliceOffset() - plane) / nodes.image.GetSpacing()[2]
        return away if abs(away) >= 1e-3 else 0.0

    def _move_stack(self, view: slicer.vtkMRMLSliceNode, event: Any) -> None:
        from TopoGANLib.scene.views import sample_in_view

        offset, nodes = view.GetSliceOffset(), self._nodes()
        # Most changes of a view are of another kind.
        before, self._offsets[view.GetID()] = self._offsets.get(view.GetID()), offset
        if nodes is None or nodes.axes == 3 or before in (None, offset):
            return
        sample = sample_in_view(nodes, view, slicer.app.applicationLogic())
        if sample is not None and sample != nodes.shown_sample:
            self._choose(sample)
