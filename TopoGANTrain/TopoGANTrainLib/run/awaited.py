"""The runs that were started here and whose end nobody has told yet, kept beyond a restart of the application."""

from __future__ import annotations

import json
from pathlib import Path

from TopoGANLib.forms import user_settings

# Beyond what anybody starts and never comes back to.
_MOST = 50


class AwaitedRuns:
    """Each end is told once: by whoever takes the run off the list, which all applications of a user share.

    Usage::

        awaited = AwaitedRuns()
        awaited.add(run)
        if awaited.take(run):
            tell_the_end(run)
    """

    def __init__(self) -> None:
        self._runs = _read()

    @property
    def runs(self) -> list[Path]:
        """Those that this application knows of, the newest last."""
        return list(self._runs)

    def add(self, run: Path) -> None:
        """A run has been started here."""
        if run not in self._runs:
            self._runs = [*self._runs, run][-_MOST:]
            _write([*(one for one in _read() if one != run), run][-_MOST:])

    def take(self, run: Path) -> bool:
        """It has ended, or is gone; False where it was not started here, or another application has told it."""
        if run not in self._runs:
            return False
        self._runs.remove(run)
        kept = _read()
        if run in kept:
            _write([one for one in kept if one != run])
        return run in kept


def _read() -> list[Path]:
    try:
        found = json.loads(user_settings.read_text(user_settings.AWAITED_RUNS) or "[]")
    except ValueError:
        found = []
    return [Path(one) for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _write(runs: list[Path]) -> None:
    user_settings.write(user_settings.AWAITED_RUNS, json.dumps([str(run) for run in runs]))
