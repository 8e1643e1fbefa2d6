"""Specks go, what is large stays, and nothing becomes empty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import label

from topogan.errors import InputError
from topogan.homology import betti_numbers, clean_labels, remove_small

masks = hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12))


def test_small_components_and_holes_go(draw) -> None:
    mask = draw.ring()
    mask[0, 0] = mask[20, 2] = True
    mask[5, 5] = False
    assert betti_numbers(mask) == (3, 2)
    np.testing.assert_array_equal(remove_small(mask, 4), draw.ring())


def test_sizes_are_counted_in_pixels_and_the_limit_stays() -> None:
    mask = np.zeros((9, 9), dtype=bool)
    mask[1:4, 1:6] = True
    mask[6, 1:4] = True
    assert betti_numbers(remove_small(mask, 3)) == (2, 0)
    assert betti_numbers(remove_small(mask, 4)) == (1, 0)


def test_the_largest_component_stays_however_small() -> None:
    mask = np.zeros((5, 5), dtype=bool)
    mask[1, 1] = mask[3, 3] = mask[3, 4] = True
    np.testing.assert_array_equal(np.argwhere(remove_small(mask, 50)), [[3, 3], [3, 4]])


def test_bays_at_the_border_are_no_holes() -> None:
    mask = np.ones((5, 5), dtype=bool)
    mask[0, 2] = mask[2, 2] = False
    cleaned = remove_small(mask, 3)
    assert not cleaned[0, 2]
    assert cleaned[2, 2]


@settings(max_examples=200, deadline=None)
@given(masks, st.integers(0, 12))
def test_what_is_left_is_clean_and_cleaning_it_again_changes_nothing(mask: np.ndarray, pixels: int) -> None:
    cleaned = remove_small(mask, pixels)
    assert cleaned.any() == mask.any()
    labels, count = label(cleaned, np.ones((3, 3)))
    sizes = sorted(np.bincount(labels.ravel())[1:].tolist())
    assert all(size >= pixels for size in sizes[:-1])
    np.testing.assert_array_equal(remove_small(cleaned, pixels), cleaned)
    if pixels <= 1:
        np.testing.assert_array_equal(cleaned, mask)
    assert count <= max(1, betti_numbers(mask)[0])


def test_specks_and_cavities_of_a_volume_go_and_tunnels_stay() -> None:
    volume = np.zeros((10, 10, 10), dtype=bool)
    volume[1:8, 1:8, 1:8] = True
    volume[:, 3, 3] = False
    clean = volume.copy()
    # Touches the cube at a corner: one component with it, 26-connected.
    volume[0, 0, 0] = clean[0, 0, 0] = True
    volume[5, 5, 5] = False
    volume[9, 9, 0] = True
    assert betti_numbers(volume) == (2, 1, 1)
    np.testing.assert_array_equal(remove_small(volume, 2), clean)
    assert betti_numbers(clean) == (1, 1, 0)


def test_the_mask_given_is_not_written_to(draw) -> None:
    mask = draw.ring(gap=1)
    before = mask.copy()
    remove_small(mask, 100)
    np.testing.assert_array_equal(mask, before)


def test_wrong_input_is_refused_in_words() -> None:
    with pytest.raises(InputError, match="shape"):
        remove_small(np.zeros(2), 3)
    with pytest.raises(InputError, match="-1 pixels"):
        remove_small(np.zeros((2, 2)), -1)


def test_label_maps_of_one_structure_are_cleaned_as_masks(random_image) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        mask = rng.random(tuple(rng.integers(1, 24, 2))) < rng.choice([0.2, 0.5, 0.8])
        for pixels in (0, 1, 3, 9, 1000):
            np.testing.assert_array_equal(clean_labels(mask.astype(np.uint8), pixels), remove_small(mask, pixels))


def test_label_maps_of_volumes_are_cleaned_alike() -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        mask = rng.random(tuple(rng.integers(1, 9, 3))) < rng.choice([0.2, 0.5, 0.8])
        for pixels in (0, 1, 3, 9, 1000):
            np.testing.assert_array_equal(clean_labels(mask.astype(np.uint8), pixels), remove_small(mask, pixels))
    labels = np.zeros((9, 9, 9), np.uint8)
    labels[1:8, 1:8, 1:8] = 1
    labels[2:5, 2:5, 2:5] = 2
    whole = labels.copy()
    labels[3, 3, 3], labels[6, 6, 6], labels[8, 8, 8] = 0, 2, 1
    # The cavity goes to the blood around it, the speck of blood to the wall; a voxel at a corner of it is no speck.
    whole[8, 8, 8] = 1
    assert betti_numbers(labels == 2) == (2, 0, 1)
    np.testing.assert_array_equal(clean_labels(labels, 5), whole)


def test_small_parts_go_to_the_label_around_them() -> None:
    labels = np.zeros((16, 16), np.uint8)
    labels[1:15, 1:15] = 1
    labels[4:10, 4:10] = 2
    whole = labels.copy()
    labels[6, 6] = 0  # a hole in the inner structure
    labels[12, 12:14] = 2  # a piece of the inner one in the outer one
    labels[7, 8] = 1
    np.testing.assert_array_equal(clean_labels(labels, 3), whole)
    assert (clean_labels(whole, 100) == whole).all(), "the largest part of a structure stays, also in a hole"


def test_a_part_between_two_goes_to_the_longer_border() -> None:
    labels = np.ones((12, 12), np.uint8)
    labels[:, 6:] = 2
    labels[0, :] = 3
    labels[5, 5] = 3
    labels[5, 6:8] = 3  # three pixels at 1, five at 2
    cleaned = clean_labels(labels, 4)
    assert (cleaned[5, 5:8] == 2).all()
