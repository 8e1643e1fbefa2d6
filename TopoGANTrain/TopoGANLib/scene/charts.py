"""MRML charts whose ranges are given and whose points stay where they are, and their colors."""

from __future__ import annotations

import slicer

# Colors of Okabe and Ito, told apart by color-blind readers.
COLORS = ((0 / 255, 114 / 255, 178 / 255), (213 / 255, 94 / 255, 0 / 255), (0 / 255, 158 / 255, 115 / 255))
GRAY, BLACK, YELLOW = (0.62, 0.62, 0.62), (0.0, 0.0, 0.0), (240 / 255, 228 / 255, 66 / 255)


def add_chart(scene: slicer.vtkMRMLScene, name: str, x_title: str, y_title: str) -> slicer.vtkMRMLPlotChartNode:
    """Add a chart without series, whose ranges are given and whose points stay where they are."""
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", scene.GenerateUniqueName(name))
    chart.SetXAxisTitle(x_title)
    chart.SetYAxisTitle(y_title)
    # Slicer's own fill a view of 500 × 300 pixels.
    chart.SetTitleFontSize(14)
    chart.SetLegendFontSize(11)
    chart.SetAxisTitleFontSize(13)
    chart.SetXAxisRangeAuto(False)
    chart.SetYAxisRangeAuto(False)
    # A dragged point would be a changed result.
    chart.SetEnablePointMoveAlongX(False)
    chart.SetEnablePointMoveAlongY(False)
    return chart


def add_series(
    chart: slicer.vtkMRMLPlotChartNode,
    table: slicer.vtkMRMLTableNode,
    name: str,
    color: tuple[float, ...],
    width: int,
    x: str | None = None,
    y: str | None = None,
) -> slicer.vtkMRMLPlotSeriesNode:
    """Add lines to a chart, over those that it has.

    Args:
        chart: from :func:`add_chart`.
        table: has the points.
        name: shown in the legend.
        color: RGB, 0 to 1.
        width: pixels.
        x: column of the table; None for its first.
        y: column of the table; None for that of the series' name.
    """
    kind = slicer.vtkMRMLPlotSeriesNode
    series = chart.GetScene().AddNewNodeByClass("vtkMRMLPlotSeriesNode")
    # Not made unique: the legend shows it.
    series.SetName(name)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(x or table.GetTable().GetColumnName(0))
    series.SetYColumnName(y or name)
    series.SetPlotType(kind.PlotTypeScatter)
    series.SetLineStyle(kind.LineStyleSolid)
    series.SetLineWidth(width)
    series.SetMarkerStyle(kind.MarkerStyleNone)
    series.SetMarkerSize(9)
    series.SetColor(*color)
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    return series
