"""Sees to the end of a run after Slicer has gone: waits for the engine's answer to a request to stop, then uses force.

Started as a process of its own, because Slicer cannot wait while it is being closed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from TopoGANLib.engine_process import PATIENCE_SECONDS, Engine, EngineProcess
from TopoGANLib.run_monitor import WORKING, RunMonitor

_PAUSE_SECONDS = 0.2
_LINE = "import sys; sys.path.insert(0, {parent!r}); from TopoGANLib.run_stopper import main; main()"


def start_stopper(engine: Engine, run: Path, log: Path, patience: float = PATIENCE_SECONDS) -> EngineProcess:
    """Start it, when the engine has been asked to stop; what it says goes to ``log``."""
    line = _LINE.format(parent=str(Path(__file__).resolve().parents[1]))
    return engine.run([str(engine.python), "-c", line, str(run), str(patience)], log)


def main() -> None:
    """The process: run folder and patience in seconds are its arguments."""
    run, patience = Path(sys.argv[1]), float(sys.argv[2])
    monitor = RunMonitor(run)
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        report = monitor.poll()
        if report is None or report.state not in WORKING:
            return
        time.sleep(_PAUSE_SECONDS)
    monitor.kill()
