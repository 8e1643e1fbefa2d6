"""How a run is doing: ``status.json``, written by the engine with a heartbeat, judged by whoever reads it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from topogan.errors import InputError, WorkError
from topogan.files import read_json, write_json
from topogan_contract import schemas
from topogan_contract.lock import is_locked
from topogan_contract.machine import machine_id, written_here
from topogan_contract.run import ALIVE, ENDED, FAILED, LOCK_FILE, QUEUED, STATUS_FILE

_SECONDS_BETWEEN_BEATS = 0.5
# Of steps, and of seconds that are left.
_MOST = 1e12


class RunStatus(BaseModel):
    """One reading of a run. ``step`` and ``total`` count over all stages; ``eta_seconds`` comes after 20 steps.

    ``machine`` tells, to its user's own processes alone, on which computer it runs (see
    :func:`topogan_contract.machine.machine_id`).
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: str = Field(default=QUEUED, pattern=f"^({'|'.join(ALIVE + ENDED)})$")
    step: int = Field(default=0, ge=0, le=_MOST)
    total: int = Field(default=0, ge=0, le=_MOST)
    stage: str = ""
    eta_seconds: float | None = Field(default=None, ge=0, le=_MOST)
    error: str | None = None
    machine: str = ""
    heartbeat: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as in the file."""
        return self.model_dump(mode="json")


def read_status(run: Path | str) -> RunStatus:
    """Read a run's status and judge it by the lock.

    A run that says it works while nobody holds its lock has died: it is shown as failed. The lock says nothing about
    a run on another computer; there ``heartbeat`` must be watched: it rises twice a second while the engine lives.

    Raises:
        InputError: ``run`` is not a run folder, or what is read of it is a link. (It may be one itself: the user named
            it.)
    """
    run = Path(run)
    for path in (run / STATUS_FILE, run / LOCK_FILE):
        if path.is_symlink():
            raise InputError(f"{path} is a link where TopoGAN writes something else: it is not followed, remove it.")
    content, status = _read(run / STATUS_FILE)
    if status.state not in ALIVE or not written_here(content, machine_id()) or is_locked(run / LOCK_FILE):
        return status
    # The engine may have ended properly between the reading and the look at the lock.
    _, again = _read(run / STATUS_FILE)
    if again.state not in ALIVE:
        return again
    sentence = f"The training process ended without a word at step {again.step}: resume it, it loses little."
    return again.model_copy(update={"state": FAILED, "eta_seconds": None, "error": sentence})


def _read(path: Path) -> tuple[dict[str, Any], RunStatus]:
    content = read_json(path, schemas.STATUS)
    try:
        return content, RunStatus.model_validate(content)
    except ValidationError as error:
        raise InputError(f"{path} is damaged: it does not hold the status of a run.") from error


class StatusWriter:
    """Keeps ``status.json`` of a living engine, from a thread so that a long step does not look like death."""

    def __init__(self, run: Path, total: int) -> None:
        self._path = run / STATUS_FILE
        self._status = RunStatus(total=total, machine=machine_id())
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
