"""The folder in which a panel asks ``topogan serve`` for samples, and is answered."""

from __future__ import annotations

from pathlib import Path

WAITING, RUNNING, FINISHED, FAILED, CANCELLED = "waiting", "running", "finished", "failed", "cancelled"
"""States of a request. The kinds of errors are ``input``, ``work`` and ``cancelled``."""
ENDED = (FINISHED, FAILED, CANCELLED)


class ServiceFolder:
    """Where the files lie, those of a request by its id (letters, digits, ``_`` and ``-``).

    The panel writes into ``requests`` and makes ``stop`` to end the engine; the engine writes into ``results``, says in
    ``status`` how it is doing, and holds ``lock``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests, self.results = path / "requests", path / "results"
        self.stop, self.status, self.lock = path / "stop", path / "serve.json", path / "serve.lock"

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
