"""The part of the panel that asks for topology: of all structures together, or of each."""

from __future__ import annotations

import enum
from functools import partial
from typing import Any

import qt
from slicer.i18n import tr as _

from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.tables import limit_rows, stretch_first_column
from TopoGANSynthLib.model.model_card import ModelCard

_MOST = 9999
_MOST_ROWS_IN_SIGHT = 6
_STRUCTURE, _WISH, _NUMBERS = 0, 1, 2
ANY, REAL, MODAL = "any", "real", "modal"
"""The engine's words for what is asked of a structure; the fourth possibility are numbers."""


class Topology(enum.Enum):
    """Which samples are kept; a scene stores the names."""

    any = "any"
    real = "real"
    modal = "modal"
    given = "given"

    def label(self) -> str:
        """What the user reads."""
        return {
            "any": _("Any"),
            "real": _("As real samples show"),
            "modal": _("The most frequent real one"),
            "given": _("Of each structure"),
        }[self.value]


class TopologyForm:
    """Works with ``topologiesTable`` of ``TopoGANSynth.ui``, a row for each structure and union of the model.

    What is asked of them is one text of the parameters, as the engine takes it: ``cavity=real; myocardium=1,1``.
    """

    def __init__(self, ui: Any) -> None:
        """Show no rows."""
        self._ui = ui
        self._parameters: Any = None
        self._card: ModelCard | None = None
        self._showing = False
        self._connections = Connections()
        header = ui.topologiesTable.horizontalHeader()
        header.setMinimumSectionSize(1)

    @property
    def betti(self) -> str:
        """The engine's setting."""
        topology = self._parameters.topology
        if topology is not Topology.given:
            return str(topology.name)
        wishes = self._wishes()
        return ";".join(f"{region}={wish}" for region, wish in wishes.items() if wish != ANY) or ANY

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters

    def refresh(self, card: ModelCard | None) -> None:
        """Show what is asked of a model's structures."""
        if self._showing or self._parameters is None:
            return
        self._showing = True
        try:
            if card != self._card:
                self._card = card
                self._build()
            self._fill()
        finally:
            self._showing = False
        self._ui.topologiesTable.visible = card is not None and self._parameters.topology is Topology.given

    def close(self) -> None:
        """Let go of the widgets."""
        self._connections.close()

    def _wishes(self) -> dict[str, str]:
        """What is asked of each region of the model: a word of the engine, or numbers."""
        card = self._card
        if card is None:
            return {}
        asked = _read(self._parameters.topologies)
        known = {region: asked.get(region, ANY) for region in card.regions}
        return {region: wish if _is_wish(wish, card.axes) else ANY for region, wish in known.items()}

    def _build(self) -> None:
        """Make the rows anew."""
        table, card = self._ui.topologiesTable, self._card
        self._connections.close()
        table.setRowCount(0)
        if card is None:
            return
        # Of volumes in short, or the names of the structures would have no room.
        numbers = [_("Pieces"), _("Holes")] if card.axes == 2 else [_("Pieces"), _("Tun."), _("Cav.")]
        titles = [_("Structure"), _("Topology"), *numbers]
        table.setColumnCount(len(titles))
        table.setHorizontalHeaderLabels(titles)
        stretch_first_column(table)
        table.setRowCount(len(card.regions))
        for row, region in enumerate(card.shown_regions):
            self._build_row(table, row, region, card)
        limit_rows(table, _MOST_ROWS_IN_SIGHT)

    def _build_row(self, table: Any, row: int, region: str, card: ModelCard) -> None:
        item = qt.QTableWidgetItem(region)
        item.setFlags(qt.Qt.ItemIsEnabled)
        item.setToolTip(region)
        if row < len(card.colors):
            item.setData(qt.Qt.DecorationRole, qt.QColor(card.colors[row]))
        table.setItem(row, _STRUCTURE, item)
        box = qt.QComboBox()
        box.addItems([_("Any"), _("As real"), _("Usual"), _("Given")])
        box.toolTip = _("Anything, what real samples of its level show, the most frequent real topology, or numbers.")
        table.setCellWidget(row, _WISH, box)
        self._connections.add(box, "currentIndexChanged(int)", partial(self._change, row))
        tips = [_("Separate pieces, where they are given."), _("Holes, of volumes tunnels, where they are given.")]
        tips.append(_("Enclosed cavities, where they are given."))
        for place, number in enumerate(card.modal_betti[row]):
            spin = qt.QSpinBox()
            spin.maximum = _MOST
            spin.value = number
            spin.keyboardTracking = False
            spin.buttonSymbols = qt.QAbstractSpinBox.NoButtons
            spin.toolTip = tips[place]
            table.setCellWidget(row, _NUMBERS + place, spin)
            self._connections.add(spin, "valueChanged(int)", partial(self._change, row))

    def _fill(self) -> None:
        """Show what the parameters say."""
        words = [ANY, REAL, MODAL]
        for row, wish in enumerate(self._wishes().values()):
            box, spins = self._row(row)
            given = wish not in words
            box.currentIndex = len(words) if given else words.index(wish)
            for spin, number in zip(spins, wish.split(",") if given else [None] * len(spins), strict=True):
                spin.enabled = given
                if number is not None:
                    spin.value = int(number)

    def _row(self, row: int) -> tuple[Any, list[Any]]:
        table = self._ui.topologiesTable
        spins = [table.cellWidget(row, column) for column in range(_NUMBERS, table.columnCount)]
        return table.cellWidget(row, _WISH), spins

    def _change(self, row: int, _value: int) -> None:
        """The user asks for something else of a structure."""
        if self._showing or self._card is None or self._parameters is None:
            return
        box, spins = self._row(row)
        words = [ANY, REAL, MODAL]
        wishes = self._wishes()
        given = ",".join(str(spin.value) for spin in spins)
        wishes[self._card.regions[row]] = words[box.currentIndex] if box.currentIndex < len(words) else given
        self._parameters.topologies = "; ".join(f"{region}={wish}" for region, wish in wishes.items() if wish != ANY)
        self.refresh(self._card)


def _read(text: str) -> dict[str, str]:
    """What is asked of which region in ``cavity=real; myocardium=1, 1``."""
    parts = [part.rpartition("=") for part in text.split(";") if part.strip()]
    return {region.strip(): wish.replace(" ", "") for region, _equals, wish in parts}


def _is_wish(wish: str, axes: int) -> bool:
    numbers = wish.split(",")
    return wish in (ANY, REAL, MODAL) or (
        len(numbers) == axes and all(one.isascii() and one.isdigit() and len(one) <= len(str(_MOST)) for one in numbers)
    )
