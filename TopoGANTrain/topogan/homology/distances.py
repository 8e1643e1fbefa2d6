"""Distances between persistence diagrams: of two, and of all pairs of two sets.

Only points with a finite birth and death count. Dimension 0 is connected components, 1 is holes and almost-holes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from topogan.homology.diagrams import Diagram
from topogan.homology.partial_matching import w1_of_points

Matrix = NDArray[np.float64]


def diagram_distance(a: Diagram, b: Diagram, dimension: int | None = None) -> float:
    """1-Wasserstein distance of two diagrams, in the unit of their filtration.

    min over partial matchings of Σ ‖x − y‖∞ + Σ_unmatched (death − birth)/2: points may also go to the diagonal.

    Args:
        a: a diagram.
        b: another one, of the same filtration.
        dimension: 0 or 1; None adds both up.
    """
    dimensions = (0, 1) if dimension is None else (dimension,)
    return sum(float(pairwise_w1([a], [b], one)[0, 0]) for one in dimensions)


def pairwise_w1(a: Sequence[Diagram], b: Sequence[Diagram], dimension: int) -> Matrix:
    """:func:`diagram_distance` of every pair, exact.

    Args:
        a: N diagrams.
        b: M diagrams.
        dimension: 0 or 1.

    Returns:
        float [N, M], in the unit of the filtration.
    """
    symmetric = len(a) == len(b) and all(one is other for one, other in zip(a, b, strict=True))
    sides = [[diagram.finite_points(dimension) for diagram in side] for side in ((a,) if symmetric else (a, b))]
    return w1_of_points(sides[0], sides[-1], symmetric)


def pairwise_w1_births(a: Sequence[Diagram], b: Sequence[Diagram], dimension: int) -> Matrix:
    """1-Wasserstein distance of every pair by births of holes (dimension 1) or deaths of components (0) alone.

    Each diagram counts as a distribution, every point weighing 1/n: min over transport plans of Σ γ_xy |b_x − b_y|.
    This is equation 3 of Wang et al., ECCV 2020, as its reference implementation reads it: with its free diagonal the
    printed equation would be 0 for all diagrams. It sees where births lie, not how many there are. A diagram without
    points is as far from another as that one's mean persistence (0 from another such diagram).

    Args, returns: as :func:`pairwise_w1`.
    """
    points = [[diagram.finite_points(dimension) for diagram in diagrams] for diagrams in (a, b)]
    result = wasserstein_1d(*([diagram.projected(dimension) for diagram in diagrams] for diagrams in (a, b)))
    means = [np.array([(found[:, 1] - found[:, 0]).mean() if len(found) else 0.0 for found in side]) for side in points]
    empty = [np.array([len(found) == 0 for found in side], dtype=bool) for side in points]
    either = empty[0][:, None] | empty[1][None, :]
    return np.where(either, means[0][:, None] + means[1][None, :], result)


def wasserstein_1d(a: Sequence[NDArray[np.float64]], b: Sequence[NDArray[np.float64]]) -> Matrix:
    """1-Wasserstein distance of every pair of sets of numbers, each set a distribution of equal weights; exact.

    ∫ |F(t) − G(t)| dt of the cumulative distributions, which step at finitely many numbers: one weighted city-block
    distance for all pairs.

    Args:
        a: N arrays float [n_i].
        b: M arrays float [m_j].

    Returns:
        float [N, M]; 0 in the rows and columns of empty sets, for which the distance is not defined.
    """
    grid = np.unique(np.concatenate([np.zeros(0), *a, *b]))
    if len(grid) < 2 or not a or not b:
        return np.zeros((len(a), len(b)))
    steps = np.diff(grid)
    distances: Matrix = cdist(_cumulative(a, grid) * steps, _cumulative(b, grid) * steps, "cityblock")
    distances[[len(one) == 0 for one in a]] = 0.0
    distances[:, [len(one) == 0 for one in b]] = 0.0
    return distances


def _cumulative(sets: Sequence[NDArray[np.float64]], grid: NDArray[np.float64]) -> Matrix:
    """float [N, len(grid) − 1]: share of each set's numbers at or below each grid value but the last."""
    lengths = np.array([len(one) for one in sets])
    owner = np.repeat(np.arange(len(sets)), lengths)
    counts = np.zeros((len(sets), len(grid)))
    np.add.at(counts, (owner, np.searchsorted(grid, np.concatenate(sets))), 1.0)
    shares: Matrix = np.cumsum(counts, axis=1)[:, :-1] / np.maximum(lengths, 1)[:, None]
    return shares
