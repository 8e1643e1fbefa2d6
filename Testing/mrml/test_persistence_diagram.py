"""The persistence diagram, and what real masks have behind both plots: built, shown, saved and loaded."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import slicer
import vtk
from real_masks import REAL, tell_real

from TopoGANLib.headless.application import HeadlessSlicer, load_scene, save_scene, start_headless
from TopoGANLib.headless.charts import add_chart, draw_chart
from TopoGANLib.scene.bar_points import REAL_HALF, REAL_MOST, REAL_VALUE
from TopoGANLib.scene.barcode import (
    BIRTH,
    CHOSEN,
    ROWS_PER_BAR,
    SERIES,
    SHORT,
    bar_of_row,
    barcode_table,
    bars,
    chosen_bar,
    next_at_point,
    point_column,
)
from TopoGANLib.scene.build import build_scene
from TopoGANLib.scene.diagrams import Diagram
from TopoGANLib.scene.marks import mark_bar
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.persistence_diagram import background_table
from TopoGANLib.scene.standing import standing
from TopoGANLib.scene.synthesis_folder import SynthesisFolderError, read_synthesis_folder
from TopoGANLib.scene.tables import number_columns
from TopoGANLib.scene.views import show_in_views

BEHIND = ["H0 real: half, 90 %", "H1 real: half, 90 %"]


@pytest.fixture
def compared(headless: HeadlessSlicer, structures_folder: Path) -> SynthesisNodes:
    """A cavity, the myocardium around it and both, of a model that knows real masks; the myocardium is shown."""
    tell_real(structures_folder)
    nodes = build_scene(headless.scene, read_synthesis_folder(structures_folder))
    nodes.show_sample(0, 1)
    return nodes


def _names(chart: slicer.vtkMRMLPlotChartNode) -> list[str]:
    return [chart.GetNthPlotSeriesNode(n).GetName() for n in range(chart.GetNumberOfPlotSeriesNodes())]


def _points(nodes: SynthesisNodes, series: str) -> list[list[float]]:
    columns = number_columns(barcode_table(nodes.barcode), [BIRTH, point_column(series)])
    points = np.stack(list(columns.values()), axis=1)
    return points[~np.isnan(points[:, 1])].tolist()


def test_points_and_what_never_ends(compared: SynthesisNodes) -> None:
    chart = compared.plots.persistence
    assert chart.GetTitle() == "Diagram of sample 0, myocardium (b0 = 1, b1 = 1)"
    assert _names(chart) == [*BEHIND, "diagonal", "never ends", CHOSEN, *SERIES[2], SHORT]
    assert chart.GetXAxisRange() == chart.GetYAxisRange()
    level = number_columns(background_table(chart), ["never ends"])["never ends"]
    top = float(np.nanmax(level))
    assert top == pytest.approx(1.1 * 31.0), "the longest of all samples and real masks"
    assert _points(compared, SERIES[2][0]) == [[1.5, top]]
    assert _points(compared, SERIES[2][1]) == [[1.5, 13.5]]


def test_scrolling_adds_no_node_and_keeps_the_axes(headless: HeadlessSlicer, compared: SynthesisNodes) -> None:
    before, axes = headless.scene.GetNumberOfNodes(), compared.plots.persistence.GetXAxisRange()
    for sample, region in ((3, 1), (3, 2), (5, 0)):
        compared.show_sample(sample, region)
        assert compared.plots.persistence.GetXAxisRange() == axes
    assert headless.scene.GetNumberOfNodes() == before


def test_the_chosen_bar_is_framed_in_both(compared: SynthesisNodes) -> None:
    mark_bar(compared, 2)
    assert (chosen_bar(compared.barcode), _points(compared, CHOSEN)) == (2, [[1.5, 13.5]])
    compared.show_sample(1)
    assert (chosen_bar(compared.barcode), _points(compared, CHOSEN)) == (0, [])


def test_bars_at_one_point_take_turns(compared: SynthesisNodes) -> None:
    from TopoGANLib.scene.barcode import choose_bar, show_barcode

    nowhere = np.full((3, 2), -1)
    twins = Diagram(np.array([0, 1, 1]), np.zeros(3), np.array([np.inf, 9.0, 9.0]), nowhere, nowhere)
    show_barcode(compared.barcode, twins, 0, "twins", longest=9.0, pixel=1.0)
    found = []
    for _ in range(3):
        found.append(next_at_point(compared.barcode, 3))
        choose_bar(compared.barcode, found[-1])
    assert found == [2, 3, 2]


def test_real_bars_lie_behind_those_of_their_rank(compared: SynthesisNodes) -> None:
    assert _names(compared.barcode)[:3] == [REAL_MOST, REAL_HALF, CHOSEN], "under what is chosen"
    columns = number_columns(barcode_table(compared.barcode), [REAL_VALUE, REAL_MOST, REAL_HALF])
    x, most, half = (column.reshape(-1, ROWS_PER_BAR) for column in columns.values())
    drawn = ~np.isnan(most[1])
    assert x[1, drawn].tolist() == [0, 3, 14, 24], "between which values the hole begins and ends"
    assert set(most[1, drawn]) == {1.8, 2.2}, "below and above the middle of bar 2"
    assert x[1, ~np.isnan(half[1])].tolist() == [0, 0.5, 16, 21]
    assert np.isfinite(x).all()
    assert (~np.isnan(most[0])).sum() == 2, "no end behind a piece that never ends"
    lines = number_columns(background_table(compared.plots.persistence), ["birth (mm)", *BEHIND])
    holes = ~np.isnan(lines[BEHIND[1]])
    assert np.isnan(lines[BEHIND[0]]).all()
    assert (lines["birth (mm)"][holes].max(), holes.sum()) == (4, 15)


def test_a_bar_stands_among_real_ones(compared: SynthesisNodes) -> None:
    piece, hole = bars(compared.barcode)
    assert standing(compared, piece) == (1, 166, REAL.dimensions[0].bars[0])
    assert standing(compared, hole) == (1, 166, REAL.dimensions[1].bars[0])


def test_a_model_that_knows_no_real_masks_draws_none(headless: HeadlessSlicer, several: SynthesisNodes) -> None:
    assert _names(several.plots.persistence) == ["diagonal", "never ends", CHOSEN, *SERIES[2], SHORT]
    assert REAL_MOST not in _names(several.barcode)
    assert several.plots.real(1) is None
    assert standing(several, bars(several.barcode)[0]) is None
    several.set_attribute("TopoGAN.real", '[{"masks": "many"}]')
    several.show_sample(1)
    assert several.plots.real(1) is None, "a scene of a stranger"


def test_a_report_that_says_nonsense_of_real_masks(structures_folder: Path) -> None:
    tell_real(structures_folder)
    report = json.loads((structures_folder / "report.json").read_text())
    report["regions"][1]["real"]["masks"] = -1
    (structures_folder / "report.json").write_text(json.dumps(report))
    with pytest.raises(SynthesisFolderError, match="does not say how real bars are: the folder is incomplete"):
        read_synthesis_folder(structures_folder)


def _rows_at(chart: slicer.vtkMRMLPlotChartNode, series: str, x: float, y: float) -> list[int]:
    """The rows of the points that VTK finds at a place, as its charts do for a click."""
    view = vtk.vtkContextView()
    plot = add_chart(view, chart).GetPlot(_names(chart).index(series))
    plot.Update()
    assert plot.SelectPoints(vtk.vtkVector2f(x - 0.1, y - 0.1), vtk.vtkVector2f(x + 0.1, y + 0.1))
    selection = plot.GetSelection()
    return [selection.GetValue(n) for n in range(selection.GetNumberOfValues())]


def test_a_loaded_scene_has_every_link(headless: HeadlessSlicer, compared: SynthesisNodes, tmp_path: Path) -> None:
    compared.show_plot(persistence=True)
    show_in_views(compared, headless.application_logic)
    mark_bar(compared, 2)
    title = compared.plots.persistence.GetTitle()
    save_scene(headless.scene, tmp_path / "scene.mrb")
    again = start_headless()
    load_scene(again.scene, tmp_path / "scene.mrb")
    (loaded,) = SynthesisNodes.find_all(again.scene)
    before = again.scene.GetNumberOfNodes()
    (view,) = slicer.util.getNodesByClass("vtkMRMLPlotViewNode", again.scene)
    assert view.GetPlotChartNodeID() == loaded.plots.persistence.GetID() == loaded.plots.shown.GetID()
    assert (loaded.plots.persistence.GetTitle(), loaded.plots.real(1)) == (title, REAL)
    assert (chosen_bar(loaded.barcode), _points(loaded, CHOSEN)) == (2, [[1.5, 13.5]])
    (row,) = _rows_at(loaded.plots.persistence, SERIES[2][1], 1.5, 13.5)
    assert bar_of_row(loaded.barcode, row) == 2
    assert mark_bar(loaded, 2).death_voxel == (32, 32, 0)
    loaded.show_sample(4)
    assert loaded.plots.persistence.GetTitle().startswith("Diagram of sample 4")
    assert again.scene.GetNumberOfNodes() == before
    loaded.show_plot(persistence=False)
    assert view.GetPlotChartNodeID() == loaded.barcode.GetID()


def test_a_scene_of_before_there_were_diagrams_gets_one(headless: HeadlessSlicer, nodes: SynthesisNodes) -> None:
    chart = nodes.plots.persistence
    table = background_table(chart)
    own = [chart.GetNthPlotSeriesNode(n) for n in range(chart.GetNumberOfPlotSeriesNodes())]
    for node in (chart, *own, table):
        headless.scene.RemoveNode(node)
    columns = barcode_table(nodes.barcode).GetTable()
    for name in (*map(point_column, (CHOSEN, *SERIES[2], SHORT)), "point (mm)", REAL_VALUE, REAL_MOST, REAL_HALF):
        columns.RemoveColumnByName(name)
    assert (nodes.plots.persistence, nodes.plots.shown) == (None, nodes.barcode)
    mark_bar(nodes, 2)
    nodes.show_plot(persistence=True)
    assert nodes.plots.shown.GetTitle() == "Diagram of sample 0 (b0 = 1, b1 = 1)"
    mark_bar(nodes, 2)
    assert _points(nodes, CHOSEN) == [[0, 12.0]]
    before = headless.scene.GetNumberOfNodes()
    nodes.show_sample(4)
    assert headless.scene.GetNumberOfNodes() == before


def test_removing_takes_both_plots(headless: HeadlessSlicer, compared: SynthesisNodes) -> None:
    mark_bar(compared, 1)
    compared.remove()
    for kind in ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode"):
        assert headless.scene.GetNumberOfNodesByClass(kind) == 0


def _near(picture: np.ndarray, color: tuple[float, ...]) -> np.ndarray:
    return (np.abs(picture - 255.0 * np.array(color)) < 40).all(axis=2)


def test_what_is_chosen_is_seen_in_a_small_view(compared: SynthesisNodes) -> None:
    mark_bar(compared, 2)
    yellow, vermilion = (240 / 255, 228 / 255, 66 / 255), (213 / 255, 94 / 255, 0.0)
    diagram, barcode = (
        draw_chart(chart, 500, 300)[:, :300] for chart in (compared.plots.persistence, compared.barcode)
    )
    for left in (diagram, barcode):
        assert _near(left, yellow).sum() > 100
        assert _near(left, vermilion).sum() > 30
    assert _near(diagram, (0.94, 0.75, 0.6)).sum() > 200, "the outlines of real points"
