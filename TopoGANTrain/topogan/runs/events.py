"""What happened in a run: ``events.jsonl``, one line an event, and ``history.json``, the curves drawn from it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from topogan.errors import WorkError
from topogan.files import write_json
from topogan_contract import schemas
from topogan_contract.run import EVENTS_FILE, HISTORY_FILE

Event = dict[str, Any]

MAX_POINTS = 2000
# A line takes 400 bytes; a million of them are the events of the longest run.
_MAX_BYTES, _MAX_LINE_BYTES, _MOST_CURVES = 1 << 30, 1 << 16, 1000
# Events of the first version say loss_critic: the curve of a run that is resumed goes on under its new name.
_OLD_WORD = "critic"


class Curve:
    """Points (step, value), thinned evenly to at most 2000: which are kept depends on their number alone.

    Values keep six digits, more than a picture shows: a panel reads 27 full curves in 10 ms instead of 29.
    """

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.values: list[float] = []
        self._stride = 1
        self._seen = 0

    def add(self, step: int, value: float) -> None:
        """Add a point; every second point goes when there are too many."""
        if self._seen % self._stride == 0:
            self.steps.append(step)
            self.values.append(float(f"{value:.6g}"))
            if len(self.steps) > MAX_POINTS:
                self.steps, self.values = self.steps[::2], self.values[::2]
                self._stride *= 2
        self._seen += 1


class EventLog:
    """Appends events to a run and keeps the curves of their values, named ``stage/value``.

    Args:
        run: the run folder.
        keep_bytes: length of the part of ``events.jsonl`` that is true; what a killed engine wrote after its last
            checkpoint is cut off, because the resumed run writes it again.

    Raises:
        WorkError: what is there holds no events.
    """

    def __init__(self, run: Path, keep_bytes: int = 0) -> None:
        self._history_path = run / HISTORY_FILE
        self._curves: dict[str, Curve] = {}
        self._file = (run / EVENTS_FILE).open("a+b")
        # A file that is shorter has lost its end: it must not grow by zeros.
        keep = min(keep_bytes, os.fstat(self._file.fileno()).st_size)
        try:
            if keep > _MAX_BYTES:
                raise ValueError("larger than the events of any run")
            self._file.truncate(keep)
            self._file.seek(0)
            # A line that is too long comes in parts, of which the first is no JSON.
            for line in iter(lambda: self._file.readline(_MAX_LINE_BYTES), b""):
                self._take(json.loads(line))
        except (AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
            self._file.close()
            raise WorkError(
                f"{EVENTS_FILE} in the run folder is damaged: remove it to go on without the earlier curves."
            ) from error

    def append(self, event: Event) -> None:
        """Write one event so that a reader sees it."""
        self._file.write(json.dumps(event, allow_nan=False).encode() + b"\n")
        self._file.flush()
        self._take(event)

    def settle(self) -> int:
        """Force everything to the disk, write the history, and return the length of the events in bytes."""
        os.fsync(self._file.fileno())
        self.write_history()
        return os.fstat(self._file.fileno()).st_size

    def write_history(self) -> None:
        """Write ``history.json``: ``{"curves": {"masks/loss_discriminator": {"steps": [...], "values": [...]}}}``."""
        curves = {name: {"steps": curve.steps, "values": curve.values} for name, curve in self._curves.items()}
        write_json(self._history_path, {"curves": curves}, schemas.HISTORY, indent=None)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _take(self, event: Event) -> None:
        for name, value in event.get("values", {}).items():
            curve = f"{event['stage']}/{name.replace(_OLD_WORD, 'discriminator')}"
            self._curves.setdefault(curve, Curve()).add(event["step"], value)
        if len(self._curves) > _MOST_CURVES:
            raise ValueError("more curves than any run has")
