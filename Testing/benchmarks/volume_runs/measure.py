"""The figures of one run of volumes, of samples against the test patients."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from topogan.homology import betti_of, clean_labels
from topogan.metrics.sampling import draw
from topogan.metrics.shape import best_matches, mean_pairwise_dice
from topogan.metrics.topology import betti_error, shown_by_real
from topogan.training_set import TrainingSet
from topogan.verdict import RealTopologies

VALID, CLEANED, DRAWS = "All as most frequent", "All as most frequent, cleaned", "Draws for one that is"
SHOWN = "All as some training volume"
JOINT_ERROR = "Joint Betti error"
DICE_TEST, DICE_TRAIN = "Dice to test", "Dice to training"
# In voxels; of components and cavities.
_SMALL = 8
# Dice of every pair of volumes.
_COMPARED = 300
_NUMBERS = ("b0", "b1", "b2")


def figures_of(
    labels: NDArray[np.uint8], levels: NDArray[np.float64] | None, real: TrainingSet
) -> dict[str, dict[str, Any]]:
    """Figures of samples, and the same of training volumes, against test volumes.

    Args:
        labels: uint8 ids [N, D, H, W].
        levels: None.
        real: the set that was trained on.

    Returns:
        By the figure's name: ``value`` (of the samples), ``real`` (of the training volumes) and ``unit``.
    """
    assert levels is None
    training = real.masks[real.train]
    found = _all_of(labels, real) | _closeness(labels, training, real)
    expected = _all_of(training, real)
    test = draw(real.test, _COMPARED, 0)
    # How close other patients come to the training volumes: what is closer may be a copy.
    held_out, all_training = real.masks[test], real.masks[real.train]
    expected[DICE_TRAIN] = (_best_dice(held_out, all_training), "")
    expected[DICE_TEST] = (_best_dice(real.masks[draw(real.train, _COMPARED, 0)], real.masks[real.test]), "")
    return {
        name: {"value": value, "real": expected.get(name, (None, ""))[0], "unit": unit}
        for name, (value, unit) in found.items()
    }


def _all_of(labels: NDArray[np.uint8], real: TrainingSet) -> dict[str, tuple[float, str]]:
    betti = betti_of(labels, real.regions)
    modal = np.array(real.modal_betti)
    valid = float((betti == modal).all(axis=(1, 2)).mean())
    cleaned = betti_of(np.stack([clean_labels(one, _SMALL) for one in labels]), real.regions)
    seen = RealTopologies.of(real.levels[real.train], real.betti[real.train])
    flat, flat_test = betti.reshape(len(betti), -1), real.betti[real.test].reshape(len(real.test), -1)
    found = {
        VALID: (100.0 * valid, "%"),
        CLEANED: (100.0 * float((cleaned == modal).all(axis=(1, 2)).mean()), "%"),
        SHOWN: (100.0 * float(shown_by_real(betti, None, seen).all(axis=1).mean()), "%"),
        DRAWS: (1.0 / max(valid, 1.0 / len(labels)), ""),
        JOINT_ERROR: (betti_error(flat, flat_test), ""),
    }
    for number, region in enumerate(real.regions):
        mask = region.of(labels)
        found[f"Valid, {region.name}"] = (100.0 * float((betti[:, number] == modal[number]).all(axis=1).mean()), "%")
        for dimension, name in enumerate(_NUMBERS):
            found[f"Mean {name}, {region.name}"] = (float(betti[:, number, dimension].mean()), "")
        voxel = real.pixel_size**3 / 1000.0
        found[f"Mean volume, {region.name}"] = (float(mask.sum(axis=(1, 2, 3)).mean() * voxel), "ml")
    mine = labels[draw(np.arange(len(labels)), _COMPARED, 0)]
    found["Dice between volumes"] = (mean_pairwise_dice(_flat(mine)), "")
    return found


def _closeness(
    labels: NDArray[np.uint8], training: NDArray[np.uint8], real: TrainingSet
) -> dict[str, tuple[float, str]]:
    mine = labels[draw(np.arange(len(labels)), _COMPARED, 0)]
    return {
        DICE_TEST: (_best_dice(mine, real.masks[real.test]), ""),
        DICE_TRAIN: (_best_dice(mine, training), ""),
    }


def _best_dice(volumes: NDArray[np.uint8], others: NDArray[np.uint8]) -> float:
    return float(best_matches(_flat(volumes), _flat(others)).dice.mean())


def _flat(volumes: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Everything that is segmented, as images [N, D, H·W]: Dice knows no shape."""
    return (volumes != 0).reshape(len(volumes), volumes.shape[1], -1)
