"""Every metric of real slices against real slices: ``python Testing/benchmarks/real_against_real.py TRAINING_SET``.

The training patients stand for samples: what a perfect generator would reach against the test patients.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from topogan.evaluation.betti_section import betti_metrics, cleaned_sets
from topogan.evaluation.diagram_section import DrawnDiagrams, diagram_section
from topogan.evaluation.memorization_section import memorization_section
from topogan.evaluation.report import label, number
from topogan.evaluation.sets import ThreeSets, real_slices
from topogan.evaluation.shape_section import shape_section
from topogan.evaluation.texture_section import texture_figures, texture_section
from topogan.metrics.memorization import audit
from topogan.training_set import TrainingSet


def main(folder: Path) -> None:
    """Print the table."""
    start = time.perf_counter()
    real = TrainingSet.open(folder)
    training, test = real_slices(real, real.train), real_slices(real, real.test)
    sets = ThreeSets(training, training, training, test, real.pixel_size, real.window)
    textures = texture_figures(sets, network=None)
    metrics = [
        *betti_metrics(sets, real.modal_betti[0]),
        *betti_metrics(cleaned_sets(sets), real.modal_betti[0], " (cleaned)"),
        *diagram_section(DrawnDiagrams(sets)),
        *shape_section(sets),
        *(texture_section(textures, real.intensity) if textures else []),
        *memorization_section(audit(test.masks, test.masks, real.region_masks, real.train)),
    ]
    print(f"{real.table.title}: {len(real.train)} training and {len(real.test)} test slices of", end=" ")
    print(f"{len(set(np.asarray(real.patients)[real.train]))} and", end=" ")
    print(f"{len(set(np.asarray(real.patients)[real.test]))} patients, {real.pixel_size:.3g} mm")
    print("| metric | real against real | draws | unit |\n|---|---|---|---|")
    for metric in metrics:
        draws = sorted(metric.real_by_seed.values())
        spread = f"{number(draws[0])} to {number(draws[-1])}" if draws else ""
        print(f"| {label(metric)} | {number(metric.real)} | {spread} | {metric.unit} |")
    print(f"in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
