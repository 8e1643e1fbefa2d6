"""The settings of a training, and where its results go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from topogan_contract.sizes import SIZES, VOLUME_SIZES
from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.path_line import PathLine
from TopoGANLib.forms.settings import Setting, preset_values, read_presets
from TopoGANLib.forms.widgets import offer
from TopoGANTrainLib.size_words import Measure, SizeWords


class SettingsForm:
    """Works with the widgets of ``TopoGANTrainSettings.ui``."""

    def __init__(
        self,
        ui: Any,
        settings: Sequence[Setting],
        engine: EnginePanel,
        measure: Callable[[int], Measure],
        changed: Callable[[], None],
    ) -> None:
        """Show the user's own settings.

        Args:
            ui: the form's widgets by name.
            settings: those of the engine.
            engine: times the steps of each size.
            measure: looks, for slices (2) or volumes (3), at the data that are chosen.
            changed: is called when something else is chosen.
        """
        self._ui, self._settings, self._changed = ui, settings, changed
        self._parameters: Any = None
        self._sizes = SizeWords(ui, engine, lambda: measure(self._axes), lambda: self._axes)
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

    def refresh(self, prepares: bool) -> None:
        """Show what is so now.

        Args:
            prepares: whether a training set is to be made, so that its form is open.
        """
        if self._parameters is not None:
            self._ui.patchInputs.visible = prepares
            self._ui.trainingSetGroupBox.visible = prepares
            self._show_volumes(self._parameters.prepare_volumes)

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
        self._sizes.close()

    @property
    def _axes(self) -> int:
        return 3 if self._parameters.prepare_volumes else 2

    def _show_volumes(self, volumes: bool) -> None:
        """Offer the sizes of slices or of volumes, and what else belongs to either."""
        ui, parameters = self._ui, self._parameters
        if not offer(ui.sizeComboBox, parameters.prepare_size, VOLUME_SIZES if volumes else SIZES):
            # A size of both.
            parameters.prepare_size = type(parameters.prepare_size)["64"]
        if volumes:
            parameters.prepare_tiling = False  # its box cannot be reached now
        ui.posesSpinBox.enabled = volumes
        for of_slices in (ui.sliceSpacingSpinBox, ui.minimumAreaSpinBox, ui.tilingCheckBox):
            of_slices.enabled = not volumes

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
