"""A click on a bar or on its point marks its pixels in the slice views; the cursor on a pixel frames both."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import qt
import slicer
import vtk

from TopoGANLib.forms.connections import Connections

if TYPE_CHECKING:
    from TopoGANLib.scene.barcode import Bar
    from TopoGANLib.scene.nodes import SynthesisNodes

_SELECTED = "dataSelected(vtkStringArray*,vtkCollection*)"


class BarcodeLink:
    """Listens to the plot views and to the cursor in the slice views."""

    def __init__(self, nodes: Callable[[], SynthesisNodes | None], told: Callable[[Bar], None]) -> None:
        """Listen to nothing yet.

        Args:
            nodes: the synthesis that is looked at, if there is one.
            told: is called with each bar that was chosen.
        """
        self._nodes, self._told = nodes, told
        self._widgets: list[Any] = []
        self._connections = Connections()
        self._clicked = False
        self._cursor: tuple[slicer.vtkMRMLCrosshairNode, int] | None = None
        self._hovered = 0

    def listen(self) -> None:
        """Listen to the plot views that there are now; a layout makes its own."""
        manager = slicer.app.layoutManager()
        found = [] if manager is None else [manager.plotWidget(n) for n in range(manager.plotViewCount)]
        for widget in found:
            if widget not in self._widgets:
                self._connections.add(widget.plotView(), _SELECTED, self._click)
                self._widgets.append(widget)
        crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
        if crosshair is not None and (self._cursor is None or self._cursor[0] is not crosshair):
            self._forget_cursor()
            event = slicer.vtkMRMLCrosshairNode.CursorPositionModifiedEvent
            self._cursor = crosshair, crosshair.AddObserver(event, self._move)

    def close(self) -> None:
        """Let go of views and cursor."""
        self._connections.close()
        self._widgets = []
        self._forget_cursor()

    def _forget_cursor(self) -> None:
        if self._cursor is not None:
            self._cursor[0].RemoveObserver(self._cursor[1])
            self._cursor = None

    def _click(self, series: vtk.vtkStringArray | None = None, selections: vtk.vtkCollection | None = None) -> None:
        # VTK says so twice, at first with the selection of before: what counts is what is selected in the end.
        if not self._clicked:
            self._clicked = True
            qt.QTimer.singleShot(0, self._choose)

    def _choose(self) -> None:
        from TopoGANLib.scene.barcode import bar_of_row, barcode_table, next_at_point
        from TopoGANLib.scene.marks import mark_bar

        self._clicked = False
        # The panel may be closed by now, and its widgets gone.
        nodes = self._nodes() if self._widgets else None
        if nodes is None:
            return
        table = barcode_table(nodes.barcode).GetTable()
        for widget in self._widgets:
            chart = slicer.mrmlScene.GetNodeByID(widget.mrmlPlotViewNode().GetPlotChartNodeID() or "")
            # Others show charts of their own.
            if chart is None or chart not in (nodes.barcode, nodes.plots.persistence):
                continue
            number = bar_of_row(nodes.barcode, _selected_row(widget.plotView(), table))
            if number:
                widget.plotView().RemovePlotSelections()
                # Points of several bars may lie one on the other: each click chooses the next.
                in_turn = number if chart is nodes.barcode else next_at_point(nodes.barcode, number)
                self._told(mark_bar(nodes, in_turn))

    def _move(self, caller: slicer.vtkMRMLCrosshairNode, event: Any) -> None:
        from TopoGANLib.scene.barcode import choose_bar
        from TopoGANLib.scene.marks import bar_at

        nodes = self._nodes()
        position = [0.0, 0.0, 0.0]
        if nodes is None or not caller.GetCursorPositionRAS(position):
            return
        bar = bar_at(nodes, (position[0], position[1], position[2]))
        if bar is not None and bar.number != self._hovered:
            # The marks are of the bar that was clicked on.
            nodes.clear_marks()
            choose_bar(nodes.barcode, bar.number)
            self._told(bar)
        self._hovered = 0 if bar is None else bar.number


def _selected_row(view: Any, table: vtk.vtkTable) -> int:
    """Row of the table at its point that is selected in a view; −1 where none is."""
    chart = view.chart()
    for number in range(chart.GetNumberOfPlots()):
        plot = chart.GetPlot(number)
        selection = plot.GetSelection()
        if plot.GetInput() == table and selection is not None and selection.GetNumberOfValues():
            return int(selection.GetValue(0))
    return -1
