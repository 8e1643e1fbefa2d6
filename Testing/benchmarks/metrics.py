"""Time and memory of all metrics: ``python Testing/benchmarks/metrics.py``.

Bars: 500 against 500 slices of 64² in 30 s, of 128² in 90 s, on 2 cores; uMMD of births and Betti score of 1000 against
1000 in 2 s; peak memory within 10 % for a training set of eight times the size (from 2,000 slices up, which are all
that is held). Ends with code 1 where one is missed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
from simulated import painted, simulated_masks, write_real, write_synthesis

from topogan.evaluation.sections import SECTIONS
from topogan.homology import betti_numbers_of_batch
from topogan.metrics.diagrams import diagrams_of, w1_birth_matrix
from topogan.metrics.mmd import unbiased_mmd
from topogan.metrics.topology import betti_score

BARS_SECONDS = {64: 30.0, 128: 90.0}
BIRTHS_BAR_SECONDS = 2.0
MEMORY_BAR = 1.10


def write_folders(folder: Path, size: int, samples: int, training: int, test: int) -> None:
    """A training set and a synthesis of simulated slices with CT."""
    # No more than 1500 different ones: drawing them is slow, and copies cost the metrics the same.
    total = samples + training + test
    masks = np.resize(simulated_masks(min(total, 1500), size, np.random.default_rng(0)), (total, size, size))
    images = painted(masks, 0)
    write_synthesis(folder / "samples", masks[:samples], images[:samples])
    write_real(folder / "set", masks[samples:], images[samples:], training)


def measured(folder: Path, memory: bool = False) -> dict[str, float]:
    """Evaluate in a process of its own: seconds (imports aside), or with ``memory`` the peak of allocations in MB."""
    command = [sys.executable, __file__, "--memory" if memory else "--seconds", str(folder)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def evaluate_and_print(folder: Path, memory: bool) -> None:
    """What :func:`measured` runs."""
    from topogan.evaluation import evaluate

    last = [time.perf_counter()]
    parts: list[float] = []

    def on_event(event: dict) -> None:
        parts.append(round(time.perf_counter() - last[0], 2))
        last[0] = time.perf_counter()

    if memory:
        # Allocations, not resident pages: the files' mapped pages come and go as the system likes.
        tracemalloc.start()
    start = time.perf_counter()
    evaluate(folder / "samples", folder / "set", report=folder / "out.html", overwrite=True, on_event=on_event)
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "parts": parts}))


def births_seconds() -> float:
    """uMMD of births and Betti scores of 1000 against 1000 slices of 64², diagrams included."""
    sides = [simulated_masks(1000, 64, np.random.default_rng(seed)) for seed in (0, 1)]
    start = time.process_time()  # a busy machine must not decide
    betti = [betti_numbers_of_batch(masks) for masks in sides]
    diagrams = [diagrams_of(masks) for masks in sides]
    for dimension in (0, 1):
        within = [w1_birth_matrix(found, found, dimension, 64) for found in diagrams]
        between = w1_birth_matrix(*diagrams, dimension, 64)
        unbiased_mmd(*within, between, scale=float(np.median(between)))
        betti_score(*betti, dimension)
    return time.process_time() - start


def main() -> int:
    """Measure, print, and compare with the bars."""
    passed = True
    for size, bar in BARS_SECONDS.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_folders(folder, size, samples=500, training=500, test=500)
            found = measured(folder)
        passed &= found["seconds"] <= bar
        print(f"{size}²: 500 against 500 in {found['seconds']:.1f} s (bar {bar:.0f} s)")
        print(f"     {', '.join(SECTIONS)}: {found['parts']} s, the rest is the page")
    peaks = []
    for training in (2000, 16000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_folders(folder, 64, samples=200, training=training, test=500)
            peaks.append(measured(folder, memory=True)["peak_mb"])
    passed &= peaks[1] <= MEMORY_BAR * peaks[0]
    print(f"peak memory with 2000 and 16000 training slices: {peaks[0]:.0f} and {peaks[1]:.0f} MB")
    births = births_seconds()
    passed &= births <= BIRTHS_BAR_SECONDS
    print(f"uMMD (births) and Betti score of 1000 against 1000: {births:.2f} s of CPU (bar {BIRTHS_BAR_SECONDS:.0f} s)")
    return 0 if passed else 1


if __name__ == "__main__":
    if len(sys.argv) == 3:
        evaluate_and_print(Path(sys.argv[2]), memory=sys.argv[1] == "--memory")
    else:
        sys.exit(main())
