"""Copies are found where they were shifted, turned, mirrored, scaled or deformed, and textures by their grain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates, rotate

from topogan.metrics.alignment import aligned, best_aligned_matches
from topogan.metrics.closeness import Closeness
from topogan.metrics.copy_check import CopyCheck
from topogan.metrics.memorization import audit
from topogan.metrics.shape import best_matches
from topogan.metrics.texture_copies import texture_audit

SIZE = 64
TRAINING = np.arange(12)
WINDOW = (-200.0, 600.0)


def hearts(count: int, seed: int, axes: int = 2) -> np.ndarray:
    """Label maps of a blob with another one inside, each of a shape of its own; uint8 [count, 64, 64]."""
    rng = np.random.default_rng(seed)
    size = SIZE if axes == 2 else 32
    places = np.indices((size,) * axes) - (size - 1) / 2
    made = []
    for _ in range(count):
        bumps = gaussian_filter(rng.standard_normal((size,) * axes), size / 10)
        radius = np.sqrt((places**2).sum(axis=0)) + size / 14 * bumps / bumps.std()
        # Room to be shifted in.
        radius[np.abs(places).max(axis=0) > size / 2 - 7] = size
        made.append((radius < size / 3.5).astype(np.uint8) + (radius < size / 7))
    return np.stack(made)


POOL, TEST = hearts(12, 0), hearts(50, 1)


def scaled(mask: np.ndarray, factor: float) -> np.ndarray:
    middle = (np.array(mask.shape) - 1) / 2
    places = [(place - at) / factor + at for place, at in zip(np.indices(mask.shape), middle, strict=True)]
    found: np.ndarray = map_coordinates(mask, places, order=0)
    return found


def turned(mask: np.ndarray, degrees: float) -> np.ndarray:
    found: np.ndarray = rotate(mask, degrees, reshape=False, order=0)
    return found


def deformed(mask: np.ndarray, pixels: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(3)
    moves = [gaussian_filter(rng.standard_normal(mask.shape), 6) for _ in mask.shape]
    places = [place + pixels * move / move.std() for place, move in zip(np.indices(mask.shape), moves, strict=True)]
    found: np.ndarray = map_coordinates(mask, places, order=0)
    return found


@pytest.mark.parametrize(
    "change",
    [
        lambda mask: mask,
        lambda mask: np.roll(mask, (5, -5), (0, 1)),
        lambda mask: mask[:, ::-1],
        lambda mask: mask[::-1, ::-1],
        lambda mask: scaled(mask, 1.15),
        lambda mask: turned(mask, 35),
        lambda mask: np.roll(turned(scaled(mask, 0.87)[::-1], -100), 4, 0),
        deformed,
    ],
    ids=["exact", "shifted", "mirrored", "turned round", "scaled", "turned", "all four", "deformed"],
)
def test_changed_copies_are_found(change: Callable[[np.ndarray], np.ndarray]) -> None:
    samples = np.concatenate([[change(mask) for mask in POOL[:4]], hearts(4, 2)])
    found = audit(samples, TEST, POOL.__getitem__, TRAINING, structures=2)
    assert sorted(found.all_copies.tolist()) == [0, 1, 2, 3]
    assert found.nearest[:4].tolist() == [0, 1, 2, 3]


def test_volumes_and_single_structures_likewise() -> None:
    pool, test = (hearts(6, seed, axes=3) > 0 for seed in (4, 5))
    samples = np.stack([np.roll(pool[2][:, ::-1], 3, 0), pool[0][::-1], hearts(1, 6, axes=3)[0] > 0])
    found = audit(samples, test, pool.__getitem__, np.arange(6))
    assert sorted(found.changed_copies.tolist()) == [0, 1]
    assert found.nearest[:2].tolist() == [2, 0]


def test_rounding_makes_no_copies() -> None:
    """Held out are the training masks themselves: no sample can come closer."""
    changed = best_aligned_matches(POOL, POOL.__getitem__, TRAINING, 2)
    np.testing.assert_allclose(changed.dice, 1.0, atol=1e-6)
    found = Closeness(changed.dice, changed.index, changed.dice[::-1] - 3e-6)
    assert not found.beyond.any()
    samples = np.concatenate([POOL, POOL[:, ::-1], np.roll(POOL, 3, 1)])
    assert not CopyCheck(POOL.__getitem__, TRAINING, TRAINING, 2)(samples).any()


def test_a_copied_outline_with_other_structures_inside_is_no_changed_copy() -> None:
    outline = np.where(POOL[:1] > 0, 1, 0).astype(np.uint8)
    assert best_aligned_matches(outline, POOL.__getitem__, TRAINING, 2).dice[0] < 0.95
    assert best_aligned_matches(outline, lambda rows: POOL[rows] > 0, TRAINING).dice[0] == pytest.approx(1.0)


def test_one_place_and_size_whatever_the_resolution() -> None:
    small = POOL[:1] > 0
    large = small.repeat(3, axis=1).repeat(3, axis=2)
    assert np.abs(aligned(small).astype(int) - aligned(large)).mean() < 0.03 * 255
    empty = np.zeros((1, 8, 8), dtype=bool)
    assert not aligned(empty).any()
    assert best_matches(empty, empty).dice.tolist() == [1.0]
    assert best_aligned_matches(empty, empty.__getitem__, np.arange(1)).dice.tolist() == [1.0]


def painted(labels: np.ndarray, seed: int) -> np.ndarray:
    """Tissues of the same intensities in all, with noise of their own; int16."""
    noise = 25 * np.random.default_rng(seed).standard_normal(labels.shape)
    return (np.array([-80.0, 120.0, 380.0])[labels] + noise).astype(np.int16)


def test_textures_are_told_by_their_grain_not_by_the_heart() -> None:
    trained, test = painted(POOL, 0), painted(TEST, 1)
    rng = np.random.default_rng(2)
    # The image itself with a little noise, one that was mirrored and shifted with its mask, a mask that was trained on
    # with a texture of its own, as like as images can be that are no copies, and another one.
    noisy = (trained[3] + 10 * rng.standard_normal(trained[3].shape)).astype(np.int16)
    masks = np.stack([POOL[3], np.roll(POOL[5][:, ::-1], 4, 0), POOL[7], hearts(1, 9)[0]])
    images = np.stack([noisy, np.roll(trained[5][:, ::-1], 4, 0), painted(POOL, 5)[7], painted(hearts(1, 9), 6)[0]])
    found = texture_audit(
        (masks, images), (TEST, test), lambda rows: (POOL[rows], trained[rows]), TRAINING, 1.0, WINDOW
    )
    assert found.beyond.tolist() == [True, True, False, False]
    assert found.nearest[:2].tolist() == [3, 5]
    assert found.value[0] > 0.8
    assert found.threshold < 0.4
