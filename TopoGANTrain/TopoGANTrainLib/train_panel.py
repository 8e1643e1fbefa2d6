"""The training panel: its parts in their order, what is missing before a start, and start, stop and resume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from TopoGANLib.engine.panel import EnginePanel
from TopoGANLib.engine.run_monitor import SILENT
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.background import Background
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.settings import changed_values
from TopoGANLib.forms.widgets import describe_widgets
from TopoGANLib.scene.voxels import InputError
from TopoGANTrainLib.check.check_order import CheckOrders
from TopoGANTrainLib.check.data_check_form import DataCheckForm
from TopoGANTrainLib.data.data_form import DataForm
from TopoGANTrainLib.data.train_inputs import FromTrainingSet
from TopoGANTrainLib.run.leftovers import remove_orphans
from TopoGANTrainLib.run.plots_view import PlotsView
from TopoGANTrainLib.run.progress import Progress
from TopoGANTrainLib.run.run_view import RunView
from TopoGANTrainLib.runs.runs_view import RunsView
from TopoGANTrainLib.settings.settings_form import SettingsForm
from TopoGANTrainLib.train_logic import TrainLogic

FORMS = (
    "TopoGANTrainData",
    "TopoGANTrainCheck",
    "TopoGANTrainSettings",
    "TopoGANTrainRun",
    "TopoGANTrainRuns",
)
"""Files of the parts below the engine, in their order."""


class TrainPanel:
    """Works with the widgets of all forms of the module; each part has its own."""

    def __init__(self, ui: Any, logic: TrainLogic, engine: EnginePanel, use_model: Callable[[Path], None]) -> None:
        """Show the user's own settings; a run of before is looked for when the panel is entered.

        Args:
            ui: the forms' widgets by name.
            logic: does the work.
            engine: the part about the engine; ended with this panel.
            use_model: opens a model in the other module.
        """
        self._ui, self._logic, self._engine = ui, logic, engine
        self._use_model = use_model
        self._parameters: Any = None
        self._clearing: Background[None] | None = None
        describe_widgets(ui, logic.settings)
        self._data = DataForm(ui, self.refresh)
        self._orders = CheckOrders(logic.settings, self._data, lambda: self._settings.results)
        self._check = DataCheckForm(ui, engine, self._orders, logic.learnsFrom, self.refresh)
        self._settings = SettingsForm(
            ui,
            logic.settings,
            engine,
            lambda axes: self._data.inputs().measure(axes),
            lambda: self._orders.form(self._check.known),
            self._checked_pixel,
            self.refresh,
        )
        self._view = RunView(ui)
        self._runs = RunsView(
            ui,
            logic,
            lambda: self._settings.results,
            self._refuse_resume,
            self._resume,
            use_model,
            self._view.plots.compare,
        )
        self._connections = Connections()
        self._connections.add(ui.startButton, "clicked()", self._start_or_stop)
        self._connections.add(ui.resumeButton, "clicked()", self._resume_followed)
        self._connections.add(ui.useModelButton, "clicked()", self._open_model)
        logic.onProgress, logic.onEnded = self._follow, self._tell

    @property
    def plots(self) -> PlotsView:
        """The curves of the training, or of two to compare."""
        return self._view.plots

    def enter(self) -> None:
        """The user looks at it: ask for the engine, and look for a run of before."""
        self._engine.enter()
        self._clear_up()
        last = user_settings.read_text(user_settings.LAST_RUN)
        if self._logic.session is None and last and not self._logic.isOfAnother(Path(last)):
            self._logic.attach(Path(last))
        self._logic.watch()
        if not self._logic.isRunning and not self._check.isLooking:
            self._check.confirm(lambda training_set: None)  # files may have changed meanwhile
        self._runs.read()

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters
        self._data.set_parameters(parameters)
        self._orders.set_parameters(parameters)
        self._settings.set_parameters(parameters)
        self.refresh()

    def refresh(self) -> None:
        """Show what is so now."""
        self._data.refresh()
        self._settings.refresh(prepares=self._data.prepares)
        self._follow()

    def _follow(self) -> None:
        """Show how the training is doing, ten times a second: what depends on the choices alone is left alone."""
        ui, progress = self._ui, self._logic.progress
        self._view.show(progress, self._logic.session)
        running = self._logic.isStoppable
        can_check = (
            not self._busy() and not self._check.isLooking and not self._not_ready() and not self._data.missing()
        )
        self._check.refresh(possible=can_check)
        # Not the collapsible buttons: a disabled one cannot be folded to have the curves in sight, and is hard to read.
        for section in (
            ui.sourceInputs,
            ui.sceneInputs,
            ui.fileInputs,
            ui.unionInputs,
            ui.trainingSetInputs,
            ui.structureInputs,
            ui.trainingBasics,
            ui.trainingSetGroupBox,
            ui.masksGroupBox,
            ui.topologyGroupBox,
            ui.texturesGroupBox,
            ui.runGroupBox,
            ui.resultsPathLineEdit,
        ):
            section.enabled = not running
        reason = "" if running else self._reason()
        ui.startButton.text = _("Stop") if running else _("Start training")
        stopping = running and progress is not None and progress.state == "stopping"
        ui.startButton.enabled = not stopping and (running or not reason)
        ui.startButton.toolTip = (
            _("Write a checkpoint and stop; Resume goes on from there.")
            if running
            else (reason or _("Prepare the training set and train in the background."))
        )
        ui.reasonLabel.text = reason
        ui.reasonLabel.visible = bool(reason)
        ui.resumeButton.visible = not running and progress is not None and progress.resumable
        ui.resumeButton.enabled = not self._refuse_resume()
        self._runs.refresh()

    def _tell(self, run: Path, progress: Progress) -> None:
        followed = self._logic.session
        self._view.tell(run, progress, shown=followed is not None and followed.run == run)

    def close(self) -> None:
        """Let go of everything; the training goes on if the user wants it to."""
        self._connections.close()
        self._check.close()
        self._data.close()
        self._settings.close()
        self._engine.close()
        self._view.close()
        self._runs.close()
        self._logic.close(self._settings.keeps_running)

    def _clear_up(self) -> None:
        """Remove the copies of volumes that a killed Slicer has left; asks the disk, and so on a thread of its own."""
        if self._clearing is None or self._clearing.done(0):
            work = user_settings.work_folder()
            self._clearing = Background(lambda: remove_orphans(work), no_memory="")

    def _checked_pixel(self) -> float:
        return 0.0 if self._check.known is None else self._check.known.pixel_size

    def _reason(self) -> str:
        """Why the training cannot start, in words; empty if it can."""
        if self._check.isRunning:
            return _("The data are being checked: wait for the result, or stop the check.")
        if self._check.isLooking:
            return _("Looking whether the files have changed …")
        return self._busy() or self._not_ready() or self._settings.missing() or self._data.missing()

    def _busy(self) -> str:
        """Which training keeps another one from being started, in words; empty if none does."""
        others = self._logic.others
        if others:
            words = _("{name} is being trained: attach to it in Runs to stop it, or wait for its end.")
            return words.format(name=others[0].parent.name)
        return _("A training is running already: stop it first.") if self._logic.isStoppable else ""

    def _not_ready(self) -> str:
        """Why the engine cannot do anything, in words; empty if it can."""
        if self._parameters is None:
            return _("The scene is being closed.")
        return self._engine.not_ready

    def _start_or_stop(self) -> None:
        if self._logic.isStoppable:
            self._logic.stop()
            return
        self._check.confirm(lambda checked: self._try(lambda: self._start(checked)))

    def _start(self, checked: Path | None) -> None:
        """Train on the training set that was checked, or prepare one."""
        if self._reason():  # while the files were looked at something else was chosen
            return
        results, values = self._settings.results, changed_values(self._logic.settings, self._parameters)
        assert results is not None
        inputs = self._data.inputs() if checked is None else FromTrainingSet(checked)
        if isinstance(inputs, FromTrainingSet):
            self._check.take(inputs.folder)
        self._logic.train(
            inputs,
            results,
            values,
            self._engine.engine,
            model=self._settings.model,
            adapt_structures=self._settings.adapts_structures,
        )
        self._settings.remember()
        self._data.remember()

    def _refuse_resume(self) -> str:
        """Why no run can be gone on with now, in words; empty if one can."""
        if self._busy():
            return self._busy()
        return self._engine.not_ready

    def _resume_followed(self) -> None:
        if self._logic.session is not None and self._logic.progress is not None:
            self._resume(self._logic.session.run, self._logic.progress.state)

    def _resume(self, run: Path, state: str) -> None:
        """Go on with a run; one that may still work on another computer only if the user knows better."""
        question = _(
            "{name} says that it works on another computer, from which there is no sign of life. Two trainings in one "
            "folder would spoil it: has the other one ended for sure?"
        )
        asks = state == SILENT
        if asks and not slicer.util.confirmOkCancelDisplay(question.format(name=run.parent.name), _("Resume")):
            return
        self._try(lambda: self._logic.resume(run, self._engine.engine))

    def _try(self, action: Callable[[], object]) -> None:
        try:
            action()
        except (InputError, RuntimeError) as error:
            self._view.complain(str(error))
        except OSError as error:
            self._view.complain(_("It cannot start: {reason}.").format(reason=error.strerror or error))

    def _open_model(self) -> None:
        if self._logic.session is not None:
            self._use_model(self._logic.session.model)
