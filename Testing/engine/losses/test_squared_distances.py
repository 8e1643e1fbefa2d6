"""The batch's own distances are SciPy's, and its nearest pixels lie at that distance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from topogan.losses.paper.squared_distances import nearest_of_other_kind, signed_squared_distances, squared_distances


def random_masks(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (rng.integers(1, 6), *rng.integers(1, 40, 2))
    return rng.random(shape) < rng.choice([0.002, 0.05, 0.5, 0.95], (shape[0], 1, 1))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_squares_are_those_of_scipy(seed: int) -> None:
    masks = random_masks(seed)
    nowhere = masks.shape[1] ** 2 + masks.shape[2] ** 2
    for mask, squares in zip(masks, squared_distances(masks), strict=True):
        expected = np.rint(distance_transform_edt(~mask) ** 2) if mask.any() else np.full(mask.shape, nowhere)
        np.testing.assert_array_equal(squares, expected)


@pytest.mark.parametrize("shape", [(3, 300, 20), (3, 20, 300), (40, 64, 64), (1, 128, 128)])
def test_large_masks_and_batches(shape) -> None:
    masks = np.random.default_rng(0).random(shape) < 0.001
    for mask, squares in zip(masks, squared_distances(masks), strict=True):
        if mask.any():
            np.testing.assert_array_equal(squares, np.rint(distance_transform_edt(~mask) ** 2))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nearest_pixels_are_of_the_other_kind_and_at_that_distance(seed: int) -> None:
    masks = random_masks(seed)
    masks = masks[masks.any(axis=(1, 2)) & ~masks.all(axis=(1, 2))]
    squares = signed_squared_distances(masks)
    np.testing.assert_array_equal(squares < 0, masks)
    image, rows, columns = np.indices(masks.shape).reshape(3, -1)
    position = np.stack([rows, columns], axis=1)
    found = nearest_of_other_kind(masks, squares, image, position)
    assert (masks[image, found[:, 0], found[:, 1]] != masks[image, rows, columns]).all()
    np.testing.assert_array_equal(((found - position) ** 2).sum(axis=1), np.abs(squares).ravel())


def test_masks_of_one_kind_have_one_value_above_all_distances() -> None:
    squares = signed_squared_distances(np.stack([np.zeros((3, 4), dtype=bool), np.ones((3, 4), dtype=bool)]))
    assert (squares[0] == 25).all()
    assert (squares[1] == -25).all()
