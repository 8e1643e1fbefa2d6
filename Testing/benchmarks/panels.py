"""For how long the panels hold Slicer's thread up: ``python Testing/benchmarks/panels.py``.

Runs the panels' tests of whole jobs, with the real engine and with a quick one, and prints the longest hold-up of each
part in milliseconds, and where it was. Nothing should hold the thread for more than 50 ms: that is when a user notices.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PANELS = Path(__file__).resolve().parents[1] / "panels"
TESTS = [
    "test_whole_job.py::test_from_a_segment_to_samples",
    "test_train_panel.py::test_the_whole_way",
    "test_synth_panel.py::test_samples_come_into_the_scene",
]
_SCHEDULE = Path("/proc/self/task")


class Watch:
    """Measures for how long the application's thread is held up.

    Usage::

        with Watch() as watch:
            pump(...)
        print(watch.longest, watch.where)

    A timer notes the time between its ticks. What the thread has spent waiting for a processor is not its own fault
    and is taken off (Linux tells; elsewhere nothing is). A second thread looks where it stands when it is late.
    """

    def __init__(self) -> None:
        from PySide6 import QtCore

        self.longest = 0.0
        self.where = ""
        self._timer = QtCore.QTimer()
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._thread_id = threading.get_ident()
        self._native_id = threading.get_native_id()
        self._last = (time.monotonic(), self._waited())
        self._ended = threading.Event()
        self._stack = ""
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Watch:
        self._last = (time.monotonic(), self._waited())
        self._timer.start(5)
        self._sampler.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._sampler.join()
        self._timer.stop()

    def _tick(self) -> None:
        now, waited = time.monotonic(), self._waited()
        held_up = now - self._last[0] - (waited - self._last[1])
        if held_up > self.longest:
            self.longest, self.where = held_up, self._stack
        self._last, self._stack = (now, waited), ""

    def _waited(self) -> float:
        try:
            return int((_SCHEDULE / str(self._native_id) / "schedstat").read_text().split()[1]) / 1e9
        except OSError:
            return 0.0

    def _sample(self) -> None:
        while not self._ended.wait(0.01):
            if time.monotonic() - self._last[0] > 0.03 and not self._stack:
                frame = sys._current_frames().get(self._thread_id)
                self._stack = "".join(traceback.format_stack(frame)[-6:])


class Measuring:
    """A plugin of pytest that measures where the tests only say what is to be measured."""

    def __init__(self) -> None:
        self.found: list[tuple[str, Watch]] = []

    @pytest.fixture(autouse=True)
    def measure(self, application: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replace what marks the parts of a test."""
        import bench

        monkeypatch.setattr(bench, "watched", self._watched)

    @contextmanager
    def _watched(self, what: str) -> Iterator[None]:
        with Watch() as watch:
            yield
        self.found.append((what, watch))


def main() -> int:
    """Run the tests and print what was measured; return pytest's exit status."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    measuring = Measuring()
    status = pytest.main([str(PANELS / test) for test in TESTS], plugins=[measuring])
    for what, watch in measuring.found:
        print(f"{what}: {1000 * watch.longest:.0f} ms")
    for what, watch in measuring.found:
        if watch.where:
            print(f"\n{what}, {1000 * watch.longest:.0f} ms in\n{watch.where}")
    return status


if __name__ == "__main__":
    sys.exit(main())
