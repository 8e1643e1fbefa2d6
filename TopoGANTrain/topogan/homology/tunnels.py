"""Dimension 1 of volumes: boundaries of critical squares in the Morse complex, modulo 2, and their reduction.

Boundaries flow down along edges (flow_of_edges.py); their sums are sets of bits, followed level by level, in several
volumes at once. The matrix, in smooth volumes 1,000 times smaller than the volume's, is reduced column by column.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from topogan.homology.flow_of_edges import FlowOfEdges
from topogan.homology.gradient import VOLUMES, Cells, Gradient, Index

# Columns of a volume that are followed together: their bit sets stay small, also in noise.
_TOGETHER = 1024


def pair_tunnels(gradient: Gradient, born: Cells, dead: Cells) -> Index:
    """int [n]: the place in ``born`` of the edge that begins the tunnel which each square ends.

    Args:
        gradient: of the volumes.
        born: critical edges that end no component, by volume, then by rising value.
        dead: critical squares that begin no cavity, likewise; as many.
    """
    flow = FlowOfEdges.of(gradient, born)
    starts, volumes = flow.around(dead), dead.id % VOLUMES
    near = np.lexsort((dead.id, volumes))
    block_of = (np.arange(len(near)) - np.searchsorted(volumes, volumes)) // _TOGETHER
    columns: list[set[int]] = [set() for _ in near]
    for number in range(int(block_of.max(initial=-1)) + 1):
        block = near[block_of == number]
        sums, rows = _boundaries(flow, starts[block], volumes[block])
        for column, row in zip(block[sums].tolist(), rows.tolist(), strict=True):
            columns[column].add(row)
    return np.array(_reduce(columns), dtype=np.int64)


def _boundaries(flow: FlowOfEdges, starts: Index, volumes: Index) -> tuple[Index, Index]:
    """Let sums of edges flow down to born edges, modulo 2.

    Args:
        flow: of edges.
        starts: int [n, 4], the edges of each sum.
        volumes: int [n], rising: the volume of each sum.

    Returns:
        int [m], int [m]: numbers of a sum and of a born edge that an odd number of paths leads to from it.
    """
    source, target, nodes, rows = flow.links(starts)
    alive, after = _leading_to_ends(source, target, nodes, len(rows))
    # No flow leaves its volume: the bits of each begin anew.
    volume = flow.born[rows] % VOLUMES
    before = np.searchsorted(volume, np.arange(VOLUMES))
    bit = np.arange(len(rows)) - before[volume]
    reached = np.zeros((len(alive) + len(rows) + 1, int(bit.max(initial=0)) // 8 + 1), dtype=np.uint8)
    reached[len(alive) + np.arange(len(rows)), bit // 8] = 128 >> bit % 8
    for level in reversed(_levels(after, len(reached))):
        reached[level] = np.bitwise_xor.reduce(reached[after[level]], axis=1)
    sums = alive[alive < len(starts)]
    bits = np.unpackbits(reached[: len(sums)], axis=1)
    # NumPy searches truth values in one dimension ten times faster than numbers in two.
    column, row = np.divmod(np.flatnonzero(bits.view(np.bool_)), bits.shape[1])
    column = sums[column]
    return column, rows[before[volumes[column]] + row]


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
