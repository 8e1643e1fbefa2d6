"""Components are 8-connected, holes 4-connected, and persistence counts the same."""

from __future__ import annotations

import gudhi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import binary_erosion, label

from topogan.errors import InputError
from topogan.homology import (
    betti_numbers,
    betti_numbers_of_batch,
    cubical_persistence,
    distance_filtration,
    euler_characteristics,
)

masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))
volumes = hnp.arrays(bool, hnp.array_shapes(min_dims=3, max_dims=3, max_side=8))


def counted_by_labels(mask: np.ndarray) -> tuple[int, int]:
    """Label the components, and the background with a border around the image; all but the outside are holes."""
    _, components = label(mask, np.ones((3, 3)))
    _, background = label(~np.pad(mask, 1))
    return components, background - 1


@settings(max_examples=300, deadline=None)
@given(masks)
def test_numbers_are_those_of_labeled_regions(mask: np.ndarray) -> None:
    assert betti_numbers(mask) == counted_by_labels(mask)


@settings(max_examples=200, deadline=None)
@given(masks.filter(np.any))
def test_persistence_at_level_zero_counts_the_same(mask: np.ndarray) -> None:
    assert cubical_persistence(distance_filtration(mask)).betti_numbers(0.0) == betti_numbers(mask)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_stack_is_its_masks_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stack = rng.random((rng.integers(1, 8), *rng.integers(1, 10, 2))) < rng.random()
    assert betti_numbers_of_batch(stack).tolist() == [list(counted_by_labels(mask)) for mask in stack]


@settings(max_examples=200, deadline=None)
@given(volumes)
def test_numbers_of_volumes_are_those_of_gudhi(volume: np.ndarray) -> None:
    cells = gudhi.CubicalComplex(top_dimensional_cells=np.where(volume, 0.0, 1.0))
    cells.compute_persistence(min_persistence=-1.0)
    assert betti_numbers(volume) == tuple(cells.persistent_betti_numbers(0.0, 0.0)[:3])


def test_a_stack_of_volumes_is_its_volumes_one_by_one() -> None:
    stack = np.random.default_rng(0).random((5, 7, 6, 5)) < 0.4
    assert [tuple(numbers) for numbers in betti_numbers_of_batch(stack)] == [betti_numbers(volume) for volume in stack]
    assert betti_numbers_of_batch(np.zeros((0, 4, 5, 6))).shape == (0, 3)
    assert betti_numbers_of_batch(np.zeros((2, 0, 0, 0))).tolist() == [[0, 0, 0]] * 2


def test_known_volumes() -> None:
    ball = np.linalg.norm(np.indices((11, 11, 11)) - 5, axis=0) < 4.5
    shell = ball & ~binary_erosion(ball)
    tube = ball.copy()
    tube[:, 5, 5] = False
    assert betti_numbers(ball) == (1, 0, 0)
    assert betti_numbers(shell) == (1, 0, 1)
    assert betti_numbers(tube) == (1, 1, 0)
    assert betti_numbers(np.zeros((2, 3, 4))) == (0, 0, 0)
    assert betti_numbers(np.ones((1, 1, 1))) == (1, 0, 0)


def test_corners_connect_structure_and_not_background() -> None:
    diagonal = np.eye(2, dtype=bool)
    assert betti_numbers(diagonal) == (1, 0)
    diamond = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    assert betti_numbers(diamond) == (1, 1)


def test_empty_and_full_masks() -> None:
    assert betti_numbers(np.zeros((4, 5))) == (0, 0)
    assert betti_numbers(np.ones((4, 5))) == (1, 0)
    assert betti_numbers_of_batch(np.zeros((0, 4, 5))).shape == (0, 2)
    assert betti_numbers_of_batch(np.zeros((3, 0, 0))).tolist() == [[0, 0]] * 3


def test_labels_count_as_structure(draw) -> None:
    assert betti_numbers(draw.ring().astype(np.uint8) * 7) == (1, 1)


def test_a_single_pixel_has_the_euler_characteristic_of_a_point() -> None:
    assert euler_characteristics(np.ones((1, 1, 1), dtype=bool)).tolist() == [1]


def test_wrong_shapes_are_refused_in_words() -> None:
    with pytest.raises(InputError, match="shape"):
        betti_numbers(np.zeros(3))
    with pytest.raises(InputError, match="shape"):
        betti_numbers_of_batch(np.zeros((3, 3)))
