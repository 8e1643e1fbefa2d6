"""Hands the engine what a training set is to be made of: a folder with a request, and with data if need be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topogan_contract import preparation as layout
from topogan_contract import schemas
from topogan_contract.lock import RunLock
from TopoGANLib.words import tr as _


@dataclass(frozen=True)
class Request:
    """What the engine is asked for, and what the user should know of it."""

    content: Mapping[str, Any]
    """As :mod:`topogan_contract.preparation` says."""
    remark: str = ""


@dataclass(frozen=True)
class Preparation:
    """What makes the training set before the training."""

    folder: Path
    """For the request and what only the preparation reads; the engine removes it afterwards."""
    request: Callable[[], Request]
    """Writes data into ``folder`` if need be."""

    def write(self) -> str:
        """Fill ``folder`` and return the remark; takes long, and is called on a thread of its own.

        Raises:
            OSError: the folder cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = RunLock(self.folder / layout.LOCK_FILE)
        try:
            ours = lock.acquire()
        except OSError:  # a disk without locks: killed now, we would leave what nobody dares to remove
            ours = True
        if not ours:
            raise OSError(_("{folder} is used by another program: start again.").format(folder=self.folder))
        try:
            request = self.request()
            text = json.dumps({"schema": schemas.PREPARE_REQUEST, "temporary": True, **request.content})
            (self.folder / layout.REQUEST_FILE).write_text(text, encoding="utf-8")
        finally:
            lock.release()
        return request.remark
