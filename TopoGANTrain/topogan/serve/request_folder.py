"""The folder in which a panel and the engine meet."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import Field

from topogan import __version__
from topogan.config import Settings, SynthesisSettings, validated
from topogan.errors import InputError
from topogan.files import read_json, remove_own, write_json
from topogan_contract import schemas
from topogan_contract.leftovers import is_partial
from topogan_contract.service import CANCELLED, FAILED, FINISHED, RUNNING, ServiceFolder

_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MAX_REQUEST_BYTES = 1 << 16
_MOST_QUOTED = 200
# A request that cannot be read may be half written by someone who does not replace files in one step.
_SECONDS_TO_COMPLETE = 1.0
_SECONDS_BETWEEN_REPORTS = 0.2


class Request(Settings):
    """What a panel asks for. Paths are absolute; they stay in this folder."""

    model: str = Field(min_length=1, max_length=4096)
    """Model package."""
    settings: SynthesisSettings = SynthesisSettings()
    out: str | None = Field(default=None, max_length=4096)
    """Synthesis folder to write; ``results/<id>`` of the folder by default."""
    training_set: str | None = Field(default=None, max_length=4096)
    """Training set to compare the samples with."""
    reject_copies: str | None = Field(default=None, max_length=4096)
    """Training set of the model: possible copies of its training masks are left out."""


class RequestFolder:
    """Reads requests and writes what becomes of them, each by its id (letters, digits, ``_`` and ``-``)."""

    def __init__(self, folder: Path) -> None:
        self.folder = ServiceFolder(folder)
        self._heartbeat = 0
        self._first_seen: dict[str, float] = {}
        self._last_report: tuple[str, float] = ("", 0.0)

    def prepare(self) -> None:
        """Make the folders.

        Raises:
            InputError: they cannot be made.
        """
        try:
            folders = (self.folder.requests, self.folder.results)
            for folder in folders:
                if folder.is_symlink():
                    raise InputError(f"{folder} is a link to another folder: name a new folder to serve.")
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"The folder {self.folder.path} cannot be used ({error.strerror}): name another."
            ) from error

    def clear_up(self) -> None:
        """Answer what an engine that died has left: half results, and requests that it had begun.

        Requests that nobody began yet stay: a panel may ask before its engine is ready.
        """
        for left in self.folder.results.iterdir():
            if is_partial(left.name):
                remove_own(left)
        waiting = self.waiting()
        for identifier in waiting:
            if self.folder.result(identifier).is_dir():
                self.finish(identifier, FINISHED)
            elif self.folder.progress(identifier).exists():
                self.fail(identifier, "work", "The engine ended while it worked on this: ask again.")
        for cancel in self.folder.requests.glob("*.cancel"):
            if cancel.stem not in waiting:
                _remove_file(cancel)

    def waiting(self) -> list[str]:
        """The ids of the requests, oldest first."""
        found = []
        for path in self.folder.requests.glob("*.json"):
            # One that was taken back in the meantime is not there to be asked for its time.
            with suppress(FileNotFoundError):
                if _IDENTIFIER.fullmatch(path.stem) and path.is_file():
                    found.append((path.stat().st_mtime_ns, path.stem))
        return [identifier for _, identifier in sorted(found)]

    def read(self, identifier: str) -> Request | None:
        """Read a request; None while it may not be completely written.

        Raises:
            InputError: one sentence that says what is wrong with it.
        """
        path = self.folder.request(identifier)
        # By our own clock: another computer's may put the time of the file into the future.
        first_seen = self._first_seen.setdefault(identifier, time.monotonic())
        try:
            if path.is_file() and path.stat().st_size > _MAX_REQUEST_BYTES:
                raise InputError(f"The request {identifier} is larger than a request can be.")
            content = read_json(path, schemas.REQUEST)
        except InputError:
            if time.monotonic() - first_seen < _SECONDS_TO_COMPLETE:
                return None
            raise
        request = validated(Request, {name: value for name, value in content.items() if name != "schema"})
        for path_name in ("model", "out", "training_set", "reject_copies"):
            value = getattr(request, path_name)
            if value is not None and not os.path.isabs(value):
                raise InputError(
                    f"The request's {path_name} {value[:_MOST_QUOTED]!r} is not an absolute path: name the whole path."
                )
        return request

    def is_cancelled(self, identifier: str) -> bool:
        """Whether the panel no longer wants the answer."""
        return self.folder.cancel(identifier).exists()

    def stop_asked(self) -> bool:
        """Whether the panel wants the engine to end."""
        return self.folder.stop.exists()

    def forget_stop(self) -> None:
        """Remove the panel's request to end: it has been answered."""
        _remove_file(self.folder.stop)

    def report(self, identifier: str, step: int, total: int) -> None:
        """Write ``results/<id>.progress.json``, at most five times a second."""
        if self._last_report[0] == identifier and time.monotonic() - self._last_report[1] < _SECONDS_BETWEEN_REPORTS:
            return
        self._last_report = (identifier, time.monotonic())
        self._write_progress(identifier, {"state": RUNNING, "step": step, "total": total})

    def finish(self, identifier: str, state: str) -> None:
        """Close a request as ``finished``, ``failed`` or ``cancelled``."""
        self._write_progress(identifier, {"state": state})
        self._first_seen.pop(identifier, None)
        for path in (self.folder.request(identifier), self.folder.cancel(identifier)):
            _remove_file(path)

    def fail(self, identifier: str, kind: str, sentence: str) -> None:
        """Write ``results/<id>.error.json`` and close the request; ``kind`` is input, work or cancelled."""
        _write_answer(self.folder.error(identifier), {"kind": kind, "error": sentence}, schemas.ERROR)
        self.finish(identifier, CANCELLED if kind == "cancelled" else FAILED)

    def write_status(self, state: str, request: str | None = None, reason: str | None = None) -> None:
        """Write ``serve.json``: state ``starting``, ``idle``, ``working`` or ``ended``, and a rising heartbeat."""
        self._heartbeat += 1
        content: dict[str, Any] = {
            "pid": os.getpid(),
            "version": __version__,
            "heartbeat": self._heartbeat,
            "ready": state in ("idle", "working"),
            "state": state,
            "request": request,
            "reason": reason,
        }
        write_json(self.folder.status, content, schemas.SERVICE)

    def _write_progress(self, identifier: str, content: dict[str, Any]) -> None:
        _write_answer(self.folder.progress(identifier), content, schemas.PROGRESS)


def _write_answer(path: Path, content: dict[str, Any], schema: str) -> None:
    """Write for one request; a folder in the place of its file must not take the service from all others."""
    if not path.is_dir():
        write_json(path, content, schema)


def _remove_file(path: Path) -> None:
    if not path.is_dir() or path.is_symlink():
        path.unlink(missing_ok=True)
