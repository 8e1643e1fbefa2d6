"""Persistence of a volume, dimensions 0, 1 and 2, by discrete Morse theory in NumPy.

Cells are numbered (class, position). A class says along which axes a cell is wide, one bit each: 0 are corners, 7 the
voxels. All classes have the same padded shape [D + 1, H + 1, W + 1], whose last plane along each axis is outside; a
thin cell at i lies between the voxels i − 1 and i. Positions are flat, so that i − 1 of a first plane is outside too.

1. Every cell has the value of the least voxel around it (T-construction). The cells of one value are a voxel with
   those of its faces that came with it; within them cells are matched with cofaces, along one axis and side after
   another. Which voxel that is, is three bits: they are compared, not the values. That is acyclic (Jonsson, Simplicial
   Complexes of Graphs, lemma 4.1: what is matched along an axis cannot return), for all voxels together too (patchwork
   theorem), and nearly optimal: in noise 3 % of the critical cells are more than needed. Those make pairs of
   persistence 0, nothing wrong.
2. The critical cells have the persistence of all (Forman 1998). Dimension 0: critical edges join what their ends flow
   down to (Kruskal). Dimension 2: critical squares, from the last to the first, join the background on their sides.
3. Dimension 1: what is left. Boundaries of squares flow down to critical edges, counted modulo 2; the matrix, in smooth
   volumes 1,000 times smaller than the volume's, is reduced column by column, without the rows and columns that
   dimensions 0 and 2 have used (clearing and compression: Bauer, Kerber, Reininghaus 2014). See tunnels.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.homology.tunnels import DIRECTIONS, EDGES, Cells, Index, OpenTunnels, pair_tunnels

# The bit of each axis in a cell's class, and the classes of squares by the axis along which they are thin.
_BITS = (4, 2, 1)
_SQUARES = (3, 5, 6)


@dataclass(frozen=True)
class _Gradient:
    """A discrete gradient: arrays [8 classes, positions]."""

    values: NDArray[np.float64]
    """inf outside."""
    owners: NDArray[np.uint8]
    """Which of the voxels around a cell has its value: a bit for each axis along which it lies above."""
    partners: NDArray[np.int8]
    """Direction in which a cell is matched: an axis, and the low (side 0) or high face (side 1) of the wider cell."""
    critical: NDArray[np.bool_]
    strides: Index
    """int [3]: of positions."""

    def cells(self, classes: tuple[int, int, int]) -> Cells:
        """The critical cells of three classes, one per axis."""
        positions = [np.flatnonzero(self.critical[kind]) for kind in classes]
        axis = np.arange(3).repeat([len(found) for found in positions])
        value = np.concatenate([self.values[kind, found] for kind, found in zip(classes, positions, strict=True)])
        order = np.argsort(value, kind="stable")
        return Cells(value[order], axis[order], np.concatenate(positions)[order])

    def flow(self, kind: int, positions: Index, steps: Index) -> Index:
        """Follow the gradient from corners (0) or voxels (7) to critical ones, or to the outside."""
        partners = self.partners[kind]
        while (directions := partners[positions]).any():
            positions = positions + steps[directions]
        return positions


def persistence_of_volumes(
    packed: Iterable[NDArray[np.float64]], dimensions: Iterable[Sequence[int]], min_persistence: float
) -> list[list[NDArray[np.float64]]]:
    """Persistence pairs over Z/2 of the sublevel sets of volumes.

    Args:
        packed: float64 [D, H, W] each, of one shape, a different finite value for each voxel.
        dimensions: which of 0, 1 and 2 are wanted of each volume; 1 takes half of the time.
        min_persistence: only pairs above it are returned.

    Returns:
        For each volume float64 [n, 2] of (birth, death) for each of the dimensions 0 (the essential class has death
        inf), 1 and 2; what is not wanted may be empty.
    """
    pairs, tunnels = [], []
    gradient: _Gradient | None = None
    for volume, wanted in zip(packed, dimensions, strict=True):
        gradient = gradient or _room(volume.shape)
        _compute(gradient, volume)
        found, left = _components_and_cavities(gradient, wanted, min_persistence)
        pairs.append(found)
        if left is not None:
            tunnels.append((found, left))
    if gradient and tunnels:
        points = pair_tunnels([left for _, left in tunnels], gradient.strides)
        for (found, _), mine in zip(tunnels, points, strict=True):
            found[1] = _long(mine, min_persistence)
    return pairs


def _components_and_cavities(
    gradient: _Gradient, dimensions: Sequence[int], min_persistence: float
) -> tuple[list[NDArray[np.float64]], OpenTunnels | None]:
    """The pairs of dimensions 0 and 2, and, if dimension 1 is wanted, what they leave to it."""
    pairs = [np.zeros((0, 2))] * 3
    # Corner p is the low end of the edge p; its partner along an axis leads to the edge's other end.
    steps = np.concatenate([[0], np.stack([gradient.strides, -gradient.strides], axis=1).ravel()])
    if 0 in dimensions or 1 in dimensions:
        edges = gradient.cells(EDGES)
        ends = np.stack([edges.position, edges.position + gradient.strides[edges.axis]])
        dying = _merge(gradient.flow(0, ends, steps), gradient.values[0])
        joins = dying >= 0
        mortal = _points(gradient.values[0, dying[joins]], edges.value[joins], min_persistence)
        pairs[0] = np.concatenate([[(gradient.values[7].min(), np.inf)], mortal])
    if 1 in dimensions or 2 in dimensions:
        squares = gradient.cells(_SQUARES)
        sides = np.stack([squares.position, squares.position - gradient.strides[squares.axis]])
        outwards = gradient.flow(7, sides[:, ::-1], -steps)
        outwards[np.isinf(gradient.values[7, outwards])] = -1
        dying = _merge(outwards, -gradient.values[7])[::-1]
        encloses = dying >= 0
        pairs[2] = _points(squares.value[encloses], gradient.values[7, dying[encloses]], min_persistence)
    if 1 not in dimensions:
        return pairs, None
    kinds = (gradient.partners[EDGES, :] + (DIRECTIONS * np.arange(3, dtype=np.int8))[:, None]).ravel()
    return pairs, OpenTunnels(kinds, edges[~joins], squares[~encloses])


def _points(birth: NDArray[np.float64], death: NDArray[np.float64], min_persistence: float) -> NDArray[np.float64]:
    return _long(np.stack([birth, death], axis=1), min_persistence)


def _long(points: NDArray[np.float64], min_persistence: float) -> NDArray[np.float64]:
    return points[points[:, 1] - points[:, 0] > min_persistence]


def _room(shape: tuple[int, ...]) -> _Gradient:
    """The arrays of a gradient. Claiming memory takes as long as computing, so volumes of one shape share them."""
    padded = np.array(shape) + 1
    strides = np.array([padded[1] * padded[2], padded[2], 1])
    of_classes = (8, int(padded.prod()))
    values, owners = np.full(of_classes, np.inf), np.zeros(of_classes, dtype=np.uint8)
    return _Gradient(values, owners, np.zeros(of_classes, dtype=np.int8), np.zeros(of_classes, dtype=np.bool_), strides)


def _compute(gradient: _Gradient, packed: NDArray[np.float64]) -> None:
    """Make a gradient that of a volume."""
    values, owners = gradient.values.reshape(2, 2, 2, -1), gradient.owners.reshape(2, 2, 2, -1)
    depth, rows, columns = packed.shape
    values[1, 1, 1].reshape(depth + 1, rows + 1, columns + 1)[:-1, :-1, :-1] = packed
    # Along the axes before cells are thin or wide, along those after still wide.
    first, second, third = gradient.strides.tolist()
    _write_thin(values[:, 1, 1], owners[:, 1, 1], first, 1)
    _write_thin(np.moveaxis(values[:, :, 1], 1, 0), np.moveaxis(owners[:, :, 1], 1, 0), second, 2)
    _write_thin(np.moveaxis(values, 2, 0), np.moveaxis(owners, 2, 0), third, 4)
    np.not_equal(gradient.values, np.inf, out=gradient.critical)
    gradient.partners.fill(0)
    _match(gradient)


def _match(gradient: _Gradient) -> None:
    """Match cells with cofaces of the same owner, along one axis and side after another."""
    owners, partners, free = gradient.owners, gradient.partners, gradient.critical
    count = free.shape[1]
    matched, scratch = np.empty(count, dtype=np.bool_), np.empty(count, dtype=np.uint8)
    for axis, stride in enumerate(gradient.strides.tolist()):
        for side, shift in enumerate((0, stride)):
            # The low face of a cell has it above.
            bit, direction, length = (0 if side else 1 << axis), np.int8(1 + 2 * axis + side), count - shift
            match, code = matched[:length], scratch[:length]
            for thin in (kind for kind in range(8) if not kind & _BITS[axis]):
                face, cell = (thin, slice(shift, None)), (thin | _BITS[axis], slice(length))
                np.equal(owners[face], np.bitwise_or(owners[cell], bit, out=code), out=match)
                match &= free[face]
                match &= free[cell]
                step = np.multiply(match.view(np.int8), direction, out=code.view(np.int8))
                for one in (face, cell):
                    free[one] ^= match
                    partners[one] += step


def _write_thin(values: NDArray[np.float64], owners: NDArray[np.uint8], stride: int, bit: int) -> None:
    """Give the cells between wide cells the lesser value of the two, and its owner.

    Args:
        values: [2, …, positions], thin and wide.
        owners: likewise.
        stride: of the axis.
        bit: of the axis.
    """
    thin, wide = values
    thin[..., :stride] = wide[..., :stride]
    above, below = wide[..., stride:], wide[..., :-stride]
    np.minimum(above, below, out=thin[..., stride:])
    np.bitwise_or(owners[1], bit, out=owners[0])
    code = owners[0][..., stride:]
    code += (owners[1][..., :-stride] - code) * (below < above)


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
