"""Timing that other programs on the machine disturb little."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time

Work = Callable[[], object]


def cpu_seconds(work: Work, at_least: float = 0.0) -> float:
    """CPU time of one call, in seconds; calls are repeated until they have taken ``at_least`` that long together."""
    calls, start = 0, process_time()
    while True:
        work()
        calls += 1
        spent = process_time() - start
        if spent >= at_least:
            return spent / calls


def interleaved(works: dict[str, Work], rounds: int = 5, turn: float = 0.02) -> dict[str, float]:
    """Median CPU time of one call of each work, in seconds, the works taking turns.

    Only ratios inside one such run mean anything. Each turn lasts at least ``turn`` seconds, so that short works are
    timed with warm caches, as long ones are.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(cpu_seconds(work, turn))
    return {name: median(found) for name, found in times.items()}
