"""Time and memory of all metrics: ``python Testing/benchmarks/metrics.py``.

Bars: 500 against 500 slices of 64² in 30 s, of 128² in 90 s, on 2 cores; uMMD of births and Betti score of 1000 against
1000 in 2 s; peak memory within 10 % for a training set of eight times the size (from 2,000 slices up, which are all
that is held). Ends with code 1 where one is missed.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from metric_sanity import painted, simulated_masks

from topogan.evaluation.sections import SECTIONS
from topogan.homology import betti_numbers_of_batch
from topogan.metrics.diagrams import diagrams_of, w1_birth_matrix
from topogan.metrics.mmd import unbiased_mmd
from topogan.metrics.topology import betti_score

BARS_SECONDS = {64: 30.0, 128: 90.0}
BIRTHS_BAR_SECONDS = 2.0
MEMORY_BAR = 1.10
PIXEL_SIZE = 1.5


def write_folders(folder: Path, size: int, samples: int, training: int, held_out: int) -> None:
    """A training set and a synthesis of simulated slices with CT."""
    # No more than 1500 different ones: drawing them is slow, and copies cost the metrics the same.
    total = samples + training + held_out
    masks = np.resize(simulated_masks(min(total, 1500), size, np.random.default_rng(0)), (total, size, size))
    images = painted(masks, 0)
    made, real = folder / "samples", folder / "set"
    made.mkdir()
    real.mkdir()
    for name, stack in (("masks", masks[:samples].astype(np.uint8)), ("textures", images[:samples])):
        image = sitk.GetImageFromArray(stack)
        image.SetSpacing((PIXEL_SIZE,) * 3)
        sitk.WriteImage(image, str(made / f"{name}.nrrd"))
    _write_rows(made / "samples.csv", ["sample", "seed"], [[number, number] for number in range(samples)])
    report = {
        "schema": "topogan.synthesis/1",
        "requested_betti": None,
        "accepted_percent": 100.0,
        "settings": {"clean": 0},
        "betti_histogram_before_cleaning": {},
        "model": {"content_hash": "b", "training_set": "a"},
    }
    (made / "report.json").write_text(json.dumps(report))
    np.save(real / "masks.npy", masks[samples:].astype(np.uint8))
    np.save(real / "images.npy", images[samples:])
    rows = [
        [row, f"patient_{row // 20:03d}", 0, 0.5, "train" if row < training else "held_out", 0.0, *betti]
        for row, betti in enumerate(betti_numbers_of_batch(masks[samples:]).tolist())
    ]
    _write_rows(real / "slices.csv", ["row", "patient", "phase", "level", "split", "area_mm2", "b0", "b1"], rows)
    description = {
        "schema": "topogan.training-set/1",
        "structure": "rings",
        "intensity": "HU",
        "pixel_size_mm": PIXEL_SIZE,
        "size": size,
        "window": [-200.0, 600.0],
        "independent": True,
        "counts": {"total": training + held_out, "train": training, "held_out": held_out},
        "betti": {"modal": [2, 1]},
        "content_hash": "a",
    }
    (real / "dataset.json").write_text(json.dumps(description))


def _write_rows(path: Path, header: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


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
            write_folders(folder, size, samples=500, training=500, held_out=500)
            found = measured(folder)
        passed &= found["seconds"] <= bar
        print(f"{size}²: 500 against 500 in {found['seconds']:.1f} s (bar {bar:.0f} s)")
        print(f"     {', '.join(SECTIONS)}: {found['parts']} s, the rest is the page")
    peaks = []
    for training in (2000, 16000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_folders(folder, 64, samples=200, training=training, held_out=500)
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
