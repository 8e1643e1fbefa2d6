"""Looks at a job of the engine now and then, on the application's thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import qt
from slicer.i18n import tr as _

from topogan_contract.service import CANCELLED, FAILED, RUNNING, WAITING
from topogan_contract.words import shown
from TopoGANLib.forms.connections import Connections
from TopoGANSynthLib.job.engine_job import READING, WRITING, JobProgress

# A look at a request that has nothing new takes 0.04 ms.
_TICK_MILLISECONDS = 50
_LONGEST_REASON = 300

Result = TypeVar("Result")


class Job(Protocol):
    """What can be run: nothing of it waits."""

    result: Any
    """What has come of it; None until then."""

    def tick(self) -> JobProgress:
        """Look how it is doing, and do what is due."""

    def cancel(self) -> None:
        """End it as soon as it can be."""

    def close(self) -> None:
        """End it at once, and leave nothing."""


class JobRunner:
    """Runs one job at a time.

    Usage::

        runner = JobRunner(self.show)
        runner.start(EngineJob(…))
    """

    def __init__(self, told: Callable[[], None]) -> None:
        """Nothing runs.

        Args:
            told: is called whenever ``progress`` has changed: to show the whole panel again takes 10 ms.
        """
        self.progress: JobProgress | None = None
        self.job: Job | None = None
        self._told = told
        self._timer = qt.QTimer()
        self._timer.setInterval(_TICK_MILLISECONDS)
        self._connections = Connections()
        self._connections.add(self._timer, "timeout()", self.tick)

    @property
    def isRunning(self) -> bool:
        """Whether a job is at work."""
        return self.job is not None and (self.progress is None or not self.progress.ended)

    def start(self, job: Job, state: str = WRITING) -> None:
        """Look at a job, which begins in some state, until it ends."""
        self.job, self.progress = job, JobProgress(state)
        self._timer.start()
        self._told()

    def cancel(self) -> None:
        """End it as soon as it can be."""
        if self.job is not None:
            self.job.cancel()

    def forget(self) -> None:
        """Say nothing any more of a job that has ended."""
        if not self.isRunning:
            self.job = self.progress = None

    def close(self) -> None:
        """End it at once, and let go of everything."""
        self._timer.stop()
        self._connections.close()
        if self.job is not None:
            self.job.close()
            self.job = None

    def put(self, work: Callable[[], Result], sentence: str) -> Result | None:
        """Put what has come of it into the scene; where that fails, the job has failed.

        Args:
            work: leaves nothing behind where it fails.
            sentence: what is said then, with a place for the ``{reason}``.

        Returns:
            what ``work`` returns; None where it failed.
        """
        try:
            return work()
        except Exception as error:
            logging.exception("TopoGAN: a result cannot be put into the scene")
            reason = shown(str(error) or type(error).__name__, _LONGEST_REASON)
            self.progress = JobProgress(FAILED, error=sentence.format(reason=reason))
            return None

    def offer(self, button: Any, label: Any, reason: str, start: str, does: str, drops: str) -> None:
        """Show the button that starts the work, or cancels it, and why it cannot.

        Args:
            button: QPushButton.
            label: QLabel of the reason.
            reason: why nothing can be started now, in words; empty if it can.
            start: what the button is called while nothing runs.
            does: its tool tip then.
            drops: its tool tip while something runs.
        """
        running = self.isRunning
        button.text = _("Cancel") if running else start
        button.enabled = running or not reason
        button.toolTip = drops if running else reason or does
        label.text = "" if running else reason
        label.visible = bool(reason) and not running

    def show(self, bar: Any, label: Any, words: dict[str, str]) -> None:
        """Show how it is doing.

        Args:
            bar: QProgressBar.
            label: QLabel.
            words: for the states that have words of their own; those of a failure are its own.
        """
        progress = self.progress
        bar.visible = self.isRunning
        label.visible = progress is not None
        if progress is None:
            return
        # A range of 0 to 0 shows that something moves, though nobody knows how far.
        bar.setRange(0, progress.total)
        bar.value = progress.step
        known = {
            WRITING: _("Writing the files …"),
            WAITING: _("Starting the engine …"),
            RUNNING: _("Starting the engine …"),
            READING: _("Reading the result …"),
            CANCELLED: _("Cancelled."),
        }
        label.text = progress.error or (known | words).get(progress.state, "")

    def tick(self) -> None:
        """Look now, as a script does that waits."""
        if self.job is None or not self.isRunning:
            return
        before, self.progress = self.progress, self.job.tick()
        if self.progress.ended:
            self._timer.stop()
        if self.progress != before:
            self._told()
