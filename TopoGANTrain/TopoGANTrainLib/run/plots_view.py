"""The plots' place in the panel: which chart, the click that shows it, and the newest figures in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from TopoGANLib.engine.history import History
from TopoGANLib.forms.connections import Connections
from TopoGANTrainLib.run.history_feed import HistoryFeed
from TopoGANTrainLib.run.plot_lines import CHARTS, chart_title
from TopoGANTrainLib.run.plots import TrainingPlots

_TICK_MILLISECONDS = 100


class PlotsView:
    """Works with ``plotComboBox``, ``showPlotsButton`` and ``figuresLabel``.

    The scene gets no node before the user asks for a plot.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._plots = TrainingPlots(slicer.mrmlScene)
        self._feed = HistoryFeed()
        self._run: Path | None = None
        self._compared: list[Path] = []
        # Goes on when the training's own ticks have ended, until the last curves are read.
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK_MILLISECONDS)
        for chart in CHARTS:
            ui.plotComboBox.addItem(chart_title(chart))
        self._connections = Connections()
        self._connections.add(self._timer, "timeout()", self._tick)
        self._connections.add(ui.showPlotsButton, "clicked()", self._show)
        self._connections.add(ui.plotComboBox, "currentIndexChanged(int)", self._change)

    def follow(self, run: Path | None) -> None:
        """Look how the curves of a run are now; None while there is none."""
        if run != self._run:
            self._run, self._compared = run, []
        self._tick()

    def compare(self, runs: Sequence[Path]) -> None:
        """Show two runs in one chart, until another one is followed or *Show plots* is clicked."""
        self._compared = list(runs)
        self._tick()
        self._present()

    def close(self) -> None:
        """Let go of the widgets; the charts stay in the scene."""
        self._timer.stop()
        self._connections.close()
        self._ui.plotComboBox.clear()
        self._plots.close()

    def _shown(self) -> list[Path]:
        return self._compared or ([] if self._run is None else [self._run])

    def _tick(self) -> None:
        runs = self._shown()
        if self._run is not None and self._run not in runs:
            runs = [*runs, self._run]
        if self._feed.tick(runs) and self._plots.there:
            self._fill()
        if self._feed.busy and not self._timer.active:
            self._timer.start()
        elif not self._feed.busy and self._timer.active:
            self._timer.stop()
        history = None if self._run is None else self._feed.histories.get(self._run)
        self._ui.plotsSection.visible = history is not None
        words = "" if history is None else figures(history)
        self._ui.figuresLabel.visible = bool(words)
        self._ui.figuresLabel.text = words

    def _fill(self) -> None:
        found = [(run, self._feed.histories[run]) for run in self._shown() if run in self._feed.histories]
        if found:
            self._plots.show([(run.parent.name, history) for run, history in found])

    def _show(self) -> None:
        self._compared = []
        self._present()

    def _present(self) -> None:
        self._fill()
        self._plots.present(CHARTS[self._ui.plotComboBox.currentIndex])

    def _change(self) -> None:
        self._plots.change(CHARTS[self._ui.plotComboBox.currentIndex])


def figures(history: History) -> str:
    """The newest quick figures of a run in a line; empty before the first preview."""
    valid, error = history.last("masks/quick_valid"), history.last("masks/quick_betti_error")
    difference = history.last("textures/quick_absolute_error")
    words = []
    if not math.isnan(valid) and not math.isnan(error):
        line = _("{valid} % valid, Betti error {error} on validation")
        words.append(line.format(valid=f"{valid:.0f}", error=f"{error:.2f}"))
    if not math.isnan(difference):
        words.append(_("textures differ by {difference} on the average").format(difference=f"{difference:.0f}"))
    return _("Newest samples: {words}.").format(words="; ".join(words)) if words else ""
