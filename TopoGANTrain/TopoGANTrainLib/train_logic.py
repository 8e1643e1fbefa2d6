"""Training from Python and for the panel: starts the engine, follows it, and says how it is doing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from topogan_contract.run import ENDED, FINISHED
from TopoGANLib.engine.process import Engine
from TopoGANLib.engine.run_monitor import RunMonitor
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.module import PanelLogic
from TopoGANLib.forms.settings import Setting, command_arguments, read_settings
from TopoGANTrainLib.train_inputs import TRAINING_SET, FromTrainingSet, Inputs, folder_for
from TopoGANTrainLib.training_session import Progress, TrainingSession

_TICK_MILLISECONDS = 100
_SECONDS_BETWEEN_LOOKS = 0.2


class TrainLogic(PanelLogic):
    """Trains in the background, or waits for the end where a script wants that.

    Usage in Slicer's Python console::

        logic = slicer.util.getModuleLogic("TopoGANTrain")
        inputs = FromScene(getNode("Segmentation"), "Segment_1", getNode("CTACardio"))
        model = logic.train(inputs, Path.home() / "results", {"train_masks_steps": 500}, wait=True)
    """

    def __init__(self, parameter_node: Any) -> None:
        """Nothing runs yet.

        Args:
            parameter_node: class of :func:`TopoGANLib.forms.settings.parameter_node_class`.
        """
        super().__init__(parameter_node)
        self.settings = read_settings("prepare", "train")
        self.session: TrainingSession | None = None
        self.progress: Progress | None = None
        self.onProgress: Callable[[], None] = lambda: None
        """Called whenever ``progress`` was renewed, on the application's thread."""
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK_MILLISECONDS)
        self._connections = Connections()
        self._connections.add(self._timer, "timeout()", self._tick)

    @property
    def isRunning(self) -> bool:
        """Whether something is being done."""
        return self.progress is not None and self.progress.state not in ENDED

    def train(
        self,
        inputs: Inputs,
        results: Path,
        settings: Mapping[str, Any] | None = None,
        engine: Engine | None = None,
        wait: bool = False,
        model: Path | None = None,
        adapt_structures: bool = False,
    ) -> Path:
        """Prepare a training set if need be, and train; return the model package, which is there at the end.

        Args:
            inputs: what to learn from.
            results: folder in which a new folder is made.
            settings: parameters by name (``"train_masks_steps"``), choices as the engine's words or as members; what
                is not among them is the engine's own choice.
            engine: which Python runs it; by default what the user has chosen, or Slicer's.
            wait: return at the end; the application does not react in the meantime.
            model: folder or zip of a model package to fine-tune; None for new networks.
            adapt_structures: of a model that knows other structures, keep what both share.

        Raises:
            InputError: what was chosen cannot be used.
            RuntimeError: something runs already; or, with ``wait``, the training failed or was stopped.
        """
        if self.isRunning:
            raise RuntimeError(_("A training is running already: stop it first."))
        values = self._values(settings or {})
        folder = folder_for(inputs, Path(results), str(values.get("prepare_structure", "")) or inputs.name)
        if isinstance(inputs, FromTrainingSet):
            inputs.check()
            dataset, preparation = inputs.folder, None
        else:
            dataset, preparation = folder / TRAINING_SET, inputs.preparation(self._section("prepare"), values)
        session = TrainingSession(engine or self.engine(), folder / "run", user_settings.new_work_folder("training"))
        fine_tuning = [] if model is None else ["--from", model, *(["--adapt-structures"] if adapt_structures else [])]
        options = command_arguments(self._section("train"), values)
        session.start([dataset, session.run, *fine_tuning, *options], preparation)
        self._follow(session)
        return self._end(wait)

    def resume(self, run: Path, engine: Engine | None = None, wait: bool = False) -> Path:
        """Go on with a run that was stopped or has failed; return the model package, which is there at the end.

        Raises:
            RuntimeError: something runs already; or, with ``wait``, the training failed or was stopped.
        """
        if self.isRunning:
            raise RuntimeError(_("A training is running already: stop it first."))
        session = TrainingSession(engine or self.engine(), Path(run), user_settings.new_work_folder("training"))
        session.resume()
        self._follow(session)
        return self._end(wait)

    def attach(self, run: Path) -> bool:
        """Follow a run that is there, whoever has started it; False if there is none."""
        if RunMonitor(run).poll() is None:
            return False
        self._follow(TrainingSession(self.engine(), run, user_settings.new_work_folder("training")))
        return True

    def stop(self) -> None:
        """Ask for an end with a checkpoint."""
        if self.session is not None:
            self.session.stop()
            self._tick()

    def close(self, keepRunning: bool) -> None:
        """Let go of everything; the training goes on by itself if it is to be kept."""
        self._timer.stop()
        self._connections.close()
        self.onProgress = lambda: None
        if self.session is not None:
            self.session.leave(keepRunning)
            self.session = None

    def _values(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        unknown = set(settings) - {setting.attribute for setting in self.settings}
        if unknown:
            raise RuntimeError(_("There is no setting {name}.").format(name=sorted(unknown)[0]))
        # An empty text says nothing.
        return {name: value for name, value in settings.items() if value != ""}

    def _section(self, section: str) -> list[Setting]:
        return [setting for setting in self.settings if setting.section == section]

    def _follow(self, session: TrainingSession) -> None:
        self.session = session
        user_settings.write(user_settings.LAST_RUN, str(session.run))
        self._timer.start()
        self._tick()

    def _end(self, wait: bool) -> Path:
        assert self.session is not None
        if wait:
            while self.isRunning:
                time.sleep(_SECONDS_BETWEEN_LOOKS)
                self._tick()
            assert self.progress is not None
            if self.progress.state != FINISHED:
                raise RuntimeError(self.progress.error or _("The training was stopped."))
        return self.session.model

    def _tick(self) -> None:
        if self.session is None:
            return
        self.progress = self.session.tick()
        if self.progress.state in ENDED:
            self._timer.stop()
        self.onProgress()
