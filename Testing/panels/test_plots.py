"""The curves of runs as charts: what is in them, and that nodes are made once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from TopoGANLib.engine.history import Curve, History

if TYPE_CHECKING:
    from standin import StandIn

CLASSES = ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode")


def curve(steps: list[float], values: list[float]) -> Curve:
    return Curve(np.array(steps, float), np.array(values, float))


def history(points: int = 100, textures: bool = True) -> History:
    """As of a run of ``points`` steps of masks and a tenth of it of textures."""
    steps = np.arange(1.0, points + 1)
    previews = steps[9::10]
    curves = {
        "masks/loss_discriminator": Curve(steps, 1.6 * np.exp(-steps / 50)),
        "masks/loss_generator": Curve(steps, 0.7 + steps / 100),
        "masks/penalty": curve([1, 17], [2.7, 0.5]),
        "masks/quick_valid": Curve(previews, np.linspace(10, 90, len(previews))),
        "masks/quick_betti_error": Curve(previews, np.linspace(0.9, 0.1, len(previews))),
        "masks/force_adversarial": Curve(steps[::2], np.full(len(steps[::2]), 0.5)),
        "masks/force_topology": Curve(steps[::2], np.full(len(steps[::2]), 0.25)),
        "masks/lambda": Curve(steps[::2], np.full(len(steps[::2]), 1.0)),
    }
    if textures:
        later = steps[: points // 10]
        curves |= {
            "textures/loss_discriminator": Curve(later, 0 * later + 1.1),
            "textures/loss_generator": Curve(later, 0 * later + 1.3),
            "textures/difference": Curve(later, 0 * later + 0.6),
        }
    return History(curves)


def charts(scene: Any) -> dict[str, Any]:
    nodes = (scene.GetNthNodeByClass(n, CLASSES[0]) for n in range(scene.GetNumberOfNodesByClass(CLASSES[0])))
    return {node.GetAttribute("TopoGAN.plot"): node for node in nodes}


def legend(chart: Any) -> list[str]:
    return [chart.GetNthPlotSeriesNode(n).GetName() for n in range(chart.GetNumberOfPlotSeriesNodes())]


def points(series: Any) -> tuple[np.ndarray, np.ndarray]:
    import slicer

    columns = (series.GetXColumnName(), series.GetYColumnName())
    steps, values = (np.array(slicer.util.arrayFromTableColumn(series.GetTableNode(), name)) for name in columns)
    return steps, values


@pytest.fixture
def scene(application: StandIn) -> Any:
    import slicer

    return slicer.mrmlScene


@pytest.fixture
def plots(scene: Any) -> Any:
    from TopoGANTrainLib.run.plots import TrainingPlots

    return TrainingPlots(scene)


def test_what_is_in_the_charts(scene: Any, plots: Any) -> None:
    assert not plots.there
    plots.show([("Ring-1", history())])
    assert plots.there
    found = charts(scene)
    assert legend(found["losses"]) == [
        "masks: discriminator",
        "masks: generator",
        "textures: discriminator",
        "textures: generator",
        "textures: difference",
    ]
    assert legend(found["topology"]) == ["valid samples", "Betti error"]
    assert legend(found["gradients"]) == ["topology"], "a loss that does not act has no line"
    assert found["losses"].GetTitle() == "Losses: Ring-1"
    steps, values = points(found["topology"].GetNthPlotSeriesNode(0))
    assert steps.tolist() == list(range(10, 101, 10))
    assert values[[0, -1]].tolist() == [0.1, 0.9], "a share, not per cent, as the error is"
    assert np.allclose(points(found["gradients"].GetNthPlotSeriesNode(0))[1], 0.5), "λ · 0.25 / 0.5"


def test_textures_come_after_masks(scene: Any, plots: Any) -> None:
    plots.show([("Ring-1", history())])
    chart = charts(scene)["losses"]
    steps, values = points(chart.GetNthPlotSeriesNode(2))
    shown = np.isfinite(values)
    assert steps[shown].tolist() == list(range(101, 111))
    assert chart.GetXAxisRange() == (0, 110)


def test_no_step_is_nan_because_picking_sorts_by_it(scene: Any, plots: Any) -> None:
    broken = history()
    broken.curves["masks/loss_generator"].values[[3, 50]] = np.nan
    plots.show([("Ring-1", broken)])
    for chart in charts(scene).values():
        for number in range(chart.GetNumberOfPlotSeriesNodes()):
            steps, values = points(chart.GetNthPlotSeriesNode(number))
            assert np.isfinite(steps).all()
            assert np.isfinite(values).any()
            low, high = chart.GetYAxisRange()
            assert low < high
            assert np.nanmax(values) < high


def test_no_node_is_added_once_they_are_there(scene: Any, plots: Any) -> None:
    import vtk

    plots.show([("Ring-1", history(20))])
    nodes = scene.GetNumberOfNodes()
    told: list[int] = []
    chart = charts(scene)["losses"]
    chart.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: told.append(1))
    for steps in range(21, 40):
        plots.show([("Ring-1", history(steps))])
    assert scene.GetNumberOfNodes() == nodes
    assert len(told) == 19, "a view draws once each time"
    assert points(chart.GetNthPlotSeriesNode(0))[0][-1] == 39


def test_two_runs_share_a_chart(scene: Any, plots: Any) -> None:
    plots.show([("Ring-1", history()), ("Ring-2", history(60, textures=False))])
    chart = charts(scene)["losses"]
    assert legend(chart)[:2] == ["masks: discriminator, Ring-1", "masks: generator, Ring-1"]
    assert legend(chart)[5:] == ["masks: discriminator, Ring-2", "masks: generator, Ring-2"]
    assert chart.GetTitle() == "Losses: Ring-1 and Ring-2"
    first, second = chart.GetNthPlotSeriesNode(0), chart.GetNthPlotSeriesNode(5)
    assert (first.GetLineStyle(), second.GetLineStyle()) == (first.LineStyleSolid, first.LineStyleDash)
    assert np.argmax(first.GetColor()) == np.argmax(second.GetColor()), "of one family"
    assert sum(second.GetColor()) > sum(first.GetColor())
    nodes = scene.GetNumberOfNodes()
    plots.show([("Ring-1", history())])
    assert legend(chart)[0] == "masks: discriminator"
    assert chart.GetNumberOfPlotSeriesNodes() == 5
    plots.show([("Ring-1", history()), ("Ring-3", history(60))])
    assert scene.GetNumberOfNodes() == nodes + 3, "the second run's textures alone are new"
    assert legend(chart)[5] == "masks: discriminator, Ring-3"


def test_a_run_without_points_yet(scene: Any, plots: Any) -> None:
    plots.show([("Ring-1", History({}))])
    for chart in charts(scene).values():
        assert chart.GetNumberOfPlotSeriesNodes() == 0
        assert chart.GetXAxisRange()[0] < chart.GetXAxisRange()[1]


def test_they_are_found_again_after_a_reload(scene: Any, plots: Any) -> None:
    from TopoGANTrainLib.run.plots import TrainingPlots

    plots.show([("Ring-1", history())])
    nodes = scene.GetNumberOfNodes()
    plots.close()
    again = TrainingPlots(scene)
    assert again.there
    again.show([("Ring-1", history(50))])
    assert scene.GetNumberOfNodes() == nodes


@pytest.mark.parametrize("wanted", [False, True])
def test_a_saved_scene(scene: Any, plots: Any, tmp_path: Path, wanted: bool) -> None:
    """Without them, unless somebody wants them there; then they are found again and go on."""
    from TopoGANLib.headless.application import load_scene, save_scene

    plots.show([("Ring-1", history())])
    before = [scene.GetNumberOfNodesByClass(kind) for kind in CLASSES]
    if wanted:
        for kind in CLASSES:
            for number in range(scene.GetNumberOfNodesByClass(kind)):
                scene.GetNthNodeByClass(number, kind).SetSaveWithScene(True)
    save_scene(scene, tmp_path / "scene.mrb")
    scene.Clear(False)
    assert not plots.there
    load_scene(scene, tmp_path / "scene.mrb")
    assert plots.there == wanted
    assert [scene.GetNumberOfNodesByClass(kind) for kind in CLASSES] == (before if wanted else [0, 0, 0])
    plots.show([("Ring-1", history(50))])
    assert [scene.GetNumberOfNodesByClass(kind) for kind in CLASSES] == before
    assert points(charts(scene)["losses"].GetNthPlotSeriesNode(0))[0][-1] == 50


def test_what_the_user_has_deleted_is_made_anew(scene: Any, plots: Any) -> None:
    plots.show([("Ring-1", history())])
    nodes = scene.GetNumberOfNodes()
    scene.RemoveNode(scene.GetFirstNodeByClass("vtkMRMLTableNode"))
    scene.RemoveNode(charts(scene)["topology"].GetNthPlotSeriesNode(1))
    scene.RemoveNode(charts(scene)["gradients"])
    plots.show([("Ring-1", history())])
    assert scene.GetNumberOfNodes() == nodes
    assert len(points(charts(scene)["losses"].GetNthPlotSeriesNode(0))[0]) == 100


def test_the_layout_changes_on_a_click_only(scene: Any, plots: Any, application: StandIn) -> None:
    import slicer

    layout = scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    layout.SetViewArrangement(layout.SlicerLayoutConventionalView)
    selection = slicer.app.applicationLogic().GetSelectionNode()
    plots.show([("Ring-1", history())])
    plots.change("topology")
    assert layout.GetViewArrangement() == layout.SlicerLayoutConventionalView
    assert not plots.presented
    plots.present("losses")
    assert layout.GetViewArrangement() == layout.SlicerLayoutConventionalPlotView
    assert selection.GetActivePlotChartID() == charts(scene)["losses"].GetID()
    assert plots.presented
    layout.SetViewArrangement(layout.SlicerLayoutOneUpPlotView)
    plots.change("topology")
    assert selection.GetActivePlotChartID() == charts(scene)["topology"].GetID()
    plots.present("gradients")
    assert layout.GetViewArrangement() == layout.SlicerLayoutOneUpPlotView, "it has a plot already"
