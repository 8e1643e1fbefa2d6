"""The run folder as the engine owns it: made, locked, configured, logged, cleaned and asked to stop.

Layout: ``config.json`` (frozen, complete), ``run.lock``, ``status.json``, ``events.jsonl``, ``history.json``,
``previews/``, ``checkpoints/``, ``log.txt``, at the end ``model/``; a reader may only create the file ``stop``.
"""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from topogan.errors import InputError, WorkError
from topogan.files import check_name, check_new_folder, read_json, replace, write_json
from topogan.runs.status import read_status
from topogan_contract import schemas
from topogan_contract.lock import RunLock, is_locked, lock_holder
from topogan_contract.run import ALIVE, CONFIG_FILE, LOCK_FILE, LOG_FILE, MODEL, PREVIEWS, STATUS_FILE, STOP_FILE


class _TrainingSetOfRun(BaseModel):
    content_hash: str


class _Config(BaseModel):
    """What is read of ``config.json``; the settings are validated by their own class."""

    id: str = Field(pattern=r"^[0-9a-f]{32}$")
    settings: dict[str, Any]
    training_set: _TrainingSetOfRun
    device: str
    threads: int = Field(ge=1, le=4096)
    started_from: str | None


class RunFolder:
    """A locked run folder; close it to give it back. Made by :meth:`create` or :meth:`open`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoints = path / "checkpoints"
        self.previews = path / PREVIEWS
        self.model = path / MODEL
        self._lock = RunLock(path / LOCK_FILE)

    @classmethod
    def create(cls, path: Path, overwrite: bool, config: dict[str, Any]) -> RunFolder:
        """Make a new run, with its configuration, and lock it.

        Raises:
            InputError: the folder holds something, is in use, or cannot be written.
            WorkError: the disk is full.
        """
        check_run_folder(path, overwrite)
        folder = cls(path)
        try:
            if path.exists():
                _remove(path)
            folder._fill(config)
        except OSError as error:
            raise InputError(f"The folder {path} cannot be written ({error.strerror}): choose another.") from error
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Lock an existing run.

        Raises:
            InputError: it is no run folder, or is in use.
        """
        read_config(path)
        folder = cls(path)
        try:
            folder._take()
        except OSError as error:
            raise InputError(f"The folder {path} cannot be written ({error.strerror}): copy it elsewhere.") from error
        return folder

    def close(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def prepare_to_go_on(self) -> None:
        """Remove what a killed engine left half done, and a request to stop that it never answered."""
        for folder in (self.path, self.checkpoints, self.previews):
            for leftover in folder.glob(".*.partial*"):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        # A living engine writes its status all the time: a request older than that was meant for the dead one.
        stop, status = self.path / STOP_FILE, self.path / STATUS_FILE
        if stop.exists() and status.exists() and stop.stat().st_mtime < status.stat().st_mtime:
            stop.unlink()

    def stop_requested(self) -> bool:
        """Tell whether someone wants the run to stop."""
        return (self.path / STOP_FILE).exists()

    def ask_to_stop(self) -> None:
        """Request a stop from within the engine, as a reader would from outside."""
        (self.path / STOP_FILE).touch()

    def forget_stop(self) -> None:
        """Remove the request to stop: it has been answered."""
        (self.path / STOP_FILE).unlink(missing_ok=True)

    def log(self, text: str) -> None:
        """Add a line to ``log.txt``; the caller keeps source paths out of it."""
        with (self.path / LOG_FILE).open("a", encoding="utf-8") as file:
            file.write(text + "\n")

    def _fill(self, config: dict[str, Any]) -> None:
        self.path.mkdir(parents=True)
        try:
            self._take()
            self.checkpoints.mkdir()
            self.previews.mkdir()
            write_json(self.path / CONFIG_FILE, config, schemas.RUN)
        except (OSError, WorkError):
            self.close()
            shutil.rmtree(self.path, ignore_errors=True)
            raise

    def _take(self) -> None:
        if not self._lock.acquire():
            raise InputError(_in_use(self.path))


def read_config(run: Path) -> dict[str, Any]:
    """Read the configuration of a run.

    Raises:
        InputError: ``run`` is not a run folder, or its configuration is damaged.
    """
    check_name(run)
    content = read_json(run / CONFIG_FILE, schemas.RUN)
    try:
        _Config.model_validate(content)
    except ValidationError as error:
        what = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise InputError(f"{run / CONFIG_FILE} is damaged ({what}): start the training again.") from error
    return content


def check_run_folder(path: Path, overwrite: bool) -> None:
    """Refuse, before any work, an output folder that is not free.

    Raises:
        InputError: it holds something, or a training is running in it.
    """
    if is_locked(path / LOCK_FILE):
        raise InputError(_in_use(path))
    check_new_folder(path, overwrite, schemas.RUN)


def request_stop(run: Path | str) -> None:
    """Ask a running training to write a checkpoint and stop; it does so within one step and five seconds.

    Raises:
        InputError: ``run`` is no run folder or nothing is running in it.
    """
    run = Path(run)
    status = read_status(run)
    if status.state not in ALIVE:
        raise InputError(f"Nothing is running in {run}: it is {status.state} at step {status.step}.")
    (run / STOP_FILE).touch()


def _in_use(path: Path) -> str:
    pid = lock_holder(path / LOCK_FILE)
    engine = f" (process {pid})" if pid else ""
    return f"A training is running in {path}{engine}: stop it first, or name another folder."


def _remove(path: Path) -> None:
    """Remove a folder by one renaming, so that no half-removed run is left under its name."""
    old = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.replaced")
    replace(path, old)
    shutil.rmtree(old)
