"""Metrics on Betti numbers and sets of diagrams."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import ot
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topogan.metrics.mmd import unbiased_mmd
from topogan.metrics.topology import (
    betti_error,
    betti_histogram,
    betti_score,
    set_distance,
    shown_by_real,
    valid_share,
)
from topogan.verdict import RealTopologies

RINGS = np.array([[1, 1]] * 9 + [[2, 1]])
betti_arrays = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20).map(np.array)


def test_histogram_is_ordered_by_frequency_then_numbers() -> None:
    shares = betti_histogram(np.array([[2, 0], [1, 0], [1, 1], [1, 1]]))
    assert list(shares.items()) == [((1, 1), 0.5), ((1, 0), 0.25), ((2, 0), 0.25)]


def test_error_of_known_histograms() -> None:
    assert betti_error(RINGS, np.array([[1, 1]] * 5)) == pytest.approx(0.1)
    assert betti_error(RINGS, np.array([[3, 3]])) == pytest.approx(1.0)


@given(betti_arrays, betti_arrays, betti_arrays)
def test_error_is_a_distance_between_histograms(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
    assert betti_error(a, a[::-1]) == pytest.approx(0.0)
    assert betti_error(a, b) == pytest.approx(betti_error(b, a))
    assert betti_error(a, b) <= betti_error(a, c) + betti_error(c, b) + 1e-12
    assert 0.0 <= betti_error(a, b) <= 1.0 + 1e-12


def test_score_by_hand() -> None:
    # b0: 0.9 of 1 and 0.1 of 2 against all 1: (0.1)²/1.9 + (0.1)²/0.1
    assert betti_score(RINGS, np.array([[1, 1]]), 0) == pytest.approx(0.01 / 1.9 + 0.1)
    assert betti_score(RINGS, np.array([[1, 1]]), 1) == 0.0


def test_score_reaches_two_as_the_papers_table_needs() -> None:
    assert betti_score(np.array([[1, 0]]), np.array([[1, 5]]), 1) == pytest.approx(2.0)


def test_valid_share_needs_both_numbers() -> None:
    assert valid_share(np.array([[1, 1], [1, 0], [2, 1], [1, 1]]), (1, 1)) == 50.0


def test_set_distance_is_the_cheapest_permutation() -> None:
    costs = np.random.default_rng(0).random((6, 6))
    brute = min(np.mean([costs[row, column] for row, column in enumerate(order)]) for order in permutations(range(6)))
    assert set_distance(costs) == pytest.approx(brute)
    assert set_distance(costs) == pytest.approx(ot.emd2([], [], costs))


def test_mmd_against_a_double_loop() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=7), rng.normal(0.5, 1, size=5)

    def kernel(a: float, b: float) -> float:
        return float(np.exp(-abs(a - b) / 0.7))

    within_x = np.mean([kernel(x[i], x[j]) for i in range(7) for j in range(7) if i != j])
    within_y = np.mean([kernel(y[i], y[j]) for i in range(5) for j in range(5) if i != j])
    between = np.mean([kernel(a, b) for a in x for b in y])
    distances = [np.abs(a[:, None] - b[None]) for a, b in ((x, x), (y, y), (x, y))]
    assert unbiased_mmd(*distances, scale=0.7) == pytest.approx(within_x + within_y - 2 * between)


def test_mmd_is_unbiased_near_zero_for_one_distribution_and_large_for_two() -> None:
    rng = np.random.default_rng(2)

    def mmd(shift: float) -> float:
        x, y = rng.normal(size=60), rng.normal(shift, 1, size=60)
        return unbiased_mmd(*(np.abs(a[:, None] - b[None]) for a, b in ((x, x), (y, y), (x, y))), scale=1.0)

    same = [mmd(0.0) for _ in range(40)]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(40) + 1e-3
    assert min(same) < 0
    assert mmd(2.0) > 0.3


def test_mmd_without_a_scale_is_not_a_number_made_up() -> None:
    zeros = np.zeros((3, 3))
    assert unbiased_mmd(zeros, zeros, zeros, scale=0.0) is None


def test_mmd_does_not_depend_on_the_unit() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=9), rng.normal(size=9)
    pixels = [np.abs(a[:, None] - b[None]) for a, b in ((x, x), (y, y), (x, y))]
    widths = [distance / 64 for distance in pixels]
    scale = float(np.median(pixels[2]))
    assert unbiased_mmd(*pixels, scale=scale) == pytest.approx(unbiased_mmd(*widths, scale=scale / 64))


def test_histograms_of_three_numbers_by_hand() -> None:
    shells = np.array([[1, 0, 1]] * 3 + [[1, 0, 0]])
    tori = np.array([[1, 1, 0], [1, 0, 1]])
    assert betti_histogram(shells) == {(1, 0, 1): 0.75, (1, 0, 0): 0.25}
    assert valid_share(shells, (1, 0, 1)) == 75.0
    # ½ (|3/4 − 1/2| + |1/4 − 0| + |0 − 1/2|)
    assert betti_error(shells, tori) == pytest.approx(0.5)
    # b1: all 0 against halves of 0 and 1; b2: quarter and three quarters against halves.
    assert betti_score(shells, tori, 1) == pytest.approx(0.25 / 1.5 + 0.25 / 0.5)
    assert betti_score(shells, tori, 2) == pytest.approx(0.0625 / 0.75 + 0.0625 / 1.25)


def test_what_real_volumes_show_needs_no_level() -> None:
    real = RealTopologies.of([0.0, 0.0], [[[1, 0, 1]], [[1, 1, 0]]])
    assert shown_by_real(np.array([[[1, 1, 0]], [[1, 1, 1]]]), None, real).tolist() == [[True], [False]]
