"""The barcode of one sample as a MRML chart: one horizontal bar for each piece (H0), hole or tunnel (H1), cavity (H2).

Slicer's charts have no floating bars. A scatter series draws the same picture: points along a bar joined by a line, and
after each bar a point whose y is NaN, which breaks the line. Views let points be picked, not lines, so that there are
many of them. NaN stays out of x, by which VTK sorts points for picking. A point's row in the table carries the pixels
that made and killed the class, so that a click can lead to them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import slicer

from TopoGANLib.scene.diagrams import Diagram
from TopoGANLib.scene.tables import add_table, number_columns, set_table

VALUE = "filtration value (mm)"
POINTS_PER_BAR = 49
ROWS_PER_BAR = POINTS_PER_BAR + 1  # the last one is the break

# The names are what the legend shows.
CHOSEN, SHORT, ENDLESS = "chosen", "under a pixel", "never ends"
_SERIES = {2: ("H0 (pieces)", "H1 (holes)"), 3: ("H0 (pieces)", "H1 (tunnels)", "H2 (cavities)")}
# Colors of Okabe and Ito, told apart by color-blind readers.
_COLORS = ((0 / 255, 114 / 255, 178 / 255), (213 / 255, 94 / 255, 0 / 255), (0 / 255, 158 / 255, 115 / 255))
_GRAY, _BLACK, _YELLOW = (0.62, 0.62, 0.62), (0.0, 0.0, 0.0), (240 / 255, 228 / 255, 66 / 255)
_NOWHERE = -1
_ROOM_FOR_LEGEND = 1.35  # the legend lies over the upper right corner
# Of the longest finite bar: what never ends has its mark there, and goes on beyond the chart.
_MARK, _RIGHT, _BEYOND = 1.1, 1.15, 1.25
_CORNERS = [f"{event} {axis}" for event in ("birth", "death") for axis in "ijk"]


@dataclass(frozen=True)
class Bar:
    """One bar of the chart."""

    number: int
    """From 1, upwards."""
    dimension: int
    birth: float
    death: float
    """mm; inf where it never ends."""
    birth_voxel: tuple[int, int, int] | None
    death_voxel: tuple[int, int, int] | None
    """(i, j, k) of the volume; None where there is none."""


def barcode_columns(diagram: Diagram, sample: int, longest: float, pixel: float) -> dict[str, np.ndarray]:
    """Lay the bars of a diagram out as points of the chart's table, ``ROWS_PER_BAR`` a bar.

    Bars are numbered from 1, H0 below H1 below H2, the longer below the shorter.

    Args:
        diagram: births and deaths in mm.
        sample: number of the sample, which for slices is the slice k of the volume that they are stacked in.
        longest: mm, of the longest finite value.
        pixel: mm; bars that are shorter are noise of the grid, and gray.

    Returns:
        columns of one length: the point (``VALUE``; one y column a series, NaN outside it), its bar, dimension, birth
        and death (mm; infinite where a bar never ends) and the pixels that made and killed it as voxels (i, j, k) of
        the volume, −1 where there is none.
    """
    order = np.lexsort((diagram.birth - diagram.death, diagram.dimension))
    dimension, birth, death = diagram.dimension[order], diagram.birth[order], diagram.death[order]
    endless = np.isinf(death)
    short = death - birth < pixel
    shown = np.linspace(birth, np.where(endless, _MARK * longest, death), POINTS_PER_BAR - 1, axis=-1)
    end = np.where(endless, _BEYOND * longest, death)[:, None]
    axes = diagram.birth_index.shape[-1]
    bar = np.arange(1, len(order) + 1)
    y = np.repeat(bar[:, None].astype(float), ROWS_PER_BAR, axis=1)
    y[:, -1] = np.nan
    series = {name: (dimension == number) & ~short for number, name in enumerate(_SERIES[axes])} | {SHORT: short}
    marks = np.full(y.shape, np.nan)
    marks[endless, POINTS_PER_BAR - 2] = bar[endless]
    return {
        VALUE: np.concatenate([shown, end, end], axis=1).ravel(),
        CHOSEN: np.full(y.size, np.nan),
        **{name: np.where(mine[:, None], y, np.nan).ravel() for name, mine in series.items()},
        ENDLESS: marks.ravel(),
        "bar": np.repeat(bar, ROWS_PER_BAR),
        "dimension": np.repeat(dimension, ROWS_PER_BAR),
        "birth (mm)": np.repeat(birth, ROWS_PER_BAR),
        "death (mm)": np.repeat(death, ROWS_PER_BAR),
        **_voxels("birth", diagram.birth_index[order], sample),
        **_voxels("death", diagram.death_index[order], sample),
    }


def _voxels(event: str, pixels: np.ndarray, sample: int) -> dict[str, np.ndarray]:
    *slices, rows, columns = np.repeat(pixels, ROWS_PER_BAR, axis=0).T
    k = slices[0] if slices else np.where(rows == _NOWHERE, _NOWHERE, sample)
    return {f"{event} i": columns, f"{event} j": rows, f"{event} k": k}


def add_barcode(scene: slicer.vtkMRMLScene, name: str, axes: int = 2) -> slicer.vtkMRMLPlotChartNode:
    """Add an empty chart, its table and its series; :func:`show_barcode` fills them.

    Args:
        scene: where the nodes go.
        name: of the chart.
        axes: 2 for slices, 3 for volumes.
    """
    node = slicer.vtkMRMLPlotSeriesNode
    table = add_table(scene, f"{name} table", barcode_columns(Diagram.empty(axes), 0, 0.0, 0.0))
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", scene.GenerateUniqueName(name))
    # What is chosen lies under the others and is wider: a frame around the bar.
    _add_series(chart, table, CHOSEN, _YELLOW, 14)
    for column, color in zip(_SERIES[axes], _COLORS, strict=False):
        _add_series(chart, table, column, color, 5)
    _add_series(chart, table, SHORT, _GRAY, 3)
    marks = _add_series(chart, table, ENDLESS, _BLACK, 1)
    marks.SetLineStyle(node.LineStyleNone)
    marks.SetMarkerStyle(node.MarkerStylePlus)
    chart.SetXAxisTitle(VALUE)
    chart.SetYAxisTitle("bar")
    chart.SetXAxisRangeAuto(False)
    chart.SetYAxisRangeAuto(False)
    # A dragged point would be a changed result.
    chart.SetEnablePointMoveAlongX(False)
    chart.SetEnablePointMoveAlongY(False)
    return chart


def _add_series(
    chart: slicer.vtkMRMLPlotChartNode,
    table: slicer.vtkMRMLTableNode,
    column: str,
    color: tuple[float, ...],
    width: int,
) -> slicer.vtkMRMLPlotSeriesNode:
    kind = slicer.vtkMRMLPlotSeriesNode
    series = chart.GetScene().AddNewNodeByClass("vtkMRMLPlotSeriesNode")
    # Not made unique: the legend shows it.
    series.SetName(column)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(VALUE)
    series.SetYColumnName(column)
    series.SetPlotType(kind.PlotTypeScatter)
    series.SetLineStyle(kind.LineStyleSolid)
    series.SetLineWidth(width)
    series.SetMarkerStyle(kind.MarkerStyleNone)
    series.SetMarkerSize(9)
    series.SetColor(*color)
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    return series


def barcode_table(chart: slicer.vtkMRMLPlotChartNode) -> slicer.vtkMRMLTableNode:
    """The table behind a chart of :func:`add_barcode`."""
    return chart.GetPlotSeriesNode().GetTableNode()


def number_of_bars(chart: slicer.vtkMRMLPlotChartNode) -> int:
    """How many bars a chart of :func:`add_barcode` shows."""
    return barcode_table(chart).GetNumberOfRows() // ROWS_PER_BAR


def bars(chart: slicer.vtkMRMLPlotChartNode) -> list[Bar]:
    """The bars that a chart shows, upwards."""
    names = ["bar", "dimension", "birth (mm)", "death (mm)", *_CORNERS]
    table = barcode_table(chart).GetTable()
    if any(table.GetColumnByName(name) is None for name in names):
        return []  # of a scene that was saved before bars could be chosen
    rows = np.stack(list(number_columns(barcode_table(chart), names).values()), axis=1)[::ROWS_PER_BAR]
    found = []
    for number, dimension, birth, death, *corners in rows.tolist():
        born, dead = (tuple(map(int, corner)) for corner in (corners[:3], corners[3:]))
        found.append(
            Bar(
                int(number), int(dimension), birth, death,
                born if _NOWHERE not in born else None, dead if _NOWHERE not in dead else None,
            )
        )  # fmt: skip
    return found


def bar_of_row(chart: slicer.vtkMRMLPlotChartNode, row: int) -> int:
    """Number of the bar that a row of the chart's table, a point of the chart, belongs to; 0 for none."""
    return row // ROWS_PER_BAR + 1 if 0 <= row < barcode_table(chart).GetNumberOfRows() else 0


def show_barcode(
    chart: slicer.vtkMRMLPlotChartNode, diagram: Diagram, sample: int, title: str, longest: float, pixel: float
) -> None:
    """Put another sample's bars into the chart; no node is added.

    Args:
        chart: from :func:`add_barcode`.
        diagram: births and deaths in mm.
        sample: number of the sample.
        title: shown over the chart.
        longest: mm, greatest finite value of all samples: the axis stays the same, so that samples compare by eye.
        pixel: mm; bars that are shorter are gray.
    """
    span = longest if longest > 0 else 1.0
    set_table(barcode_table(chart), barcode_columns(diagram, sample, span, pixel))
    with slicer.util.NodeModify(chart):
        chart.SetTitle(title)
        chart.SetXAxisRange(-0.03 * span, _RIGHT * span)
        chart.SetYAxisRange(0, 1 + len(diagram.birth) * _ROOM_FOR_LEGEND)


def choose_bar(chart: slicer.vtkMRMLPlotChartNode, number: int | None) -> None:
    """Put a frame around a bar of the chart; None takes it away."""
    table = barcode_table(chart)
    if table.GetNumberOfRows() == 0:
        return
    bar = number_columns(table, ["bar"])["bar"]
    frame = slicer.util.arrayFromTableColumn(table, CHOSEN)
    frame[:] = np.where(bar == (number or 0), bar, np.nan)
    frame[ROWS_PER_BAR - 1 :: ROWS_PER_BAR] = np.nan
    slicer.util.arrayFromTableColumnModified(table, CHOSEN)
