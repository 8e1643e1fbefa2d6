"""The barcode: the points of its chart, the pixels behind them, and changing the sample in place."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk

from TopoGANLib.headless.application import HeadlessSlicer
from TopoGANLib.scene.barcode import ROWS_PER_BAR, VALUE, add_barcode, barcode_columns, barcode_table, show_barcode
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


def test_each_bar_is_a_line_of_two_points_and_a_break() -> None:
    columns = barcode_columns(_diagram(), sample=9, end=8.0)
    x, pieces, holes = columns[VALUE], columns[H0], columns[H1]
    assert x.reshape(-1, ROWS_PER_BAR).tolist() == [[0, 8, 8], [0, 2, 2], [0, 6, 6], [1, 3, 3]]
    assert np.array_equal(pieces.reshape(-1, 3)[:2], [[1, 1, np.nan], [2, 2, np.nan]], equal_nan=True)
    assert np.array_equal(holes.reshape(-1, 3)[2:], [[3, 3, np.nan], [4, 4, np.nan]], equal_nan=True)
    assert np.isnan(pieces[6:]).all()
    assert np.isnan(holes[:6]).all()


def test_no_x_is_nan_or_infinite_because_picking_sorts_by_x() -> None:
    assert np.isfinite(barcode_columns(_diagram(), sample=0, end=8.0)[VALUE]).all()


def test_each_point_knows_its_voxel_and_its_bar() -> None:
    columns = barcode_columns(_diagram(), sample=9, end=8.0)
    voxels = np.stack([columns["i"], columns["j"], columns["k"]], axis=1)
    assert voxels[[0, 1]].tolist() == [[8, 7, 9], [-1, -1, -1]], "birth of the endless bar, and a death nowhere"
    assert voxels[[3, 4]].tolist() == [[4, 3, 9], [14, 13, 9]]
    assert columns["bar"].tolist() == np.repeat([1, 2, 3, 4], 3).tolist()
    assert columns["death (mm)"][::3].tolist() == [np.inf, 2, 6, 3]


def _chart(headless: HeadlessSlicer) -> slicer.vtkMRMLPlotChartNode:
    return add_barcode(headless.scene, "barcode")


def test_chart_has_one_series_a_dimension_that_point_at_the_table(headless: HeadlessSlicer) -> None:
    chart = _chart(headless)
    show_barcode(chart, _diagram(), 9, "title", longest=6.0)
    assert chart.GetNumberOfPlotSeriesNodes() == 2
    series = [chart.GetNthPlotSeriesNode(n) for n in range(2)]
    assert [one.GetName() for one in series] == [H0, H1]
    assert [one.GetYColumnName() for one in series] == [H0, H1]
    assert {one.GetXColumnName() for one in series} == {VALUE}
    assert {one.GetTableNode() for one in series} == {barcode_table(chart)}
    assert series[0].GetColor() != series[1].GetColor()
    assert series[0].GetMarkerStyle() != series[1].GetMarkerStyle()
    assert all(one.GetPlotType() == slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter for one in series)
    assert (chart.GetXAxisTitle(), chart.GetYAxisTitle()) == ("filtration value (mm)", "bar")
    assert chart.GetLegendVisibility()


def test_axis_is_as_long_as_the_longest_bar_of_all_samples(headless: HeadlessSlicer) -> None:
    chart = _chart(headless)
    show_barcode(chart, _diagram(), 0, "title", longest=20.0)
    low, high = chart.GetXAxisRange()
    assert low < 0
    assert high > 20
    endless = number_columns(barcode_table(chart), [VALUE])[VALUE][1]
    assert endless > high, "a bar that never dies leaves the chart"
    assert chart.GetYAxisRange()[0] == 0
    assert chart.GetYAxisRange()[1] > 5, "the legend needs room above the bars"


def test_another_sample_is_shown_in_place_and_views_are_told(headless: HeadlessSlicer) -> None:
    chart = _chart(headless)
    show_barcode(chart, _diagram(), 0, "Barcode of sample 0", longest=6.0)
    nodes_before = headless.scene.GetNumberOfNodes()
    told: list[str] = []
    chart.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: told.append(caller.GetTitle()))
    few = Diagram(*(part[:1] for part in vars(_diagram()).values()))
    show_barcode(chart, few, 5, "Barcode of sample 5", longest=6.0)
    assert headless.scene.GetNumberOfNodes() == nodes_before
    assert told[-1] == "Barcode of sample 5"
    assert barcode_table(chart).GetTable().GetNumberOfRows() == ROWS_PER_BAR
    assert number_columns(barcode_table(chart), ["k"])["k"].tolist() == [5, 5, 5]


@pytest.mark.parametrize("longest", [0.0, 6.0])
def test_a_sample_without_bars_is_an_empty_chart(headless: HeadlessSlicer, longest: float) -> None:
    chart = _chart(headless)
    show_barcode(chart, Diagram.empty(), 0, "title", longest)
    assert barcode_table(chart).GetTable().GetNumberOfRows() == 0
    low, high = chart.GetXAxisRange()
    assert low < high


def test_results_cannot_be_changed_by_hand(headless: HeadlessSlicer) -> None:
    chart = _chart(headless)
    assert barcode_table(chart).GetLocked()
    assert not chart.GetEnablePointMoveAlongX()
    assert not chart.GetEnablePointMoveAlongY()
