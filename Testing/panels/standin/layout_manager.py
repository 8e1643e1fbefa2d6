"""``slicer.app.layoutManager()``."""

from __future__ import annotations

from typing import Any

import slicer
from PySide6 import QtCore

from standin.plot_view import qMRMLPlotWidget
from standin.pythonqt import PythonQtObject
from standin.slice_view import qMRMLSliceWidget


class LayoutManager(PythonQtObject, QtCore.QObject):
    """The plot and slice views of the scene, one for each view node (Libs/MRML/Widgets/qMRMLLayoutManager.h)."""

    _stands_for_cpp = True

    def __init__(self, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
        super().__init__()
        self._logic = application_logic
        self._widgets: dict[str, Any] = {}
        slicer.mrmlScene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, self._make_slice_views)
        slicer.mrmlScene.AddObserver(slicer.vtkMRMLScene.NodeRemovedEvent, self._drop_slice_views)

    plotViewCount = QtCore.Property(int, lambda self: len(_nodes("vtkMRMLPlotViewNode")))

    def plotWidget(self, number: int) -> qMRMLPlotWidget:
        """One of them."""
        node = _nodes("vtkMRMLPlotViewNode")[number]
        return self._widgets.setdefault(node.GetID(), qMRMLPlotWidget(node))

    def sliceWidget(self, name: str) -> qMRMLSliceWidget | None:
        """The slice view of a layout name."""
        self._make_slice_views()
        return self._widgets.get(f"vtkMRMLSliceNode{name}")

    def _make_slice_views(self, *_: Any) -> None:
        """The application makes a view's widget and logic with its node."""
        for node in _nodes("vtkMRMLSliceNode"):
            if node.GetID() not in self._widgets:
                # Noted before: the logic of the view adds nodes, too.
                self._widgets[node.GetID()] = None
                self._widgets[node.GetID()] = qMRMLSliceWidget(node, self._logic)

    def _drop_slice_views(self, *_: Any) -> None:
        """With its node a view and its logic go, too: the application logic would fit a view that is no more."""
        logics = self._logic.GetSliceLogics()
        for logic in [logics.GetItemAsObject(number) for number in range(logics.GetNumberOfItems())]:
            if logic.GetSliceNode() is None:
                logics.RemoveItem(logic)
        left = {node.GetID() for kind in ("vtkMRMLSliceNode", "vtkMRMLPlotViewNode") for node in _nodes(kind)}
        self._widgets = {name: widget for name, widget in self._widgets.items() if name in left}


def _nodes(kind: str) -> list[slicer.vtkMRMLNode]:
    return slicer.util.getNodesByClass(kind)
