"""A plot view on VTK's own chart, off-screen, so that bars are picked as in the application."""

from __future__ import annotations

from typing import ClassVar

import slicer
import vtk
from PySide6 import QtCore, QtWidgets

from standin.pythonqt import PythonQtObject

_SIZE = (500, 300)


class qMRMLPlotView(PythonQtObject, QtWidgets.QWidget):
    """Shows the chart of a view node (Libs/MRML/Widgets/qMRMLPlotView.cxx)."""

    _stands_for_cpp = True
    _signatures: ClassVar[dict[str, str]] = {"dataSelected(vtkStringArray*,vtkCollection*)": "dataSelected"}
    dataSelected = QtCore.Signal(object, object)

    def __init__(self, node: slicer.vtkMRMLPlotViewNode) -> None:
        super().__init__()
        self._node = node
        self._chart: vtk.vtkChartXY | None = None

    def chart(self) -> vtk.vtkChartXY:
        """VTK's chart."""
        return self._chart

    def RemovePlotSelections(self) -> None:
        """Unselect all points."""
        self._chart.RemovePlotSelections()

    def _draw(self) -> None:
        from TopoGANLib.headless.charts import add_chart

        self._view, window = vtk.vtkContextView(), vtk.vtkRenderWindow()
        window.SetOffScreenRendering(1)
        window.SetSize(*_SIZE)
        self._view.SetRenderWindow(window)
        self._chart = add_chart(self._view, slicer.mrmlScene.GetNodeByID(self._node.GetPlotChartNodeID()))
        # As updateWidgetFromMRML does for the usual mode of interaction.
        self._chart.SetClickActionToButton(vtk.vtkChart.SELECT, vtk.vtkContextMouseEvent.LEFT_BUTTON)
        self._chart.SetActionToButton(vtk.vtkChart.PAN, vtk.vtkContextMouseEvent.LEFT_BUTTON)
        self._chart.AddObserver("SelectionChangedEvent", lambda *_: self.dataSelected.emit(None, None))
        style = vtk.vtkContextInteractorStyle()
        style.SetScene(self._view.GetScene())
        self._interactor = vtk.vtkRenderWindowInteractor()
        self._interactor.SetRenderWindow(window)
        self._interactor.SetInteractorStyle(style)
        self._interactor.Initialize()
        self._view.Render()

    def _click(self, x: float, y: float) -> None:
        """Press and release the mouse over a place in the chart's own coordinates."""
        at = []
        for axis, value, way in ((vtk.vtkAxis.BOTTOM, x, 0), (vtk.vtkAxis.LEFT, y, 1)):
            low, high = (point[way] for point in (self._ends(axis)))
            first, last = self._chart.GetAxis(axis).GetUnscaledMinimum(), self._chart.GetAxis(axis).GetUnscaledMaximum()
            at.append(round(low + (value - first) / (last - first) * (high - low)))
        self._interactor.SetEventInformation(*at)
        self._interactor.MouseMoveEvent()
        self._interactor.LeftButtonPressEvent()
        self._interactor.LeftButtonReleaseEvent()

    def _ends(self, axis: int) -> tuple[tuple[float, float], tuple[float, float]]:
        return self._chart.GetAxis(axis).GetPoint1(), self._chart.GetAxis(axis).GetPoint2()


class qMRMLPlotWidget(PythonQtObject, QtWidgets.QWidget):
    """A plot view with its controller (Libs/MRML/Widgets/qMRMLPlotWidget.h)."""

    _stands_for_cpp = True

    def __init__(self, node: slicer.vtkMRMLPlotViewNode) -> None:
        super().__init__()
        self._node, self._view = node, qMRMLPlotView(node)

    def plotView(self) -> qMRMLPlotView:
        """The view."""
        return self._view

    def mrmlPlotViewNode(self) -> slicer.vtkMRMLPlotViewNode:
        """What the view shows."""
        return self._node
