"""Barcodes and persistence diagrams without a screen, drawn as Slicer's plot view draws them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import numpy as np
import slicer
import vtk

from TopoGANLib.headless.rendering import check_rendering, grab, off_screen_window
from TopoGANLib.scene.barcode import BAR, number_of_bars

_MOST_TICKS = 15
_MARKERS = {
    slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone: vtk.vtkPlotPoints.NONE,
    slicer.vtkMRMLPlotSeriesNode.MarkerStylePlus: vtk.vtkPlotPoints.PLUS,
    slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle: vtk.vtkPlotPoints.CIRCLE,
}
_PENS = {
    slicer.vtkMRMLPlotSeriesNode.LineStyleNone: vtk.vtkPen.NO_PEN,
    slicer.vtkMRMLPlotSeriesNode.LineStyleSolid: vtk.vtkPen.SOLID_LINE,
    slicer.vtkMRMLPlotSeriesNode.LineStyleDash: vtk.vtkPen.DASH_LINE,
}


def draw_chart(chart_node: slicer.vtkMRMLPlotChartNode, width: int, height: int) -> np.ndarray:
    """Draw a barcode or a persistence diagram the way Slicer's plot view does: VTK's chart on a context view.

    Slicer's view also puts ticks between the bars' whole numbers; a picture need not.

    Returns:
        uint8 [height, width, 3], RGB.

    Raises:
        SceneError: there is no OpenGL.
    """
    check_rendering()
    view = vtk.vtkContextView()
    window = off_screen_window(width, height)
    view.SetRenderWindow(window)
    view.GetRenderer().SetBackground(1, 1, 1)
    add_chart(view, chart_node)
    return grab(window)


def add_chart(view: vtk.vtkContextView, chart_node: slicer.vtkMRMLPlotChartNode) -> vtk.vtkChartXY:
    """Put a barcode or a persistence diagram into a view as Slicer's plot view does."""
    chart = vtk.vtkChartXY()
    view.GetScene().AddItem(chart)
    _set_title_and_legend(chart, chart_node)
    bottom, left = chart.GetAxis(vtk.vtkAxis.BOTTOM), chart.GetAxis(vtk.vtkAxis.LEFT)
    _set_axis(bottom, chart_node, chart_node.GetXAxisTitle(), chart_node.GetXAxisRange())
    _set_axis(left, chart_node, chart_node.GetYAxisTitle(), chart_node.GetYAxisRange())
    if chart_node.GetYAxisTitle() == BAR:
        _set_whole_ticks(left, number_of_bars(chart_node))
    for index in range(chart_node.GetNumberOfPlotSeriesNodes()):
        _add_series(chart, chart_node.GetNthPlotSeriesNode(index))
    return chart


def _add_series(chart: vtk.vtkChartXY, series: slicer.vtkMRMLPlotSeriesNode) -> None:
    plot = chart.AddPlot(vtk.vtkChart.LINE)
    plot.SetInputData(series.GetTableNode().GetTable(), series.GetXColumnName(), series.GetYColumnName())
    plot.SetLabel(series.GetName())
    plot.SetColorF(*series.GetColor())
    plot.SetWidth(series.GetLineWidth())
    plot.GetPen().SetLineType(_PENS[series.GetLineStyle()])
    plot.SetMarkerStyle(_MARKERS[series.GetMarkerStyle()])
    plot.SetMarkerSize(series.GetMarkerSize())


def _set_title_and_legend(chart: vtk.vtkChartXY, node: slicer.vtkMRMLPlotChartNode) -> None:
    chart.SetTitle(node.GetTitle() or "")
    chart.GetTitleProperties().SetFontSize(node.GetTitleFontSize())
    chart.SetShowLegend(node.GetLegendVisibility())
    chart.GetLegend().GetLabelProperties().SetFontSize(node.GetLegendFontSize())


def _set_axis(axis: vtk.vtkAxis, node: slicer.vtkMRMLPlotChartNode, title: str, limits: Sequence[float]) -> None:
    axis.SetTitle(title)
    axis.GetTitleProperties().SetFontSize(node.GetAxisTitleFontSize())
    axis.GetTitleProperties().SetBold(False)
    axis.GetLabelProperties().SetFontSize(node.GetAxisLabelFontSize())
    axis.SetGridVisible(node.GetGridVisibility())
    axis.SetBehavior(vtk.vtkAxis.FIXED)
    axis.SetUnscaledRange(*limits)


def _set_whole_ticks(axis: vtk.vtkAxis, last: int) -> None:
    """Ticks at 1, 2, 3 … or, where those are too many, at multiples of 2, 5, 10, 20 …"""
    steps = (factor * 10**power for power in count() for factor in (1, 2, 5))
    step = next(step for step in steps if last <= step * _MOST_TICKS)
    positions, labels = vtk.vtkDoubleArray(), vtk.vtkStringArray()
    for number in range(step, last + 1, step):
        positions.InsertNextValue(number)
        labels.InsertNextValue(str(number))
    axis.SetCustomTickPositions(positions, labels)
