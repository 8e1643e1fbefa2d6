"""The run folder as the engine owns it: made, locked, configured, logged, cleaned and asked to stop.

Layout: ``config.json`` (frozen, complete), ``run.lock``, ``status.json``, ``events.jsonl``, ``history.json``,
``previews/``, ``checkpoints/``, ``log.txt``, at the end ``model/``; a reader may only create the file ``stop``.
"""

from __future__ import annotations

import stat
import sys
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from topogan.errors import DiskFull, InputError, WorkError
from topogan.files import (
    check_disk_full,
    check_name,
    check_new_folder,
    exchange,
    read_json,
    remove_if_old,
    remove_leftovers,
    remove_own,
    replace,
    replace_keeping,
    write_json,
)
from topogan.runs.status import StatusWriter, read_status
from topogan_contract import leftovers, schemas
from topogan_contract.lock import RunLock, is_locked, lock_holder
from topogan_contract.results import take_mark_back
from topogan_contract.run import (
    ALIVE,
    CHECKPOINTS,
    CONFIG_FILE,
    FILES,
    FOLDERS,
    LOCK_FILE,
    LOG_FILE,
    MODEL,
    PREVIEWS,
    STATUS_FILE,
    STOP_FILE,
)

GONE = "The run folder was removed or renamed while the training ran: bring it back and resume, or start a new run."
_MOST_FILES = 100_000


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
    continued: list[str] = []


class RunFolder:
    """A locked run folder; close it to give it back. Made by :meth:`create` or :meth:`open`."""

    def __init__(self, path: Path, identifier: str) -> None:
        self.path = path
        self.checkpoints = path / CHECKPOINTS
        self.previews = path / PREVIEWS
        self.model = path / MODEL
        self._older = leftovers.replaced_run(path, identifier)
        self._lock = RunLock(path / LOCK_FILE)

    @classmethod
    def create(cls, path: Path, overwrite: bool, config: dict[str, Any]) -> RunFolder:
        """Make a new run, with its configuration, and lock it.

        An older run is kept beside it until this one is finished (:attr:`older`, :meth:`remove_older`).

        Raises:
            InputError: the folder holds something, is in use, or cannot be written.
            DiskFull: no space is left.
        """
        check_run_folder(path, overwrite)
        _clear_up(path)
        folder = cls(path, config["id"])
        try:
            folder._replace_older(config)
        except DiskFull as error:
            raise DiskFull(path) from error
        except OSError as error:
            check_disk_full(path, error)
            raise InputError(f"The folder {path} cannot be written ({error.strerror}): choose another.") from error
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Lock an existing run.

        Raises:
            InputError: it is no run folder, is in use, or holds links.
        """
        folder = cls(path, read_config(path)["id"])
        check_plain(path)
        try:
            folder._take()
        except OSError as error:
            raise InputError(f"The folder {path} cannot be written ({error.strerror}): copy it elsewhere.") from error
        return folder

    @property
    def older(self) -> Path | None:
        """The run that this one replaces, if there is one."""
        return self._older if self._older.is_dir() and not self._older.is_symlink() else None

    def remove_older(self) -> None:
        """Remove the run that this one, which is finished, replaces, and those that it was to replace itself."""
        chain = []
        while (older := self.older) is not None and older not in chain:
            chain.append(older)
            try:
                self._older = leftovers.replaced_run(self.path, read_config(older)["id"])
            except InputError:
                break
        for older in reversed(chain):
            with suppress(OSError):
                left = leftovers.partial_folder(self.path)
                replace(older, left)  # in one step: what is left of it has a name by which it is cleared up
                take_mark_back(left)
                remove_own(left)

    def bring_back_older(self) -> bool:
        """Put the older run back in its place if this one has not come to its first checkpoint; gives the lock back."""
        older, left = self.older, leftovers.partial_folder(self.path)
        try:
            if older is None or any(self.checkpoints.iterdir()):
                return False
            self.close()
            if exchange(older, self.path):
                replace(older, left)
            else:
                replace_keeping(older, self.path, left)
        except OSError:  # the older run is kept where it is; why the new one failed is what has to be said
            return False
        take_mark_back(left)
        remove_own(left)
        return True

    def close(self) -> None:
        """Give the lock back."""
        self._lock.release()

    def prepare_to_go_on(self) -> None:
        """Remove what a killed engine left half done, and a request to stop that it never answered."""
        for folder in (self.path, self.checkpoints, self.previews):
            for left in folder.iterdir():
                if leftovers.is_partial(left.name):
                    remove_own(left)
        # A living engine writes its status all the time: a request older than that was meant for the dead one.
        stop, status = self.path / STOP_FILE, self.path / STATUS_FILE
        if stop.exists() and status.exists() and stop.stat().st_mtime < status.stat().st_mtime:
            stop.unlink()

    @property
    def is_there(self) -> bool:
        """Whether nobody has removed or renamed it."""
        return self.path.is_dir()

    def stop_requested(self) -> bool:
        """Tell whether someone wants the run to stop.

        Raises:
            WorkError: the folder is gone: the work would be for nothing, and nobody could stop it any more.
        """
        if not self.is_there:
            raise WorkError(GONE)
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

    def _replace_older(self, config: dict[str, Any]) -> None:
        """Make the new run where the older one will be kept, and let them change places in one step."""
        staged = self._older
        lock = RunLock(self.path / LOCK_FILE)
        try:
            _fill(staged, config)
            if not self.path.exists() or not any(self.path.iterdir()):
                if self.path.exists():
                    self.path.rmdir()
                replace(staged, self.path)
            # Nobody goes on with the older run meanwhile; on Windows a folder with an open file has to keep its name.
            elif sys.platform != "win32" and not lock.acquire():
                raise InputError(_in_use(self.path))
            elif not exchange(staged, self.path):
                new = leftovers.partial_folder(self.path)
                replace(staged, new)
                try:
                    replace_keeping(new, self.path, self._older)
                except BaseException:
                    remove_own(new)
                    raise
            self._take()
        except BaseException:
            if _is_unbegun(staged):
                remove_own(staged)
            raise
        finally:
            lock.release()

    def _take(self) -> None:
        if not self._lock.acquire():
            raise InputError(_in_use(self.path))


def _fill(path: Path, config: dict[str, Any]) -> None:
    """Write a run that can be gone on with, from its first step."""
    for name in (CHECKPOINTS, PREVIEWS):
        (path / name).mkdir(parents=True)
    (path / LOCK_FILE).touch()
    StatusWriter(path, total=0).write()
    write_json(path / CONFIG_FILE, config, schemas.RUN)


def _is_unbegun(path: Path) -> bool:
    """Whether a folder with the name of a kept run holds the new one instead, which has never got its place."""
    try:
        return path.name.endswith(f".{read_config(path)['id']}.replaced")
    except InputError:
        return not (path / CONFIG_FILE).exists()


def _clear_up(path: Path) -> None:
    """Remove what killed processes have left beside ``path``, but never a run that was to be replaced."""
    remove_leftovers(path)
    for left in leftovers.replaced_runs(path):
        if _is_unbegun(left):
            remove_if_old(left)


def read_config(run: Path) -> dict[str, Any]:
    """Read the configuration of a run.

    Raises:
        InputError: ``run`` is not a run folder, or its configuration is damaged.
    """
    check_name(run)
    _check_not_moved(run)
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
    if path.is_symlink():
        raise InputError(f"{path} is a link: name the folder itself.")
    if is_locked(path / LOCK_FILE):
        raise InputError(_in_use(path))
    _check_not_moved(path)
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
    check_plain(run)
    (run / STOP_FILE).touch()


def check_plain(run: Path) -> None:
    """Refuse a run with links, pipes or devices in it before anything is written: they lead to what is not ours.

    Raises:
        InputError: one sentence that names the first of them.
    """
    parts = [run, *(run / name for name in (*FILES, *FOLDERS))]
    for parent in (run / CHECKPOINTS, run / PREVIEWS):
        if parent.is_dir() and not parent.is_symlink():
            parts += islice(parent.iterdir(), _MOST_FILES)
    for path in parts:
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue
        folder = path == run or (path.parent == run and path.name in FOLDERS)
        if not (stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)):
            what = "a link" if stat.S_ISLNK(mode) else "a folder" if stat.S_ISDIR(mode) else "no plain file or folder"
            raise InputError(f"{path} is {what} where TopoGAN writes something else: it is not touched, remove it.")


def _check_not_moved(run: Path) -> None:
    """Say where the older run is when a replacement was killed between its two steps (where there is no exchange)."""
    kept = [] if run.exists() else [path for path in leftovers.replaced_runs(run) if not _is_unbegun(path)]
    if kept:
        raise InputError(
            f"There is no run in {run}, but an older one, which was to be replaced, is kept in {kept[0]}: "
            "rename it, or remove it if you do not want it."
        )


def _in_use(path: Path) -> str:
    pid = lock_holder(path / LOCK_FILE)
    engine = f" (process {pid})" if pid else ""
    return f"A training is running in {path}{engine}: stop it first, or name another folder."
