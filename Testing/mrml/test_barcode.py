"""The barcode: the points of its chart, the pixels behind them, and changing the sample in place."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk

from TopoGANLib.headless.application import HeadlessSlicer
from TopoGANLib.scene.barcode import (
    CHOSEN,
    ENDLESS,
    ROWS_PER_BAR,
    SHORT,
    VALUE,
    add_barcode,
    bar_of_row,
    barcode_columns,
    barcode_table,
    bars,
    choose_bar,
    show_barcode,
)
from TopoGANLib.scene.diagrams import Diagram
from TopoGANLib.scene.tables import number_columns

H0, H1 = "H0 (pieces)", "H1 (holes)"


def _diagram() -> Diagram:
    return Diagram(
        dimension=np.array([1, 0, 1, 0]),
        birth=np.array([1.0, 0.0, 0.0, 0.0]),
        death=np.array([3.0, 2.0, 6.0, np.inf]),
        birth_index=np.array([[1, 2], [3, 4], [5, 6], [7, 8]]),
        death_index=np.array([[11, 12], [13, 14], [15, 16], [-1, -1]]),
    )


def _columns(sample: int = 9) -> dict[str, np.ndarray]:
    return barcode_columns(_diagram(), sample=sample, longest=6.0, pixel=1.5)


def test_each_bar_is_a_line_of_points_and_a_break() -> None:
    columns = _columns()
    x, pieces, holes = (columns[name].reshape(4, ROWS_PER_BAR) for name in (VALUE, H0, H1))
    assert x[:, 0].tolist() == [0, 0, 0, 1]
    assert x[:, -1].tolist() == [7.5, 2, 6, 3]
    assert (np.diff(x, axis=1) >= 0).all()
    assert (pieces[:2, :-1] == [[1], [2]]).all()
    assert (holes[2:, :-1] == [[3], [4]]).all()
    assert np.isnan(pieces[:, -1]).all()
    assert np.isnan(holes[:, -1]).all()
    assert np.isnan(pieces[2:]).all()
    assert np.isnan(holes[:2]).all()


def test_bars_under_a_pixel_are_apart() -> None:
    columns = barcode_columns(_diagram(), sample=9, longest=6.0, pixel=2.5)
    short = columns[SHORT].reshape(4, ROWS_PER_BAR)
    assert [row[0] for row in short[[1, 3]]] == [2, 4]
    assert np.isnan(short[[0, 2]]).all()
    assert np.isnan(columns[H0].reshape(4, -1)[1]).all()


def test_what_never_ends_has_a_mark_inside_the_chart() -> None:
    columns = _columns()
    marked = ~np.isnan(columns[ENDLESS])
    assert columns[ENDLESS][marked].tolist() == [1]
    assert columns[VALUE][marked] == pytest.approx([6.6])


def test_no_x_is_nan_or_infinite_because_picking_sorts_by_x() -> None:
    assert np.isfinite(_columns()[VALUE]).all()


def test_each_point_knows_its_voxels_and_its_bar() -> None:
    columns = _columns()
    ends = [
        np.stack([columns[f"{event} {axis}"] for axis in "ijk"], axis=1)[::ROWS_PER_BAR] for event in ("birth", "death")
    ]
    assert ends[0][[0, 1]].tolist() == [[8, 7, 9], [4, 3, 9]]
    assert ends[1][[0, 1]].tolist() == [[-1, -1, -1], [14, 13, 9]], "the endless bar dies nowhere"
    assert columns["bar"].tolist() == np.repeat([1, 2, 3, 4], ROWS_PER_BAR).tolist()
    assert columns["death (mm)"][::ROWS_PER_BAR].tolist() == [np.inf, 2, 6, 3]


def _chart(headless: HeadlessSlicer) -> slicer.vtkMRMLPlotChartNode:
    return add_barcode(headless.scene, "barcode")


def test_chart_has_one_series_a_dimension_that_point_at_the_table(headless: HeadlessSlicer) -> None:
    chart = _chart(headless)
    show_barcode(chart, _diagram(), 9, "title", longest=6.0, pixel=1.0)
    series = [chart.GetNthPlotSeriesNode(n) for n in range(chart.GetNumberOfPlotSeriesNodes())]
    assert [one.GetName() for one in series] == [CHOSEN, H0, H1, SHORT, ENDLESS]
    assert [one.GetYColumnName() for one in series] == [one.GetName() for one in series]
    assert {one.GetXColumnName() for one in series} == {VALUE}
    assert {one.GetTableNode() for one in series} == {barcode_table(chart)}
    assert len({one.GetColor() for one in series}) == len(series)
    assert all(one.GetPlotType() == slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter for one in series)
    assert (chart.GetXAxisTitle(), chart.GetYAxisTitle()) == ("filtration value (mm)", "bar")
    assert chart.GetLegendVisibility()


def test_axis_is_as_long_as_the_longest_bar_of_all_samples(headless: HeadlessSlicer) -> None:
    chart = _chart(headless)
    show_barcode(chart, _diagram(), 0, "title", longest=20.0, pixel=1.0)
    low, high = chart.GetXAxisRange()
    assert low < 0
    assert high > 20
    endless = number_columns(barcode_table(chart), [VALUE])[VALUE][ROWS_PER_BAR - 1]
    assert endless > high, "a bar that never dies leaves the chart"
    assert chart.GetYAxisRange()[0] == 0
    assert chart.GetYAxisRange()[1] > 5, "the legend needs room above the bars"


def test_another_sample_is_shown_in_place_and_views_are_told(headless: HeadlessSlicer) -> None:
    chart = _chart(headless)
    show_barcode(chart, _diagram(), 0, "Barcode of sample 0", longest=6.0, pixel=1.0)
    nodes_before = headless.scene.GetNumberOfNodes()
    told: list[str] = []
    chart.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: told.append(caller.GetTitle()))
    few = Diagram(*(part[:1] for part in vars(_diagram()).values()))
    show_barcode(chart, few, 5, "Barcode of sample 5", longest=6.0, pixel=1.0)
    assert headless.scene.GetNumberOfNodes() == nodes_before
    assert told[-1] == "Barcode of sample 5"
    assert barcode_table(chart).GetTable().GetNumberOfRows() == ROWS_PER_BAR
    assert set(number_columns(barcode_table(chart), ["birth k"])["birth k"].tolist()) == {5}


@pytest.mark.parametrize("longest", [0.0, 6.0])
def test_a_sample_without_bars_is_an_empty_chart(headless: HeadlessSlicer, longest: float) -> None:
    chart = _chart(headless)
    show_barcode(chart, Diagram.empty(), 0, "title", longest, 1.0)
    assert barcode_table(chart).GetTable().GetNumberOfRows() == 0
    low, high = chart.GetXAxisRange()
    assert low < high


def test_results_cannot_be_changed_by_hand(headless: HeadlessSlicer) -> None:
    chart = _chart(headless)
    assert barcode_table(chart).GetLocked()
    assert not chart.GetEnablePointMoveAlongX()
    assert not chart.GetEnablePointMoveAlongY()


def test_a_bar_is_framed_and_known_by_its_points(headless: HeadlessSlicer) -> None:
    chart = _chart(headless)
    show_barcode(chart, _diagram(), 9, "title", longest=6.0, pixel=1.0)
    assert [(bar.number, bar.dimension, bar.birth, bar.death) for bar in bars(chart)] == [
        (1, 0, 0, np.inf), (2, 0, 0, 2), (3, 1, 0, 6), (4, 1, 1, 3),
    ]  # fmt: skip
    assert bars(chart)[0].death_voxel is None
    assert bars(chart)[3].birth_voxel == (2, 1, 9)
    choose_bar(chart, 3)
    framed = number_columns(barcode_table(chart), [CHOSEN])[CHOSEN]
    rows = np.flatnonzero(~np.isnan(framed))
    assert {bar_of_row(chart, row) for row in rows.tolist()} == {3}
    assert len(rows) == ROWS_PER_BAR - 1
    choose_bar(chart, None)
    assert np.isnan(number_columns(barcode_table(chart), [CHOSEN])[CHOSEN]).all()
    assert (bar_of_row(chart, -1), bar_of_row(chart, 4 * ROWS_PER_BAR)) == (0, 0)
