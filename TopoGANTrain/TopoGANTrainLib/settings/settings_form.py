"""The settings of a training, and where its results go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from topogan_contract.sizes import SIZES, VOLUME_SIZES
from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.path_line import PathLine
from TopoGANLib.forms.settings import Setting
from TopoGANLib.forms.widgets import offer
from TopoGANTrainLib.check.data_check import SetForm
from TopoGANTrainLib.settings.estimate_form import EstimateForm
from TopoGANTrainLib.settings.preset_choice import PresetChoice
from TopoGANTrainLib.settings.size_words import Measure, SizeWords, size_in_words
from TopoGANTrainLib.settings.start_from import StartFrom, StartFromForm

_OFF = "off"
"""The engine's word for no topological loss."""


class SettingsForm:
    """Works with the widgets of ``TopoGANTrainSettings.ui``."""

    def __init__(
        self,
        ui: Any,
        settings: Sequence[Setting],
        engine: EnginePanel,
        measure: Callable[[int], Measure],
        form: Callable[[], SetForm],
        checked_pixel: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        """Show the user's own settings.

        Args:
            ui: the form's widgets by name.
            settings: those of the engine.
            engine: times the steps of each size.
            measure: looks, for slices (2) or volumes (3), at the data that are chosen.
            form: tells what the training set is made of, or will be.
            checked_pixel: tells the pixel size of the training set that was checked, in mm; 0 without.
            changed: is called when something else is chosen.
        """
        self._ui, self._checked_pixel, self._changed = ui, checked_pixel, changed
        self._parameters: Any = None
        # What the topological loss was before it was switched off.
        self._mode: Any = None
        self._presets = PresetChoice(ui, settings)
        self._start_from = StartFromForm(ui, changed)
        self._sizes = SizeWords(ui, engine, lambda: measure(self.axes), lambda: self.axes)
        self._results = PathLine(ui.resultsPathLineEdit, self._choose_results, str(user_settings.results_folder()))
        self._estimate = EstimateForm(ui, settings, engine, form, lambda: self.results, self._start_from.continues)
        ui.keepRunningCheckBox.checked = user_settings.read_flag(user_settings.KEEP_TRAINING, True)
        self._connections = Connections()
        self._connections.add(ui.topologyCheckBox, "clicked(bool)", self._switch_topology)
        self._connections.add(ui.keepRunningCheckBox, "toggled(bool)", self._keep)

    @property
    def results(self) -> Path | None:
        """Folder for the results; None where none is chosen."""
        return self._results.path

    @property
    def keeps_running(self) -> bool:
        """Whether a training goes on when Slicer is closed."""
        return bool(self._ui.keepRunningCheckBox.checked)

    @property
    def axes(self) -> int:
        """2 for slices, 3 for volumes."""
        return 3 if self._parameters.prepare_volumes else 2

    @property
    def model(self) -> Path | None:
        """The model to fine-tune; None for new networks."""
        return self._start_from.model

    @property
    def adapts_structures(self) -> bool:
        """Whether that model's structures may be others."""
        return self._start_from.adapts

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters
        self._presets.set_parameters(parameters)
        self._start_from.set_parameters(parameters)
        self._estimate.set_parameters(parameters)

    def refresh(self, prepares: bool) -> None:
        """Show what is so now.

        Args:
            prepares: whether a training set is to be made, so that its form is open.
        """
        if self._parameters is None:
            return
        ui = self._ui
        form = (ui.volumesCheckBox, ui.sizeComboBoxLabel, ui.sizeComboBox, ui.sizeWordsLabel, ui.trainingSetGroupBox)
        for widget in form:
            widget.visible = prepares
        self._show_volumes(self._parameters.prepare_volumes)
        self._show_parts(self._parameters.train_part.name)
        self._presets.refresh()
        self._start_from.refresh()
        self._estimate.refresh()

    def missing(self) -> str:
        """What is still to be chosen, in words; empty if nothing is."""
        if self.results is None:
            return _("Choose a folder for the results.")
        return self._start_from.missing()

    def remember(self) -> None:
        """Offer the chosen paths again, in the lines' histories."""
        self._results.remember()
        self._start_from.remember()

    def close(self) -> None:
        """Let go of the widgets."""
        self._connections.close()
        self._results.close()
        self._sizes.close()
        self._estimate.close()
        self._presets.close()
        self._start_from.close()

    def _show_volumes(self, volumes: bool) -> None:
        """Offer the sizes of slices or of volumes, and what else belongs to either."""
        ui, parameters = self._ui, self._parameters
        if not offer(ui.sizeComboBox, parameters.prepare_size, VOLUME_SIZES if volumes else SIZES):
            # A size of both.
            parameters.prepare_size = type(parameters.prepare_size)["64"]
        if volumes:
            parameters.prepare_tiling = False  # its box cannot be reached now
        ui.posesSpinBox.enabled = volumes
        for of_slices in (ui.sliceSpacingSpinBox, ui.minimumAreaSpinBox, ui.centerComboBox, ui.tilingCheckBox):
            of_slices.enabled = not volumes
        size, pixel_size = int(parameters.prepare_size.name), parameters.prepare_pixel_size
        ui.sizeWordsLabel.text = size_in_words(size, self.axes, pixel_size, self._checked_pixel())

    def _show_parts(self, part: str) -> None:
        """Show what belongs to masks or textures only where they are trained."""
        ui = self._ui
        masks, textures = part in ("both", "masks"), part in ("both", "textures")
        for widget in (ui.masksStepsSpinBoxLabel, ui.masksStepsSpinBox, ui.topologyCheckBox, ui.masksGroupBox):
            widget.visible = masks
        for widget in (ui.texturesStepsSpinBoxLabel, ui.texturesStepsSpinBox, ui.texturesGroupBox):
            widget.visible = textures
        on = self._parameters.train_topology_mode.name != _OFF
        ui.topologyCheckBox.checked = on
        ui.topologyGroupBox.visible = masks
        ui.topologyRatioSpinBox.visible = ui.topologyRatioSpinBoxLabel.visible = masks and on

    def _switch_topology(self, on: bool) -> None:
        if self._parameters is None:
            return
        mode = self._parameters.train_topology_mode
        if not on:
            self._mode = mode
            self._parameters.train_topology_mode = type(mode)[_OFF]
        else:
            self._parameters.train_topology_mode = self._mode or self._parameters.defaultValues["train_topology_mode"]

    def _keep(self, checked: bool) -> None:
        user_settings.write(user_settings.KEEP_TRAINING, checked)

    def _choose_results(self) -> None:
        user_settings.write(user_settings.RESULTS_FOLDER, str(self.results or ""))
        self._changed()


def settings_parameters() -> dict[str, tuple[Any, Any]]:
    """Type and default of the parameters that the form has beside the engine's settings."""
    return {"startFrom": (StartFrom, StartFrom.new), "adaptStructures": (bool, False)}
