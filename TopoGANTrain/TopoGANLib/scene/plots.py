"""The two plots of the shown sample, and what the scene remembers of them."""

from __future__ import annotations

import json
from collections.abc import Sequence

import slicer

from topogan_contract.real_bars import RealBars, from_json, to_json
from TopoGANLib.scene.barcode import barcode_table, show_barcode
from TopoGANLib.scene.diagrams import Diagram
from TopoGANLib.scene.persistence_diagram import add_persistence_diagram, background_table, show_persistence_diagram

_REAL = "TopoGAN.real"
_PERSISTENCE = "TopoGAN.persistence"
_SHOWS_PERSISTENCE = "TopoGAN.showsPersistence"


class SamplePlots:
    """The barcode and the persistence diagram; ``nodes.plots`` of a synthesis.

    Usage::

        nodes.show_plot(persistence=True)
        nodes.plots.shown.GetTitle()
    """

    def __init__(
        self, keeper: slicer.vtkMRMLNode, barcode: slicer.vtkMRMLPlotChartNode, axes: int, regions: int
    ) -> None:
        """Look at nodes that are there.

        Args:
            keeper: knows the other nodes of the synthesis, and remembers.
            barcode: from :func:`TopoGANLib.scene.barcode.add_barcode`.
            axes: 2 for slices, 3 for volumes.
            regions: how many there are.
        """
        self.barcode = barcode
        self._keeper, self._axes, self._regions = keeper, axes, regions

    @property
    def persistence(self) -> slicer.vtkMRMLPlotChartNode | None:
        """The persistence diagram; None in an older scene until a sample is shown again."""
        return self._keeper.GetNodeReference(_PERSISTENCE)

    @property
    def shows_persistence(self) -> bool:
        """Whether views have the persistence diagram and not the barcode."""
        return self._keeper.GetAttribute(_SHOWS_PERSISTENCE) == "yes"

    @property
    def shown(self) -> slicer.vtkMRMLPlotChartNode:
        """The one that views have."""
        return (self.persistence if self.shows_persistence else None) or self.barcode

    @property
    def nodes(self) -> list[slicer.vtkMRMLNode]:
        """Charts, series and tables."""
        charts, tables = [self.barcode], [barcode_table(self.barcode)]
        if self.persistence is not None:
            charts.append(self.persistence)
            tables.append(background_table(self.persistence))
        series = [chart.GetNthPlotSeriesNode(n) for chart in charts for n in range(chart.GetNumberOfPlotSeriesNodes())]
        return [*charts, *series, *tables]

    def switch(self, persistence: bool) -> None:
        """Let every view that has one of the two have the persistence diagram, or the barcode."""
        both = self.barcode, self.persistence
        self._keeper.SetAttribute(_SHOWS_PERSISTENCE, "yes" if persistence else None)
        scene = self.barcode.GetScene()
        for view in slicer.util.getNodesByClass("vtkMRMLPlotViewNode", scene):
            chart = scene.GetNodeByID(view.GetPlotChartNodeID() or "")
            if chart is not None and chart in both:
                view.SetPlotChartNodeID(self.shown.GetID())

    def show(self, diagram: Diagram, sample: int, region: int, caption: str, longest: float, pixel: float) -> None:
        """Put a sample's bars into both; a node is added only where an older scene has no persistence diagram.

        Args:
            diagram: births and deaths in mm.
            sample: its number.
            region: which is shown.
            caption: for the titles.
            longest: mm, greatest finite death of all samples.
            pixel: mm.
        """
        real = self._real()
        longest = max(longest, *(0.0 if one is None else one.longest for one in real))
        show_barcode(self.barcode, diagram, sample, f"Barcode of {caption}", longest, pixel, real[region])
        chart = self.persistence or self._add_persistence(known=any(real))
        show_persistence_diagram(chart, f"Diagram of {caption}", longest, real[region], self._axes)

    def keep_real(self, real: Sequence[RealBars | None]) -> None:
        """Let the scene remember how bars of real masks are, region by region."""
        known = [None if one is None else to_json(one) for one in real]
        self._keeper.SetAttribute(_REAL, json.dumps(known, separators=(",", ":")) if any(known) else None)

    def real(self, region: int) -> RealBars | None:
        """How bars of real masks are in a region; None where the model did not know."""
        return self._real()[region]

    def _add_persistence(self, known: bool) -> slicer.vtkMRMLPlotChartNode:
        name = self.barcode.GetName().replace("barcode", "persistence diagram")
        chart = add_persistence_diagram(self.barcode.GetScene(), name, self.barcode, self._axes, known)
        self._keeper.SetNodeReferenceID(_PERSISTENCE, chart.GetID())
        return chart

    def _real(self) -> list[RealBars | None]:
        """Of each region; a scene may be a stranger's."""
        try:
            said = json.loads(self._keeper.GetAttribute(_REAL) or "null")
            found = [None if one is None else from_json(one, self._axes) for one in said or ()]
        except (ValueError, TypeError, RecursionError):
            found = []
        return found if len(found) == self._regions else [None] * self._regions
