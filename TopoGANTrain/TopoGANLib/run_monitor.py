"""Reads how a training run is doing from its folder, which the engine owns, and asks it to stop.

Nothing connects Slicer and the engine but this folder: a panel may close, crash and come back, and finds the run.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from TopoGANLib.engine_process import kill_tree, last_lines

STATUS_SCHEMA = "topogan.status/1"
CONFIG_SCHEMA = "topogan.run/1"

QUEUED, RUNNING, STOPPING = "queued", "running", "stopping"
FINISHED, STOPPED, FAILED = "finished", "stopped", "failed"
SILENT = "silent"
"""Judged, not written: the run says it works on another host, from which no heartbeat has come for a while."""
WORKING = (QUEUED, RUNNING, STOPPING)
RESUMABLE = (STOPPED, FAILED)

SILENCE_SECONDS = 60.0
_EVENTS_BYTES_A_POLL = 65536


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
    host: str = ""
    here: bool = True
    """Whether it runs on this host, so that it may be ended by force."""

    @property
    def fraction(self) -> float:
        """Share of the steps that are done, 0 to 1."""
        return min(1.0, self.step / self.total) if self.total > 0 else 0.0


class RunMonitor:
    """Watches one run folder, from its making on.

    Usage::

        monitor = RunMonitor(folder)
        report = monitor.poll()  # None as long as there is no run in the folder
        for event in monitor.take_events(): ...
    """

    def __init__(
        self, run: Path, clock: Callable[[], float] = time.monotonic, host: str = socket.gethostname()
    ) -> None:
        self.run = run
        self._clock, self._host = clock, host
        self._last: RunReport | None = None
        self._heartbeat = -1
        self._heard = clock()
        self._offset = 0

    @property
    def model(self) -> Path:
        """The model package, which is there when the run has finished."""
        return self.run / "model"

    def poll(self) -> RunReport | None:
        """Read the status and judge it; the last good reading where it cannot be read at this moment."""
        content = read_json(self.run / "status.json", STATUS_SCHEMA)
        if content is not None:
            self._last = self._judge(content)
        return self._last

    def take_events(self, limit: int = 200) -> list[dict[str, Any]]:
        """The next events of the run, oldest first, a bounded number; those that it takes back later stay taken."""
        path = self.run / "events.jsonl"
        try:
            with path.open("rb") as file:
                if file.seek(0, os.SEEK_END) < self._offset:
                    self._offset = 0  # a resumed run has cut off what came after its checkpoint
                file.seek(self._offset)
                block = file.read(_EVENTS_BYTES_A_POLL)
        except OSError:
            return []
        complete = block.split(b"\n")[:-1][:limit]
        self._offset += sum(len(line) + 1 for line in complete)
        events = []
        for line in complete:
            with suppress(ValueError, RecursionError):  # a line that a crash of the computer has torn says nothing
                events.append(json.loads(line))
        return [event for event in events if isinstance(event, dict)]

    def log(self, lines: int = 20) -> list[str]:
        """The last lines of the engine's log."""
        return last_lines(self.run / "log.txt", lines)

    def latest_preview(self) -> Path | None:
        """The newest picture of samples."""
        stages = ("textures", "masks")
        found = (sorted((self.run / "previews").glob(f"{stage}-*.png")) for stage in stages)
        return next((pictures[-1] for pictures in found if pictures), None)

    def request_stop(self) -> None:
        """Ask the engine to write a checkpoint and end; it does so within a step and five seconds."""
        with suppress(OSError):  # the folder is gone, and the run with it
            (self.run / "stop").touch()

    def kill(self) -> None:
        """End the engine by force; never on another host, and never a process that has only inherited the number."""
        report = self.poll()
        if report is not None and report.here and report.state in WORKING and report.pid:
            kill_tree(report.pid)

    def _judge(self, content: dict[str, Any]) -> RunReport:
        report = self._read(content)
        if report.state not in WORKING:
            return report
        if not report.here:
            return self._judge_from_afar(report, _whole(content.get("heartbeat")))
        if is_locked(self.run / "run.lock"):
            return report
        # The engine may have ended properly between the reading and the look at the lock.
        again = self._read(read_json(self.run / "status.json", STATUS_SCHEMA) or content)
        if again.state not in WORKING:
            return again
        sentence = f"The engine ended without a word at step {again.step}: Resume goes on from its last checkpoint."
        return replace(again, state=FAILED, eta_seconds=None, error=sentence)

    def _judge_from_afar(self, report: RunReport, heartbeat: int) -> RunReport:
        now = self._clock()
        if heartbeat != self._heartbeat:
            self._heartbeat, self._heard = heartbeat, now
        silence = now - self._heard
        if silence < SILENCE_SECONDS:
            return report
        sentence = f"No sign of life from {report.host} for {silence:.0f} s: look there whether the run still works."
        return replace(report, state=SILENT, eta_seconds=None, error=sentence)

    def _read(self, content: dict[str, Any]) -> RunReport:
        host = str(content.get("host", ""))
        eta = content.get("eta_seconds")
        return RunReport(
            state=str(content.get("state", QUEUED)),
            step=_whole(content.get("step")),
            total=_whole(content.get("total")),
            stage=str(content.get("stage", "")),
            eta_seconds=float(eta) if isinstance(eta, int | float) else None,
            error=str(content.get("error") or ""),
            pid=_whole(content.get("pid")),
            host=host,
            here=host == self._host,
        )


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run."""
    return read_json(folder / "config.json", CONFIG_SCHEMA) is not None


def is_locked(path: Path) -> bool:
    """Tell, without waiting, whether a process holds the operating system's lock on a file."""
    try:
        with path.open("rb") as file:
            return not _lock_is_free(file.fileno())
    except OSError:
        return False


def read_json(path: Path, schema: str) -> dict[str, Any] | None:
    """Read one of the engine's files; None if it is missing, is being replaced (Windows), or is something else."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and content.get("schema") == schema else None


def _lock_is_free(descriptor: int) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            # One byte at the file's start, as the engine locks it; Windows has no shared locks here.
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _whole(value: Any) -> int:
    return value if isinstance(value, int) else 0
