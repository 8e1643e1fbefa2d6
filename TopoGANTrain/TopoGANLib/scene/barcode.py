"""The barcode of one sample as a MRML chart: one horizontal bar for each piece (H0), hole or tunnel (H1), cavity (H2).

Slicer's charts have no floating bars. A scatter series draws the same picture: points along a bar joined by a line, and
after each bar a point whose y is NaN, which breaks the line. Views let points be picked, not lines, so that there are
many of them. NaN stays out of x, by which VTK sorts points for picking. A point's row in the table carries the pixels
that made and killed the class, so that a click can lead to them.

The same table has the points of the persistence diagram, and what lies behind the bars: between which values real bars
of the same rank begin and end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer

from topogan_contract.real_bars import RealBars
from TopoGANLib.scene.bar_points import (
    BEYOND,
    MARK,
    REAL_HALF,
    REAL_MOST,
    REAL_VALUE,
    behind_bars,
    in_diagram,
    ranks_of,
)
from TopoGANLib.scene.charts import BLACK, COLORS, GRAY, YELLOW, add_chart, add_series
from TopoGANLib.scene.diagrams import Diagram
from TopoGANLib.scene.tables import add_table, number_columns, set_table

BAR = "bar"
VALUE = "filtration value (mm)"
BIRTH = "birth (mm)"
_POINT = "point (mm)"
POINTS_PER_BAR = 49
ROWS_PER_BAR = POINTS_PER_BAR + 1  # the last one is the break

# The names are what the legend shows.
CHOSEN, SHORT, ENDLESS = "chosen", "under a pixel", "never ends"
SERIES = {2: ("H0 (pieces)", "H1 (holes)"), 3: ("H0 (pieces)", "H1 (tunnels)", "H2 (cavities)")}
_LIGHT, _LIGHTER = (0.75, 0.79, 0.86), (0.89, 0.91, 0.94)
_NOWHERE = -1
# The legend lies over the upper right corner: in bars, and so much more for each.
_LEGEND, _ROOM_FOR_LEGEND = 3.5, 1.35
# Of the longest finite bar: there the chart ends.
RIGHT = 1.15
# Rounding must not make a bar of a pixel a shorter one.
_NEARLY = 1 - 1e-6
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


def is_short(birth: Any, death: Any, pixel: float) -> Any:
    """Whether bars, numbers or float [n] in mm, are shorter than a pixel: noise of the grid."""
    return death - birth < _NEARLY * pixel


def point_column(series: str) -> str:
    """The column with the points of a series in the persistence diagram: their heights, over ``BIRTH``."""
    return f"{series} point"


def barcode_columns(
    diagram: Diagram, sample: int, longest: float, pixel: float, real: RealBars | None = None
) -> dict[str, np.ndarray]:
    """Lay the bars of a diagram out as points of the chart's table, ``ROWS_PER_BAR`` a bar.

    Bars are numbered from 1, H0 below H1 below H2, the longer below the shorter.

    Args:
        diagram: births and deaths in mm.
        sample: number of the sample, which for slices is the slice k of the volume that they are stacked in.
        longest: mm, of the longest finite value.
        pixel: mm; bars that are shorter are noise of the grid, and gray.
        real: how bars of real masks are, if it is known.

    Returns:
        columns of one length: the point (``VALUE``; one y column a series, NaN outside it), its bar, dimension, birth
        and death (mm; infinite where a bar never ends), the pixels that made and killed it as voxels (i, j, k) of the
        volume, −1 where there is none; the points of the persistence diagram and what lies behind the bars.
    """
    order = np.lexsort((diagram.birth - diagram.death, diagram.dimension))
    dimension, birth, death = diagram.dimension[order], diagram.birth[order], diagram.death[order]
    endless = np.isinf(death)
    short = is_short(birth, death, pixel)
    # The class of an empty mask is born beyond the chart.
    mark, beyond = (np.where(endless, np.maximum(at * longest, birth), death) for at in (MARK, BEYOND))
    shown, end = np.linspace(birth, mark, POINTS_PER_BAR - 1, axis=-1), beyond[:, None]
    axes = diagram.birth_index.shape[-1]
    bar = np.arange(1, len(order) + 1)
    y = np.repeat(bar[:, None].astype(float), ROWS_PER_BAR, axis=1)
    y[:, -1] = np.nan
    series = {name: (dimension == number) & ~short for number, name in enumerate(SERIES[axes])} | {SHORT: short}
    marks = np.full(y.shape, np.nan)
    marks[endless, POINTS_PER_BAR - 2] = bar[endless]
    points = np.full(y.shape, np.nan)
    points[:, 0] = in_diagram(death, longest)
    return {
        VALUE: np.concatenate([shown, end, end], axis=1).ravel(),
        CHOSEN: np.full(y.size, np.nan),
        _POINT: points.ravel(),
        point_column(CHOSEN): np.full(y.size, np.nan),
        **{name: np.where(mine[:, None], y, np.nan).ravel() for name, mine in series.items()},
        **{point_column(name): np.where(mine[:, None], points, np.nan).ravel() for name, mine in series.items()},
        ENDLESS: marks.ravel(),
        **behind_bars(ranks_of(dimension, short, real), ROWS_PER_BAR, longest),
        BAR: np.repeat(bar, ROWS_PER_BAR),
        "dimension": np.repeat(dimension, ROWS_PER_BAR),
        BIRTH: np.repeat(birth, ROWS_PER_BAR),
        "death (mm)": np.repeat(death, ROWS_PER_BAR),
        **_voxels("birth", diagram.birth_index[order], sample),
        **_voxels("death", diagram.death_index[order], sample),
    }


def _voxels(event: str, pixels: np.ndarray, sample: int) -> dict[str, np.ndarray]:
    *slices, rows, columns = np.repeat(pixels, ROWS_PER_BAR, axis=0).T
    k = slices[0] if slices else np.where(rows == _NOWHERE, _NOWHERE, sample)
    return {f"{event} i": columns, f"{event} j": rows, f"{event} k": k}


def add_barcode(
    scene: slicer.vtkMRMLScene, name: str, axes: int = 2, real: bool = False
) -> slicer.vtkMRMLPlotChartNode:
    """Add an empty chart, its table and its series; :func:`show_barcode` fills them.

    Args:
        scene: where the nodes go.
        name: of the chart.
        axes: 2 for slices, 3 for volumes.
        real: whether it is known how bars of real masks are.
    """
    node = slicer.vtkMRMLPlotSeriesNode
    table = add_table(scene, f"{name} table", barcode_columns(Diagram.empty(axes), 0, 0.0, 0.0))
    chart = add_chart(scene, name, VALUE, BAR)
    if real:
        for column, color in ((REAL_MOST, _LIGHTER), (REAL_HALF, _LIGHT)):
            add_series(chart, table, column, color, 9, x=REAL_VALUE)
    # What is chosen lies under the others and is wider: a frame around the bar.
    add_series(chart, table, CHOSEN, YELLOW, 14)
    for column, color in zip(SERIES[axes], COLORS, strict=False):
        add_series(chart, table, column, color, 5)
    add_series(chart, table, SHORT, GRAY, 3)
    marks = add_series(chart, table, ENDLESS, BLACK, 1)
    marks.SetLineStyle(node.LineStyleNone)
    marks.SetMarkerStyle(node.MarkerStylePlus)
    return chart


def barcode_table(chart: slicer.vtkMRMLPlotChartNode) -> slicer.vtkMRMLTableNode:
    """The table behind a chart of :func:`add_barcode`."""
    return chart.GetPlotSeriesNode().GetTableNode()


def number_of_bars(chart: slicer.vtkMRMLPlotChartNode) -> int:
    """How many bars a chart of :func:`add_barcode` shows."""
    return barcode_table(chart).GetNumberOfRows() // ROWS_PER_BAR


def bars(chart: slicer.vtkMRMLPlotChartNode) -> list[Bar]:
    """The bars that a chart shows, upwards."""
    names = [BAR, "dimension", BIRTH, "death (mm)", *_CORNERS]
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
    chart: slicer.vtkMRMLPlotChartNode,
    diagram: Diagram,
    sample: int,
    title: str,
    longest: float,
    pixel: float,
    real: RealBars | None = None,
) -> None:
    """Put another sample's bars into the chart; no node is added.

    Args:
        chart: from :func:`add_barcode`.
        diagram: births and deaths in mm.
        sample: number of the sample.
        title: shown over the chart.
        longest: mm, greatest finite value of all samples: the axis stays the same, so that samples compare by eye.
        pixel: mm; bars that are shorter are gray.
        real: how bars of real masks are, if it is known.
    """
    span = longest if longest > 0 else 1.0
    set_table(barcode_table(chart), barcode_columns(diagram, sample, span, pixel, real))
    with slicer.util.NodeModify(chart):
        chart.SetTitle(title)
        chart.SetXAxisRange(-0.03 * span, RIGHT * span)
        chart.SetYAxisRange(0, _LEGEND + len(diagram.birth) * _ROOM_FOR_LEGEND)


def choose_bar(chart: slicer.vtkMRMLPlotChartNode, number: int | None) -> None:
    """Put a frame around a bar of the chart, and around its point in the diagram; None takes both away."""
    table = barcode_table(chart)
    if table.GetNumberOfRows() == 0:
        return
    bar = number_columns(table, [BAR])[BAR]
    mine = bar == (number or 0)
    frame = np.where(mine, bar, np.nan)
    frame[ROWS_PER_BAR - 1 :: ROWS_PER_BAR] = np.nan
    frames = {CHOSEN: frame}
    # A scene of before there were diagrams has none until another sample is shown.
    if table.GetTable().GetColumnByName(_POINT) is not None:
        frames[point_column(CHOSEN)] = np.where(mine, number_columns(table, [_POINT])[_POINT], np.nan)
    for column, values in frames.items():
        slicer.util.arrayFromTableColumn(table, column)[:] = values
        slicer.util.arrayFromTableColumnModified(table, column)


def chosen_bar(chart: slicer.vtkMRMLPlotChartNode) -> int:
    """The bar that has the frame; 0 for none."""
    frame = slicer.util.arrayFromTableColumn(barcode_table(chart), CHOSEN)
    framed = frame[~np.isnan(frame)]
    return int(framed[0]) if len(framed) else 0


def next_at_point(chart: slicer.vtkMRMLPlotChartNode, number: int) -> int:
    """Of the bars whose point in the diagram is that of bar ``number``, the one after the chosen one, in turn."""
    found = bars(chart)
    place = (found[number - 1].dimension, found[number - 1].birth, found[number - 1].death)
    there = [bar.number for bar in found if (bar.dimension, bar.birth, bar.death) == place]
    before = chosen_bar(chart)
    return there[(there.index(before) + 1) % len(there)] if before in there else there[0]
