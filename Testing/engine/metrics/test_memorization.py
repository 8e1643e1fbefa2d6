"""Copies of training masks are found, and nothing else is called one."""

from __future__ import annotations

import numpy as np
import pytest

from topogan.metrics.memorization import audit


def squares(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    masks = np.zeros((count, 24, 24), dtype=bool)
    for mask in masks:
        row, column, height, width = *rng.integers(0, 10, 2), *rng.integers(5, 13, 2)
        mask[row : row + height, column : column + width] = True
    return masks


POOL = squares(60, 0)
TRAINING = np.arange(40)
TEST = squares(30, 1)


def test_independent_samples_are_as_close_as_those_of_test_patients() -> None:
    found = audit(squares(200, 2), TEST, POOL.__getitem__, TRAINING)
    assert 35 < found.closer_percent < 65
    assert len(found.copies) <= 0.15 * 200


def test_a_planted_copy_is_flagged_with_its_row() -> None:
    samples = squares(20, 3)
    samples[5] = POOL[17]
    found = audit(samples, TEST, POOL.__getitem__, TRAINING)
    assert found.copies[0] == 5
    assert 5 in found.identical
    assert found.nearest[5] == 17
    assert found.dice[5] == pytest.approx(1.0)


def test_rows_that_were_not_trained_on_are_no_source_of_copies() -> None:
    samples = np.repeat(POOL[50:51], 3, axis=0)
    found = audit(samples, TEST, POOL.__getitem__, TRAINING)
    assert set(found.nearest.tolist()) <= set(TRAINING.tolist())


def test_repeats_are_later_equal_samples() -> None:
    samples = squares(6, 4)
    samples[4] = samples[1]
    samples[5] = samples[1]
    assert audit(samples, TEST, POOL.__getitem__, TRAINING).repeats.tolist() == [4, 5]


def test_copying_everything_is_always_closer() -> None:
    found = audit(POOL[TRAINING], TEST, POOL.__getitem__, TRAINING)
    assert found.closer_percent > 95


def test_equal_test_masks_raise_the_threshold_so_that_nothing_is_accused() -> None:
    test = np.concatenate([TEST, POOL[3:4]])
    found = audit(POOL[:10], test, POOL.__getitem__, TRAINING)
    assert found.threshold == pytest.approx(1.0)
    assert len(found.copies) == 0
    assert len(found.identical) == 10


def test_a_copied_outline_with_other_structures_inside_is_no_copy() -> None:
    labels = POOL.astype(np.uint8)
    labels[:, ::2] *= 2
    other = POOL.astype(np.uint8)
    test = np.where(TEST, 2, 0).astype(np.uint8)
    copied = audit(labels[TRAINING[:3]], test, labels.__getitem__, TRAINING, structures=2)
    assert copied.identical.tolist() == [0, 1, 2]
    assert audit(other[TRAINING[:3]], test, labels.__getitem__, TRAINING, structures=2).identical.tolist() == []
    twice = np.concatenate([labels[:1], other[:1], labels[:1]])
    assert audit(twice, test, labels.__getitem__, TRAINING, structures=2).repeats.tolist() == [2]


def test_copies_and_repeats_of_volumes_are_found() -> None:
    layers = np.arange(8)[:, None, None]
    pool = np.stack([np.broadcast_to(layers < height, (8, 8, 8)) for height in (2, 4, 6)])
    samples = np.stack([pool[1], np.broadcast_to(layers < 3, (8, 8, 8)), pool[1]])
    test = np.broadcast_to(layers < 1, (1, 8, 8, 8))
    found = audit(samples, test, pool.__getitem__, np.arange(2))
    # Half the layers of the nearest: 2·1/(1 + 2); the sample of 3 layers is nearest to that of 4.
    assert found.reference_dice == pytest.approx([2 / 3])
    assert found.dice == pytest.approx([1.0, 2 * 3 / (3 + 4), 1.0])
    assert found.nearest.tolist() == [1, 1, 1]
    assert (found.identical.tolist(), found.repeats.tolist()) == ([0, 2], [2])
