"""How a run is doing: ``status.json``, written by the engine with a heartbeat, judged by whoever reads it."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from topogan.errors import InputError, WorkError
from topogan.files import read_json, write_json
from topogan_contract import schemas
from topogan_contract.lock import is_locked
from topogan_contract.run import ALIVE, FAILED, LOCK_FILE, QUEUED, STATUS_FILE

_SECONDS_BETWEEN_BEATS = 0.5


class RunStatus(BaseModel):
    """One reading of a run. ``step`` and ``total`` count over all stages; ``eta_seconds`` comes after 20 steps."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: str = QUEUED
    step: int = 0
    total: int = 0
    stage: str = ""
    eta_seconds: float | None = None
    error: str | None = None
    pid: int = 0
    host: str = ""
    heartbeat: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as in the file."""
        return self.model_dump(mode="json")


def read_status(run: Path | str) -> RunStatus:
    """Read a run's status and judge it by the lock.

    A run that says it works while nobody holds its lock has died: it is shown as failed. The lock says nothing about
    a run on another host; there ``heartbeat`` must be watched: it rises twice a second while the engine lives.

    Raises:
        InputError: ``run`` is not a run folder.
    """
    run = Path(run)
    content = read_json(run / STATUS_FILE, schemas.STATUS)
    try:
        status = RunStatus.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{run / STATUS_FILE} is damaged: it does not hold the status of a run.") from error
    if status.state not in ALIVE or status.host != socket.gethostname() or is_locked(run / LOCK_FILE):
        return status
    # The engine may have ended properly between the reading and the look at the lock.
    again = RunStatus.model_validate(read_json(run / STATUS_FILE, schemas.STATUS))
    if again.state not in ALIVE:
        return again
    sentence = f"The training process ended without a word at step {again.step}: resume it, it loses little."
    return again.model_copy(update={"state": FAILED, "eta_seconds": None, "error": sentence})


class StatusWriter:
    """Keeps ``status.json`` of a living engine, from a thread so that a long step does not look like death."""

    def __init__(self, run: Path, total: int) -> None:
        self._path = run / STATUS_FILE
        self._status = RunStatus(total=total, pid=os.getpid(), host=socket.gethostname())
        self._guard = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Write the first status and begin to beat."""
        self.write()
        self._thread.start()

    def note(self, **changes: Any) -> None:
        """Change fields; the next heartbeat shows them."""
        with self._guard:
            self._status = self._status.model_copy(update=changes)

    def write(self, **changes: Any) -> None:
        """Change fields and write at once."""
        with self._guard:
            beat = self._status.heartbeat + 1
            self._status = self._status.model_copy(update={**changes, "heartbeat": beat})
            write_json(self._path, self._status.as_dict(), schemas.STATUS)

    def end(self, state: str, error: str | None = None) -> None:
        """Stop beating and write the last status."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self.write(state=state, error=error, eta_seconds=None)

    def _beat(self) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN_BEATS):
            try:
                self.write()
            except (OSError, WorkError):
                # A full disk ends the run at its next checkpoint, which says so; a missed beat alone must not.
                continue
