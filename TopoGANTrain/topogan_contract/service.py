"""The folder in which a panel asks ``topogan serve`` for samples, and is answered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

WAITING, RUNNING, FINISHED, FAILED, CANCELLED = "waiting", "running", "finished", "failed", "cancelled"
"""States of a request. The kinds of errors are ``input``, ``work`` and ``cancelled``."""
ENDED = (FINISHED, FAILED, CANCELLED)


@dataclass(frozen=True)
class ServiceFolder:
    """Where the files of requests lie, each by its id (letters, digits, ``_`` and ``-``)."""

    path: Path

    @property
    def requests(self) -> Path:
        """Written by the panel."""
        return self.path / "requests"

    @property
    def results(self) -> Path:
        """Written by the engine."""
        return self.path / "results"

    @property
    def lock(self) -> Path:
        """Held by the engine."""
        return self.path / "serve.lock"

    @property
    def status(self) -> Path:
        """How the engine is doing."""
        return self.path / "serve.json"

    @property
    def stop(self) -> Path:
        """Made to end the engine."""
        return self.path / "stop"

    def request(self, identifier: str) -> Path:
        """What is asked for; gone when it is answered."""
        return self.requests / f"{identifier}.json"

    def cancel(self, identifier: str) -> Path:
        """Made to have a request dropped."""
        return self.requests / f"{identifier}.cancel"

    def progress(self, identifier: str) -> Path:
        """How far it is."""
        return self.results / f"{identifier}.progress.json"

    def error(self, identifier: str) -> Path:
        """Why there is no result."""
        return self.results / f"{identifier}.error.json"

    def result(self, identifier: str) -> Path:
        """The synthesis folder, complete as soon as it is there."""
        return self.results / identifier
