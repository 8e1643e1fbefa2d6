"""Persistence of a volume, dimensions 0, 1 and 2, by discrete Morse theory in NumPy.

Cells are numbered (class, position). A class says along which axes a cell is wide, one bit each: 0 are corners, 7 the
voxels. All classes have the same padded shape [D + 1, H + 1, W + 1], whose last plane along each axis is outside; a
thin cell at i lies between the voxels i − 1 and i. Positions are flat, so that i − 1 of a first plane is outside too.

1. Every cell has the value of the least voxel around it (T-construction). The cells of one value are a voxel with
   those of its faces that came with it; within them cells are matched with cofaces, along one axis and side after
   another. That is acyclic (Jonsson, Simplicial Complexes of Graphs, lemma 4.1: what is matched along an axis cannot
   return), for all voxels together too (patchwork theorem), and nearly optimal: in noise 3 % of the critical cells are
   more than needed. Those make pairs of persistence 0, nothing wrong.
2. The critical cells have the persistence of all (Forman 1998). Dimension 0: critical edges join what their ends flow
   down to (Kruskal). Dimension 2: critical squares, from the last to the first, join the background on their sides.
3. Dimension 1: what is left. Boundaries of squares flow down to critical edges, counted modulo 2; the matrix, in smooth
   volumes 1,000 times smaller than the volume's, is reduced column by column, without the rows and columns that
   dimensions 0 and 2 have used (clearing and compression: Bauer, Kerber, Reininghaus 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]

# The bit of each axis in a cell's class, the classes of edges by the axis along which they are wide, and of squares by
# the axis along which they are thin.
_BITS = (4, 2, 1)
_EDGES = (4, 2, 1)
_SQUARES = (3, 5, 6)
# Directions of partners: 0 none, 1 + 2 · axis + side.
_DIRECTIONS = 7
# An edge without a number.
_UNKNOWN = -1
# Columns that are followed together: their bit sets stay small, also in noise.
_TOGETHER = 1024


@dataclass(frozen=True)
class _Cells:
    """Critical cells of one dimension, by rising value."""

    value: NDArray[np.float64]
    axis: Index
    position: Index

    def __getitem__(self, rows: NDArray[np.bool_]) -> _Cells:
        return _Cells(self.value[rows], self.axis[rows], self.position[rows])


@dataclass(frozen=True)
class _Gradient:
    """A discrete gradient: arrays [8 classes, positions]."""

    values: NDArray[np.float64]
    """inf outside."""
    partners: NDArray[np.int8]
    """Direction in which a cell is matched: an axis, and the low (side 0) or high face (side 1) of the wider cell."""
    critical: NDArray[np.bool_]
    strides: Index
    """int [3]: of positions."""

    def cells(self, classes: tuple[int, int, int]) -> _Cells:
        """The critical cells of three classes, one per axis."""
        positions = [np.flatnonzero(self.critical[kind]) for kind in classes]
        axis = np.arange(3).repeat([len(found) for found in positions])
        value = np.concatenate([self.values[kind, found] for kind, found in zip(classes, positions, strict=True)])
        order = np.argsort(value, kind="stable")
        return _Cells(value[order], axis[order], np.concatenate(positions)[order])

    def flow(self, kind: int, positions: Index, steps: Index) -> Index:
        """Follow the gradient from corners (0) or voxels (7) to critical ones, or to the outside."""
        partners = self.partners[kind]
        while (directions := partners[positions]).any():
            positions = positions + steps[directions]
        return positions


def persistence_of_volume(
    packed: NDArray[np.float64], dimensions: Sequence[int], min_persistence: float
) -> list[NDArray[np.float64]]:
    """Persistence pairs over Z/2 of the sublevel sets of a volume.

    Args:
        packed: float64 [D, H, W], a different finite value for each voxel.
        dimensions: which of 0, 1 and 2 are wanted; 1 takes two thirds of the time.
        min_persistence: only pairs above it are returned.

    Returns:
        float64 [n, 2] of (birth, death) for each of the dimensions 0 (the essential class has death inf), 1 and 2;
        what is not wanted may be empty.
    """
    gradient = _gradient(packed)
    pairs = [np.zeros((0, 2))] * 3
    # Corner p is the low end of the edge p; its partner along an axis leads to the edge's other end.
    steps = np.concatenate([[0], np.stack([gradient.strides, -gradient.strides], axis=1).ravel()])
    if 0 in dimensions or 1 in dimensions:
        edges = gradient.cells(_EDGES)
        ends = np.stack([edges.position, edges.position + gradient.strides[edges.axis]])
        dying = _merge(gradient.flow(0, ends, steps), gradient.values[0])
        joins = dying >= 0
        mortal = _points(gradient.values[0, dying[joins]], edges.value[joins], min_persistence)
        pairs[0] = np.concatenate([[(packed.min(), np.inf)], mortal])
    if 1 in dimensions or 2 in dimensions:
        squares = gradient.cells(_SQUARES)
        sides = np.stack([squares.position, squares.position - gradient.strides[squares.axis]])
        outwards = gradient.flow(7, sides[:, ::-1], -steps)
        outwards[np.isinf(gradient.values[7, outwards])] = -1
        dying = _merge(outwards, -gradient.values[7])[::-1]
        encloses = dying >= 0
        pairs[2] = _points(squares.value[encloses], gradient.values[7, dying[encloses]], min_persistence)
    if 1 in dimensions:
        born, dead = edges[~joins], squares[~encloses]
        pairs[1] = _points(born.value[_reduce(_boundaries(gradient, born, dead))], dead.value, min_persistence)
    return pairs


def _points(birth: NDArray[np.float64], death: NDArray[np.float64], min_persistence: float) -> NDArray[np.float64]:
    points = np.stack([birth, death], axis=1)
    return points[death - birth > min_persistence]


def _gradient(packed: NDArray[np.float64]) -> _Gradient:
    shape = np.array(packed.shape) + 1
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    count = int(shape.prod())
    values = np.empty((2, 2, 2, count))
    voxels = values[1, 1, 1].reshape(shape)
    voxels[...] = np.inf
    voxels[:-1, :-1, :-1] = packed
    _write_thin(values[0, 1, 1], values[1, 1, 1], int(strides[0]))
    _write_thin(values[:, 0, 1], values[:, 1, 1], int(strides[1]))
    _write_thin(values[:, :, 0], values[:, :, 1], int(strides[2]))
    free = values != np.inf
    partners = np.zeros(values.shape, dtype=np.int8)
    for axis, stride in enumerate(strides.tolist()):
        for side, shift in enumerate((0, stride)):
            value, unmatched, partner = (
                (thin[..., shift:], wide[..., : count - shift])
                for thin, wide in (np.moveaxis(array, axis, 0) for array in (values, free, partners))
            )
            matched = value[0] == value[1]
            matched &= unmatched[0]
            matched &= unmatched[1]
            direction = matched.view(np.int8) * np.int8(1 + 2 * axis + side)
            for cells in (0, 1):
                np.logical_xor(unmatched[cells], matched, out=unmatched[cells])
                np.add(partner[cells], direction, out=partner[cells])
    return _Gradient(values.reshape(8, -1), partners.reshape(8, -1), free.reshape(8, -1), strides)


def _write_thin(thin: NDArray[np.float64], wide: NDArray[np.float64], stride: int) -> None:
    """Give the cells between wide cells the lesser value of the two."""
    thin[..., :stride] = wide[..., :stride]
    np.minimum(wide[..., stride:], wide[..., :-stride], out=thin[..., stride:])


def _merge(ends: Index, values: NDArray[np.float64]) -> Index:
    """Join nodes along edges (Kruskal); where two components meet, the one of the larger least value dies.

    Args:
        ends: int [2, n], the nodes of each edge, in the order of the edges.
        values: by node; node −1 is the last.

    Returns:
        int [n]: the node that dies at each edge; −1 where none does.
    """
    nodes, places = np.unique(ends, return_inverse=True)
    value = values[nodes].tolist()
    parent = list(range(len(nodes)))
    dying = np.full(ends.shape[1], -1)
    for edge, pair in enumerate(places.reshape(2, -1).T.tolist()):
        first, second = pair
        while parent[first] != first:
            parent[first] = parent[parent[first]]
            first = parent[first]
        while parent[second] != second:
            parent[second] = parent[parent[second]]
            second = parent[second]
        if first != second:
            younger, older = (first, second) if value[first] > value[second] else (second, first)
            parent[younger] = older
            dying[edge] = nodes[younger]
    return dying


def _boundaries(gradient: _Gradient, edges: _Cells, squares: _Cells) -> list[set[int]]:
    """The boundary of each critical square in the Morse complex: the numbers of critical edges, modulo 2."""
    # Edges are numbered axis · count + position from here on; their kind is axis · 7 + direction.
    count = gradient.values.shape[1]
    kinds = (gradient.partners[_EDGES, :] + (_DIRECTIONS * np.arange(3, dtype=np.int8))[:, None]).ravel()
    numbers = np.full(3 * count, _UNKNOWN)
    numbers[edges.axis * count + edges.position] = _UNKNOWN - 1 - np.arange(len(edges.value))
    first, second = np.array([[1, 0, 0], [2, 2, 1]])[:, squares.axis]
    starts = np.stack([first * count, first * count, second * count, second * count], axis=1)
    starts[:, 1] += gradient.strides[second]
    starts[:, 3] += gradient.strides[first]
    starts += squares.position[:, None]
    others = _others(gradient.strides, count)
    columns: list[set[int]] = [set() for _ in starts]
    near = np.argsort(squares.position, kind="stable")
    for block in np.split(near, range(_TOGETHER, len(near), _TOGETHER)):
        sums, rows = _flow_of_edges(starts[block], kinds, others, numbers)
        for column, row in zip(block[sums].tolist(), rows.tolist(), strict=True):
            columns[column].add(row)
    return columns


def _others(strides: Index, count: int) -> Index:
    """int [21, 3]: steps from an edge to the other edges of the square it is matched with, by the edge's kind.

    0 for edges that are critical or matched with a corner: there the flow ends.
    """
    steps = np.zeros((3, _DIRECTIONS, 3), dtype=np.int64)
    for axis in range(3):
        for across in {0, 1, 2} - {axis}:
            turn = (across - axis) * count
            steps[axis, 1 + 2 * across] = strides[across], turn, turn + strides[axis]
            steps[axis, 2 + 2 * across] = np.array([0, turn, turn + strides[axis]]) - strides[across]
    return steps.reshape(-1, 3)


def _flow_of_edges(starts: Index, kinds: NDArray[np.int8], others: Index, numbers: Index) -> tuple[Index, Index]:
    """Let sums of edges flow down to critical edges, modulo 2.

    Args:
        starts: int [n, 4], the edges of each sum.
        kinds: of all edges.
        others: of :func:`_others`.
        numbers: of all edges: −1, and −2 − its number for a critical edge. A scratch pad, left as it was.

    Returns:
        int [m], int [m]: numbers of a sum and of a critical edge that an odd number of paths leads to from it.
    """
    upwards: NDArray[np.bool_] = others[:, 0] != 0
    found: list[Index] = []
    following: list[Index] = []
    edges, known = starts.ravel(), 0
    while len(edges := edges[upwards[kinds[edges]] & (numbers[edges] == _UNKNOWN)]):
        # Of equal edges one keeps its place: the last that is written.
        places = np.arange(len(edges))
        numbers[edges] = places
        edges = edges[numbers[edges] == places]
        numbers[edges] = np.arange(known, known + len(edges))
        known += len(edges)
        found.append(edges)
        following.append(edges[:, None] + others[kinds[edges]])
        edges = following[-1].ravel()
    ends = numbers[np.concatenate([starts.ravel(), *(edges.ravel() for edges in following)])]
    for edges in found:
        numbers[edges] = _UNKNOWN
    # From here on the edges found are 0, 1, …; then come the critical ones reached, and one where the flow is lost.
    critical = ends < _UNKNOWN
    rows, place = np.unique(_UNKNOWN - 1 - ends[critical], return_inverse=True)
    ends[critical] = known + place
    ends[ends == _UNKNOWN] = known + len(rows)
    sums, after = ends[: starts.size].reshape(starts.shape), ends[starts.size :].reshape(-1, 3)
    reached = np.zeros((known + len(rows) + 1, -(-len(rows) // 8)), dtype=np.uint8)
    reached[known:-1] = np.packbits(np.eye(len(rows), dtype=bool), axis=1)
    for edges in reversed(_levels(after, len(reached))):
        first, second, third = after[edges].T
        reached[edges] = reached[first] ^ reached[second] ^ reached[third]
    bits = np.unpackbits(np.bitwise_xor.reduce(reached[sums], axis=1), axis=1, count=len(rows))
    # NumPy searches truth values in one dimension ten times faster than numbers in two.
    column, row = np.divmod(np.flatnonzero(bits.view(np.bool_)), max(1, len(rows)))
    return column, rows[row]


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
        reached, times = np.unique(after[ready], return_counts=True)
        waiting[reached] -= times
        ready = reached[waiting[reached] == 0]
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
