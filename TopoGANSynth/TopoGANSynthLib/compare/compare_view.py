"""What a comparison with real data has found: the table, the plots, each sample's rank, and the nearest training image.

All of it is read from the scene, so that a loaded one shows the same.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
import slicer
from slicer.i18n import tr as _

from TopoGANLib.forms.connections import Connections
from TopoGANSynthLib.compare.compare_table import CompareTable

if TYPE_CHECKING:
    from topogan_contract.comparison import Comparison
    from TopoGANLib.scene.nodes import SynthesisNodes
    from TopoGANSynthLib.compare.compare_nodes import ComparisonNodes
    from TopoGANSynthLib.compare.comparing import Compared


class CompareView:
    """Works with the widgets in ``compareResults`` of ``TopoGANSynthCompare.ui``."""

    def __init__(self, ui: Any, chosen: Callable[[], SynthesisNodes | None]) -> None:
        """Show what the scene holds.

        Args:
            ui: the forms' widgets by name.
            chosen: the synthesis that is looked at.
        """
        self._ui, self._chosen = ui, chosen
        self._table = CompareTable(ui.compareTable)
        # What the scene holds of the chosen synthesis, as long as its text is the same.
        self._read: tuple[Any, int, Comparison | None] | None = None
        # The pages of this session, by the name that the scene knows them by.
        self._pages: dict[str, Path] = {}
        # Of the charts: the text, its state and the region that they show.
        self._drawn: tuple[Any, int, int] | None = None
        # The order that was last stepped through, True from the most real on, and the sample that it led to.
        self._went: tuple[bool, int] | None = None
        self._showing = False
        self._connections = Connections()
        add = self._connections.add
        add(ui.compareTopologyButton, "clicked()", self._show_topologies)
        add(ui.compareSizesButton, "clicked()", self._show_sizes)
        add(ui.compareReportButton, "clicked()", self._open_page)
        add(ui.mostRealButton, "clicked()", self._to_most_real)
        add(ui.leastRealButton, "clicked()", self._to_least_real)
        add(ui.compareNearestButton, "toggled(bool)", self._show_nearest)
        # After the part that shows the sample.
        add(ui.sampleSlider, "valueChanged(double)", self.refresh)
        add(ui.regionComboBox, "currentIndexChanged(int)", self.refresh)
        add(ui.synthesisComboBox, "currentIndexChanged(int)", self.refresh)

    def add(self, nodes: SynthesisNodes, compared: Compared) -> ComparisonNodes:
        """Put a new comparison into the scene, where :meth:`refresh` finds it."""
        from TopoGANSynthLib.compare.compare_nodes import ComparisonNodes

        found = ComparisonNodes.add(nodes, compared)
        self._pages[found.page_name] = compared.page
        return found

    def refresh(self) -> None:
        """Show what is so now."""
        ui, (nodes, found, comparison) = self._ui, self._look()
        ui.compareResults.visible = comparison is not None
        if nodes is None or found is None or comparison is None:
            return
        ui.compareConclusionLabel.text = comparison.conclusion
        ui.compareWarningLabel.text = "\n".join(f"⚠ {warning}" for warning in comparison.warnings)
        ui.compareWarningLabel.visible = bool(comparison.warnings)
        self._table.show(comparison)
        self._draw(nodes, found, comparison)
        ui.compareReportButton.visible = found.page_name in self._pages
        found.keep_shown(nodes, slicer.app.applicationLogic())
        self._showing = True
        ui.compareNearestButton.visible = found.image is not None
        ui.compareNearestButton.checked = found.wanted
        self._showing = False
        found.follow(nodes.chosen_sample)
        ui.compareNearestLabel.text = sample_words(comparison, nodes.chosen_sample)

    def close(self) -> None:
        """Let go of the widgets, and remove the pages of this session."""
        self._connections.close()
        while self._pages:
            self._pages.popitem()[1].unlink(missing_ok=True)

    def _look(self) -> tuple[SynthesisNodes | None, ComparisonNodes | None, Comparison | None]:
        """The synthesis, its comparison in the scene, and what that says; None where there is none, or nonsense."""
        nodes = self._chosen()
        # Nothing of MRML's tables and charts is loaded as long as there is no comparison.
        if nodes is None or not slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLTextNode"):
            return nodes, None, None
        from TopoGANSynthLib.compare.compare_nodes import ComparisonNodes

        found = ComparisonNodes.find(nodes)
        if found is None:
            return nodes, None, None
        state = found.text.GetMTime()
        if self._read is None or self._read[:2] != (found.text, state):
            try:
                comparison = found.read()
            except ValueError:
                comparison = None
            fits = comparison is not None and len(comparison.samples) == nodes.count
            # Not their names, the longest of which are cut in one of the two.
            fits = fits and len(comparison.regions) == len(nodes.regions)
            self._read = found.text, state, comparison if fits else None
        return nodes, found, self._read[2]

    def _draw(self, nodes: SynthesisNodes, found: ComparisonNodes, comparison: Comparison) -> None:
        drawn = found.text, found.text.GetMTime(), nodes.shown_region
        if drawn == self._drawn:
            return
        from TopoGANSynthLib.compare.compare_charts import fill_sizes, fill_topologies

        fill_topologies(found.topology, comparison, nodes.shown_region)
        fill_sizes(found.sizes, comparison, nodes.shown_region)
        self._drawn = drawn

    def _show_topologies(self) -> None:
        _nodes, found, _comparison = self._look()
        if found is not None:
            _show_chart(found.topology)

    def _show_sizes(self) -> None:
        _nodes, found, _comparison = self._look()
        if found is not None:
            _show_chart(found.sizes)

    def _open_page(self) -> None:
        _nodes, found, _comparison = self._look()
        page = None if found is None else self._pages.get(found.page_name)
        if page is not None:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(page)))

    def _to_most_real(self) -> None:
        self._step(True)

    def _to_least_real(self) -> None:
        self._step(False)

    def _step(self, most: bool) -> None:
        """Go to the end of the order, or on from the sample that the last click led to."""
        nodes, _found, comparison = self._look()
        if nodes is None or comparison is None:
            return
        order = comparison.order if most else comparison.order[::-1]
        on = self._went == (most, nodes.chosen_sample)
        sample = order[(order.index(nodes.chosen_sample) + 1) % len(order)] if on else order[0]
        self._went = most, sample
        self._ui.sampleSlider.value = float(sample)

    def _show_nearest(self) -> None:
        nodes, found, _comparison = self._look()
        if self._showing or nodes is None or found is None:
            return
        found.show(nodes, self._ui.compareNearestButton.checked, slicer.app.applicationLogic())
        self.refresh()


def sample_words(comparison: Comparison, sample: int) -> str:
    """Rank and verdict of a sample, and how much it resembles what was trained on, or what it is compared with."""
    row, count = comparison.samples[sample], len(comparison.samples)
    sentence = {
        (2, False): _(
            "Rank {rank} of {count}: {verdict}. Dice to the nearest training slice {dice} "
            "(held-out slices: {held_out})."
        ),
        (3, False): _(
            "Rank {rank} of {count}: {verdict}. Dice to the nearest training volume {dice} "
            "(held-out volumes: {held_out})."
        ),
        (2, True): _("Rank {rank} of {count}: {verdict}. Dice to the nearest real slice {dice}."),
        (3, True): _("Rank {rank} of {count}: {verdict}. Dice to the nearest real volume {dice}."),
    }[comparison.axes, comparison.foreign]
    held_out = f"{comparison.held_out_mean:.2f} ± {comparison.held_out_deviation:.2f}"
    dice = f"{row.dice_to_training:.2f}"
    return sentence.format(rank=row.rank, count=count, verdict=row.verdict, dice=dice, held_out=held_out)


def _show_chart(chart: slicer.vtkMRMLPlotChartNode) -> None:
    from TopoGANLib.scene.views import show_chart

    show_chart(chart, slicer.app.applicationLogic())
