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

    @property
    def runs(self) -> list[Path]:
        """All of them, the newest last; another application may have started one a moment ago."""
        return _read()

    def add(self, run: Path) -> None:
        """A run has been started here."""
        _write([*(one for one in _read() if one != run), run][-_MOST:])

    def take(self, run: Path) -> bool:
        """It has ended, or is gone; False where nobody waits for that, or another application has told it."""
        runs = _read()
        if run in runs:
            _write([one for one in runs if one != run])
        return run in runs


def _read() -> list[Path]:
    try:
        found = json.loads(user_settings.read_text(user_settings.AWAITED_RUNS) or "[]")
    except ValueError:
        found = []
    return [Path(one) for one in found if isinstance(one, str)] if isinstance(found, list) else []


def _write(runs: list[Path]) -> None:
    user_settings.write(user_settings.AWAITED_RUNS, json.dumps([str(run) for run in runs]))
