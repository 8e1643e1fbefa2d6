"""Tells everyone how a run is doing: the event log, the curves, the previews and the caller."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from topogan.runs.events import Event, EventLog
from topogan.runs.folder import RunFolder
from topogan.runs.previews import write_preview

OnEvent = Callable[[Event], None]

_SECONDS_BETWEEN_HISTORIES = 5.0


@dataclass(frozen=True)
class Position:
    """Where a run is: the stage, and the steps of that stage that are done, of how many."""

    stage: str
    step: int
    total: int


class Recorder:
    """Owns ``events.jsonl``, ``history.json`` and ``previews/``, and passes every event on.

    Args:
        folder: the locked run.
        keep_bytes: length of the true part of the events (see :class:`EventLog`).
        on_event: is called with every event, if given.
    """

    def __init__(self, folder: RunFolder, keep_bytes: int, on_event: OnEvent | None) -> None:
        self._folder, self._on_event = folder, on_event
        self._log = EventLog(folder.path, keep_bytes)
        self._next_history = time.monotonic() + _SECONDS_BETWEEN_HISTORIES

    def stage(self, at: Position) -> None:
        """A stage begins."""
        self._folder.log(f"The training of {at.stage} begins: {at.total} steps.")
        self._record("stage", at, {})

    def step(self, at: Position, values: dict[str, float]) -> None:
        """A step is done."""
        self._record("step", at, values)
        if time.monotonic() >= self._next_history:
            self._log.write_history()
            self._next_history = time.monotonic() + _SECONDS_BETWEEN_HISTORIES

    def preview(self, at: Position, sheet: np.ndarray, values: dict[str, float]) -> None:
        """A contact sheet has been drawn, with quick metrics."""
        write_preview(self._folder.previews / f"{at.stage}-{at.step:08d}.png", sheet)
        self._record("preview", at, values)

    def message(self, text: str) -> None:
        """Say something to the caller and the log; it is no part of the events, which a resumed run must repeat."""
        self._folder.log(text)
        if self._on_event is not None:
            self._on_event({"kind": "message", "text": text})

    def settle(self) -> int:
        """Force all events to the disk and return their length in bytes."""
        return self._log.settle()

    def close(self) -> None:
        """Write the curves a last time and close the log."""
        try:
            self._log.write_history()
        finally:  # on a full disk, too: Windows moves no folder with an open file in it
            self._log.close()

    def _record(self, kind: str, at: Position, values: dict[str, float]) -> None:
        event: Event = {"kind": kind, "stage": at.stage, "step": at.step, "total": at.total, "values": values}
        self._log.append(event)
        if self._on_event is not None:
            self._on_event(event)


class StepClock:
    """Estimates the time left from the last fifty steps, once there are twenty of them."""

    _FEWEST, _MOST = 20, 50

    def __init__(self) -> None:
        self._ends = [time.monotonic()]

    def tick(self, left: int) -> float | None:
        """A step is done and ``left`` remain: return the seconds that they will take, None before twenty steps."""
        self._ends = [*self._ends[-self._MOST :], time.monotonic()]
        done = len(self._ends) - 1
        return (self._ends[-1] - self._ends[0]) / done * left if done >= self._FEWEST else None
