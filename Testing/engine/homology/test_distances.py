"""Distances against brute force: optimal transport with the diagonal as extra points, by POT and by permutations."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topogan.homology import (
    Diagram,
    cubical_persistence,
    diagram_distance,
    distance_filtration,
    pairwise_w1,
    pairwise_w1_births,
    wasserstein_1d,
)

Points = np.ndarray


def random_points(rng: np.random.Generator, most: int = 7) -> Points:
    """Points of few distinct values, as those of distance transforms, or of any values."""
    count = rng.integers(0, most + 1)
    births = rng.integers(0, 4, count) if rng.integers(2) else rng.random(count) * 4
    lengths = rng.integers(1, 4, count) if rng.integers(2) else rng.random(count) * 3
    return np.stack([births, births + lengths], axis=1).astype(float)


def random_diagrams(rng: np.random.Generator, count: int, dimension: int = 1) -> list[Diagram]:
    return [Diagram.from_points({dimension: random_points(rng)}) for _ in range(count)]


def augmented_costs(a: Points, b: Points) -> np.ndarray:
    """The textbook's square matrix: each point may also be matched with its own copy of the diagonal."""
    n, m = len(a), len(b)
    costs = np.zeros((n + m, n + m))
    costs[:n, :m] = np.abs(a[:, None] - b[None]).max(axis=2, initial=0.0)
    costs[:n, m:] = ((a[:, 1] - a[:, 0]) / 2)[:, None]
    costs[n:, :m] = ((b[:, 1] - b[:, 0]) / 2)[None, :]
    return costs


def w1_by_pot(a: Points, b: Points) -> float:
    size = len(a) + len(b)
    if not size:
        return 0.0
    weights = np.full(size, 1.0)
    return float(ot.emd2(weights, weights, augmented_costs(a, b)))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_w1_is_what_optimal_transport_with_the_diagonal_costs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = random_diagrams(rng, rng.integers(1, 4)), random_diagrams(rng, rng.integers(1, 4))
    distances = pairwise_w1(a, b, 1)
    assert distances.shape == (len(a), len(b))
    for row, first in enumerate(a):
        for column, second in enumerate(b):
            expected = w1_by_pot(first.points(1), second.points(1))
            assert distances[row, column] == pytest.approx(expected, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_w1_of_tiny_diagrams_is_the_best_permutation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = random_points(rng, 3), random_points(rng, 3)
    costs = augmented_costs(a, b)
    size = len(costs)
    best = min(sum(costs[i, order[i]] for i in range(size)) for order in permutations(range(size)))
    distance = diagram_distance(Diagram.from_points({0: a}), Diagram.from_points({0: b}), 0)
    assert distance == pytest.approx(best, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_w1_is_a_metric(seed: int) -> None:
    rng = np.random.default_rng(seed)
    diagrams = random_diagrams(rng, 6)
    diagrams[5] = Diagram.from_points({1: diagrams[0].points(1)[::-1]})
    distances = pairwise_w1(diagrams, diagrams, 1)
    np.testing.assert_array_equal(distances, distances.T)
    np.testing.assert_array_equal(np.diag(distances), 0.0)
    assert distances[0, 5] == 0.0
    assert (distances[:, None, :] <= distances[:, :, None] + distances[None, :, :] + 1e-9).all()
    np.testing.assert_allclose(pairwise_w1(diagrams, list(reversed(diagrams)), 1), distances[:, ::-1], atol=1e-12)


def test_w1_by_hand() -> None:
    ring, small, nothing = (Diagram.from_points({1: points}) for points in ([[0, 5]], [[0, 5], [1, 2]], []))
    gap = Diagram.from_points({1: [[2, 5]]})
    expected = [[0.0, 0.5, 2.5, 2.0], [0.5, 0.0, 3.0, 2.5], [2.5, 3.0, 0.0, 1.5], [2.0, 2.5, 1.5, 0.0]]
    sets = [ring, small, nothing, gap]
    np.testing.assert_allclose(pairwise_w1(sets, sets, 1), expected)
    assert pairwise_w1(sets, [], 1).shape == (4, 0)
    assert pairwise_w1([], [], 0).shape == (0, 0)


def test_a_diagram_distance_adds_both_dimensions() -> None:
    a = Diagram.from_points({0: [[0, np.inf], [0, 2]], 1: [[0, 5]]})
    b = Diagram.from_points({0: [[0, np.inf]], 1: [[1, 5]]})
    assert diagram_distance(a, b, 0) == 1.0
    assert diagram_distance(a, b, 1) == 1.0
    assert diagram_distance(a, b) == 2.0


def test_classes_that_never_die_do_not_count() -> None:
    a = Diagram.from_points({0: [[0, np.inf]]})
    b = Diagram.from_points({0: [[7, np.inf]]})
    assert diagram_distance(a, b) == 0.0


def test_w1_of_real_distance_transforms_is_exact() -> None:
    rng = np.random.default_rng(0)
    diagrams = [cubical_persistence(distance_filtration(rng.random((24, 24)) < 0.1)) for _ in range(12)]
    distances = pairwise_w1(diagrams[:6], diagrams[6:], 1)
    for row, column in np.ndindex(distances.shape):
        first, second = diagrams[row].finite_points(1), diagrams[6 + column].finite_points(1)
        assert distances[row, column] == pytest.approx(w1_by_pot(first, second), abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_distances_of_numbers_are_those_of_pot(seed: int) -> None:
    rng = np.random.default_rng(seed)
    draw = (lambda n: rng.integers(0, 5, n).astype(float)) if rng.integers(2) else rng.standard_normal
    a, b = ([draw(rng.integers(1, 7)) for _ in range(rng.integers(1, 5))] for _ in range(2))
    distances = wasserstein_1d(a, b)
    for row, column in np.ndindex(distances.shape):
        assert distances[row, column] == pytest.approx(ot.wasserstein_1d(a[row], b[column]), abs=1e-9)


def test_distances_of_equally_many_numbers_are_the_best_bijection() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal(5), rng.standard_normal(5)
    best = min(np.abs(a - b[list(order)]).mean() for order in permutations(range(5)))
    assert wasserstein_1d([a], [b])[0, 0] == pytest.approx(best)


def test_births_of_holes_and_deaths_of_components() -> None:
    closed = Diagram.from_points({0: [[0, np.inf]], 1: [[0, 5]]})
    gaps = Diagram.from_points({0: [[0, np.inf], [0, 3]], 1: [[1, 5], [3, 5]]})
    assert pairwise_w1_births([closed], [gaps], 1).tolist() == [[2.0]]
    # Without a point there is nothing to transport: the other's mean persistence.
    assert pairwise_w1_births([closed], [gaps], 0).tolist() == [[3.0]]
    assert pairwise_w1_births([closed], [closed], 0).tolist() == [[0.0]]
    nothing = Diagram.from_points({})
    assert pairwise_w1_births([nothing, closed], [nothing, gaps], 1).tolist() == [[0.0, 3.0], [5.0, 2.0]]
    assert pairwise_w1_births([], [gaps], 1).shape == (0, 1)


def test_births_ignore_how_many_there_are() -> None:
    one, three = Diagram.from_points({1: [[0, 5]]}), Diagram.from_points({1: [[0, 5]] * 3})
    assert pairwise_w1_births([one], [three], 1)[0, 0] == 0.0
    assert pairwise_w1([one], [three], 1)[0, 0] == 5.0
