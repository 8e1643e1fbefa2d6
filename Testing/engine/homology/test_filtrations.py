"""Distances are exact, in the unit asked for, and defined for every mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from topogan.errors import InputError
from topogan.homology import distance_filtration, signed_distance_filtration, superlevel_filtration

masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
sizes = st.sampled_from([1.0, 0.37, 2.5, (0.5, 0.8), (3.0, 1.0)])


def brute_squares(structure: np.ndarray, pixel_size: float | tuple[float, float] = 1.0) -> np.ndarray:
    """Squared distance of each pixel to each structure pixel, the least of them."""
    steps = np.broadcast_to(pixel_size, 2)
    positions = np.stack(np.indices(structure.shape), axis=-1) * steps
    targets = positions[structure]
    return ((positions[:, :, None] - targets[None, None]) ** 2).sum(axis=-1).min(axis=-1)


@settings(max_examples=200, deadline=None)
@given(masks.filter(np.any), sizes)
def test_distances_are_those_to_the_nearest_structure_pixel(mask: np.ndarray, pixel_size: object) -> None:
    np.testing.assert_allclose(distance_filtration(mask, pixel_size) ** 2, brute_squares(mask, pixel_size), rtol=1e-12)


@settings(max_examples=200, deadline=None)
@given(masks.filter(np.any))
def test_pixel_distances_are_roots_of_exact_integers(mask: np.ndarray) -> None:
    squares = brute_squares(mask)
    np.testing.assert_array_equal(distance_filtration(mask), np.sqrt(squares))
    np.testing.assert_array_equal(distance_filtration(mask, 0.37), np.sqrt(squares) * 0.37)


@settings(max_examples=100, deadline=None)
@given(masks, sizes)
def test_signed_distance_clipped_at_zero_is_the_one_sided_one(mask: np.ndarray, pixel_size: object) -> None:
    signed = signed_distance_filtration(mask, pixel_size)
    np.testing.assert_array_equal(np.maximum(signed, 0.0), distance_filtration(mask, pixel_size))
    np.testing.assert_array_equal(-signed, signed_distance_filtration(~mask, pixel_size))
    np.testing.assert_array_equal(signed < 0, mask)


def test_empty_and_full_masks_are_defined() -> None:
    empty, full = np.zeros((3, 4), dtype=bool), np.ones((3, 4), dtype=bool)
    np.testing.assert_array_equal(distance_filtration(empty), 5.0)
    np.testing.assert_array_equal(distance_filtration(empty, (2.0, 1.0)), np.hypot(6.0, 4.0))
    np.testing.assert_array_equal(distance_filtration(full), 0.0)
    np.testing.assert_array_equal(signed_distance_filtration(empty), 5.0)
    np.testing.assert_array_equal(signed_distance_filtration(full), -5.0)


def test_the_border_is_structure_and_moves_no_pixel() -> None:
    mask = np.zeros((7, 9), dtype=bool)
    mask[3, 4] = True
    bordered = distance_filtration(mask, border=True)
    assert bordered.shape == mask.shape
    border = np.ones_like(mask)
    border[1:-1, 1:-1] = False
    np.testing.assert_array_equal(bordered == 0, mask | border)
    assert not mask[0].any(), "the caller's mask was written to"


def test_the_border_of_an_image_without_inside_is_everything() -> None:
    np.testing.assert_array_equal(distance_filtration(np.zeros((2, 5)), border=True), 0.0)


def test_labels_count_as_structure_and_any_number_of_axes_works() -> None:
    labels = np.zeros((3, 3, 3), dtype=np.uint8)
    labels[1, 1, 1] = 7
    assert distance_filtration(labels, (2.0, 1.0, 1.0))[0, 1, 1] == 2.0


@pytest.mark.parametrize("pixel_size", [0.0, -1.0, float("nan"), float("inf"), (1.0,), (1.0, 1.0, 1.0), (1.0, 0.0)])
def test_wrong_pixel_sizes_are_refused_in_words(pixel_size: object) -> None:
    with pytest.raises(InputError, match="pixel size"):
        distance_filtration(np.ones((2, 2)), pixel_size)


def test_a_mask_without_pixels_is_refused() -> None:
    with pytest.raises(InputError, match="no pixels"):
        distance_filtration(np.zeros((0, 4)))


def test_superlevel_keeps_single_precision() -> None:
    assert superlevel_filtration(np.float32([0.5])).dtype == np.float32
    assert superlevel_filtration(np.uint8([200]))[0] == -200.0
