"""Reads how a training run is doing from its folder, which the engine owns, and asks it to stop.

Nothing connects Slicer and the engine but this folder: a panel may close, crash and come back, and finds the run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from topogan_contract import run as layout
from topogan_contract import schemas
from topogan_contract.lock import is_locked, lock_holder
from topogan_contract.machine import machine_id, written_here
from topogan_contract.run import ALIVE, FAILED, QUEUED
from topogan_contract.schemas import find_json
from topogan_contract.words import shown
from TopoGANLib.engine.process import PATIENCE_SECONDS, Engine, EngineProcess, kill_tree, last_lines
from TopoGANLib.words import tr as _

SILENT = "silent"
"""Judged, not written: nobody here can know how it is doing. No heartbeat has come from another computer for a while,
or all results are out of reach, as those on a disk that is unplugged."""

SILENCE_SECONDS = 60.0
# A folder that is being replaced is not there for a moment, and Windows refuses to read a file that is.
UNREADABLE_SECONDS = 2.0
# Of steps, and of seconds that are left.
_MOST = 1e12
_LONGEST_ERROR = 1000
_STOPPER_PAUSE_SECONDS = 0.2
_STOPPER_LINE = (
    "import sys; sys.path.insert(0, {parent!r}); from pathlib import Path; "
    "from TopoGANLib.engine.run_monitor import wait_and_kill; wait_and_kill(Path(sys.argv[1]), float(sys.argv[2]))"
)


@dataclass(frozen=True)
class RunReport:
    """One reading of a run, judged."""

    state: str = QUEUED
    step: int = 0
    total: int = 0
    stage: str = ""
    eta_seconds: float | None = None
    error: str = ""
    pid: int = 0
    """Of the engine, while it works here; else 0."""
    here: bool = True
    """Whether it runs on this computer, so that it may be ended by force."""
    there: bool = True
    """Whether its folder is."""
    said: bool = True
    """Whether the engine has written this state; else it was judged from what it left behind."""

    @property
    def fraction(self) -> float:
        """Share of the steps that are done, 0 to 1."""
        return min(1.0, self.step / self.total) if self.total > 0 else 0.0


class RunMonitor:
    """Watches one run folder, from its making on.

    Usage::

        monitor = RunMonitor(folder)
        report = monitor.poll()  # None as long as there is no run in the folder
    """

    def __init__(self, run: Path, clock: Callable[[], float] = time.monotonic, machine: str | None = None) -> None:
        self.run = run
        self._clock = clock
        self._machine = machine_id() if machine is None else machine
        self._last: RunReport | None = None
        self._heartbeat = -1
        self._heard = self._readable = clock()
        self._disk = 0

    @property
    def model(self) -> Path:
        """The model package, which is there when the run has finished."""
        return self.run / layout.MODEL

    def poll(self) -> RunReport | None:
        """Read the status and judge it; the last good reading where it cannot be read at this moment."""
        content, now = self._find_status(), self._clock()
        if content is not None:
            self._readable, self._disk = now, _disk_of(self._results)
            self._last = self._judge(self._read(content), _whole(content.get("heartbeat")))
        elif self._last is not None and now - self._readable >= UNREADABLE_SECONDS:
            self._last = self._judge_unreadable(self._last)
        return self._last

    def log(self, lines: int = 20) -> list[str]:
        """The last lines of the engine's log."""
        return last_lines(self.run / layout.LOG_FILE, lines)

    def latest_preview(self) -> Path | None:
        """The newest picture of samples."""
        found = (sorted((self.run / layout.PREVIEWS).glob(f"{stage}-*.png")) for stage in reversed(layout.STAGES))
        return next((pictures[-1] for pictures in found if pictures), None)

    def request_stop(self) -> None:
        """Ask the engine to write a checkpoint and end; it does so within a step and five seconds."""
        with suppress(OSError):  # the folder is gone, and the run with it
            (self.run / layout.STOP_FILE).touch()

    def withdraw_stop(self) -> None:
        """Take back a request to stop that an engine elsewhere has never answered: another one is to go on here."""
        report = self.poll()
        if report is not None and not report.here:
            with suppress(OSError):
                (self.run / layout.STOP_FILE).unlink(missing_ok=True)

    def kill(self) -> None:
        """End the engine by force; never on another computer, nor a process that has only inherited the number."""
        report = self.poll()
        if report is not None and report.pid:
            kill_tree(report.pid)

    @property
    def _results(self) -> Path:
        return self.run.parent.parent

    def _find_status(self) -> dict[str, Any] | None:
        return find_json(self.run / layout.STATUS_FILE, schemas.STATUS)

    def _judge(self, report: RunReport, heartbeat: int) -> RunReport:
        if report.state not in ALIVE:
            return report
        if not report.here:
            return self._judge_by_heartbeat(report, heartbeat)
        if is_locked(self.run / layout.LOCK_FILE):
            return report
        # The engine may have ended properly between the reading and the look at the lock.
        content = self._find_status()
        again = report if content is None else self._read(content)
        if again.state not in ALIVE:
            return again
        sentence = _("The engine ended without a word at step {step}: Resume goes on from its last checkpoint.").format(
            step=again.step
        )
        return replace(again, state=FAILED, eta_seconds=None, error=sentence, pid=0, said=False)

    def _judge_unreadable(self, last: RunReport) -> RunReport:
        if self.run.is_dir():
            return self._judge(last, self._heartbeat)
        if _disk_of(self._results) != self._disk:  # the engine may well work on
            sentence = _("The folder {results} is out of reach: connect its disk again.").format(results=self._results)
            return replace(last, state=SILENT, eta_seconds=None, error=sentence, pid=0, there=False, said=False)
        sentence = _("The folder of the run was removed or renamed: bring it back, or start a new run.")
        return replace(last, state=FAILED, eta_seconds=None, error=sentence, pid=0, there=False, said=False)

    def _judge_by_heartbeat(self, report: RunReport, heartbeat: int) -> RunReport:
        now = self._clock()
        if heartbeat != self._heartbeat:
            self._heartbeat, self._heard = heartbeat, now
        silence = now - self._heard
        if silence < SILENCE_SECONDS:
            return report
        sentence = _(
            "No sign of life from another computer for {silence} s: look there whether the run still works, "
            "or resume it here if it does not."
        ).format(silence=f"{silence:.0f}")
        return replace(report, state=SILENT, eta_seconds=None, error=sentence, said=False)

    def _read(self, content: dict[str, Any]) -> RunReport:
        eta = content.get("eta_seconds")
        state, here = str(content.get("state", QUEUED)), written_here(content, self._machine)
        lock = self.run / layout.LOCK_FILE
        return RunReport(
            state=shown(state),
            step=_whole(content.get("step")),
            total=_whole(content.get("total")),
            stage=shown(content.get("stage", "")),
            eta_seconds=float(eta) if isinstance(eta, int | float) and 0 <= eta < _MOST else None,
            error=shown(content.get("error") or "", _LONGEST_ERROR),
            pid=lock_holder(lock) if here and state in ALIVE else 0,
            here=here,
        )


def start_stopper(engine: Engine, run: Path, log: Path, patience: float = PATIENCE_SECONDS) -> EngineProcess:
    """See to the end of a run that was asked to stop, in a process of its own: Slicer is being closed and cannot wait.

    Args:
        engine: its Python does it.
        run: the run folder.
        log: gets what the process says.
        patience: seconds until force is used.
    """
    line = _STOPPER_LINE.format(parent=str(Path(__file__).resolve().parents[2]))
    return engine.run([str(engine.python), "-c", line, str(run), str(patience)], log)


def wait_and_kill(run: Path, patience: float) -> None:
    """Wait for the engine's answer to a request to stop, then use force."""
    monitor = RunMonitor(run)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        report = monitor.poll()
        if report is None or report.state not in ALIVE:
            return
        time.sleep(_STOPPER_PAUSE_SECONDS)
    monitor.kill()


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value < _MOST else 0


def _disk_of(folder: Path) -> int:
    """A number for the disk that a folder is on, until that is unplugged; 0 where there is no such folder."""
    try:
        return folder.stat().st_dev
    except OSError:
        return 0
