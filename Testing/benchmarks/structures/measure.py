"""The figures of one run, of samples against the test patients."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from topogan.homology import betti_of
from topogan.metrics.sampling import draw
from topogan.metrics.shape import areas, best_matches, mean_pairwise_dice
from topogan.metrics.topology import betti_error, shown_by_real
from topogan.training_set import TrainingSet
from topogan.verdict import RealTopologies

ALL_VALID, JOINT_SEEN, JOINT_ERROR = "Every structure valid", "Joint topology seen", "Joint Betti error"
# Four test patients do not show all that healthy hearts do.
ALL_VALID_FURTHER = "Every structure valid, by test and further patients"
# Dice of every pair of masks: more slices move no printed digit.
_COMPARED = 500


def figures_of(
    labels: NDArray[np.uint8], levels: NDArray[np.float64] | None, real: TrainingSet, further: TrainingSet
) -> dict[str, dict[str, Any]]:
    """Figures of samples, and the same of training slices, against test slices.

    Args:
        labels: uint8 ids [N, H, W].
        levels: of the samples, 0 to 1 [N].
        real: the set that was trained on.
        further: a set of other patients, all of whose slices are held out, too.

    Returns:
        By the figure's name: ``value`` (of the samples), ``real`` (of the training slices) and ``unit``.
    """
    assert levels is not None
    samples = _all_of(labels, levels, betti_of(labels, real.regions), real, further)
    training = _all_of(real.masks[real.train], real.levels[real.train], real.betti[real.train], real, further)
    return {name: {"value": value, "real": training[name][0], "unit": unit} for name, (value, unit) in samples.items()}


def _all_of(
    labels: NDArray[np.uint8],
    levels: NDArray[np.float64],
    betti: NDArray[np.int64],
    real: TrainingSet,
    further: TrainingSet,
) -> dict[str, tuple[float, str]]:
    test = real.test
    seen = RealTopologies.of(real.levels[test], real.betti[test])
    every = RealTopologies.of([*real.levels[test], *further.levels], [*real.betti[test], *further.betti])
    valid = shown_by_real(betti, levels, seen)
    joint = [
        tuple(map(tuple, one)) in seen.joint(level) for one, level in zip(betti.tolist(), levels.tolist(), strict=True)
    ]
    flat, flat_test = betti.reshape(len(betti), -1), real.betti[test].reshape(len(test), -1)
    found = {
        ALL_VALID: (100.0 * float(valid.all(axis=1).mean()), "%"),
        ALL_VALID_FURTHER: (100.0 * float(shown_by_real(betti, levels, every).all(axis=1).mean()), "%"),
        JOINT_SEEN: (100.0 * float(np.mean(joint)), "%"),
        JOINT_ERROR: (betti_error(flat, flat_test), ""),
    }
    mine, theirs = draw(np.arange(len(labels)), _COMPARED, 0), draw(test, _COMPARED, 0)
    for number, region in enumerate(real.regions):
        found[f"Valid, {region.name}"] = (100.0 * float(valid[:, number].mean()), "%")
        found[f"Betti error, {region.name}"] = (betti_error(betti[:, number], real.betti[test, number]), "")
        found[f"Mean area, {region.name}"] = (float(areas(region.of(labels), real.pixel_size).mean()), "mm²")
    # Of everything that is segmented, for one figure of shape and variety.
    anything, anything_real = labels[mine] != 0, real.masks[theirs] != 0
    found["Dice to test"] = (float(best_matches(anything, anything_real).dice.mean()), "")
    found["Dice between samples"] = (mean_pairwise_dice(anything), "")
    return found
