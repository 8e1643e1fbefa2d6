"""Exact matchings: of samples to real masks, and of points to points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from topogan.errors import InputError

# Stands for a point that is not there: no real value lies so far away, and it is exact in float64.
ABSENT = 2.0**40


def assign(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """The cheapest one-to-one assignment: which column each row gets.

    For as many rows as columns it is optimal transport with equal weights (equations 4 and 5 of Wang et al., ECCV
    2020), without the ties that the argmax of a plan has where there are more real diagrams than samples.

    Args:
        cost: float [N, M], N ≤ M.

    Returns:
        int [N], distinct columns.

    Raises:
        InputError: there are more rows than columns.
    """
    if len(cost) > cost.shape[1]:
        raise InputError(f"{len(cost)} samples cannot each get one of {cost.shape[1]} real masks: give as many.")
    columns: NDArray[np.int64] = linear_sum_assignment(cost)[1].astype(np.int64)
    return columns


def alignment_costs(
    a: NDArray[np.float64], a_removal: NDArray[np.float64], b: NDArray[np.float64], b_removal: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cost of the best partial matching of every pair of sets of numbers, where each number has a price of removal.

    min over partial matchings of Σ |x − y| + Σ_unmatched removal. On a line no two matches need to cross, so that
    dynamic programming over the sorted numbers is exact.

    Args:
        a: float [N, K], each row in rising order, filled up with ``ABSENT``.
        a_removal: float [N, K], ≥ 0, and 0 where absent.
        b: float [M, L], as ``a``.
        b_removal: float [M, L].

    Returns:
        float [N, M].
    """
    a, a_removal = _without_filling(a, a_removal)
    b, b_removal = _without_filling(b, b_removal)
    shape = (len(a), len(b))
    row = [np.zeros(shape)]
    for price in b_removal.T:
        row.append(row[-1] + price[None, :])
    for value, price in zip(a.T[:, :, None], a_removal.T[:, :, None], strict=True):
        above, row = row, [row[0] + price]
        for j, (other, other_price) in enumerate(zip(b.T[:, None, :], b_removal.T[:, None, :], strict=True)):
            best = np.abs(value - other)
            best += above[j]
            np.minimum(best, above[j + 1] + price, out=best)
            np.minimum(best, row[j] + other_price, out=best)
            row.append(best)
    return row[-1]


def _without_filling(
    values: NDArray[np.float64], removal: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Leave out the columns in which every number is absent."""
    longest = int((values < ABSENT).sum(axis=1).max(initial=0))
    return values[:, :longest], removal[:, :longest]


def match_points(
    a: NDArray[np.float64], a_removal: NDArray[np.float64], b: NDArray[np.float64], b_removal: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The best partial matching of two sets of numbers: which number of ``b`` each of ``a`` gets.

    Args:
        a: float [n].
        a_removal: float [n], the price of leaving a number unmatched.
        b: float [m].
        b_removal: float [m].

    Returns:
        int [n]; −1 where a number stays unmatched.
    """
    matched = np.full(len(a), -1, dtype=np.int64)
    saving = a_removal[:, None] + b_removal[None, :] - np.abs(a[:, None] - b[None, :])
    rows, columns = linear_sum_assignment(np.maximum(saving, 0.0), maximize=True)
    worth_it = saving[rows, columns] >= 0.0
    matched[rows[worth_it]] = columns[worth_it]
    return matched
