"""Progress on a terminal as bars, anywhere else as plain lines."""

from __future__ import annotations

import math
import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Event = dict[str, Any]

# The first steps are slower than the rest (memory is being claimed), so that an earlier estimate would mislead.
STEPS_BEFORE_ESTIMATE = 20
_SECONDS_BETWEEN_LINES = 10.0


def duration(seconds: float) -> str:
    """Say a time span as people do: ``"45 s"``, ``"12 min"``, ``"3 h 05 min"``, ``"20 h"``, ``"3 days"``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 600:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"


class ProgressReporter:
    """Shows the events of a long job; use it as a context manager and as ``on_event``.

    Example:
        >>> with ProgressReporter() as report:
        ...     train(dataset, run, on_event=report)
    """

    def __init__(self, console: Console | None = None, seconds_between_lines: float = _SECONDS_BETWEEN_LINES) -> None:
        """Show nothing yet.

        Args:
            console: where to show it; by default the process's output.
            seconds_between_lines: where it is no terminal.
        """
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._bars = self._make_bars() if self._console.is_terminal else None
        self._tasks: dict[str, TaskID] = {}
        self._started: dict[str, tuple[float, int]] = {}
        self._last_line, self._seconds_between_lines = -math.inf, seconds_between_lines

    def _make_bars(self) -> Progress:
        return Progress(
            TextColumn("{task.description:12}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
        )

    def __enter__(self) -> ProgressReporter:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    def __call__(self, event: Event) -> None:
        """Take one event: ``{"kind", "stage", "step", "total", "values"}`` or ``{"kind": "message", "text"}``."""
        if event["kind"] == "message":
            self._console.print(event["text"], markup=False)
        elif event["kind"] == "step":
            self._step(event)

    def _step(self, event: Event) -> None:
        stage, step, total = event["stage"], event["step"], event["total"]
        now = time.monotonic()
        started, first = self._started.setdefault(stage, (now, step))
        done = step - first
        note = ""
        if done >= STEPS_BEFORE_ESTIMATE and step < total:
            note = f"{duration((now - started) / done * (total - step))} left"
        shown = {name: value for name, value in event.get("values", {}).items() if name.startswith("loss")}
        values = "  ".join(f"{name.replace('_', ' ')} {value:.3g}" for name, value in shown.items())
        note = "  ".join(part for part in (note, values) if part)
        if self._bars:
            if stage not in self._tasks:
                self._tasks[stage] = self._bars.add_task(stage, total=total, note="")
            self._bars.update(self._tasks[stage], completed=step, total=total, note=note)
        elif now - self._last_line >= self._seconds_between_lines or step == total:
            self._last_line = now
            self._console.print(f"{stage} {step}/{total}  {note}".rstrip(), markup=False)
