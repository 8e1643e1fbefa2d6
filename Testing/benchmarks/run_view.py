"""What watching a training costs: ``python Testing/benchmarks/run_view.py``.

The panel with its plots watches a run of the engine's own writers, 200 events a second, and then one whose events take
100 MB. Prints how long a tick takes (wanted: below 20 ms), how long the first plot takes (below 2 s), and the memory.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / folder) for folder in ("TopoGANTrain", "TopoGANSynth", "Testing/panels")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

EVENTS_A_SECOND = 200
WATCHED_SECONDS = 20.0
BYTES_OF_EVENTS = 100_000_000

# As many curves as a training of masks and textures with topology has.
_VALUES = 27
_WRITER = """
import random, sys, time
from pathlib import Path
from topogan.runs.folder import RunFolder
from topogan.runs.recorder import Position, Recorder
from topogan.runs.status import StatusWriter
folder = RunFolder.create(Path(sys.argv[1]), False, {"id": "0" * 32, "settings": {}})
most, pause, total = int(sys.argv[2]), float(sys.argv[3]), 10_000_000
names = ["loss_discriminator", "loss_generator", "force_adversarial", "force_topology", "lambda"]
names += ["quick_valid", "quick_betti_error"] + [f"value_{number}" for number in range(int(sys.argv[4]) - 7)]
status = StatusWriter(folder.path, total=total)
status.write()
recorder = Recorder(folder, 0, None)
status.start()
step, due = 0, time.monotonic()
while not folder.stop_requested() and recorder._log._file.tell() < most:
    step += 1
    recorder.step(Position("masks", step, total), {name: random.random() for name in names})
    status.note(state="running", step=step, stage="masks", eta_seconds=60.0)
    due += pause
    time.sleep(max(0.0, due - time.monotonic()))
recorder.close()
status.end("stopped")
folder.close()
"""


def start_writer(run: Path, most_bytes: int, pause: float) -> subprocess.Popen[bytes]:
    """Let another process write a run: an event every ``pause`` seconds until they take ``most_bytes``."""
    arguments = [str(run), str(most_bytes), str(pause), str(_VALUES)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "TopoGANTrain")}
    return subprocess.Popen([sys.executable, "-c", _WRITER, *arguments], env=environment)


def memory() -> float:
    """Of this process, in MB; NaN where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return float("nan")
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def own_time() -> float:
    """A clock in seconds that stands still while this thread waits for a processor (Linux tells when that is)."""
    try:
        schedule = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text()
    except OSError:
        return time.perf_counter()
    return time.perf_counter() - int(schedule.split()[1]) / 1e9


@contextmanager
def timed_ticks(logic: Any) -> Iterator[list[float]]:
    """Measure each of the panel's ticks in ms, its waiting for other threads included, that for a processor not."""
    found: list[float] = []
    tick = logic.session.tick

    def timed() -> Any:
        start = own_time()
        progress = tick()
        found.append(-start)
        return progress

    show = logic.onProgress

    def shown() -> None:
        show()
        found[-1] = 1000 * (found[-1] + own_time())

    logic.session.tick, logic.onProgress = timed, shown
    try:
        yield found
    finally:
        logic.session.tick, logic.onProgress = tick, show


def watch(widget: Any, run: Path) -> None:
    """Measure the ticks of a run with 200 events a second, its plots shown."""
    from bench import pump

    writer = start_writer(run, 1 << 40, 1 / EVENTS_A_SECOND)
    pump((run / "history.json").exists)
    widget.logic.attach(run)
    pump(lambda: widget.ui.plotsSection.visible)
    widget.ui.showPlotsButton.click()
    before, end = memory(), time.monotonic() + WATCHED_SECONDS
    with timed_ticks(widget.logic) as ticks:
        pump(lambda: time.monotonic() > end, seconds=10 * WATCHED_SECONDS)
    after, step = memory(), widget.logic.progress.step
    (run / "stop").touch()
    writer.wait()
    pump(lambda: not widget.logic.isRunning)
    low, high, most = np.percentile(ticks, [50, 95, 100])
    print(f"{EVENTS_A_SECOND} events a second, {step} of them, {len(ticks)} ticks:")
    print(f"  a tick takes {low:.1f} ms in the median, {high:.1f} ms at most in 95 of 100, {most:.1f} ms at the most")
    print(f"  memory {before:.0f} MB at first, {after:.0f} MB after {WATCHED_SECONDS:.0f} s")


def open_large(widget: Any, run: Path) -> None:
    """Measure the first plot of a run with 100 MB of events, and the memory while its curves are read again."""
    import slicer
    from bench import pump

    start_writer(run, BYTES_OF_EVENTS, 0.0).wait()
    size = (run / "events.jsonl").stat().st_size / 1e6
    history = run / "history.json"
    before, start = memory(), time.monotonic()
    widget.logic.attach(run)
    pump(lambda: widget.ui.plotsSection.visible)
    widget.ui.showPlotsButton.click()
    taken = time.monotonic() - start
    first = memory()
    for _round in range(20):
        os.utime(history)
        widget.panel.refresh()
        pump(lambda: not widget.panel.plots._feed.busy)
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    print(f"{size:.0f} MB of events, {history.stat().st_size / 1e6:.2f} MB of curves:")
    print(f"  the first plot is there after {taken:.2f} s, with {nodes} nodes in the scene")
    print(f"  memory {before:.0f} MB before, {first:.0f} MB then, {memory():.0f} MB after 20 more readings")


def main() -> int:
    """Measure both and print them."""
    from standin import install

    from TopoGANLib.headless.application import start_headless

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        headless = start_headless()
        application = install(headless.application_logic, folder / "application")
        from bench import Bench

        widget = Bench(application).open("TopoGANTrain")
        watch(widget, folder / "Fast-1" / "run")
        open_large(widget, folder / "Large-1" / "run")
        errors = application.take_slot_errors()
        application.uninstall()
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
