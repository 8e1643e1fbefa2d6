"""The persistence diagram of a sample as a MRML chart: a point for each bar of the barcode, at its birth and death.

The points are columns of the barcode's own table (one row a bar, NaN in the others), so that a picked point leads to
its bar as a point of the barcode does. What lies behind them (the diagonal, the level of what never ends, the outlines
of real points) has a table of its own.
"""

from __future__ import annotations

import numpy as np
import slicer

from topogan_contract.real_bars import RealBars
from TopoGANLib.scene.bar_points import MARK, outlines
from TopoGANLib.scene.barcode import (
    BIRTH,
    CHOSEN,
    COLORS,
    ENDLESS,
    GRAY,
    RIGHT,
    SERIES,
    SHORT,
    YELLOW,
    add_chart,
    add_series,
    barcode_table,
    point_column,
)
from TopoGANLib.scene.tables import add_table, set_table

DIAGONAL = "diagonal"
_X = "birth (mm)"
# Of a color, to which white is added.
_TINT = 0.4


def real_name(dimension: int) -> str:
    """The name of the outlines of real points, which the legend shows."""
    return f"H{dimension} real: half, 90 %"


def add_persistence_diagram(
    scene: slicer.vtkMRMLScene, name: str, barcode: slicer.vtkMRMLPlotChartNode, axes: int, real: bool
) -> slicer.vtkMRMLPlotChartNode:
    """Add the chart to a barcode's; :func:`show_persistence_diagram` fills what is behind the points.

    Args:
        scene: where the nodes go.
        name: of the chart.
        barcode: of the same sample; its table has the points.
        axes: 2 for slices, 3 for volumes.
        real: whether it is known how real masks are.
    """
    kind = slicer.vtkMRMLPlotSeriesNode
    table = barcode_table(barcode)
    behind = add_table(scene, f"{name} background", _background(None, axes, 1.0))
    chart = add_chart(scene, name, x_title="birth (mm)", y_title="death (mm)")
    for dimension in range(axes if real else 0):
        tint = tuple(part + (1.0 - part) * (1.0 - _TINT) for part in COLORS[dimension])
        add_series(chart, behind, real_name(dimension), tint, 3)
    add_series(chart, behind, DIAGONAL, GRAY, 1)
    level = add_series(chart, behind, ENDLESS, GRAY, 1)
    level.SetLineStyle(kind.LineStyleDash)
    looks = {CHOSEN: (YELLOW, 20), **{one: (color, 10) for one, color in zip(SERIES[axes], COLORS, strict=False)}}
    for series, (color, size) in (looks | {SHORT: (GRAY, 7)}).items():
        points = add_series(chart, table, series, color, 1, x=BIRTH, y=point_column(series))
        points.SetLineStyle(kind.LineStyleNone)
        points.SetMarkerStyle(kind.MarkerStyleCircle)
        points.SetMarkerSize(size)
    return chart


def show_persistence_diagram(
    chart: slicer.vtkMRMLPlotChartNode, title: str, longest: float, real: RealBars | None, axes: int
) -> None:
    """Follow the barcode to another sample, whose points its table has already; no node is added.

    Args:
        chart: from :func:`add_persistence_diagram`.
        title: shown over the chart.
        longest: mm, greatest finite value of all samples: both axes stay the same, so that samples compare by eye.
        real: how real masks are, if it is known.
        axes: 2 for slices, 3 for volumes.
    """
    span = longest if longest > 0 else 1.0
    set_table(background_table(chart), _background(real, axes, span))
    with slicer.util.NodeModify(chart):
        chart.SetTitle(title)
        chart.SetXAxisRange(-0.03 * span, RIGHT * span)
        chart.SetYAxisRange(-0.03 * span, RIGHT * span)


def background_table(chart: slicer.vtkMRMLPlotChartNode) -> slicer.vtkMRMLTableNode:
    """What is behind the points of a chart of :func:`add_persistence_diagram`."""
    return chart.GetPlotSeriesNode().GetTableNode()


def _background(real: RealBars | None, axes: int, span: float) -> dict[str, np.ndarray]:
    lines = {
        DIAGONAL: np.array([[0.0, 0.0], [RIGHT * span, RIGHT * span]]),
        ENDLESS: np.array([[0.0, MARK * span], [RIGHT * span, MARK * span]]),
        **{real_name(dimension): outlines(real, dimension) for dimension in range(axes)},
    }
    points = np.concatenate(list(lines.values()))
    owner = np.repeat(list(lines), [len(line) for line in lines.values()])
    return {_X: points[:, 0], **{name: np.where(owner == name, points[:, 1], np.nan) for name in lines}}
