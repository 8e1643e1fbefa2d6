"""Matchings against brute force."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from topogan.errors import InputError
from topogan.homology import assign
from topogan.homology.matching import ABSENT, alignment_costs, match_points


def filled(sets: list[np.ndarray], length: int, filling: float) -> np.ndarray:
    table = np.full((len(sets), length), filling)
    for row, values in zip(table, sets, strict=True):
        row[: len(values)] = values
    return table


def cost_by_brute_force(a: np.ndarray, a_price: np.ndarray, b: np.ndarray, b_price: np.ndarray) -> float:
    n, m = len(a), len(b)
    costs = np.zeros((n + m, n + m))
    costs[:n, :m] = np.abs(a[:, None] - b[None, :])
    costs[:n, m:] = a_price[:, None]
    costs[n:, :m] = b_price[None, :]
    return float(costs[linear_sum_assignment(costs)].sum())


def random_sets(rng: np.random.Generator, count: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    values, prices = [], []
    for _ in range(count):
        length = rng.integers(0, 6)
        values.append(np.sort(rng.integers(0, 5, length) if rng.integers(2) else rng.random(length) * 5).astype(float))
        prices.append(rng.random(length) * rng.choice([0.1, 3.0]))
    return values, prices


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_alignment_is_the_best_partial_matching_of_every_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    (a, a_price), (b, b_price) = random_sets(rng, rng.integers(1, 4)), random_sets(rng, rng.integers(1, 4))
    costs = alignment_costs(
        filled(a, 6, ABSENT), filled(a_price, 6, 0.0), filled(b, 8, ABSENT), filled(b_price, 8, 0.0)
    )
    for row, column in np.ndindex(costs.shape):
        expected = cost_by_brute_force(a[row], a_price[row], b[column], b_price[column])
        assert costs[row, column] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_matching_of_points_has_that_cost(seed: int) -> None:
    (a, b), (a_price, b_price) = random_sets(np.random.default_rng(seed), 2)
    match = match_points(a, a_price, b, b_price)
    partners = match[match >= 0]
    assert len(set(partners.tolist())) == len(partners)
    cost = np.abs(a[match >= 0] - b[partners]).sum() + a_price[match < 0].sum()
    cost += b_price[np.setdiff1d(np.arange(len(b)), partners)].sum()
    assert cost == pytest.approx(cost_by_brute_force(a, a_price, b, b_price), abs=1e-9)


def test_assignment_is_the_best_permutation() -> None:
    costs = np.random.default_rng(0).random((5, 6))
    columns = assign(costs)
    best = min(costs[range(5), list(order)].sum() for order in permutations(range(6), 5))
    assert costs[range(5), columns].sum() == pytest.approx(best)
    assert len(set(columns.tolist())) == 5


def test_more_samples_than_real_masks_are_refused_in_words() -> None:
    with pytest.raises(InputError, match="3 samples cannot each get one of 2 real masks"):
        assign(np.zeros((3, 2)))
