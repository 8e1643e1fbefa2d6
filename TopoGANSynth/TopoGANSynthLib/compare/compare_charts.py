"""The charts of a comparison, in Slicer's plot view: topologies as bars, sizes as curves, of one region at a time.

Each is made once, with a table and two series, and filled in place when another region is chosen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from topogan_contract.comparison import QUANTILES, Comparison, RegionFigures
from TopoGANLib.scene.charts import COLORS, add_chart, add_series
from TopoGANLib.scene.tables import add_table, set_table

_TABLE, _SERIES = "TopoGAN.table", "TopoGAN.series"
_TOPOLOGY, _SHARE = "topology", "share (%)"
_OWN, _REAL = "samples", "real"
# Blue and orange of Okabe and Ito, as in the report; of different brightness, too.
_COLORS = {_OWN: COLORS[0], _REAL: (230 / 255, 159 / 255, 0.0)}
_LINE_WIDTH = 2
_MOST_BARS = 8
# In %: above the curves the legend lies over the chart.
_HIGHEST = 120.0


def add_charts(
    scene: slicer.vtkMRMLScene, name: str
) -> tuple[slicer.vtkMRMLPlotChartNode, slicer.vtkMRMLPlotChartNode]:
    """Add both, empty: topologies, and sizes."""
    return _add_chart(scene, f"{name} topologies"), _add_chart(scene, f"{name} sizes")


def fill_topologies(chart: slicer.vtkMRMLPlotChartNode, comparison: Comparison, number: int) -> None:
    """Show how often samples and real ones have which Betti numbers; the rarest are counted together.

    Slicer's charts cannot write words under bars: the axis numbers them, and its title says what they are.

    Args:
        chart: from :func:`add_charts`.
        comparison: what was found.
        number: of the region.
    """
    region = comparison.regions[number]
    names, shares = bars(region)
    with slicer.util.NodeModify(chart):
        set_table(chart.GetNodeReference(_TABLE), {_TOPOLOGY: names, **dict(zip(_COLORS, 100 * shares, strict=True))})
        for series in _series(chart, tuple(_COLORS)):
            series.SetPlotType(series.PlotTypeBar)
            series.SetLabelColumnName(_TOPOLOGY)
        counted = _("Pieces, holes") if comparison.axes == 2 else _("Pieces, tunnels, cavities")
        listed = "; ".join(f"{place} = {name}" for place, name in enumerate(names))
        chart.SetXAxisTitle(f"{counted}: {listed}")
        # From whole number to whole number, or the ticks would stand between the bars.
        chart.SetXAxisRange(-1.0, float(len(names)))
        chart.SetYAxisTitle(_("slices (%)") if comparison.axes == 2 else _("volumes (%)"))
        chart.SetTitle(_("Topology of {region}").format(region=region.name))


def fill_sizes(chart: slicer.vtkMRMLPlotChartNode, comparison: Comparison, number: int) -> None:
    """Show what share of samples and of real ones is at most so large, of those that show the region.

    Args:
        chart: from :func:`add_charts`.
        comparison: what was found.
        number: of the region.
    """
    region = comparison.regions[number]
    sizes = {_OWN: region.samples, _REAL: region.real}
    there = tuple(name for name, values in sizes.items() if values)
    with slicer.util.NodeModify(chart):
        columns = {name: np.array(sizes[name]) for name in there}
        set_table(chart.GetNodeReference(_TABLE), {**columns, _SHARE: 100 * np.array(QUANTILES)})
        for name, series in zip(there, _series(chart, there), strict=True):
            series.SetPlotType(series.PlotTypeScatter)
            series.SetXColumnName(name)
            series.SetYColumnName(_SHARE)
            series.SetLineStyle(series.LineStyleSolid if name == _OWN else series.LineStyleDash)
        every = [size for values in sizes.values() for size in values] or [0.0, 1.0]
        chart.SetXAxisRange(min(every), max(every) + (min(every) == max(every)))
        title = _("Area of {region}") if comparison.axes == 2 else _("Volume of {region}")
        what = _("area") if comparison.axes == 2 else _("volume")
        chart.SetXAxisTitle(f"{what} ({comparison.unit})")
        chart.SetYAxisTitle(_("at most so large (%)"))
        chart.SetTitle(title.format(region=region.name))


def bars(region: RegionFigures) -> tuple[list[str], np.ndarray]:
    """Topologies, of which the last may be "others", and their shares: [2, bars], of samples and of real ones."""
    names = [name for name, _own, _real in region.topologies[:_MOST_BARS]]
    shares = np.array([shares for _name, *shares in region.topologies]).reshape(-1, 2)
    # Also those that the file has no row for.
    others = 1.0 - shares[:_MOST_BARS].sum(axis=0)
    if (others > 0.0005).any():
        return [*names, _("others")], np.vstack([shares[:_MOST_BARS], others.clip(0, 1)]).T
    return names, shares.T


def _add_chart(scene: slicer.vtkMRMLScene, name: str) -> slicer.vtkMRMLPlotChartNode:
    chart = add_chart(scene, name, "", "")
    chart.SetYAxisRange(0.0, _HIGHEST)
    table = add_table(scene, f"{name} table", {})
    chart.SetNodeReferenceID(_TABLE, table.GetID())
    labels = {_OWN: _("samples"), _REAL: _("real, held out")}
    for number, (column, color) in enumerate(_COLORS.items()):
        series = add_series(chart, table, labels[column], color, _LINE_WIDTH, _SHARE, column)
        chart.SetNthNodeReferenceID(_SERIES, number, series.GetID())
    return chart


def _series(chart: slicer.vtkMRMLPlotChartNode, names: tuple[str, ...]) -> list[Any]:
    """The series of these sets, which the chart then shows, and no others."""
    every = [chart.GetNthNodeReference(_SERIES, number) for number in range(len(_COLORS))]
    shown = [series for name, series in zip(_COLORS, every, strict=True) if name in names]
    identifiers = [series.GetID() for series in shown]
    if identifiers != [chart.GetNthPlotSeriesNodeID(n) for n in range(chart.GetNumberOfPlotSeriesNodes())]:
        chart.RemoveAllPlotSeriesNodeIDs()
        for identifier in identifiers:
            chart.AddAndObservePlotSeriesNodeID(identifier)
    return shown
