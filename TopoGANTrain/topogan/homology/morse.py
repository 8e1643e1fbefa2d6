"""Persistence of volumes, dimensions 0, 1 and 2, by discrete Morse theory in NumPy.

1. Cells of equal value are matched: see gradient.py.
2. The critical cells have the persistence of all (Forman 1998). Dimension 0: critical edges join what their ends flow
   down to (Kruskal). Dimension 2: critical squares, from the last to the first, join the background on their sides.
3. Dimension 1: what is left. Boundaries of squares flow down to critical edges, counted modulo 2; the matrix, in smooth
   volumes 1,000 times smaller than the volume's, is reduced column by column, without the rows and columns that
   dimensions 0 and 2 have used (clearing and compression: Bauer, Kerber, Reininghaus 2014). See tunnels.py.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from topogan.homology.gradient import EDGES, SQUARES, VOLUMES, Cells, Gradient, Index, gradient_of
from topogan.homology.tunnels import pair_tunnels

# Positions of the volumes that are worked on together: eight volumes of 64³, one of 128³.
_MOST_POSITIONS = 2**22


def persistence_of_volumes(
    volumes: NDArray[np.generic], dimensions: Sequence[int], tunnels_of: NDArray[np.bool_]
) -> list[list[Index]]:
    """Persistence pairs over Z/2 of the sublevel sets of volumes, of unequal values only.

    Args:
        volumes: [N, D, H, W], real numbers without NaN.
        dimensions: which of 0, 1 and 2 are wanted; 1 takes half of the time.
        tunnels_of: bool [N]: the volumes of which dimension 1 is wanted.

    Returns:
        For each volume int [n, 2], the numbers of the voxels (C order) of birth and death, for each of the dimensions
        0 (the essential class has death −1), 1 and 2; what is not wanted is empty.
    """
    together = max(1, min(VOLUMES, _MOST_POSITIONS // (volumes[0].size + 1)))
    pairs: list[list[Index]] = []
    for start in range(0, len(volumes), together):
        group = slice(start, start + together)
        pairs += _pairs_of(gradient_of(volumes[group]), dimensions, tunnels_of[group])
    return pairs


def _pairs_of(gradient: Gradient, dimensions: Sequence[int], tunnels_of: NDArray[np.bool_]) -> list[list[Index]]:
    count = len(tunnels_of)
    tunnels = 1 in dimensions and bool(tunnels_of.any())
    pairs: list[list[Index]] = [[np.zeros((0, 2), dtype=np.int64)] * count] * 3
    if 0 in dimensions or tunnels:
        edges, corners, joins = _components(gradient)
        first = [np.array([[voxel, -1]]) for voxel in gradient.least()]
        mortal = _by_volume(count, corners, edges[joins])
        pairs[0] = [np.concatenate(both) for both in zip(first, mortal, strict=True)]
    if 2 in dimensions or tunnels:
        squares, voxels, encloses = _cavities(gradient)
        pairs[2] = _by_volume(count, squares[encloses], voxels)
    if tunnels:
        born = edges[~joins & tunnels_of[edges.id % VOLUMES]]
        dead = squares[~encloses & tunnels_of[squares.id % VOLUMES]]
        pairs[1] = _by_volume(count, born[pair_tunnels(gradient, born, dead)], dead)
    return [list(found) for found in zip(*pairs, strict=True)]


def _components(gradient: Gradient) -> tuple[Cells, Cells, NDArray[np.bool_]]:
    """Critical edges; the corners that die at some of them, in their order; which these are: bool [edges]."""
    edges = gradient.cells(EDGES)
    ends = gradient.flow(0, np.stack([edges.id, edges.id + gradient.steps[edges.kind]]))
    nodes, places = np.unique(ends, return_inverse=True)
    corners = gradient.cells_at(0, nodes)
    dying = _merge(places.reshape(2, -1), corners.order())
    joins = dying >= 0
    return edges, corners[dying[joins]], joins


def _cavities(gradient: Gradient) -> tuple[Cells, Cells, NDArray[np.bool_]]:
    """Critical squares; the voxels that fill what some of them close, in their order; which these are."""
    squares = gradient.cells(SQUARES)
    sides = gradient.flow(7, np.stack([squares.id, squares.id - gradient.steps[squares.kind]]))
    nodes, places = np.unique(gradient.merged_outside(sides[:, ::-1]), return_inverse=True)
    voxels = gradient.cells_at(7, nodes)
    dying = _merge(places.reshape(2, -1), -voxels.order())[::-1]
    encloses = dying >= 0
    return squares, voxels[dying[encloses]], encloses


def _by_volume(volumes: int, births: Cells, deaths: Cells) -> list[Index]:
    """int [n, 2] of each volume: the voxels of birth and death where they differ in value."""
    unequal = births.key != deaths.key
    volume = births.id[unequal] % VOLUMES
    voxels = np.stack([births.voxel[unequal], deaths.voxel[unequal]], axis=1)
    return np.split(voxels, np.searchsorted(volume, np.arange(1, volumes)))


def _merge(ends: Index, values: Index) -> Index:
    """Join nodes along edges (Kruskal); where two components meet, the one of the larger least value dies.

    Args:
        ends: int [2, n], the nodes of each edge, in the order of the edges.
        values: by node.

    Returns:
        int [n]: the node that dies at each edge; −1 where none does.
    """
    value = values.tolist()
    parent = list(range(len(value)))
    dying = np.full(ends.shape[1], -1)
    between = np.flatnonzero(ends[0] != ends[1])
    for edge, pair in zip(between.tolist(), ends[:, between].T.tolist(), strict=True):
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
            dying[edge] = younger
    return dying
