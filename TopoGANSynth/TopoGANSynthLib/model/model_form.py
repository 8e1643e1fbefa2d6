"""The part of the panel that chooses a model and shows its card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from TopoGANLib.forms import user_settings
from TopoGANLib.forms.background import Background
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.path_line import PathLine
from TopoGANLib.forms.tables import limit_rows, stretch_first_column
from TopoGANSynthLib.model import card_words
from TopoGANSynthLib.model.model_card import ModelCard, ModelRefused, first_wrong_file, package_of, read_model_card

DEMO_MODEL = Path(__file__).resolve().parents[2] / "Resources" / "Models" / "phantom.zip"
"""Comes with the module, so that it does something on first opening; made by Resources/Docs/make_demo_model.py."""

_LOOK_MILLISECONDS = 50
_MOST_ROWS_IN_SIGHT = 6


class ModelForm:
    """Works with the widgets in ``modelCollapsibleButton`` of ``TopoGANSynth.ui``."""

    def __init__(self, ui: Any, changed: Callable[[], None]) -> None:
        """Show the model of the last time, or the demo's.

        Args:
            ui: the form's widgets by name.
            changed: is called when another model is chosen, or this one has proved damaged.
        """
        self._ui, self._changed = ui, changed
        self.card: ModelCard | None = None
        """What the chosen package says of itself; None where it cannot be used."""
        self._refusal = ""
        self._check: Background[str] | None = None
        self._timer = qt.QTimer()
        self._timer.setInterval(_LOOK_MILLISECONDS)
        self._connections = Connections()
        self._connections.add(self._timer, "timeout()", self._look_at_check)
        stretch_first_column(ui.modelTable)
        before = user_settings.read_text(user_settings.MODEL) or str(DEMO_MODEL)
        packages = _("Model packages (*.zip)")
        self._line = PathLine(ui.modelPathLineEdit, self._choose, before, files=packages)
        self.read()

    @property
    def path(self) -> Path | None:
        """The chosen package, a folder or a zip; None for an empty line."""
        return None if self._line.path is None else package_of(self._line.path)

    @property
    def is_demo(self) -> bool:
        """Whether it is the model that comes with the module."""
        return self._line.path == DEMO_MODEL

    def choose(self, path: Path) -> None:
        """Put a model into the panel, as the other module does."""
        self._line.text = str(path)
        if self.card is not None:
            self.remember()

    def remember(self) -> None:
        """Offer the chosen model again, in the line's history."""
        self._line.remember()

    def read(self) -> bool:
        """Read the card anew, for a package may be replaced or removed at any time; tell whether it can be used."""
        before, self.card, self._refusal = self.card, None, ""
        try:
            self.card = None if self.path is None else read_model_card(self.path)
        except ModelRefused as refusal:
            self._refusal = str(refusal)
        if self.card != before:
            self._verify()
        self._show()
        return self.card is not None

    def close(self) -> None:
        """Let go of the widgets."""
        self._timer.stop()
        self._connections.close()
        self._line.close()

    def _choose(self) -> None:
        path = self._line.path
        # The demo's is where the extension is, which may move.
        user_settings.write(user_settings.MODEL, "" if path is None or self.is_demo else str(path))
        self.card = None
        self.read()
        self._changed()

    def _verify(self) -> None:
        """Compare the files with their hashes, on a thread."""
        self._check = None
        path, card = self.path, self.card
        if path is None or card is None:
            return
        work = Background(lambda: first_wrong_file(path, dict(card.hashes)), no_memory="")
        self._check = work
        self._timer.start()

    def _look_at_check(self) -> None:
        if self._check is not None and not self._check.done():
            return
        self._timer.stop()
        check, self._check = self._check, None
        if check is None or not check.result:
            return
        sentence = _("{file} of this model is missing, damaged or changed: ask whoever made it for a whole one.")
        self.card, self._refusal = None, sentence.format(file=check.result)
        self._show()
        self._changed()

    def _show(self) -> None:
        ui, card = self._ui, self.card
        ui.modelLabel.text = self._refusal if card is None else card_words.facts(card, self.is_demo)
        ui.modelLabel.visible = bool(ui.modelLabel.text)
        ui.modelTable.visible = ui.modelLimitsLabel.visible = card is not None
        if card is not None:
            ui.modelLimitsLabel.text = card_words.limits(card)
            self._fill_table(card)

    def _fill_table(self, card: ModelCard) -> None:
        table, figures = self._ui.modelTable, card.figures
        table.setRowCount(len(card.regions))
        for column in range(1, table.columnCount):
            table.setColumnHidden(column, figures is None)
        for row, region in enumerate(card.shown_regions):
            item = qt.QTableWidgetItem(region)
            item.setToolTip(card_words.usual(card, row))
            if row < len(card.colors):
                item.setData(qt.Qt.DecorationRole, qt.QColor(card.colors[row]))
            table.setItem(row, 0, item)
            for column, text in enumerate([] if figures is None else card_words.cells(figures, row), start=1):
                cell = qt.QTableWidgetItem(text)
                cell.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
                table.setItem(row, column, cell)
        limit_rows(table, _MOST_ROWS_IN_SIGHT)
