"""Draws a chart node as Slicer's plot view does (qMRMLPlotView::updateWidgetFromMRML), to look at it."""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

_NODE = slicer.vtkMRMLPlotSeriesNode
_MARKERS = {
    _NODE.MarkerStyleNone: vtk.vtkPlotPoints.NONE,
    _NODE.MarkerStyleCircle: vtk.vtkPlotPoints.CIRCLE,
    _NODE.MarkerStyleDiamond: vtk.vtkPlotPoints.DIAMOND,
    _NODE.MarkerStyleSquare: vtk.vtkPlotPoints.SQUARE,
}
_PENS = {_NODE.LineStyleSolid: vtk.vtkPen.SOLID_LINE, _NODE.LineStyleDash: vtk.vtkPen.DASH_LINE}


def draw_chart(node: slicer.vtkMRMLPlotChartNode, width: int, height: int) -> np.ndarray:
    """uint8 [height, width, 3], RGB."""
    view = vtk.vtkContextView()
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetMultiSamples(8)
    window.SetSize(width, height)
    view.SetRenderWindow(window)
    view.GetRenderer().SetBackground(1, 1, 1)
    chart = vtk.vtkChartXY()
    view.GetScene().AddItem(chart)
    chart.SetTitle(node.GetTitle())
    chart.GetTitleProperties().SetFontSize(node.GetTitleFontSize())
    chart.SetShowLegend(node.GetLegendVisibility())
    chart.GetLegend().GetLabelProperties().SetFontSize(node.GetLegendFontSize())
    for number in range(node.GetNumberOfPlotSeriesNodes()):
        _add_series(chart, node.GetNthPlotSeriesNode(number))
    for place, title, auto, limits in (
        (vtk.vtkAxis.BOTTOM, node.GetXAxisTitle(), node.GetXAxisRangeAuto(), node.GetXAxisRange()),
        (vtk.vtkAxis.LEFT, node.GetYAxisTitle(), node.GetYAxisRangeAuto(), node.GetYAxisRange()),
    ):
        axis = chart.GetAxis(place)
        axis.SetTitle(title)
        axis.GetTitleProperties().SetFontSize(node.GetAxisTitleFontSize())
        axis.GetLabelProperties().SetFontSize(node.GetAxisLabelFontSize())
        axis.SetGridVisible(node.GetGridVisibility())
        axis.SetBehavior(vtk.vtkAxis.AUTO if auto else vtk.vtkAxis.FIXED)
        if not auto:
            axis.SetUnscaledRange(*limits)
    window.Render()
    grabber = vtk.vtkWindowToImageFilter()
    grabber.SetInput(window)
    grabber.ReadFrontBufferOff()
    grabber.Update()
    image = grabber.GetOutput()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3)[::-1].copy()


def _add_series(chart: vtk.vtkChartXY, series: Any) -> None:
    plot = chart.AddPlot(vtk.vtkChart.LINE if series.GetPlotType() != _NODE.PlotTypeBar else vtk.vtkChart.BAR)
    plot.SetInputData(series.GetTableNode().GetTable(), series.GetXColumnName(), series.GetYColumnName())
    plot.SetLabel(series.GetName())
    plot.SetColorF(*series.GetColor())
    plot.SetWidth(series.GetLineWidth())
    plot.GetPen().SetLineType(_PENS[series.GetLineStyle()])
    plot.SetMarkerStyle(_MARKERS[series.GetMarkerStyle()])
    plot.SetMarkerSize(series.GetMarkerSize())
