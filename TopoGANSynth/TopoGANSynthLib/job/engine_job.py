"""One command of the engine, with what has to be written before it and read after it; nothing of it waits."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from slicer.i18n import tr as _

from topogan_contract.service import CANCELLED, ENDED, FAILED, FINISHED, RUNNING
from topogan_contract.words import shown
from TopoGANLib.engine.process import Engine, EngineProcess
from TopoGANLib.forms.background import Background

Result = TypeVar("Result")

WRITING = "writing"
READING = "reading"
"""The states before and after the engine's work; the others are those of a request."""

_SECONDS_TO_FINISH = 3.0
_SECONDS_TO_END = 1.0
_SECONDS_BETWEEN_LOOKS = 0.01
_LONGEST_SENTENCE = 1000
# As the engine says its progress where there is no terminal: "paint 12/80  5 s left".
_STEP = re.compile(r"[a-z]+ ([0-9]{1,9})/([0-9]{1,9})\b")


@dataclass(frozen=True)
class JobProgress:
    """What to show."""

    state: str
    step: int = 0
    total: int = 0
    error: str = ""
    log: tuple[str, ...] = ()
    """The last lines of what the engine said, where it failed."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ENDED


class EngineJob(Generic[Result]):
    """One command of the engine.

    Usage::

        job = EngineJob(engine, ["export", folder, out], log, write=lambda: None, read=lambda: out, clean=lambda: None)
        while not job.tick().ended:
            time.sleep(0.2)
    """

    def __init__(
        self,
        engine: Engine,
        arguments: Sequence[str | Path],
        log: Path,
        write: Callable[[], None],
        read: Callable[[], Result],
        clean: Callable[[], None],
    ) -> None:
        """Begin.

        Args:
            engine: starts the command.
            arguments: the command.
            log: gets what the engine says; in a folder of the user, for it may name the user's files.
            write: what the command needs, done on a thread; its OSError and ValueError end the job.
            read: what it has made, likewise.
            clean: is called once, after the end, whichever it was.
        """
        self.result: Result | None = None
        self._engine, self._arguments, self._log = engine, arguments, log
        self._read, self._clean = read, clean
        self._process: EngineProcess | None = None
        self._reading: Background[Result] | None = None
        self._cancelled = False
        self._ended: JobProgress | None = None
        self._no_memory = _("There is not enough memory: close other data.")
        self._writing = Background(lambda: _say_refusal(write), self._no_memory)

    def tick(self) -> JobProgress:
        """Look how it is doing, and do what is due."""
        if self._ended is None:
            progress = self._look()
            if not progress.ended:
                return progress
            self._ended = progress
            self._clean()
        return self._ended

    def cancel(self) -> None:
        """End it, as soon as what is being written or read is done."""
        self._cancelled = True
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End it at once, and leave nothing; waits a moment at most."""
        if self._ended is not None:
            return
        self.cancel()
        # What is still being written could not be removed.
        self._writing.done(_SECONDS_TO_FINISH)
        deadline = time.monotonic() + _SECONDS_TO_END
        while self._process is not None and self._process.exit_code() is None and time.monotonic() < deadline:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        self._ended = JobProgress(CANCELLED)
        self._clean()

    def _look(self) -> JobProgress:
        if self._process is None:
            return self._start() if self._writing.done() else JobProgress(WRITING)
        code = self._process.exit_code()
        if code is None:
            return JobProgress(RUNNING, *_step(self._process))
        if self._reading is not None:
            return self._look_at_reading(self._reading)
        if self._cancelled:
            return JobProgress(CANCELLED)
        if code != 0:
            return JobProgress(FAILED, error=complaint_of(self._process))
        self._reading = Background(self._read, self._no_memory)
        # A few samples are read in the moment that it is given.
        return self._look_at_reading(self._reading)

    def _start(self) -> JobProgress:
        if self._cancelled:
            return JobProgress(CANCELLED)
        if self._writing.error:
            return JobProgress(FAILED, error=self._writing.error)
        try:
            self._process = self._engine.start(self._arguments, self._log)
        except OSError as refusal:
            sentence = _("The engine cannot be started ({reason}): choose another Python.")
            return JobProgress(FAILED, error=sentence.format(reason=refusal.strerror or refusal))
        return JobProgress(RUNNING)

    def _look_at_reading(self, reading: Background[Result]) -> JobProgress:
        if not reading.done():
            return JobProgress(READING)
        if self._cancelled:
            return JobProgress(CANCELLED)
        if reading.error:
            return JobProgress(FAILED, error=reading.error)
        self.result = reading.result
        return JobProgress(FINISHED)


def complaint_of(process: EngineProcess) -> str:
    """Why the engine has failed, in a sentence."""
    if process.was_killed:
        return _("The engine was killed, perhaps because memory ran out: close other programs, and try again.")
    return shown(process.complaint(), _LONGEST_SENTENCE)


def _say_refusal(write: Callable[[], None]) -> None:
    """Write, and say in a sentence what the system does not let be written.

    Raises:
        ValueError: that sentence.
    """
    try:
        write()
    except OSError as error:
        sentence = _("{path} cannot be written ({reason}): look at the disk and the permissions.")
        path = error.filename or _("A file")
        raise ValueError(sentence.format(path=path, reason=error.strerror or error)) from error


def _step(process: EngineProcess) -> tuple[int, int]:
    """Step and number of steps that the engine told last; zeros where it told none."""
    for line in reversed(process.output()):
        found = _STEP.match(line.strip())
        if found:
            return int(found[1]), int(found[2])
    return 0, 0
