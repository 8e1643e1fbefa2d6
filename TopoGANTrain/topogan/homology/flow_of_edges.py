"""The flow of edges along a discrete gradient, down to critical ones.

An edge that is matched with a square leads to the square's three other edges; others lead nowhere. Most edges lead to
no critical one: what ends after some steps is left out first, in all edges of all volumes at once, bit by bit. What is
left is followed level by level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.homology.gradient import BITS, EDGES, VOLUMES, Cells, Gradient, Index, Plane

# Most rounds of leaving out, each a step at least: of the edges reached in volumes of 64³ of a training, 1 in 7 stays.
_ROUNDS = 32
# Positions that a round works on together: 20 planes of them fit into a core's cache.
_SLAB = 2**16
# Number of set bits of a byte.
_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.int64)


@dataclass(frozen=True)
class FlowOfEdges:
    """The edges of a gradient and their flow.

    Places are the positions of the three classes of edges one after another, with a margin on both sides of each, so
    that every step ends at a place. An edge's id is place · 8 + volume; the planes are of places.
    """

    margin: int
    length: int
    """Places of a class with its margins."""
    steps: Index
    """int [3]: from an id to the next along each axis."""
    born: Index
    """Ids of the critical edges at which flows end."""
    leads: Plane
    """Those, and the edges matched with squares that may lead to them."""
    ends: Plane
    """Those alone."""
    code: list[Plane]
    """Of the edges matched with squares, the two bits of across · 2 + side: which of the two other axes the square is
    wide along, and whether the edge is its high face."""
    others: Index
    """int [12, 3]: steps to the other edges of the square, by axis · 4 + across · 2 + side."""

    @classmethod
    def of(cls, gradient: Gradient, born: Cells) -> FlowOfEdges:
        """The flow of the edges of a gradient to critical edges ``born``."""
        count, steps = len(gradient.critical[0]), gradient.steps
        margin = int(steps[0]) // VOLUMES
        length = count + 2 * margin
        ids = (born.kind * length + margin) * VOLUMES + born.id
        leads, ends, *code = np.zeros((4, 3 * length), dtype=np.uint8)
        np.bitwise_or.at(ends, ids // VOLUMES, BITS[ids % VOLUMES])
        leads |= ends
        others, matched = np.zeros((12, 3), dtype=np.int64), []
        for kind in range(12):
            axis, across, side = kind // 4, kind // 2 % 2, kind % 2
            turn = [other for other in range(3) if other != axis][across]
            to = (turn - axis) * length * VOLUMES
            others[kind] = steps[turn], to, to + steps[axis]
            others[kind] -= side * np.array([2, 1, 1]) * steps[turn]
            matched.append(gradient.matched[EDGES[axis], turn, side])
            here = slice(axis * length + margin, axis * length + margin + count)
            for plane, is_set in zip((leads, *code), (True, side, across), strict=True):
                if is_set:
                    plane[here] |= matched[-1]
        _leave_out(leads, matched, others // VOLUMES, min(_ROUNDS, max(gradient.shape) // 2))
        return cls(margin, length, steps, ids, leads, ends, code, others)

    def around(self, squares: Cells) -> Index:
        """int [n, 4]: the edges of squares."""
        first, second = np.array([[1, 0, 0], [2, 2, 1]])[:, squares.kind]
        ids = (np.stack([first, first, second, second], axis=1) * self.length + self.margin) * VOLUMES
        ids += squares.id[:, None]
        ids[:, 1] += self.steps[second]
        ids[:, 3] += self.steps[first]
        return ids

    def links(self, starts: Index) -> tuple[Index, Index, int, Index]:
        """Follow sums of edges; nodes are the sums, then the edges found, then the born ones among these.

        Args:
            starts: int [n, 4], the edges of each sum.

        Returns:
            int [m], rising, and int [m]: what leads to what; number of the sums and the edges found; int [r], rising:
            numbers of the born edges found.
        """
        seen = np.zeros_like(self.leads)
        known = len(starts)
        found, sources, targets = [], [], []
        source, target = np.arange(known).repeat(starts.shape[1]), starts.ravel()
        while len(target):
            place, bit = _place(target)
            leads = np.flatnonzero(self.leads[place] & bit != 0)
            source, target = source[leads], target[leads]
            sources.append(source)
            targets.append(target)
            ids = np.sort(target[seen[place[leads]] & bit[leads] == 0])
            ids = ids[np.diff(ids, prepend=-1) != 0]
            place, bit = _place(ids)
            np.bitwise_or.at(seen, place, bit)
            found.append(ids)
            upward = np.flatnonzero(self.ends[place] & bit == 0)
            source = (known + upward).repeat(3)
            target = (ids[upward, None] + self.others[self._kinds(ids[upward])]).ravel()
            known += len(ids)
        edges = np.concatenate(found)
        rows = np.flatnonzero(_is_set(seen, self.born))
        # The k-th edge by its id is found[order[k]]; of the edges at one place the first is written last.
        order = np.argsort(edges)
        first = np.empty(len(seen), dtype=np.int32)
        first[edges[order[::-1]] // VOLUMES] = np.arange(len(edges))[::-1]
        place, bit = _place(np.concatenate([*targets, self.born[rows]]))
        number = len(starts) + order[first[place] + _ONES[seen[place] & (bit - np.uint8(1))]]
        target, ends = np.split(number, [len(number) - len(rows)])
        # A born edge is a node only as an end.
        after = np.arange(known)
        after[ends] = known + np.arange(len(rows))
        return np.concatenate(sources), after[target], known, rows

    def _kinds(self, ids: Index) -> Index:
        place, volume = np.divmod(ids, VOLUMES)
        kinds: Index = place // self.length * 4
        for number, plane in enumerate(self.code):
            kinds += (plane[place] >> volume & 1) << number
        return kinds


def _leave_out(leads: Plane, matched: list[Plane], others: Index, rounds: int) -> None:
    """Clear edges of ``leads`` that lead only to others that are cleared.

    Args:
        leads: of places.
        matched: of positions, which edges are of each of the 12 kinds.
        others: int [12, 3]: steps of places.
        rounds: how many.
    """
    length, count = len(leads) // 3, len(matched[0])
    margin = (length - count) // 2
    stays = [~plane for plane in matched]
    scratch = np.empty(min(_SLAB, count), dtype=np.uint8)
    slabs = []
    for start in range(0, count, _SLAB):
        stop = min(start + _SLAB, count)
        works = []
        for kind, stay in enumerate(stays):
            at = kind // 4 * length + margin
            here, *there = (leads[at + step + start : at + step + stop] for step in (0, *others[kind].tolist()))
            works.append((here, *there, stay[start:stop], scratch[: stop - start]))
        slabs.append(works)
    for number in range(rounds):
        # What leads downwards is done faster from below, what leads upwards from above.
        for works in slabs[:: -1 if number % 2 else 1]:
            for here, one, two, three, stay, kept in works:
                np.bitwise_or(one, two, out=kept)
                np.bitwise_or(kept, three, out=kept)
                np.bitwise_or(kept, stay, out=kept)
                np.bitwise_and(here, kept, out=here)


def _place(ids: Index) -> tuple[Index, Plane]:
    place, volume = np.divmod(ids, VOLUMES)
    return place, BITS[volume]


def _is_set(plane: Plane, ids: Index) -> NDArray[np.bool_]:
    place, bit = _place(ids)
    return np.asarray(plane[place] & bit != 0)
