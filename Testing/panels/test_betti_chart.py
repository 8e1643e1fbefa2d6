"""The bars of Betti numbers in a plot view: real MRML, made once and filled in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from train_bench import ready

if TYPE_CHECKING:
    from bench import Bench


def regions(*names: str, many: int = 2) -> list[Any]:
    from TopoGANTrainLib.check.data_check import RegionRow

    topologies = tuple((f"{number},0", 100 - number) for number in range(many))
    return [RegionRow(name, (1.0, 0.5, 0.0), topologies) for name in names]


def test_bars(application: Any) -> None:
    from TopoGANTrainLib.check.betti_chart import bars
    from TopoGANTrainLib.check.data_check import RegionRow

    blood = RegionRow("Blood", (1, 0, 0), (("1,0", 9), ("2,0", 1)))
    wall = RegionRow("Wall", (1, 0, 0), (("1,1", 7), ("1,0", 3)))
    names, counts = bars([blood, wall])
    assert names == ["1,0", "1,1", "2,0"]
    assert counts.tolist() == [[9, 0, 1], [3, 7, 0]]
    names, counts = bars(regions("Blood", many=12))
    assert names[-1] == "others" and len(names) == 9
    assert counts.sum() == sum(100 - number for number in range(12))
    names, counts = bars([])
    assert names == [] and counts.shape == (0, 0)


def test_the_chart_is_made_once(application: Any) -> None:
    import slicer

    from TopoGANTrainLib.check.betti_chart import BettiChart

    scene = slicer.mrmlScene
    chart = BettiChart(scene).show(regions("Blood", "Wall"))
    assert chart.GetNumberOfPlotSeriesNodes() == 2
    series = chart.GetNthPlotSeriesNode(1)
    assert (series.GetName(), series.GetPlotType()) == ("Wall", slicer.vtkMRMLPlotSeriesNode.PlotTypeBar)
    assert np.allclose(series.GetColor(), (1.0, 0.5, 0.0))
    table = series.GetTableNode().GetTable()
    assert table.GetColumnByName(series.GetLabelColumnName()).GetValue(0) == "0,0"
    assert table.GetColumnByName(series.GetYColumnName()).GetValue(1) == 99
    assert chart.GetXAxisTitle() == "Betti numbers: 0 = 0,0; 1 = 1,0"
    made = scene.GetNumberOfNodes()
    assert BettiChart(scene).show(regions("Aorta", many=3), "volume") is chart
    assert scene.GetNumberOfNodes() == made, "filled in place"
    assert chart.GetNumberOfPlotSeriesNodes() == 1
    assert chart.GetNthPlotSeriesNode(0).GetName() == "Aorta"
    assert chart.GetYAxisTitle() == "volumes"
    scene.Clear(False)
    assert BettiChart(scene).show(regions("Blood")).GetScene() is scene


def test_a_click_shows_it(bench: Bench, scene: Any) -> None:
    import slicer
    from test_data_check import checked

    widget = ready(bench)
    checked(bench, widget)
    widget.ui.checkPlotButton.click()
    (chart,) = slicer.util.getNodesByClass("vtkMRMLPlotChartNode")
    assert chart.GetNthPlotSeriesNode(0).GetName() == "Blood"
    assert chart.GetTitle() == "Topology of the real samples"
    assert slicer.app.applicationLogic().GetSelectionNode().GetActivePlotChartID() == chart.GetID()
