"""The curves of one run, or of two to compare, in Slicer's own plot view.

Three charts, each with a table and a series a line. They are made once, known by an attribute, and filled in place:
a training of hours adds no node. They are not saved with the scene, because they only show what is in the run's folder,
which may be on another computer when the scene is opened. Who does want them there sets *SaveWithScene* on; they
are then found again and go on being filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from TopoGANLib.engine.history import History
from TopoGANLib.scene.tables import set_table
from TopoGANTrainLib.run.plot_lines import CHARTS, LOSSES, TOPOLOGY, Color, Line, axis_title, chart_title, lines_of

MOST_RUNS = 2
_ROLE = "TopoGAN.plot"
# The legend lies over the upper right corner; of the height that the curves take.
_ROOM_FOR_LEGEND, _ROOM_FOR_LINE = 1.04, 0.08
_TOWARDS_WHITE = 0.35
_FEW_POINTS = 60  # with fewer, each is marked: a line of one point would not be seen


class TrainingPlots:
    """Usage::

    plots = TrainingPlots(slicer.mrmlScene)
    plots.show([("Myocardium-1", read_history(run))])
    plots.present(TOPOLOGY)
    """

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene

    @property
    def there(self) -> bool:
        """Whether the charts are in the scene."""
        return self._find("vtkMRMLPlotChartNode", LOSSES) is not None

    def show(self, runs: Sequence[tuple[str, History]]) -> None:
        """Put the curves into the charts, which are made where they are missing.

        Args:
            runs: one or two of them: the name for the legend, and the curves. Those of the second are dashed and paler.
        """
        for chart in CHARTS:
            self._fill(chart, runs[:MOST_RUNS])

    def present(self, chart: str) -> None:
        """Show a chart in the plot view; the layout changes only if it has none."""
        slicer.app.applicationLogic().GetModuleLogic("Plots").ShowChartInLayout(self._chart(chart))

    @property
    def presented(self) -> bool:
        """Whether it is one of these charts that the plot view shows."""
        shown = self._scene.GetNodeByID(_selection().GetActivePlotChartID() or "")
        return shown is not None and shown.GetAttribute(_ROLE) in CHARTS

    def change(self, chart: str) -> None:
        """Show another of the charts where one is shown; never changes the layout."""
        if self.presented:
            _selection().SetActivePlotChartID(self._chart(chart).GetID())
            slicer.app.applicationLogic().PropagatePlotChartSelection()

    def close(self) -> None:
        """Let go of the scene; the charts stay in it, and are found again after a reload."""
        self._scene = None

    def _fill(self, kind: str, runs: Sequence[tuple[str, History]]) -> None:
        chart = self._chart(kind)
        found = [
            (number, name, line) for number, (name, history) in enumerate(runs) for line in lines_of(kind, history)
        ]
        table = self._table(kind)
        with slicer.util.NodeModify(chart):
            series = [self._series(kind, line, number) for number, name, line in found]
            set_table(table, _columns([(_column(line, number), line) for number, name, line in found]))
            for node, (_number, name, line) in zip(series, found, strict=True):
                node.SetAndObserveTableNodeID(table.GetID())
                node.SetName(line.label if len(runs) == 1 else f"{line.label}, {name}")
                few = len(line.curve.steps) < _FEW_POINTS
                node.SetMarkerStyle(node.MarkerStyleCircle if few else node.MarkerStyleNone)
            shown = [node.GetID() for node in series]
            if shown != [chart.GetNthPlotSeriesNodeID(n) for n in range(chart.GetNumberOfPlotSeriesNodes())]:
                chart.RemoveAllPlotSeriesNodeIDs()
                for identifier in shown:
                    chart.AddAndObservePlotSeriesNodeID(identifier)
            chart.SetTitle(": ".join((chart_title(kind), _(" and ").join(name for name, history in runs))))
            chart.SetXAxisRange(0.0, max((float(line.curve.steps[-1]) for _number, _name, line in found), default=1.0))
            chart.SetYAxisRange(*_heights(kind, [line for _number, _name, line in found]))

    def _chart(self, kind: str) -> slicer.vtkMRMLPlotChartNode:
        chart = self._find("vtkMRMLPlotChartNode", kind)
        if chart is None:
            chart = self._add("vtkMRMLPlotChartNode", kind, f"TopoGAN {kind}")
            chart.SetXAxisTitle(_("step"))
            chart.SetYAxisTitle(axis_title(kind))
            chart.SetXAxisRangeAuto(False)
            chart.SetYAxisRangeAuto(False)
            # A dragged point would be a changed result.
            chart.SetEnablePointMoveAlongX(False)
            chart.SetEnablePointMoveAlongY(False)
        return chart

    def _table(self, kind: str) -> slicer.vtkMRMLTableNode:
        table = self._find("vtkMRMLTableNode", kind)
        if table is None:
            table = self._add("vtkMRMLTableNode", kind, f"TopoGAN {kind} table")
            table.SetUseColumnTitleAsColumnHeader(True)
            table.SetLocked(True)
        return table

    def _series(self, kind: str, line: Line, number: int) -> slicer.vtkMRMLPlotSeriesNode:
        role = f"{kind}/{_column(line, number)}"
        series = self._find("vtkMRMLPlotSeriesNode", role)
        if series is None:
            series = self._add("vtkMRMLPlotSeriesNode", role, line.label)
            series.SetXColumnName(_step_column(_column(line, number)))
            series.SetYColumnName(_column(line, number))
            series.SetPlotType(series.PlotTypeScatter)
            series.SetLineStyle(series.LineStyleDash if number else series.LineStyleSolid)
            series.SetLineWidth(2)
            series.SetMarkerSize(7)
            series.SetColor(*(_paler(line.color) if number else line.color))
        return series

    def _add(self, kind: str, role: str, name: str) -> Any:
        node = self._scene.CreateNodeByClass(kind)
        node.UnRegister(None)
        node.SetName(name)
        node.SetAttribute(_ROLE, role)
        node.SetSaveWithScene(False)
        return self._scene.AddNode(node)

    def _find(self, kind: str, role: str) -> Any:
        return next((node for node in self._ours(kind) if node.GetAttribute(_ROLE) == role), None)

    def _ours(self, kind: str) -> list[Any]:
        nodes = (self._scene.GetNthNodeByClass(n, kind) for n in range(self._scene.GetNumberOfNodesByClass(kind)))
        return [node for node in nodes if node.GetAttribute(_ROLE)]


def _selection() -> slicer.vtkMRMLSelectionNode:
    return slicer.app.applicationLogic().GetSelectionNode()


def _column(line: Line, number: int) -> str:
    return f"{line.key} {number + 1}"


def _step_column(column: str) -> str:
    return f"{column} step"


def _columns(lines: Sequence[tuple[str, Line]]) -> dict[str, np.ndarray]:
    """Steps and values of each line, made equally long: NaN only ever in a value, for VTK sorts by steps to pick."""
    rows = max((len(line.curve.steps) for _name, line in lines), default=0)
    columns: dict[str, np.ndarray] = {}
    for name, line in lines:
        missing = (0, rows - len(line.curve.steps))
        columns[_step_column(name)] = np.pad(line.curve.steps, missing, mode="edge")
        columns[name] = np.pad(line.curve.values, missing, constant_values=np.nan)
    return columns


def _heights(kind: str, lines: Sequence[Line]) -> tuple[float, float]:
    """Lower and upper end of the axis."""
    values = np.concatenate([line.curve.values for line in lines]) if lines else np.empty(0)
    values = values[np.isfinite(values)]
    room = _ROOM_FOR_LEGEND + _ROOM_FOR_LINE * len(lines)
    if kind == TOPOLOGY or not len(values):
        return 0.0, room
    low, high = min(0.0, float(values.min())), float(values.max())
    return low, low + ((high - low) or 1.0) * room


def _paler(color: Color) -> Color:
    red, green, blue = (part + (1 - part) * _TOWARDS_WHITE for part in color)
    return red, green, blue
