"""Areas and overlaps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.metrics import compute_dice

from topogan.metrics import shape
from topogan.metrics.shape import areas, best_matches, best_stored_matches, mean_pairwise_dice, volumes


def random_masks(count: int, seed: int, size: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).random((count, size, size)) < 0.4


def dice_by_monai(a: np.ndarray, b: np.ndarray) -> float:
    one, other = (torch.from_numpy(mask)[None, None].float() for mask in (a, b))
    return float(compute_dice(one, other, ignore_empty=False))


def test_areas_are_in_square_millimeters() -> None:
    masks = np.zeros((2, 5, 5), dtype=bool)
    masks[0, :2, :2] = True
    assert areas(masks, 1.5).tolist() == [9.0, 0.0]


def test_best_matches_against_monai() -> None:
    masks, pool = random_masks(4, 0), random_masks(7, 1)
    found = best_matches(masks, pool)
    brute = np.array([[dice_by_monai(mask, other) for other in pool] for mask in masks])
    np.testing.assert_allclose(found.dice, brute.max(axis=1), atol=1e-6)
    assert found.index.tolist() == brute.argmax(axis=1).tolist()


def test_best_matches_in_blocks_and_among_chosen_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    masks, pool = random_masks(9, 2), random_masks(23, 3)
    rows = np.array([1, 4, 5, 9, 20, 22])
    whole = best_stored_matches(masks, pool.__getitem__, rows)
    monkeypatch.setattr(shape, "_BLOCK", 4)
    parts = best_stored_matches(masks, pool.__getitem__, rows)
    assert set(parts.index.tolist()) <= set(rows.tolist())
    np.testing.assert_array_equal(whole.index, parts.index)
    np.testing.assert_allclose(whole.dice, parts.dice)


def test_a_copy_is_found() -> None:
    pool = random_masks(5, 4)
    found = best_matches(pool[3:4], pool)
    assert (found.dice[0], found.index[0]) == (1.0, 3)


def test_two_empty_masks_are_equal() -> None:
    empty = np.zeros((2, 4, 4), dtype=bool)
    assert best_matches(empty, empty).dice.tolist() == [1.0, 1.0]
    assert mean_pairwise_dice(empty) == 1.0


def test_pairwise_dice_against_a_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    masks = random_masks(7, 5)
    brute = np.mean([dice_by_monai(masks[i], masks[j]) for i in range(7) for j in range(7) if i != j])
    assert mean_pairwise_dice(masks) == pytest.approx(brute, abs=1e-6)
    monkeypatch.setattr(shape, "_BLOCK", 3)
    assert mean_pairwise_dice(masks) == pytest.approx(brute, abs=1e-6)


def test_pairwise_dice_is_one_when_a_generator_repeats_itself() -> None:
    assert mean_pairwise_dice(np.repeat(random_masks(1, 6), 5, axis=0)) == pytest.approx(1.0)


def test_dice_of_label_maps_pools_all_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    first, second = (generator.integers(0, 4, (7, 9, 11), dtype=np.uint8) for _ in range(2))
    hot, other = ([labels == label for label in (1, 2, 3)] for labels in (first, second))
    common = sum(np.einsum("nij,mij->nm", a.astype(int), b.astype(int)) for a, b in zip(hot, other, strict=True))
    size = sum(a.sum(axis=(1, 2))[:, None] + b.sum(axis=(1, 2)) for a, b in zip(hot, other, strict=True))
    found = best_matches(first, second, structures=3)
    assert found.dice == pytest.approx((2 * common / size).max(axis=1))
    monkeypatch.setattr("topogan.metrics.shape._BLOCK", 6)
    assert best_matches(first, second, structures=3).dice == pytest.approx(found.dice)
    assert mean_pairwise_dice(np.repeat(first[:1], 4, axis=0), structures=3) == pytest.approx(1.0)


def test_a_structure_that_neither_shows_does_not_count_and_other_labels_are_background() -> None:
    one = np.zeros((1, 4, 4), np.uint8)
    one[0, :2], one[0, 3] = 1, 9
    other = np.zeros_like(one)
    other[0, 1:3] = 1
    assert best_matches(one, other, structures=2).dice[0] == best_matches(one == 1, other == 1).dice[0] == 0.5


def cuboid(*lengths: int) -> np.ndarray:
    """A box of so many voxels along each axis, in a corner of 8³."""
    mask = np.zeros((8, 8, 8), dtype=bool)
    mask[: lengths[0], : lengths[1], : lengths[2]] = True
    return mask


def test_volumes_are_in_milliliters() -> None:
    masks = np.stack([cuboid(5, 5, 4), cuboid(0, 0, 0)])
    assert volumes(masks, 2.0) == pytest.approx([0.8, 0.0])  # 100 voxels of 8 mm³


def test_dice_of_volumes_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    masks = np.stack([cuboid(2, 2, 2), cuboid(2, 2, 4), cuboid(4, 4, 4)])
    found = best_matches(masks[:1], masks[1:])
    assert (found.dice[0], found.index[0]) == (pytest.approx(2 * 8 / (8 + 16)), 0)
    pairs = [2 * 8 / (8 + 16), 2 * 8 / (8 + 64), 2 * 16 / (16 + 64)]
    assert mean_pairwise_dice(masks) == pytest.approx(np.mean(pairs))
    monkeypatch.setattr(shape, "_BLOCK_VOXELS", 8**3)
    assert mean_pairwise_dice(masks) == pytest.approx(np.mean(pairs))


def test_dice_of_label_volumes_pools_all_labels() -> None:
    one, other = np.zeros((2, 1, 8, 8, 8), np.uint8)
    one[0, :2], other[0, :2] = 1, 1
    one[0, 2], other[0, 3] = 2, 2
    # Two of three layers agree.
    assert best_matches(one, other, structures=2).dice[0] == pytest.approx(2 / 3)
