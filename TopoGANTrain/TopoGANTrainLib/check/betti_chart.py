"""Which topologies the real samples have, as bars in a plot view: a bar for each topology and structure.

Slicer's charts cannot write words under bars, so the axis numbers the topologies and its title says what they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import slicer
from slicer.i18n import tr as _

from TopoGANLib.scene.tables import add_table, set_table
from TopoGANTrainLib.check.data_check import RegionRow

_NAME = "TopoGAN Betti numbers"
_MARK = "TopoGAN.bettiChart"
_SERIES = "TopoGAN.bettiSeries"
_TOPOLOGY = "topology"
_MOST_BARS = 8
"""More topologies than that are counted together."""


class BettiChart:
    """One chart of a scene, made when it is first shown, and filled in place from then on.

    Usage::

        chart = BettiChart(slicer.mrmlScene)
        chart.show(check.regions)
    """

    def __init__(self, scene: slicer.vtkMRMLScene) -> None:
        self._scene = scene

    def show(self, regions: Sequence[RegionRow], noun: str = "slice") -> slicer.vtkMRMLPlotChartNode:
        """Fill the chart, and return it.

        Args:
            regions: what to count.
            noun: what is counted, ``"slice"`` or ``"volume"``.
        """
        chart = self._find() or self._make()
        names, counts = bars(regions)
        table = chart.GetNodeReference(_MARK)
        set_table(table, {_TOPOLOGY: names, **{f"{row}": column for row, column in enumerate(counts)}})
        with slicer.util.NodeModify(chart):
            chart.RemoveAllPlotSeriesNodeIDs()
            for row, region in enumerate(regions):
                chart.AddAndObservePlotSeriesNodeID(self._series(chart, table, row, region).GetID())
            listed = "; ".join(f"{number} = {name}" for number, name in enumerate(names))
            chart.SetXAxisTitle(_("Betti numbers: {listed}").format(listed=listed))
            chart.SetYAxisTitle(_("slices") if noun == "slice" else _("volumes"))
            chart.SetTitle(_("Topology of the real samples"))
        return chart

    def _find(self) -> slicer.vtkMRMLPlotChartNode | None:
        """That of this panel, or of a scene that was loaded."""
        charts = slicer.util.getNodesByClass("vtkMRMLPlotChartNode", self._scene)
        return next((chart for chart in charts if chart.GetNodeReference(_MARK) is not None), None)

    def _make(self) -> slicer.vtkMRMLPlotChartNode:
        chart = self._scene.AddNewNodeByClass("vtkMRMLPlotChartNode", self._scene.GenerateUniqueName(_NAME))
        table = add_table(self._scene, f"{_NAME} table", {})
        chart.SetNodeReferenceID(_MARK, table.GetID())
        return chart

    def _series(
        self, chart: slicer.vtkMRMLPlotChartNode, table: slicer.vtkMRMLTableNode, row: int, region: RegionRow
    ) -> slicer.vtkMRMLPlotSeriesNode:
        series = chart.GetNthNodeReference(_SERIES, row)
        if series is None:
            series = self._scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode")
            chart.SetNthNodeReferenceID(_SERIES, row, series.GetID())
        series.SetName(region.name)  # not made unique: the legend shows it
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeBar)
        series.SetYColumnName(f"{row}")
        series.SetLabelColumnName(_TOPOLOGY)
        series.SetColor(*region.color)
        return series


def bars(regions: Sequence[RegionRow]) -> tuple[list[str], np.ndarray]:
    """The topologies of all regions, the most frequent first, and how often each region has them.

    Returns:
        Names of at most 9 bars, of which the last may be "others"; counts [regions, bars], int32.
    """
    total: dict[str, int] = {}
    for region in regions:
        for name, count in region.topologies:
            total[name] = total.get(name, 0) + count
    order = sorted(total, key=lambda name: (-total[name], name))
    names, others = order[:_MOST_BARS], set(order[_MOST_BARS:])
    columns = [[dict(region.topologies).get(name, 0) for name in names] for region in regions]
    if others:
        names = [*names, _("others")]
        for column, region in zip(columns, regions, strict=True):
            column.append(sum(count for name, count in region.topologies if name in others))
    return names, np.array(columns, np.int32).reshape(len(regions), len(names))
