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
from TopoGANLib.engine.run_monitor import SILENT, RunMonitor
from TopoGANLib.forms import user_settings
from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.module import PanelLogic
from TopoGANLib.forms.settings import Setting, command_arguments, read_settings
from TopoGANTrainLib.check.checking import Checking
from TopoGANTrainLib.data.train_inputs import TRAINING_SET, FromTrainingSet, Inputs, folder_for
from TopoGANTrainLib.run.awaited import AwaitedRuns
from TopoGANTrainLib.run.folders import is_removed
from TopoGANTrainLib.run.looked_after import LookedAfter
from TopoGANTrainLib.run.progress import Progress
from TopoGANTrainLib.run.training_session import TrainingSession
from TopoGANTrainLib.runs.run_list import RunEntry, RunList
from TopoGANTrainLib.runs.run_removal import remove_listed

_TICK_MILLISECONDS = 100
# Somebody else may go on with a run that has ended, or remove it.
_TICK_OF_ENDED_MILLISECONDS = 1000
_TICK_OF_SILENT_MILLISECONDS = 5000
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
        self.session: TrainingSession | None = None
        # Those that were followed before, and have not ended: what is due for them is still done.
        self._before: dict[TrainingSession, Progress | None] = {}
        self._awaited = AwaitedRuns()
        self._mine = LookedAfter()
        # Runs of others that were seen to work: their end is told, too.
        self._seen: set[Path] = set()
        self._runs = RunList()
        self.progress: Progress | None = None
        self.onProgress: Callable[[], None] = lambda: None
        """Called whenever ``progress`` was renewed, on the application's thread."""
        self.onEnded: Callable[[Path, Progress], None] = lambda run, progress: None
        """Called once with each run that was started here, or followed, when it has ended."""
        self._timer = qt.QTimer()
        self._connections = Connections()
        self._connections.add(self._timer, "timeout()", self._tick)

    @property
    def isRunning(self) -> bool:
        """Whether a training is being done that is followed or was started here, so that no other can be started."""
        return self.isStoppable or bool(self.others)

    @property
    def isStoppable(self) -> bool:
        """Whether the run that is followed is being worked on; of a silent computer nobody knows, and nothing waits."""
        return _is_at_work(self.progress)

    @property
    def others(self) -> list[Path]:
        """The runs that were started here and are being worked on while another one is followed."""
        return [one.run for one, progress in self._before.items() if one.run in self._mine and _is_at_work(progress)]

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
        values = self._values(settings or {})
        folder = folder_for(inputs, Path(results), str(values.get("prepare_structure", "")) or inputs.name)
        preparation = inputs.preparation(self._section("prepare"), values)
        log = user_settings.new_work_folder("check") / "engine.txt"
        checking = Checking(engine or self.engine(), folder / TRAINING_SET, preparation, log)
        try:
            while checking.tick().state not in ENDED:
                time.sleep(_SECONDS_BETWEEN_LOOKS)
        finally:
            checking.close()
        if checking.tick().state != FINISHED:
            raise RuntimeError(checking.tick().error)
        return checking.training_set

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
        self._started(session)
        return self._end(wait)

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
        if self._mine.is_of_another(Path(run)):
            words = _("Another Slicer of yours looks after the training {name}: resume it there, or close that first.")
            raise RuntimeError(words.format(name=Path(run).parent.name))
        session = TrainingSession(engine or self.engine(), Path(run), user_settings.new_work_folder("training"))
        session.resume()
        self._started(session)
        return self._end(wait)

    def attach(self, run: Path | str) -> bool:
        """Follow a run that is there, whoever has started it; False if there is none. One followed before goes on.

        It is shown in the next session, too, unless a run that was started here still works.
        """
        run = Path(run)
        if self.session is not None and self.session.run == run:
            self._tick()
            return True
        if RunMonitor(run).poll() is None:
            return False
        if run in self._awaited.runs:
            self._mine.take(run)
        known = next((session for session in self._before if session.run == run), None)
        self._follow(known or self._found(run))
        if not self.others:
            user_settings.write(user_settings.LAST_RUN, str(run))
        return True

    def isOfAnother(self, run: Path) -> bool:
        """Whether a run was started by another application of this user that still lives."""
        return self._mine.is_of_another_application(run)

    def watch(self) -> None:
        """Look after the runs that were started here in a session before, and whose end was not told yet.

        Those of another application that still lives are left to it.
        """
        followed = {one.run for one in (*self._before, *filter(None, [self.session]))}
        for run in self._awaited.runs:
            if self._mine.is_of_another(run):
                continue
            if run in followed:
                self._mine.take(run)
            elif RunMonitor(run).poll() is not None and self._mine.take(run):
                self._before[self._found(run)] = None
            elif is_removed(run):
                self._awaited.take(run)
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

        Args:
            run: its folder; or that of a training set, as it is listed where no run was trained from it.

        Raises:
            ValueError: it is being trained or learned from, is not a run of ours, or holds something else; a sentence.
            OSError: it cannot be removed.
        """
        run = Path(run)
        if self.learnsFrom(run):
            raise ValueError(_("{name} is being trained on: stop that first.").format(name=run.parent.name))
        remove_listed(run)
        self.forget(run)

    def learnsFrom(self, training_set: Path) -> bool:
        """Whether a training that was started here uses a training set, be it that its run is not there yet.

        Or in another application of this user.
        """
        sessions = [*self._before, *([self.session] if self.isStoppable and self.session is not None else [])]
        mine = any(session.training_set == training_set for session in sessions)
        return mine or self._mine.is_of_another(training_set)

    def forget(self, run: Path) -> None:
        """Do not follow a run any more that is not there any more."""
        self._awaited.take(run)
        self._mine.leave(run)
        if self.session is not None and self.session.run == run and not self.isStoppable:
            self.session = self.progress = None
            self.onProgress()

    def close(self, keepRunning: bool) -> None:
        """Let go of everything; the training goes on by itself if it is to be kept, or is another application's."""
        self._timer.stop()
        self._connections.close()
        self.onProgress, self.onEnded = lambda: None, lambda run, progress: None
        for session in (*self._before, *filter(None, [self.session])):
            session.leave(keepRunning or session.run not in self._mine)
        self._mine.close()
        self._before, self.session = {}, None

    def _values(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        unknown = set(settings) - {setting.attribute for setting in self.settings}
        if unknown:
            raise RuntimeError(_("There is no setting {name}.").format(name=sorted(unknown)[0]))
        # An empty text says nothing.
        return {name: value for name, value in settings.items() if value != ""}

    def _section(self, section: str) -> list[Setting]:
        return [setting for setting in self.settings if setting.section == section]

    def _found(self, run: Path) -> TrainingSession:
        return TrainingSession(self.engine(), run, user_settings.new_work_folder("training"))

    def _started(self, session: TrainingSession) -> None:
        self._awaited.add(session.run)
        for needed in filter(None, (session.run, session.training_set)):
            self._mine.take(needed)
        user_settings.write(user_settings.LAST_RUN, str(session.run))
        self._follow(session)

    def _follow(self, session: TrainingSession) -> None:
        if self.session is not None and self.progress is not None and self.progress.state not in ENDED:
            self._before[self.session] = self.progress
        self._before = {one: progress for one, progress in self._before.items() if one.run != session.run}
        self.session, self.progress = session, None
        self._tick()

    def _end(self, wait: bool) -> Path:
        assert self.session is not None
        if wait:
            self._wait()
            assert self.progress is not None
            if self.progress.state != FINISHED:
                raise RuntimeError(self.progress.error or _("The training was stopped."))
        return self.session.model

    def _wait(self) -> None:
        while self.isStoppable:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            self._tick()

    def _tick(self) -> None:
        ended = self._tick_others()
        before = self.progress
        self.progress = None if self.session is None else self.session.tick()
        if self.session is not None and self.progress is not None:
            if self.progress.state not in ENDED:
                self._seen.add(self.session.run)
            elif before is None or before.state != self.progress.state:
                ended.append((self.session, self.progress))
        if self.session is None and not self._before:
            self._timer.stop()
        else:
            states = {one.state for one in (*self._before.values(), self.progress) if one is not None}
            pause = _TICK_OF_SILENT_MILLISECONDS if states <= {SILENT} else _TICK_OF_ENDED_MILLISECONDS
            self._timer.start(pause if states <= {SILENT, *ENDED} else _TICK_MILLISECONDS)
        if (self.session is not None and (self.progress != before or self.progress.state not in ENDED)) or ended:
            self.onProgress()
        for session, progress in ended:
            self._tell(session, progress)

    def _tick_others(self) -> list[tuple[TrainingSession, Progress]]:
        """Look after the runs that are not followed; those that have ended."""
        looked = {session: session.tick() for session in self._before}
        self._before = {one: progress for one, progress in looked.items() if progress.state not in ENDED}
        return [(one, progress) for one, progress in looked.items() if progress.state in ENDED]

    def _tell(self, session: TrainingSession, progress: Progress) -> None:
        run = session.run
        # Another application that lives, and has started it, tells it to whoever works there.
        started, seen = not self._mine.is_of_another(run) and self._awaited.take(run), run in self._seen
        for needed in filter(None, (run, session.training_set)):
            self._mine.leave(needed)
        self._seen.discard(run)
        if started or seen:
            self.onEnded(run, progress)


def _is_at_work(progress: Progress | None) -> bool:
    return progress is not None and progress.state not in (*ENDED, SILENT)
