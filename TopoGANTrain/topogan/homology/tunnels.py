"""Dimension 1 of volumes: boundaries of critical squares in the Morse complex, modulo 2, and their reduction.

Boundaries flow down along edges; their sums are sets of bits, followed level by level, in several small volumes at
once: a level is a few hundred edges of a volume, too few for NumPy. The matrix, in smooth volumes 1,000 times smaller
than the volume's, is reduced column by column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

Index = NDArray[np.int64]

# The classes of edges by the axis along which they are wide (see morse.py).
EDGES = (4, 2, 1)
# Directions of partners: 0 none, 1 + 2 · axis + side.
DIRECTIONS = 7
# An edge without a number.
_UNKNOWN = -1
# Columns of a volume that are followed together: their bit sets stay small, also in noise.
_TOGETHER = 1024
# Edges of the volumes that are followed together: nine volumes of 32³, one of 64³. More of them leave the cache.
_MOST_EDGES = 2**20


@dataclass(frozen=True)
class Cells:
    """Critical cells of one dimension, by rising value."""

    value: NDArray[np.float64]
    axis: Index
    position: Index

    def __getitem__(self, rows: NDArray[np.bool_]) -> Cells:
        return Cells(self.value[rows], self.axis[rows], self.position[rows])


@dataclass(frozen=True)
class OpenTunnels:
    """What dimensions 0 and 2 leave of a volume to dimension 1."""

    kinds: NDArray[np.int8]
    """int [3 · positions], of all edges: axis · 7 + direction of the partner."""
    born: Cells
    """Critical edges that end no component."""
    dead: Cells
    """Critical squares that begin no cavity; as many."""


def pair_tunnels(volumes: Sequence[OpenTunnels], strides: Index) -> list[NDArray[np.float64]]:
    """(birth, death) of each volume's tunnels, float64 [n, 2]: of a critical edge and a critical square.

    Args:
        volumes: of one shape.
        strides: int [3]: of positions.
    """
    pairs: list[NDArray[np.float64]] = []
    together = max(1, _MOST_EDGES // len(volumes[0].kinds)) if volumes else 1
    for start in range(0, len(volumes), together):
        group = volumes[start : start + together]
        columns = _boundaries(group, strides)
        for volume in group:
            mine, columns = columns[: len(volume.dead.value)], columns[len(volume.dead.value) :]
            pairs.append(np.stack([volume.born.value[_reduce(mine)], volume.dead.value], axis=1))
    return pairs


def _boundaries(volumes: Sequence[OpenTunnels], strides: Index) -> list[set[int]]:
    """The boundary of each critical square: the numbers of its volume's critical edges, modulo 2."""
    # Edges are numbered (volume · 3 + axis) · count + position from here on.
    count = len(volumes[0].kinds) // 3
    kinds = np.concatenate([volume.kinds for volume in volumes])
    sizes = np.array([len(volume.born.value) for volume in volumes])
    firsts = np.cumsum(sizes) - sizes
    numbers = np.full(len(kinds), _UNKNOWN, dtype=np.int32)
    starts, places, owners = [], [], []
    for number, (volume, first) in enumerate(zip(volumes, firsts.tolist(), strict=True)):
        offset = 3 * count * number
        at = offset + volume.born.axis * count + volume.born.position
        numbers[at] = _UNKNOWN - 1 - first - np.arange(len(at))
        starts.append(offset + _edges_around(volume.dead, strides, count))
        places.append(np.argsort(np.argsort(volume.dead.position, kind="stable"), kind="stable"))
        owners.append(np.full(len(volume.dead.value), number))
    start, place, owner = np.concatenate(starts), np.concatenate(places), np.concatenate(owners)
    others = _others(strides, count)
    columns: list[set[int]] = [set() for _ in start]
    near = np.lexsort((place, owner, place // _TOGETHER))
    ends = np.flatnonzero(np.diff(place[near] // _TOGETHER)) + 1
    for block in np.split(near, ends) if len(near) else []:
        sums, rows = _flow_of_edges(start[block], owner[block], kinds, others, numbers, firsts)
        for column, row in zip(block[sums].tolist(), rows.tolist(), strict=True):
            columns[column].add(row)
    return columns


def _edges_around(squares: Cells, strides: Index, count: int) -> Index:
    """int [n, 4]: the edges of squares, axis · count + position."""
    first, second = np.array([[1, 0, 0], [2, 2, 1]])[:, squares.axis]
    edges = np.stack([first * count, first * count, second * count, second * count], axis=1)
    edges[:, 1] += strides[second]
    edges[:, 3] += strides[first]
    around: Index = edges + squares.position[:, None]
    return around


def _others(strides: Index, count: int) -> Index:
    """int [21, 3]: steps from an edge to the other edges of the square it is matched with, by the edge's kind.

    0 for edges that are critical or matched with a corner: there the flow ends.
    """
    steps = np.zeros((3, DIRECTIONS, 3), dtype=np.int64)
    for axis in range(3):
        for across in {0, 1, 2} - {axis}:
            turn = (across - axis) * count
            steps[axis, 1 + 2 * across] = strides[across], turn, turn + strides[axis]
            steps[axis, 2 + 2 * across] = np.array([0, turn, turn + strides[axis]]) - strides[across]
    return steps.reshape(-1, 3)


def _flow_of_edges(
    starts: Index, owners: Index, kinds: NDArray[np.int8], others: Index, numbers: NDArray[np.int32], firsts: Index
) -> tuple[Index, Index]:
    """Let sums of edges flow down to critical edges, modulo 2.

    Args:
        starts: int [n, 4], the edges of each sum.
        owners: int [n], rising: the volume of each sum.
        kinds: of all edges.
        others: of :func:`_others`.
        numbers: of all edges: −1, and −2 − its number for a critical edge. A scratch pad, left as it was.
        firsts: number of the first critical edge of each volume.

    Returns:
        int [m], int [m]: numbers of a sum and, within its volume, of a critical edge that an odd number of paths leads
        to from it.
    """
    upwards: NDArray[np.bool_] = others[:, 0] != 0
    found: list[Index] = []
    # What leads to which edge: the sums, then the edges found, in their order.
    sources, targets = [], []
    sources_here, edges, known = np.arange(len(starts)).repeat(starts.shape[1]), starts.ravel(), 0
    while len(edges):
        number, upward = numbers[edges], upwards[kinds[edges]]
        leads = upward | (number < _UNKNOWN)
        sources.append(sources_here[leads])
        targets.append(edges[leads])
        edges = edges[upward & (number == _UNKNOWN)]
        # Of equal edges one keeps its place: the last that is written.
        places = np.arange(len(edges), dtype=np.int32)
        numbers[edges] = places
        edges = edges[numbers[edges] == places]
        numbers[edges] = np.arange(known, known + len(edges), dtype=np.int32)
        sources_here = np.arange(len(starts) + known, len(starts) + known + len(edges)).repeat(others.shape[1])
        known += len(edges)
        found.append(edges)
        edges = (edges[:, None] + others[kinds[edges]]).ravel()
    source, target = np.concatenate(sources), numbers[np.concatenate(targets)].astype(np.int64)
    for edges in found:
        numbers[edges] = _UNKNOWN
    # From here on nodes are the sums, the edges found, the critical ones reached.
    critical = target < _UNKNOWN
    rows, place = np.unique(_UNKNOWN - 1 - target[critical], return_inverse=True)
    target += len(starts)
    target[critical] = len(starts) + known + place
    alive, after = _leading_to_ends(source, target, len(starts) + known, len(rows))
    # No flow leaves its volume: the bits of each begin anew.
    before = np.searchsorted(rows, firsts)
    bit = np.arange(len(rows)) - before[np.searchsorted(firsts, rows, side="right") - 1]
    reached = np.zeros((len(alive) + len(rows) + 1, int(bit.max(initial=0)) // 8 + 1), dtype=np.uint8)
    reached[len(alive) + np.arange(len(rows)), bit // 8] = 128 >> bit % 8
    for nodes in reversed(_levels(after, len(reached))):
        reached[nodes] = np.bitwise_xor.reduce(reached[after[nodes]], axis=1)
    sums = alive[alive < len(starts)]
    bits = np.unpackbits(reached[: len(sums)], axis=1)
    # NumPy searches truth values in one dimension ten times faster than numbers in two.
    column, row = np.divmod(np.flatnonzero(bits.view(np.bool_)), bits.shape[1])
    column = sums[column]
    owner = owners[column]
    return column, rows[before[owner] + row] - firsts[owner]


def _leading_to_ends(source: Index, target: Index, nodes: int, ends: int) -> tuple[Index, Index]:
    """Leave out all nodes from which no end is reached: nine of ten edges.

    Args:
        source: int [m], rising, of at most four links each; without cycles.
        target: int [m].
        nodes: number of nodes.
        ends: number of ends, which come after the nodes.

    Returns:
        int [n], the nodes that are left, rising, and int [n, 4], what they lead to: of them, then of the ends; where
        there are fewer than four, what comes after the ends.
    """
    # Backwards, from one node more, which stands for all ends.
    start, all_ends = nodes + ends, np.arange(nodes, nodes + ends)
    links = np.append(target, np.full(ends, start)), np.append(source, all_ends)
    backwards = coo_array((np.ones(len(links[0])), links), shape=(start + 1, start + 1)).tocsr()
    reached = np.sort(breadth_first_order(backwards, start, return_predecessors=False))
    alive = reached[reached < nodes]
    number = np.full(start, -1)
    number[alive], number[all_ends] = np.arange(len(alive)), len(alive) + np.arange(ends)
    kept = (number[source] >= 0) & (number[target] >= 0)
    source, target = number[source[kept]], number[target[kept]]
    after = np.full((len(alive), 4), len(alive) + ends)
    after[source, np.arange(len(source)) - np.searchsorted(source, source)] = target
    return alive, after


def _levels(after: Index, ends: int) -> list[Index]:
    """Sort a graph without cycles: no node of a level leads to one of the same or an earlier level.

    Args:
        after: int [n, k]: the nodes that each of the first n leads to.
        ends: number of all nodes; those from n on lead nowhere and have no level.
    """
    waiting = np.bincount(after.ravel(), minlength=ends)
    waiting[len(after) :] += after.size + 1
    levels, ready = [], np.flatnonzero(waiting == 0)
    while len(ready):
        levels.append(ready)
        reached = after[ready].ravel()
        np.subtract.at(waiting, reached, 1)
        ready = reached[waiting[reached] == 0]
        # A node that several lead to is there once: its last place.
        places = np.arange(-len(ready), 0)
        waiting[ready] = places
        ready = ready[waiting[ready] == places]
    return levels


def _reduce(columns: list[set[int]]) -> list[int]:
    """Reduce a matrix modulo 2 whose columns are independent; the last row of each reduced column."""
    reduced: dict[int, set[int]] = {}
    for boundary in columns:
        column = boundary
        while (last := max(column)) in reduced:
            column = column ^ reduced[last]
        reduced[last] = column
    return list(reduced)
