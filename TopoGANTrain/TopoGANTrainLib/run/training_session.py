"""One training as the panel sees it: preparing, training, stopping, and how it ended. Knows nothing of Qt.

Driven by ticks that never wait: the panel's timer gives them, or a loop of one's own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from topogan_contract import preparation as layout
from topogan_contract.run import ALIVE, ENDED, FAILED, RUNNING, STOPPED, STOPPING
from TopoGANLib.engine.process import Engine, EngineProcess, StopThenKill
from TopoGANLib.engine.run_monitor import SILENT, RunMonitor, RunReport, start_stopper
from TopoGANLib.forms.background import Background
from TopoGANLib.words import tr as _
from TopoGANLib.words import translated
from TopoGANTrainLib.run.leftovers import remove_leftovers
from TopoGANTrainLib.run.preparation import Preparation
from TopoGANTrainLib.run.progress import LOOKING, PREPARING, STARTING, Progress, progress_of
from TopoGANTrainLib.run.set_search import SetSearch
from TopoGANTrainLib.run.training_sets import training_set_beside

_SECONDS_TO_FINISH_WRITING = 3.0
_SECONDS_TO_END = 1.0
# Another computer may work on it again, which is seen in time.
_SECONDS_BETWEEN_LOOKS_AT_SILENT = 5.0
# Exit codes of an engine that has said what is wrong: with the work, or with what it was given.
_IN_WORDS = (1, 2)


class TrainingSession:
    """Starts a training, resumes one, or watches one that somebody else has started.

    Usage::

        session = TrainingSession(engine, run=folder / "run", work=temporary_folder)
        session.start(train_arguments, preparation)
        while session.tick().state not in ENDED:
            time.sleep(0.2)
    """

    def __init__(self, engine: Engine, run: Path, work: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Look at the run in a folder, which need not be there yet.

        Args:
            engine: starts the commands.
            run: the run folder.
            work: folder of the user for the engine's output, which may name the user's files.
        """
        self.run = run
        self._engine, self._work, self._clock = engine, work, clock
        self._monitor = RunMonitor(run, clock)
        self._process: EngineProcess | None = None
        self._preparation: Preparation | None = None
        self._writing: Background[str] | None = None
        # While the training set of a run that goes on is looked for, and what is said if that was in vain.
        self._search: SetSearch | None = None
        self._advice = ""
        self._remark = ""
        self._command: list[str | Path] = []
        # There as soon as the end is wanted.
        self._end: StopThenKill | None = None
        # What the folder said when the engine was started, and whether what it says now is about this engine: one that
        # was killed, on another computer, still says that it works.
        self._stale: RunReport | None = None
        self._seen_working = False
        # How it ended, and the report of the run by which that was told.
        self._over: tuple[RunReport | None, Progress] | None = None
        # When it was found silent, by the clock.
        self._silent: tuple[float, Progress] | None = None

    @property
    def model(self) -> Path:
        """The model package, when the run has finished."""
        return self._monitor.model

    @property
    def training_set(self) -> Path | None:
        """What it was started with here; None of a run that was found or resumed, which says so itself."""
        return Path(self._command[1]) if self._command else None

    @property
    def log(self) -> Path:
        """Everything that the engine says."""
        return self._work / "engine.txt"

    def start(self, arguments: Sequence[str | Path], preparation: Preparation | None = None) -> None:
        """Begin a new run, with its training set if that has to be prepared first.

        Args:
            arguments: of ``topogan train``, the run folder included.
            preparation: what comes before.

        Raises:
            OSError: the engine's Python cannot be started, or a folder cannot be written.
        """
        self.run.parent.mkdir(parents=True, exist_ok=True)
        self._command = ["train", *arguments]
        if preparation is None:
            self._process = self._engine.start(self._command, self.log)
            return
        self._command += ["--prepare", preparation.folder]
        self._preparation = preparation
        no_memory = _("There is not enough memory to hand the volume on: close other data.")
        self._writing = Background(preparation.write, no_memory)

    def resume(self) -> None:
        """Go on from the last checkpoint.

        The training set that lies beside the run is learned from; where there is none, one is looked for among the
        other results, and if there is none either, the engine may know it from before.

        Raises:
            OSError: the engine's Python cannot be started.
        """
        self._forget_the_end()
        self._process, self._stale, self._advice = None, None, ""
        beside = training_set_beside(self.run)
        if beside is None:
            self._search = SetSearch(self.run)
        else:
            self._go_on(beside)

    def stop(self) -> None:
        """Ask for an end with a checkpoint; force follows after 30 seconds."""
        if self._end is None:
            self._end = StopThenKill(self._ask, self._force, clock=self._clock)

    def tick(self) -> Progress:
        """Look how it is doing, and do what is due; at one that is silent every five seconds."""
        if self._silent is not None and self._end is None:
            when, silent = self._silent
            if self._clock() - when < _SECONDS_BETWEEN_LOOKS_AT_SILENT:
                return silent
        if self._writing is not None and self._process is None:
            progress = self._tick_writing(self._writing)
            if progress is not None:
                return progress
        if self._search is not None:
            progress = self._tick_search(self._search)
            if progress is not None:
                return progress
        report = self._monitor.poll()
        if self._over is not None:
            # Silence is no news: nobody works on it.
            if report == self._over[0] or (report is not None and report.state == SILENT):
                return self._over[1]
            self._forget_the_end()  # somebody else goes on with it, or has removed it
            self._process = None
        progress = self._judge(report)
        if self._end is not None:
            self._end.tick(alive=progress.state not in ENDED)
        if progress.state in ENDED and self._preparation is not None:
            self._remove_leftovers()
        progress = self._note_the_end(report, replace(progress, remark=self._remark))
        self._silent = (self._clock(), progress) if progress.state == SILENT else None
        return progress

    def latest_preview(self) -> Path | None:
        """The newest picture of samples."""
        return self._monitor.latest_preview()

    def leave(self, keep_running: bool) -> None:
        """Let go: the panel or Slicer is being closed. Waits a moment at most, and only where files have to go.

        Args:
            keep_running: leave the training alone; otherwise it writes a checkpoint and ends, if need be by force.
        """
        if self._search is not None:
            self._search.drop()  # no engine of ours works: what the folder says is another computer's
        elif self._writing is not None and self._process is None:
            self._writing.done(_SECONDS_TO_FINISH_WRITING)  # what is still being written could not be removed
            self._remove_leftovers()
        elif keep_running:
            return
        elif self._process is not None and self._monitor.poll() is None:
            self._process.kill()
            deadline = time.monotonic() + _SECONDS_TO_END
            while self._process.exit_code() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            self._remove_leftovers()
        elif self._judge(self._monitor.poll()).state not in ENDED:
            self._monitor.request_stop()
            start_stopper(self._engine, self.run, self._work / "stopper.txt")

    def _tick_writing(self, writing: Background[str]) -> Progress | None:
        if not writing.done():
            return Progress(STOPPING if self._end is not None else PREPARING)
        error = writing.error
        if self._end is None and not error:
            try:
                self._process = self._engine.start(self._command, self.log)
                self._remark = translated(writing.result or "")
                return None
            except OSError as refusal:
                error = _of_refusal(refusal)
        self._remove_leftovers()
        return self._note_the_end(None, Progress(STOPPED if self._end is not None else FAILED, error=error))

    def _tick_search(self, search: SetSearch) -> Progress | None:
        """None when the engine works, or nobody wants it any more: then the run is as it was."""
        if self._end is not None:
            search.drop()
            self._search = None
            self._forget_the_end()
            return None
        if not search.done():
            return Progress(LOOKING)
        self._search, self._advice = None, search.advice
        try:
            self._go_on(search.found)
        except OSError as refusal:
            return self._note_the_end(
                self._monitor.poll(), Progress(FAILED, error=_of_refusal(refusal), resumable=True)
            )
        return None

    def _go_on(self, training_set: Path | None) -> None:
        self._monitor.withdraw_stop()
        self._stale = self._monitor.poll()
        where = [] if training_set is None else ["--dataset", training_set]
        self._process = self._engine.start(["resume", self.run, *where], self.log)

    def _note_the_end(self, report: RunReport | None, progress: Progress) -> Progress:
        if progress.state in ENDED:
            self._over = report, progress
        return progress

    def _forget_the_end(self) -> None:
        self._end, self._seen_working, self._over, self._silent = None, False, None, None

    def _judge(self, report: RunReport | None) -> Progress:
        code = None if self._process is None else self._process.exit_code()
        ours_lives = self._process is not None and code is None
        if report is not None and report.state in ALIVE and report != self._stale and not self._seen_working:
            self._seen_working = True
            if self._end is not None:  # wanted when there was no run to ask
                self._monitor.request_stop()
        about_us = report is not None and (self._process is None or self._seen_working or code == 0)
        if report is not None and about_us:
            progress = progress_of(self._with_last_words(report), stopping=self._end is not None)
            return replace(progress, log=self._said()) if progress.state == FAILED else progress
        if ours_lives:
            return self._before_the_run(has_run=report is not None)
        if self._process is None:
            return Progress(FAILED, error=_("There is no run in {run}: start a new one.").format(run=self.run))
        if self._end is not None:
            return Progress(STOPPED, resumable=report is not None, log=self._said())
        error = "\n".join(filter(None, (self._process.complaint(), self._advice)))
        return Progress(FAILED, error=error, resumable=report is not None, log=self._said())

    def _with_last_words(self, report: RunReport) -> RunReport:
        """An engine that could not write into the folder any more, or not reach it, says here why it ends."""
        if report.said or report.state not in (FAILED, SILENT) or self._process is None:
            return report
        code = self._process.exit_code()
        if code is None:  # it is ending
            return replace(report, state=RUNNING, error="")
        return replace(report, state=FAILED, error=self._process.complaint() if code in _IN_WORDS else report.error)

    def _before_the_run(self, has_run: bool) -> Progress:
        if self._end is not None:
            return Progress(STOPPING)
        said = [line.strip() for line in self._process.output(3) if line.strip()] if self._process else []
        preparing = self._preparation is not None and not has_run
        return Progress(PREPARING if preparing else STARTING, note=said[-1] if preparing and said else "")

    def _said(self) -> list[str]:
        return self._monitor.log() if self._process is None else self._process.output()

    def _ask(self) -> None:
        if self._seen_working:
            self._monitor.request_stop()
        elif self._preparation is not None:
            with suppress(OSError):  # it is gone: the preparation is over, and the run will be asked
                (self._preparation.folder / layout.STOP_FILE).touch()

    def _force(self) -> None:
        self._monitor.kill()
        if self._process is not None:
            self._process.kill()

    def _remove_leftovers(self) -> None:
        """What a killed preparation has left beside the run."""
        if self.training_set is None:  # it was resumed: nothing was prepared
            return
        handed = None if self._preparation is None else self._preparation.folder
        remove_leftovers(self.training_set, self.run.parent, handed)
        self._preparation = self._writing = None


def _of_refusal(refusal: OSError) -> str:
    sentence = _("The engine cannot be started ({reason}): choose another Python.")
    return sentence.format(reason=refusal.strerror)
