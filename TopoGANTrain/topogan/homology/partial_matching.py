"""Exact 1-Wasserstein distances of all pairs of small point sets whose points may also go to the diagonal.

A quarter of a million pairs take seconds because each assignment problem is made as small as it can be, exactly:

* Two points are matched only where that saves something over sending both to the diagonal, so that the problem is to
  save most: n × m numbers ≥ 0 in place of the textbook's (n + m) × (n + m) costs.
* Points that both sets have cancel. The distance is one of optimal transport (Kantorovich and Rubinstein: it depends
  on the difference of the two measures only), and distance transforms have few distinct values.
* Equal sets are measured once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

Points = NDArray[np.float64]
"""float [n, 2]: (birth, death), finite."""


def w1_of_points(a: list[Points], b: list[Points], symmetric: bool = False) -> NDArray[np.float64]:
    """min over partial matchings of Σ ‖x − y‖∞ + Σ_unmatched (death − birth)/2, for every pair.

    Args:
        a: N point sets.
        b: M point sets.
        symmetric: whether both are the same list, which halves the work.

    Returns:
        float [N, M].
    """
    rows, row_of = _distinct(a)
    columns, column_of = (rows, row_of) if symmetric else _distinct(b)
    sets = _KeyedSets.of(columns)
    to_diagonal = [np.array([_to_diagonal(points).sum() for points in side]) for side in (rows, columns)]
    distances: NDArray[np.float64] = to_diagonal[0][:, None] + to_diagonal[1][None, :]
    for row, points in enumerate(rows):
        first = row + 1 if symmetric else 0
        distances[row, first:] -= _largest_savings(points, sets, first)
        if symmetric:
            distances[row, row] = 0.0
            distances[first:, row] = distances[row, first:]
    # Differences of sums may end a rounding error below 0.
    np.maximum(distances, 0.0, out=distances)
    return distances[np.ix_(row_of, column_of)]


@dataclass(frozen=True)
class _KeyedSets:
    """Point sets one after another, each point with a key that no other point of its set has.

    A key stands for a location and a number: the second of two equal points of a set has another key than the first.
    So two sets have as many common keys as they have common points, counted with their multiplicity.
    """

    start: list[int]
    """int [M + 1]: where each set begins, and where the last one ends."""
    owner: NDArray[np.int64]
    """int [points]: number of the set."""
    location: NDArray[np.int64]
    """int [points]: row of ``locations``."""
    key: NDArray[np.int64]
    """int [points]"""
    locations: Points
    """float [L, 2]: the distinct points."""
    numbers: dict[tuple[bytes, int], int]
    """(location, occurrence) → key."""

    @classmethod
    def of(cls, sets: list[Points]) -> _KeyedSets:
        joined = np.concatenate([np.zeros((0, 2)), *sets])
        locations, location = np.unique(joined, axis=0, return_inverse=True)
        numbers: dict[tuple[bytes, int], int] = {}
        keys = [numbers.setdefault(name, len(numbers)) for points in sets for name in _names(points)]
        lengths = [len(points) for points in sets]
        start = np.cumsum([0, *lengths]).tolist()
        owner = np.repeat(np.arange(len(sets)), lengths)
        return cls(start, owner, location.reshape(-1), np.array(keys, dtype=np.int64), locations, numbers)


def _largest_savings(points: Points, sets: _KeyedSets, first: int) -> NDArray[np.float64]:
    """What the best matching of ``points`` with each set from ``first`` on saves over the diagonal."""
    from_first = slice(sets.start[first], None)
    count = len(sets.start) - 1 - first
    owner, location = sets.owner[from_first] - first, sets.location[from_first]
    canceled_by = _canceled_by(points, sets)[from_first]
    canceled = canceled_by >= 0
    saved = np.zeros(count)
    np.add.at(saved, owner[canceled], 2.0 * _to_diagonal(points)[canceled_by[canceled]])

    spend = -_saving(points, sets.locations)
    useful = spend < 0.0
    columns = ~canceled & np.asarray(useful.any(axis=0))[location]
    rows = _reached(useful[:, location[columns]], owner[columns], count)
    rows[owner[canceled], canceled_by[canceled]] = False
    return saved + _matched_savings(spend, rows, location[columns], owner[columns])


def _matched_savings(
    spend: NDArray[np.float64], rows: NDArray[np.bool_], location: NDArray[np.int64], owner: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Solve one assignment for each of the sets.

    Args:
        spend: float [n, L], the negative savings of n points at L locations.
        rows: bool [count, n], the points that take part for each set.
        location: int [m], the locations of the sets' points, set by set.
        owner: int [m], the set of each of them.
    """
    count = len(rows)
    row_ends = np.cumsum(rows.sum(axis=1)).tolist()
    column_ends = np.cumsum(np.bincount(owner, minlength=count)).tolist()
    row = np.nonzero(rows)[1][:, None]
    saved = np.zeros(count)
    row_start = column_start = 0
    for number, (row_end, column_end) in enumerate(zip(row_ends, column_ends, strict=True)):
        if row_start < row_end and column_start < column_end:
            block = spend[row[row_start:row_end], location[column_start:column_end]]
            saved[number] = -block[linear_sum_assignment(block)].sum()
        row_start, column_start = row_end, column_end
    return saved


def _reached(useful: NDArray[np.bool_], owner: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """bool [count, n]: which of n rows has a useful column among those of each owner; ``owner`` is sorted."""
    reached = np.zeros((count, len(useful)), dtype=bool)
    owners, starts = np.unique(owner, return_index=True)
    if len(owners):
        reached[owners] = np.logical_or.reduceat(useful, starts, axis=1).T
    return reached


def _canceled_by(points: Points, sets: _KeyedSets) -> NDArray[np.int64]:
    """Of each point of the sets, which of ``points`` cancels it; −1 where none does."""
    own_keys = np.array([sets.numbers.get(name, -1) for name in _names(points)], dtype=np.int64)
    place = np.full(len(sets.numbers), -1)
    known = own_keys >= 0
    place[own_keys[known]] = np.flatnonzero(known)
    return place[sets.key]


def _distinct(sets: list[Points]) -> tuple[list[Points], NDArray[np.int64]]:
    """Equal sets once, their points sorted, and where each of ``sets`` is among them."""
    numbers: dict[bytes, int] = {}
    kept: list[Points] = []
    where = np.zeros(len(sets), dtype=np.int64)
    for index, points in enumerate(sets):
        ordered = points[np.lexsort(points.T)]
        where[index] = numbers.setdefault(ordered.tobytes(), len(numbers))
        if where[index] == len(kept):
            kept.append(ordered)
    return kept, where


def _names(points: Points) -> list[tuple[bytes, int]]:
    """(location, occurrence) of each point of a set."""
    seen: dict[bytes, int] = {}
    names = []
    for point in points:
        location = point.tobytes()
        seen[location] = seen.get(location, -1) + 1
        names.append((location, seen[location]))
    return names


def _to_diagonal(points: Points) -> NDArray[np.float64]:
    """float [n]: distance of each point to the diagonal in the maximum norm."""
    return (points[:, 1] - points[:, 0]) / 2.0


def _saving(a: Points, b: Points) -> NDArray[np.float64]:
    """How much cheaper it is to match two points than to send both to the diagonal; 0 where it is not."""
    both = _to_diagonal(a)[:, None] + _to_diagonal(b)[None, :]
    saving: NDArray[np.float64] = np.maximum(both - cdist(a, b, "chebyshev"), 0.0)
    return saving
