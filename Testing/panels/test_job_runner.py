"""How often the panel hears of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from standin import StandIn


def test_it_is_told_what_has_changed_alone(application: StandIn) -> None:
    from TopoGANSynthLib.job.engine_job import JobProgress
    from TopoGANSynthLib.job.job_runner import JobRunner

    class Slow:
        result = None

        def __init__(self) -> None:
            states = (*["running"] * 4, "finished")
            self._states = iter([JobProgress(state, 1, 16) for state in states])

        def tick(self) -> JobProgress:
            return next(self._states)

        def close(self) -> None:
            """Nothing is open."""

    told: list[str] = []
    runner = JobRunner(lambda: told.append(runner.progress.state))
    runner.start(Slow(), "waiting")
    while runner.isRunning:
        runner.tick()
    runner.close()
    assert told == ["waiting", "running", "finished"]
