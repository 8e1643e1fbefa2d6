"""Training from Python and for the panel: what can be asked for, in the words of whoever asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from topogan_contract.run import ENDED, FINISHED
from TopoGANLib.engine.process import Engine
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.module import PanelLogic
from TopoGANLib.forms.settings import Setting, command_arguments, known_values, read_settings
from TopoGANTrainLib.check.checking import make_training_set
from TopoGANTrainLib.data.train_inputs import TRAINING_SET, FromTrainingSet, Inputs, folder_for
from TopoGANTrainLib.run.progress import Progress
from TopoGANTrainLib.run.sessions import Sessions
from TopoGANTrainLib.run.training_session import TrainingSession
from TopoGANTrainLib.runs.run_list import RunEntry, RunList
from TopoGANTrainLib.runs.run_removal import remove_listed

_SECONDS_BETWEEN_LOOKS = 0.2


class TrainLogic(PanelLogic):
    """Trains in the background, or waits for the end where a script wants that.

    Usage in Slicer's Python console::

        logic = slicer.util.getModuleLogic("TopoGANTrain")
        inputs = FromScene(getNode("Segmentation"), "Segment_1", getNode("CTACardio"))
        model = logic.train(inputs, Path.home() / "results", {"train_masks_steps": 500}, wait=True)

    Without ``wait`` the application goes on meanwhile; then ``logic.progress`` says how it is doing, and::

        logic.stop(wait=True)
        for entry in logic.runs():
            print(entry.name, entry.state, f"{entry.step}/{entry.total}", entry.best.betti_error)
        logic.resume(logic.runs()[0].run)
        logic.attach(other)  # follow another; the one before goes on by itself
        logic.delete(old)
    """

    def __init__(self, parameter_node: Any) -> None:
        """Nothing runs yet.

        Args:
            parameter_node: class of :func:`TopoGANLib.forms.settings.parameter_node_class`.
        """
        super().__init__(parameter_node)
        self.settings = read_settings("prepare", "train")
        self._sessions = Sessions(self._session_of)
        self._runs = RunList()
        self.onProgress: Callable[[], None] = lambda: None
        """Called whenever ``progress`` was renewed, on the application's thread."""
        self.onEnded: Callable[[Path, Progress], None] = lambda run, progress: None
        """Called once with each run that was started here, or followed, when it has ended."""
        self._timer = qt.QTimer()
        self._connections = Connections()
        self._connections.add(self._timer, "timeout()", self._tick)

    @property
    def session(self) -> TrainingSession | None:
        """The training that is followed."""
        return self._sessions.shown

    @property
    def progress(self) -> Progress | None:
        """How it is doing; None while none is followed."""
        return self._sessions.progress

    @property
    def isRunning(self) -> bool:
        """Whether a training is being done that is followed or was started here, so that no other can be started."""
        return self.isStoppable or bool(self.others)

    @property
    def isStoppable(self) -> bool:
        """Whether the run that is followed is being worked on; of a silent computer nobody knows, and nothing waits."""
        return self._sessions.is_at_work

    @property
    def others(self) -> list[Path]:
        """The runs that were started here and are being worked on while another one is followed."""
        return self._sessions.others

    def runs(self, results: Path | str | None = None) -> list[RunEntry]:
        """All runs of a folder, the one that was written last first, then training sets without a run.

        Damaged runs say what is wrong with them.

        Args:
            results: folder with the results of trainings; by default the user's.
        """
        return self._runs.read(user_settings.results_folder() if results is None else Path(results))

    def check(
        self, inputs: Inputs, results: Path, settings: Mapping[str, Any] | None = None, engine: Engine | None = None
    ) -> Path:
        """Prepare the training set that :meth:`train` would, to be looked at first; return it when it is there.

        Usage::

            training_set = logic.check(inputs, results)
            print(read_check(training_set).verdict)
            logic.train(FromTrainingSet(training_set), results)  # the run goes beside it

        Args:
            inputs: what to learn from.
            results: folder in which a new folder is made.
            settings: as of :meth:`train`; those of the preparation count.
            engine: which Python runs it; by default what the user has chosen, or Slicer's.

        Raises:
            InputError: what was chosen cannot be used.
            RuntimeError: the engine says why it cannot be prepared; nothing is left.
        """
        if isinstance(inputs, FromTrainingSet):
            inputs.check()
            return inputs.folder
        values = known_values(self.settings, settings or {})
        folder = folder_for(inputs, Path(results), str(values.get("prepare_structure", "")) or inputs.name)
        preparation = inputs.preparation(self._section("prepare"), values)
        log = user_settings.new_work_folder("check") / "engine.txt"
        return make_training_set(engine or self.engine(), folder / TRAINING_SET, preparation, log)

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
        values = known_values(self.settings, settings or {})
        folder = folder_for(inputs, Path(results), str(values.get("prepare_structure", "")) or inputs.name)
        if isinstance(inputs, FromTrainingSet):
            inputs.check()
            dataset, preparation = inputs.folder, None
        else:
            dataset, preparation = folder / TRAINING_SET, inputs.preparation(self._section("prepare"), values)
        session = self._session_of(folder / "run", engine)
        fine_tuning = [] if model is None else ["--from", model, *(["--adapt-structures"] if adapt_structures else [])]
        options = command_arguments(self._section("train"), values)
        session.start([dataset, session.run, *fine_tuning, *options], preparation)
        return self._started(session, wait)

    def resume(self, run: Path, engine: Engine | None = None, wait: bool = False) -> Path:
        """Go on with a run that was stopped or has failed; return the model package, which is there at the end.

        Its training set is found beside it, or among the others of its results, also where all of them were moved. A
        silent run can be resumed, too: make sure first that it does not work any more on its own computer.

        Raises:
            RuntimeError: something runs already, or another application looks after it; or, with ``wait``, the training
                failed or was stopped.
        """
        if self.isRunning:
            raise RuntimeError(_("A training is running already: stop it first."))
        if self._sessions.is_of_another(Path(run)):
            words = _("Another Slicer of yours looks after the training {name}: resume it there, or close that first.")
            raise RuntimeError(words.format(name=Path(run).parent.name))
        session = self._session_of(Path(run), engine)
        session.resume()
        return self._started(session, wait)

    def attach(self, run: Path | str) -> bool:
        """Follow a run that is there, whoever has started it; False if there is none. One followed before goes on.

        It is shown in the next session, too, unless a run that was started here still works.
        """
        run = Path(run)
        if self.session is not None and self.session.run == run:
            self._tick()
            return True
        if not self._sessions.attach(run):
            return False
        self._tick()
        if not self.others:
            user_settings.write(user_settings.LAST_RUN, str(run))
        return True

    def isOfAnother(self, run: Path) -> bool:
        """Whether a run was started by another application of this user that still lives."""
        return self._sessions.is_of_another_application(run)

    def watch(self) -> None:
        """Look after the runs that were started here in a session before, and whose end was not told yet.

        Those of another application that still lives are left to it.
        """
        self._sessions.watch()
        self._tick()

    def stop(self, wait: bool = False) -> None:
        """Ask for an end with a checkpoint, which comes within a step and five seconds; force follows after 30.

        Args:
            wait: return at the end; the application does not react in the meantime.
        """
        if self.session is not None and self.progress is not None and self.progress.state not in ENDED:
            self.session.stop()
            self._tick()
            if wait:
                self._wait()

    def delete(self, run: Path | str) -> None:
        """Remove a run from the disk, and the training set that was made for it alone. There is no way back.

        The training set stays where another training learns from it.

        Args:
            run: its folder; or that of a training set, as it is listed where no run was trained from it.

        Raises:
            ValueError: it is being trained or learned from, is not a run of ours, or holds something else; a sentence.
            OSError: it cannot be removed.
        """
        run = Path(run)
        if self.learnsFrom(run):
            raise ValueError(_("{name} is being trained on: stop that first.").format(name=run.parent.name))
        remove_listed(run, with_training_set=not self.learnsFrom(run.parent / TRAINING_SET))
        self.forget(run)

    def learnsFrom(self, training_set: Path) -> bool:
        """Whether a training of this user's applications learns from a training set, also before its run is there."""
        return self._sessions.is_learned_from(training_set)

    def forget(self, run: Path) -> None:
        """Do not follow a run any more that is not there any more."""
        if self._sessions.forget(run):
            self.onProgress()

    def close(self, keepRunning: bool) -> None:
        """Let go of everything; the training goes on by itself if it is to be kept, or is another application's."""
        self._timer.stop()
        self._connections.close()
        self.onProgress, self.onEnded = lambda: None, lambda run, progress: None
        self._sessions.close(keepRunning)

    def _section(self, section: str) -> list[Setting]:
        return [setting for setting in self.settings if setting.section == section]

    def _session_of(self, run: Path, engine: Engine | None = None) -> TrainingSession:
        return TrainingSession(engine or self.engine(), run, user_settings.new_work_folder("training"))

    def _started(self, session: TrainingSession, wait: bool) -> Path:
        """Follow it, if need be to its end; the model package."""
        self._sessions.start(session)
        user_settings.write(user_settings.LAST_RUN, str(session.run))
        self._tick()
        if wait:
            self._wait()
            assert self.progress is not None
            if self.progress.state != FINISHED:
                raise RuntimeError(self.progress.error or _("The training was stopped."))
        return session.model

    def _wait(self) -> None:
        while self.isStoppable:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            self._tick()

    def _tick(self) -> None:
        look = self._sessions.tick()
        if look.pause is None:
            self._timer.stop()
        else:
            self._timer.start(look.pause)
        if look.changed:
            self.onProgress()
        for session, progress in look.ended:
            if self._sessions.take_end(session):
                self.onEnded(session.run, progress)
