"""Asks a running engine (``topogan serve DIR``) for samples, through files in DIR.

One engine keeps its model in memory, so that the second request costs no start and no loading.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from topogan_contract import schemas
from topogan_contract.schemas import find_json
from topogan_contract.service import CANCELLED, ENDED, FAILED, FINISHED, RUNNING, WAITING, ServiceFolder
from TopoGANLib.engine.process import Engine, EngineProcess
from TopoGANLib.words import tr as _


@dataclass(frozen=True)
class Answer:
    """What has become of a request."""

    state: str
    step: int = 0
    total: int = 0
    folder: Path | None = None
    """The synthesis folder, once finished."""
    error: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.state in ENDED


class ServeClient:
    """Owns the folder, the engine that serves it, and the requests. No method waits.

    Usage::

        client = ServeClient(engine, folder)
        request = client.ask(model, {"count": 64, "seed": 0, "betti": "1,1"})
        answer = client.poll(request)  # now and then, until answer.ended
        client.close()
    """

    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine, self._folder = engine, ServiceFolder(folder)
        self._process: EngineProcess | None = None

    @property
    def log(self) -> Path:
        """What the engine says."""
        return self._folder.path / "log.txt"

    @property
    def process(self) -> EngineProcess | None:
        """The engine, once it was needed."""
        return self._process

    def ask(self, model: Path, settings: Mapping[str, Any], reject_copies: Path | None = None) -> str:
        """Put a request and see that an engine is there to answer it; return the request's id.

        Args:
            model: model package, a folder or a zip.
            settings: of ``topogan synthesize``, by name.
            reject_copies: the training set of the model, to leave out possible copies of it.

        Raises:
            OSError: the folder cannot be written, or the engine's Python cannot be started.
            ValueError: the settings cannot be written as JSON.
        """
        identifier = uuid.uuid4().hex
        content = {"schema": schemas.REQUEST, "model": str(model.absolute()), "settings": dict(settings)}
        if reject_copies is not None:
            content["reject_copies"] = str(reject_copies.absolute())
        try:
            text = json.dumps(content, allow_nan=False)
        except (TypeError, RecursionError) as error:
            raise ValueError(str(error)) from error
        self._folder.requests.mkdir(parents=True, exist_ok=True)
        partial = self._folder.requests / f".{identifier}.partial"
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, self._folder.request(identifier))
        if self._process is None or self._process.exit_code() is not None:
            self._start()
        return identifier

    def poll(self, identifier: str) -> Answer:
        """Say how a request is doing."""
        # Looked at before the files: an engine that answers and then ends must not look as if it had not answered.
        engine_lives = self._process is not None and self._process.exit_code() is None
        error = find_json(self._folder.error(identifier), schemas.ERROR)
        if error is not None:
            state = CANCELLED if error.get("kind") == "cancelled" else FAILED
            return Answer(state, error=str(error.get("error", "")))
        folder = self._folder.result(identifier)
        if folder.is_dir():
            return Answer(FINISHED, folder=folder)
        if not engine_lives:
            return self._answer_without_engine(identifier)
        progress = find_json(self._folder.progress(identifier), schemas.PROGRESS)
        if progress is None:
            return Answer(WAITING)
        return Answer(RUNNING, int(progress.get("step", 0)), int(progress.get("total", 0)))

    def cancel(self, identifier: str) -> None:
        """Let the engine drop a request; its answer will be ``cancelled``."""
        with suppress(OSError):  # the folder is gone, and the request with it
            self._folder.cancel(identifier).touch()

    def hand_over(self, identifier: str, folder: Path) -> None:
        """Move the synthesis folder of a finished request to a place of the caller's, on the same disk.

        Raises:
            OSError: it cannot be moved.
        """
        os.replace(self._folder.result(identifier), folder)

    def forget(self, identifier: str) -> None:
        """Remove the files of a request that has ended."""
        shutil.rmtree(self._folder.result(identifier), ignore_errors=True)

    def close(self) -> None:
        """End the engine at once and remove the folder; nothing in it is meant to be kept."""
        if self._process is not None:
            self._process.kill()
            self._process = None
        shutil.rmtree(self._folder.path, ignore_errors=True)

    def _start(self) -> None:
        self._process = self._engine.start(["serve", self._folder.path, "--parent", str(os.getpid())], self.log)

    def _answer_without_engine(self, identifier: str) -> Answer:
        if self._folder.cancel(identifier).exists():
            return Answer(CANCELLED, error=_("The request was cancelled."))
        if self._process is None:
            return Answer(FAILED, error=_("The engine was ended: ask again."))
        if self._process.exit_code() == 0 and self._folder.request(identifier).exists():
            # It had waited long enough for work and ended just when the request came.
            self._start()
            return Answer(WAITING)
        return Answer(FAILED, error=self._process.complaint())
