"""Exact distances between persistence diagrams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from topogan.topology.diagrams import Diagram


def diagram_distance(first: Diagram, second: Diagram, dimension: int) -> float:
    """1-Wasserstein distance of the finite points of one dimension; L∞ ground cost, the diagonal allowed."""
    return _w1(first.points(dimension), second.points(dimension))


def pairwise_w1(first: Sequence[Diagram], second: Sequence[Diagram], dimension: int) -> NDArray[np.float64]:
    """:func:`diagram_distance` of every pair, float64 [N, M]."""
    ours = [diagram.points(dimension) for diagram in first]
    theirs = [diagram.points(dimension) for diagram in second]
    return np.array([[_w1(a, b) for b in theirs] for a in ours]).reshape(len(ours), len(theirs))


def pairwise_w1_births(first: Sequence[Diagram], second: Sequence[Diagram], dimension: int) -> NDArray[np.float64]:
    """Equation 3 of the paper for every pair: births of holes (H1), deaths of pieces (H0); float64 [N, M].

    The coordinates are matched in order; a point without a partner costs its own distance to the diagonal, because a
    free diagonal would let everything vanish.
    """
    ours = [diagram.points(dimension) for diagram in first]
    theirs = [diagram.points(dimension) for diagram in second]
    return np.array([[_w1_births(a, b, dimension) for b in theirs] for a in ours]).reshape(len(ours), len(theirs))


def _w1(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    to_diagonal = [(points[:, 1] - points[:, 0]) / 2 for points in (first, second)]
    if not len(first) or not len(second):
        return float(to_diagonal[0].sum() + to_diagonal[1].sum())
    direct = np.abs(first[:, None] - second[None]).max(axis=2)
    return _matched(direct, *to_diagonal)


def _w1_births(first: NDArray[np.float64], second: NDArray[np.float64], dimension: int) -> float:
    to_diagonal = [(points[:, 1] - points[:, 0]) / 2 for points in (first, second)]
    column = 1 - dimension
    direct = np.abs(first[:, None, column] - second[None, :, column])
    return _matched(direct, *to_diagonal)


def _matched(direct: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """The cheapest partial matching: matching a pair saves what both would pay to the diagonal."""
    saved = np.minimum(direct - first[:, None] - second[None], 0.0)
    return float(first.sum() + second.sum() + saved[linear_sum_assignment(saved)].sum())
