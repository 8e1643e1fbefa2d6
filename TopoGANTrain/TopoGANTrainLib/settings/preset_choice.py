"""Named sets of settings: which one the settings are, what it is for, and filling one in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer
from slicer.i18n import tr as _

from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.settings import Setting, preset_values, read_presets


class PresetChoice:
    """Works with ``presetComboBox`` and ``presetWordsLabel`` of ``TopoGANTrainSettings.ui``."""

    def __init__(self, ui: Any, settings: Sequence[Setting]) -> None:
        """List the presets, after the user's own settings and the engine's.

        Args:
            ui: the form's widgets by name.
            settings: those of the engine.
        """
        self._ui, self._parameters = ui, None
        # When the parameters were looked at: a look reads every one of them.
        self._seen = 0
        standard = {"title": _("Standard"), "help": _("The defaults, which the engine adapts to few data.")}
        presets = [standard, *read_presets().values()]
        self._values = [preset_values(preset, settings) for preset in presets]
        self._words = [_("Settings of your own: a preset fills in all of them."), *(one["help"] for one in presets)]
        for title in (_("Own settings"), *(preset["title"] for preset in presets)):
            ui.presetComboBox.addItem(title)
        self._connections = Connections()
        self._connections.add(ui.presetComboBox, "activated(int)", self._fill_in)

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters, self._seen = parameters, 0

    def refresh(self) -> None:
        """Show which preset the settings are now."""
        parameters = self._parameters
        if parameters is None or self._seen == parameters.parameterNode.GetMTime():
            return
        self._seen = parameters.parameterNode.GetMTime()
        now = {name: getattr(parameters, name) for name in self._values[0]}
        # Of two alike the first: row 0 is none of them.
        row = self._values.index(now) + 1 if now in self._values else 0
        self._ui.presetComboBox.currentIndex = row
        self._ui.presetWordsLabel.text = self._words[row]

    def close(self) -> None:
        """Let go of the widgets."""
        self._connections.close()

    def _fill_in(self, row: int) -> None:
        if self._parameters is None:
            return
        if row > 0:
            with slicer.util.NodeModify(self._parameters.parameterNode):
                for name, value in self._values[row - 1].items():
                    setattr(self._parameters, name, value)
        self._seen = 0
        self.refresh()
