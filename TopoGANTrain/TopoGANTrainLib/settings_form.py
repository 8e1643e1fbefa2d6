"""The settings of a training, and where its results go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from TopoGANLib.forms import user_settings
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.path_line import PathLine
from TopoGANLib.forms.settings import Setting, preset_values, read_presets


class SettingsForm:
    """Works with the widgets of ``TopoGANTrainSettings.ui``."""

    def __init__(self, ui: Any, settings: Sequence[Setting], changed: Callable[[], None]) -> None:
        """Show the user's own settings.

        Args:
            ui: the form's widgets by name.
            settings: those of the engine.
            changed: is called when something else is chosen.
        """
        self._ui, self._settings, self._changed = ui, settings, changed
        self._parameters: Any = None
        self._fill_presets()
        self._results = PathLine(ui.resultsPathLineEdit, self._choose_results, str(user_settings.results_folder()))
        ui.keepRunningCheckBox.checked = user_settings.read_flag(user_settings.KEEP_TRAINING, True)
        self._connections = Connections()
        self._connections.add(ui.presetComboBox, "activated(int)", self._use_preset)
        self._connections.add(ui.keepRunningCheckBox, "toggled(bool)", self._keep)

    @property
    def results(self) -> Path | None:
        """Folder for the results; None where none is chosen."""
        return self._results.path

    @property
    def keeps_running(self) -> bool:
        """Whether a training goes on when Slicer is closed."""
        return bool(self._ui.keepRunningCheckBox.checked)

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters

    def missing(self) -> str:
        """What is still to be chosen, in words; empty if nothing is."""
        return "" if self.results is not None else _("Choose a folder for the results.")

    def remember(self) -> None:
        """Offer the chosen folder again, in the line's history."""
        self._results.remember()

    def close(self) -> None:
        """Let go of the widgets."""
        self._connections.close()
        self._results.close()

    def _fill_presets(self) -> None:
        self._presets = read_presets()
        self._ui.presetComboBox.addItem(_("Choose to fill in …"))
        for preset in self._presets.values():
            self._ui.presetComboBox.addItem(preset["title"])
        helps = [f"{preset['title']}: {preset['help']}" for preset in self._presets.values()]
        self._ui.presetComboBox.toolTip = "\n".join([_("Fills in the settings of training."), *helps])

    def _use_preset(self, index: int) -> None:
        if index > 0 and self._parameters is not None:
            values = preset_values(list(self._presets.values())[index - 1], self._settings)
            with slicer.util.NodeModify(self._parameters.parameterNode):
                for name, value in values.items():
                    setattr(self._parameters, name, value)
        self._ui.presetComboBox.currentIndex = 0

    def _keep(self, checked: bool) -> None:
        user_settings.write(user_settings.KEEP_TRAINING, checked)

    def _choose_results(self) -> None:
        user_settings.write(user_settings.RESULTS_FOLDER, str(self.results or ""))
        self._changed()
