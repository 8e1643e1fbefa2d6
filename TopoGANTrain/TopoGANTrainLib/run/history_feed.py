"""The curves of some runs, read again whenever their files have changed; knows nothing of Qt."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from topogan_contract.run import HISTORY_FILE
from TopoGANLib.engine.history import History, read_history
from TopoGANLib.forms.background import Background

Stamp = tuple[int, int]

# What a tick lets the thread have; it needs 10 ms for the curves of the longest run.
_SECONDS_A_TICK = 0.005


class HistoryFeed:
    """Usage::

    feed = HistoryFeed()
    if feed.tick([run]):
        show(feed.histories[run])
    """

    def __init__(self) -> None:
        self.histories: dict[Path, History] = {}
        """The newest curves of the runs that were asked for, where there are some."""
        self._stamps: dict[Path, Stamp] = {}
        self._reading: Background[dict[Path, History | None]] | None = None

    @property
    def busy(self) -> bool:
        """Whether something is being read, so that another tick is of use though nothing runs any more."""
        return self._reading is not None

    def tick(self, runs: Sequence[Path]) -> bool:
        """Look whether a file has changed, and read it on a thread; True when there are other curves than before."""
        renewed = self._take()
        gone = set(self._stamps) - set(runs)
        for run in gone:
            del self._stamps[run]
            self.histories.pop(run, None)
        if self._reading is None:
            stamps = {run: stamp for run in runs if (stamp := file_stamp(run / HISTORY_FILE)) is not None}
            changed = [run for run, stamp in stamps.items() if stamp != self._stamps.get(run)]
            if changed:
                self._stamps |= stamps
                self._reading = Background(lambda: {run: read_history(run) for run in changed}, no_memory="")
        return renewed or bool(gone)

    def _take(self) -> bool:
        if self._reading is None or not self._reading.done(_SECONDS_A_TICK):
            return False
        read, self._reading = self._reading.result or {}, None
        new = {run: history for run, history in read.items() if history is not None and run in self._stamps}
        self.histories |= new
        return bool(new)


def file_stamp(path: Path) -> Stamp | None:
    """What tells whether a file or folder is another than before; None where there is none."""
    with suppress(OSError):
        state = path.stat()
        return state.st_mtime_ns, state.st_size
    return None
