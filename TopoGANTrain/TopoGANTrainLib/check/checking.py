"""Makes a training set to be looked at, before any training: in the background, and leaving nothing if it fails.

Knows nothing of Qt; driven by ticks that never wait.
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from slicer.i18n import tr as _

from topogan_contract import preparation as layout
from topogan_contract.run import ENDED, FAILED, FINISHED, STOPPED, STOPPING
from TopoGANLib.engine.process import Engine, EngineProcess, StopThenKill
from TopoGANLib.forms.background import Background
from TopoGANLib.words import translated
from TopoGANTrainLib.run.leftovers import remove_leftovers
from TopoGANTrainLib.run.preparation import Preparation
from TopoGANTrainLib.run.progress import PREPARING

_SECONDS_TO_FINISH_WRITING = 3.0
_SECONDS_TO_END = 1.0
_SECONDS_BETWEEN_LOOKS = 0.2


@dataclass(frozen=True)
class CheckProgress:
    """What to show."""

    state: str
    """``"preparing"``, ``"stopping"``, or how it ended."""
    note: str = ""
    """The engine's own last words."""
    error: str = ""
    remark: str = ""
    """What the user should know of the input."""


class Checking:
    """One preparation of a training set.

    Usage::

        checking = Checking(engine, folder / "training-set", inputs.preparation(settings, values), work / "engine.txt")
        while checking.tick().state not in ENDED:
            time.sleep(0.2)
    """

    def __init__(self, engine: Engine, training_set: Path, preparation: Preparation, log: Path) -> None:
        """Begin.

        Args:
            engine: starts the command.
            training_set: folder to make; its parent is made, and removed again if nothing is in it in the end.
            preparation: what to make it of; its folder is removed in the end.
            log: gets what the engine says; lies in a folder of the user, for it may name the user's files.

        Raises:
            OSError: the folder cannot be written.
        """
        self.training_set = training_set
        self._engine, self._preparation, self._log = engine, preparation, log
        self._process: EngineProcess | None = None
        self._end: StopThenKill | None = None
        self._ended: CheckProgress | None = None
        training_set.parent.mkdir(parents=True, exist_ok=True)
        no_memory = _("There is not enough memory to hand the volumes on: close other data.")
        self._writing = Background(preparation.write, no_memory)

    def tick(self) -> CheckProgress:
        """Look how it is doing, and do what is due."""
        if self._ended is None:
            self._ended = self._look()
        if self._ended is not None:
            return self._ended
        if self._end is not None:
            self._end.tick(alive=True)
            return CheckProgress(STOPPING)
        said = [line.strip() for line in self._process.output(3) if line.strip()] if self._process is not None else []
        return CheckProgress(PREPARING, note=said[-1] if said else "")

    def stop(self) -> None:
        """Ask for an end; force follows after 30 seconds."""
        if self._end is None and self._ended is None:
            self._end = StopThenKill(self._ask, self._force)

    def close(self) -> None:
        """End it at once, and leave nothing; waits a moment at most."""
        if self._ended is not None:
            return
        self._writing.done(_SECONDS_TO_FINISH_WRITING)  # what is still being written could not be removed
        self._force()
        deadline = time.monotonic() + _SECONDS_TO_END
        while self._process is not None and self._process.exit_code() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        self._ended = self._give_up(STOPPED)

    def _look(self) -> CheckProgress | None:
        """How it ended; None while it has not."""
        if self._process is None:
            return self._start() if self._writing.done() else None
        code = self._process.exit_code()
        if code is None:
            return None
        if code == 0:
            shutil.rmtree(self._preparation.folder, ignore_errors=True)
            return CheckProgress(FINISHED, remark=translated(self._writing.result or ""))
        return self._give_up(STOPPED) if self._end is not None else self._give_up(FAILED, self._process.complaint())

    def _start(self) -> CheckProgress | None:
        """Let the engine work on what was written; how it ended if it never came to that."""
        if self._end is not None:
            return self._give_up(STOPPED)
        if self._writing.error:
            return self._give_up(FAILED, self._writing.error)
        try:
            command = ["prepare", self.training_set, "--request", self._preparation.folder]
            self._process = self._engine.start(command, self._log)
        except OSError as refusal:
            sentence = _("The engine cannot be started ({reason}): choose another Python.")
            return self._give_up(FAILED, sentence.format(reason=refusal.strerror))
        return None

    def _give_up(self, state: str, error: str = "") -> CheckProgress:
        """Remove what a preparation that was killed has left."""
        remove_leftovers(self.training_set, self.training_set.parent, self._preparation.folder)
        return CheckProgress(state, error=error)

    def _ask(self) -> None:
        with suppress(OSError):  # it is gone: the preparation is over
            (self._preparation.folder / layout.STOP_FILE).touch()

    def _force(self) -> None:
        if self._process is not None:
            self._process.kill()


def make_training_set(engine: Engine, training_set: Path, preparation: Preparation, log: Path) -> Path:
    """Make a training set, and wait for it, as a script does; return it.

    Args:
        engine: as of :class:`Checking`, like all of them.

    Raises:
        OSError: the folder cannot be written.
        RuntimeError: the engine says why it cannot be made; nothing is left.
    """
    checking = Checking(engine, training_set, preparation, log)
    try:
        while (progress := checking.tick()).state not in ENDED:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
    finally:
        checking.close()
    if progress.state != FINISHED:
        raise RuntimeError(progress.error)
    return training_set
