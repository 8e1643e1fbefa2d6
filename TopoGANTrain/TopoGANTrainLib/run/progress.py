"""What is shown of a training."""

from __future__ import annotations

from dataclasses import dataclass, field

from topogan_contract.run import ALIVE, RESUMABLE, RUNNING, STOPPING
from TopoGANLib.engine.run_monitor import SILENT, RunReport

PREPARING, STARTING, LOOKING = "preparing", "starting", "looking"
"""States before the engine works on a run, the last while its training set is looked for; the others are the run's."""


@dataclass(frozen=True)
class Progress:
    """What to show."""

    state: str
    fraction: float | None = None
    """Share that is done, 0 to 1; None while nobody knows."""
    step: int = 0
    total: int = 0
    stage: str = ""
    eta_seconds: float | None = None
    note: str = ""
    """The engine's own last words, while it prepares."""
    remark: str = ""
    """What the user should know of the input, from then on."""
    error: str = ""
    resumable: bool = False
    log: list[str] = field(default_factory=list)


def progress_of(report: RunReport, stopping: bool) -> Progress:
    """What to show of what a run says, where its end is wanted or not; without the engine's last lines."""
    state = report.state
    if state in ALIVE:
        state = STOPPING if stopping or state == STOPPING else RUNNING
    return Progress(
        state=state,
        fraction=report.fraction if report.total else None,
        step=report.step,
        total=report.total,
        stage=report.stage,
        eta_seconds=report.eta_seconds,
        error=report.error,
        resumable=state in (*RESUMABLE, SILENT) and report.there,
    )
