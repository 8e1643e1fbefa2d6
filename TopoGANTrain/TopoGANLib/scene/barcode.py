"""The barcode of one sample as a MRML chart: one horizontal bar for each piece (H0), hole or tunnel (H1), cavity (H2).

Slicer's charts have no floating bars. A scatter series draws the same picture: two points a bar joined by a line, and
after each bar a point whose y is NaN, which breaks the line. NaN stays out of x, by which VTK sorts points for
picking. A point's row in the table carries the pixel that caused it, so that a click can lead to the pixel.
"""

from __future__ import annotations

import numpy as np
import slicer

from TopoGANLib.scene.diagrams import Diagram
from TopoGANLib.scene.tables import add_table, set_table

VALUE = "filtration value (mm)"
ROWS_PER_BAR = 3  # birth, death, break

# The names are what the legend shows. Colors of Okabe and Ito, told apart by color-blind readers and by marker.
_STYLES = (
    ((0 / 255, 114 / 255, 178 / 255), "MarkerStyleCircle"),
    ((213 / 255, 94 / 255, 0 / 255), "MarkerStyleDiamond"),
    ((0 / 255, 158 / 255, 115 / 255), "MarkerStyleSquare"),
)
_SERIES = {2: ("H0 (pieces)", "H1 (holes)"), 3: ("H0 (pieces)", "H1 (tunnels)", "H2 (cavities)")}
_NOWHERE = -1
_ROOM_FOR_LEGEND = 1.2  # the legend lies over the upper right corner


def barcode_columns(diagram: Diagram, sample: int, end: float) -> dict[str, np.ndarray]:
    """Lay the bars of a diagram out as points of the chart's table, three rows a bar: birth, death, break.

    Bars are numbered from 1, H0 below H1 below H2, the longer below the shorter.

    Args:
        diagram: births and deaths in mm.
        sample: number of the sample, which for slices is the slice k of the volume that they are stacked in.
        end: where a bar that never dies is drawn to, in mm.

    Returns:
        columns of one length: the point (``VALUE``; one y column a dimension, NaN outside it), its bar, dimension,
        birth and death (mm; infinite where a bar never dies) and the pixel that made it as voxel (i, j, k) of the
        volume, −1 where there is none.
    """
    order = np.lexsort((diagram.birth - diagram.death, diagram.dimension))
    dimension, birth, death = diagram.dimension[order], diagram.birth[order], diagram.death[order]
    bar = np.arange(1, len(order) + 1)
    drawn_death = np.where(np.isinf(death), end, death)
    pixels = np.stack([diagram.birth_index[order], diagram.death_index[order], diagram.death_index[order]], axis=1)
    axes = pixels.shape[-1]
    *slices, rows, columns = pixels.reshape(-1, axes).T
    y = np.stack([bar, bar, np.full(len(bar), np.nan)], axis=1)

    table = {VALUE: np.stack([birth, drawn_death, drawn_death], axis=1).ravel()}
    for number, name in enumerate(_SERIES[axes]):
        table[name] = np.where((dimension == number)[:, None], y, np.nan).ravel()
    return {
        **table,
        "bar": np.repeat(bar, ROWS_PER_BAR),
        "dimension": np.repeat(dimension, ROWS_PER_BAR),
        "birth (mm)": np.repeat(birth, ROWS_PER_BAR),
        "death (mm)": np.repeat(death, ROWS_PER_BAR),
        "i": columns,
        "j": rows,
        "k": slices[0] if slices else np.where(rows == _NOWHERE, _NOWHERE, sample),
    }


def add_barcode(scene: slicer.vtkMRMLScene, name: str, axes: int = 2) -> slicer.vtkMRMLPlotChartNode:
    """Add an empty chart, its table and one series a homology dimension; :func:`show_barcode` fills them.

    Args:
        scene: where the nodes go.
        name: of the chart.
        axes: 2 for slices, 3 for volumes.
    """
    table = add_table(scene, f"{name} table", barcode_columns(Diagram.empty(axes), 0, 0.0))
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", scene.GenerateUniqueName(name))
    for column, (color, marker) in zip(_SERIES[axes], _STYLES, strict=False):
        series = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode")
        # Not made unique: the legend shows it.
        series.SetName(column)
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName(VALUE)
        series.SetYColumnName(column)
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetLineStyle(slicer.vtkMRMLPlotSeriesNode.LineStyleSolid)
        series.SetLineWidth(4)
        series.SetMarkerStyle(getattr(slicer.vtkMRMLPlotSeriesNode, marker))
        series.SetMarkerSize(9)
        series.SetColor(*color)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetXAxisTitle(VALUE)
    chart.SetYAxisTitle("bar")
    chart.SetXAxisRangeAuto(False)
    chart.SetYAxisRangeAuto(False)
    # A dragged point would be a changed result.
    chart.SetEnablePointMoveAlongX(False)
    chart.SetEnablePointMoveAlongY(False)
    return chart


def barcode_table(chart: slicer.vtkMRMLPlotChartNode) -> slicer.vtkMRMLTableNode:
    """The table behind a chart of :func:`add_barcode`."""
    return chart.GetPlotSeriesNode().GetTableNode()


def number_of_bars(chart: slicer.vtkMRMLPlotChartNode) -> int:
    """How many bars a chart of :func:`add_barcode` shows."""
    return barcode_table(chart).GetNumberOfRows() // ROWS_PER_BAR


def show_barcode(chart: slicer.vtkMRMLPlotChartNode, diagram: Diagram, sample: int, title: str, longest: float) -> None:
    """Put another sample's bars into the chart; no node is added.

    Args:
        chart: from :func:`add_barcode`.
        diagram: births and deaths in mm.
        sample: number of the sample.
        title: shown over the chart.
        longest: mm, greatest finite value of all samples: the axis stays the same, so that samples compare by eye.
    """
    span = longest if longest > 0 else 1.0
    # A bar that never dies leaves the chart on the right, its end marker unseen.
    set_table(barcode_table(chart), barcode_columns(diagram, sample, end=1.25 * span))
    with slicer.util.NodeModify(chart):
        chart.SetTitle(title)
        chart.SetXAxisRange(-0.03 * span, 1.15 * span)
        chart.SetYAxisRange(0, 1 + len(diagram.birth) * _ROOM_FOR_LEGEND)
