"""Says before a start how long the training will take, and fits its steps to a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.engine.process import EngineProcess
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.settings import Setting, changed_values, nested_values
from TopoGANTrainLib.check.data_check import SetForm
from TopoGANTrainLib.settings.estimate import Estimate, in_words, read_estimate, request

_TICK_MILLISECONDS = 200
_STEPS = {"masks": "train_masks_steps", "textures": "train_textures_steps"}
"""The parameters that may change without another estimate: time goes with them."""
_REQUEST_FILE = "estimate.json"


class EstimateForm:
    """Works with ``estimateButton``, ``estimateLabel`` and ``budgetInputs`` of ``TopoGANTrainSettings.ui``."""

    def __init__(
        self,
        ui: Any,
        settings: Sequence[Setting],
        engine: EnginePanel,
        form: Callable[[], SetForm],
        results: Callable[[], Path | None],
        continued: Callable[[], bool],
    ) -> None:
        """Wait for a click.

        Args:
            ui: the form's widgets by name.
            settings: those of the engine.
            engine: says what times the steps.
            form: tells what the training set is made of, or will be.
            results: tells where the results go.
            continued: tells whether a model is fine-tuned.
        """
        self._ui, self._engine = ui, engine
        self._form, self._results, self._continued = form, results, continued
        self._settings = [setting for setting in settings if setting.section == "train"]
        self._parameters: Any = None
        self._process: EngineProcess | None = None
        # What the estimate is for: another form or other settings need another one.
        self._asked: tuple[SetForm, dict[str, Any], bool] | None = None
        self._estimate: Estimate | None = None
        self._complaint = ""
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK_MILLISECONDS)
        self._connections = Connections()
        self._connections.add(self._timer, "timeout()", self._tick)
        self._connections.add(ui.estimateButton, "clicked()", self._start)
        self._connections.add(ui.fitStepsButton, "clicked()", self._fit)
        self.refresh()

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters

    def refresh(self) -> None:
        """Show what is so now."""
        ui = self._ui
        ui.estimateButton.enabled = self._process is None
        words = self._words()
        ui.estimateLabel.text = words
        ui.estimateLabel.visible = bool(words)
        ui.budgetInputs.visible = self._estimate is not None and self._process is None and self._fits

    def close(self) -> None:
        """End what runs and let go of the widgets."""
        self._timer.stop()
        self._connections.close()
        if self._process is not None:
            self._process.kill()
            self._process = None

    @property
    def _fits(self) -> bool:
        """Whether what was timed is what is chosen now."""
        if self._parameters is None or self._asked is None:
            return False
        # A check that tells how many samples there are changes no time.
        asked, wanted = (
            (replace(form, samples=0, training_samples=0), *others) for form, *others in (self._asked, self._wanted())
        )
        return asked == wanted

    def _words(self) -> str:
        if self._process is not None:
            return _("Timing a few steps …")
        if self._asked is None or self._parameters is None:
            return self._complaint
        if not self._fits:
            return _("Other data or settings are chosen: estimate again.")
        if self._estimate is None:
            return self._complaint
        return in_words(self._estimate, self._steps(), self._results() or Path.home())

    def _wanted(self) -> tuple[SetForm, dict[str, Any], bool]:
        values = changed_values(self._settings, self._parameters)
        timed = {name: value for name, value in values.items() if name not in _STEPS.values()}
        return self._form(), timed, self._continued()

    def _steps(self) -> dict[str, int]:
        return {stage: getattr(self._parameters, name) for stage, name in _STEPS.items()}

    def _start(self) -> None:
        if self._parameters is None:
            return
        self._asked, self._estimate, self._complaint = self._wanted(), None, ""
        form, _values, continued = self._asked
        train: Mapping[str, Any] = nested_values(self._settings, changed_values(self._settings, self._parameters))
        folder = user_settings.new_work_folder("estimate")
        try:
            folder.mkdir(parents=True)
            text = request(train, form, continued)
            (folder / _REQUEST_FILE).write_text(text, encoding="utf-8")
            command = ["doctor", "--estimate", folder / _REQUEST_FILE, "--json"]
            self._process = self._engine.engine.start(command, folder / "doctor.txt")
            self._timer.start()
        except OSError as error:
            self._complaint = _("It cannot start: {reason}.").format(reason=error.strerror or error)
        self.refresh()

    def _tick(self) -> None:
        process = self._process
        if process is None or process.exit_code() is None:
            return
        self._timer.stop()
        self._process = None
        found = read_estimate(process.output(60))
        if isinstance(found, Estimate):
            self._estimate = found
        else:
            self._complaint = found or process.complaint()
        self.refresh()

    def _fit(self) -> None:
        if self._estimate is None or self._parameters is None:
            return
        steps = self._estimate.fitted(self._steps(), self._ui.budgetSpinBox.value)
        for stage, count in steps.items():
            name = _STEPS[stage]
            limits = next(setting for setting in self._settings if setting.attribute == name)
            setattr(self._parameters, name, int(min(count, limits.maximum or count)))
