"""What is measured: samples, the changes themselves, and what they cost."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import numpy as np
from ablation.sets import open_set
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from few_patients.job import CPU, PHANTOMS, Job
from few_patients.results import FURTHER, add_results
from topogan.config import AugmentationSettings
from topogan.device import exact_numerics
from topogan.homology import betti_numbers_of_batch
from topogan.metrics.membership import membership
from topogan.metrics.memorization import audit
from topogan.metrics.shape import areas, best_matches, mean_pairwise_dice
from topogan.metrics.topology import betti_error
from topogan.randomness import torch_stream
from topogan.training.augmentation import varied_masks
from topogan.training.mask_trainer import MaskTrainer
from topogan.training.objectives import LAZY_STEPS
from topogan.training_set import TrainingSet

_STRENGTHS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
_TIMED = 3


def held_out(name: str, real: TrainingSet, part: str) -> tuple[NDArray[np.int64], TrainingSet]:
    """The rows of a part, and the set that they are of: ``real``, or that of further patients."""
    if part != FURTHER:
        return getattr(real, part), real
    of = open_set(f"{name}_{FURTHER}")
    return np.arange(len(of.masks)), of


def figures(
    samples: NDArray[np.bool_], real: TrainingSet, rows: NDArray[np.int64], of: TrainingSet
) -> dict[str, float]:
    """All that is said of a training, against held-out rows ``of`` a set; beside each figure that of real masks."""
    sides = ((real, real.train), (of, rows))
    members, others = (one.region_masks(mine) for one, mine in sides)
    patients = [[one.patients[row] for row in mine.tolist()] for one, mine in sides]
    found = audit(samples, others, real.region_masks, real.train)
    attack = membership(samples, members, others, *patients)
    betti = betti_numbers_of_batch(samples)
    of_members, of_others = real.betti[real.train, 0], of.betti[rows, 0]
    sizes, of_train, of_held = (areas(masks, real.pixel_size) for masks in (samples, members, others))
    values = {
        "all_copies": 100.0 * found.copied.mean(),
        "copies": 100.0 * found.lying.beyond.mean(),
        "changed_copies": 100.0 * found.changed.beyond.mean(),
        "closer": found.closer_percent,
        "dice_to_training": found.dice.mean(),
        "dice_to_training_real": found.reference_dice.mean(),
        "auc": attack.auc,
        "auc_low": attack.low,
        "auc_high": attack.high,
        "betti_error": betti_error(betti, of_others),
        "betti_error_real": betti_error(of_members, of_others),
        "betti_error_training": betti_error(betti, of_members),
        "area": wasserstein_distance(sizes, of_held) / of_held.mean(),
        "area_real": wasserstein_distance(of_train, of_held) / of_held.mean(),
        "diversity": mean_pairwise_dice(samples),
        "diversity_real": mean_pairwise_dice(others),
        "coverage": best_matches(others, samples).dice.mean(),
        "coverage_real": found.reference_dice.mean(),
    }
    return {key: round(float(value), 4) for key, value in values.items() if value is not None}


def measure_strengths(results: Path) -> None:
    """What the changes do to training masks themselves: to their topology, and to how alike they are."""
    real, found = open_set(PHANTOMS[0]), {}
    masks = real.masks[real.train]
    members, others = real.region_masks(real.train), real.region_masks(real.validation)
    farthest = best_matches(others, members).dice.max()
    for strength in _STRENGTHS:
        settings = AugmentationSettings(masks=strength)
        changed = varied_masks(masks, 1, settings, torch_stream(0, "few patients: strengths")) == 1
        topology = betti_numbers_of_batch(changed) != real.betti[real.train, 0]
        dice = best_matches(changed, members).dice
        values = {
            "other_topology": 100.0 * topology.any(axis=1).mean(),
            "dice_to_training": dice.mean(),
            "copies": 100.0 * (dice > farthest).mean(),
            "coverage": best_matches(others, changed).dice.mean(),
        }
        found[f"{strength:g}"] = {key: round(float(value), 4) for key, value in values.items()}
        print(f"{strength:g}: {found[f'{strength:g}']}", flush=True)
    add_results(results, {"strengths": found})


def measure_independent(results: Path) -> None:
    """The membership AUC of masks of other patients, as if they were samples: what it is where nothing is learned."""
    found = {}
    for name in PHANTOMS:
        real, other = (open_set(one) for one in (name, PHANTOMS[name == PHANTOMS[0]]))
        samples = other.region_masks(np.arange(len(other.masks)))
        for part in ("validation", "test", FURTHER)[: 3 if name == PHANTOMS[0] else 2]:
            values = figures(samples, real, *held_out(name, real, part))
            found[f"{name}, {part}"] = {key: values[key] for key in ("auc", "closer", "copies", "dice_to_training")}
            print(f"{name}, {part}: {found[f'{name}, {part}']}", flush=True)
    add_results(results, {"independent": found})


def measure_cost(results: Path) -> None:
    """CPU time of a step with augmentation over that of one without, in turn; the median of the ratios.

    ``adaptive`` costs what ``fixed`` does as soon as its chance is not 0.
    """
    ratios: dict[str, dict[str, float]] = {}
    for name, small in (("six_patients", False), ("volume_myocardium", True)):
        training_set = open_set(name)
        for variant in ("masks", "fixed", "masks + fixed"):
            with exact_numerics(1, CPU):
                plain, other = (
                    MaskTrainer(training_set, Job(name, one, 0, 1000, small).settings, CPU) for one in ("none", variant)
                )
                seconds = [[_timed(one) for one in (plain, other)] for _ in range(_TIMED)]
            ratios.setdefault(name, {})[variant] = round(median(mine / without for without, mine in seconds), 3)
            print(f"{name}, {variant}: a step takes {ratios[name][variant]} times as long", flush=True)
    add_results(results, {"cost": ratios})


def _timed(trainer: MaskTrainer) -> float:
    """CPU seconds of as many steps as there are from one R1 to the next."""
    start = time.process_time()
    for _ in range(LAZY_STEPS):
        trainer.train_step()
    return time.process_time() - start
