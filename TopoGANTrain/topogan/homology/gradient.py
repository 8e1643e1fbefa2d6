"""A discrete gradient of several volumes at once.

Cells are numbered (class, position). A class says along which axes a cell is wide, one bit each: 0 are corners, 7 the
voxels. All classes have the same padded shape [D + 1, H + 1, W + 1], whose last plane along each axis is outside; a
thin cell at i lies between the voxels i − 1 and i. Positions are flat, so that i − 1 of a first plane is outside too.

Every cell has the value of the least voxel around it, its owner (T-construction). Within the cells of one owner, cells
are matched with cofaces, along one axis and side after another. That is acyclic (Jonsson, Simplicial Complexes of
Graphs, lemma 4.1: what is matched along an axis cannot return), for all voxels together too (patchwork theorem), and
nearly optimal: in noise 3 % of the critical cells are more than needed.

All of it is truth values, and eight volumes need one byte a position: a *plane* is uint8 [positions] with a bit for
each volume. A single cell is an *id*: position · 8 + volume.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.homology.index_packing import write_sort_keys

Index = NDArray[np.int64]
Plane = NDArray[np.uint8]

# Volumes of one gradient: the bits of a byte.
VOLUMES = 8
# The bit of each axis in a cell's class.
AXIS_BITS = (4, 2, 1)
# The classes of edges by the axis along which they are wide, of squares by the one along which they are thin.
EDGES = (4, 2, 1)
SQUARES = (3, 5, 6)
# The bit of each volume.
BITS = (1 << np.arange(VOLUMES)).astype(np.uint8)
# Outside of the volume; no key is as large.
_OUTSIDE = np.int32(2**31 - 1)


@dataclass(frozen=True)
class Cells:
    """Some cells: arrays [n]."""

    key: NDArray[np.int32]
    """Sort key of the value."""
    voxel: Index
    """Number of the owner within its volume, C order; of equal keys the smaller comes first."""
    id: Index
    """position · 8 + volume"""
    kind: Index
    """Place of the cell's class among those asked for."""

    def __getitem__(self, rows: NDArray[np.bool_] | Index) -> Cells:
        return Cells(self.key[rows], self.voxel[rows], self.id[rows], self.kind[rows])

    def order(self) -> Index:
        """int [n] that has the order of the values within a volume."""
        return (self.key.astype(np.int64) << 32) + self.voxel


@dataclass(frozen=True)
class Gradient:
    """A discrete gradient of up to eight volumes of one shape."""

    shape: tuple[int, ...]
    """Padded."""
    keys: NDArray[np.int32]
    """int [volumes, positions]: sort keys of the voxels."""
    above: dict[tuple[int, int], Plane]
    """By class and axis along which it is thin: whether the owner lies above."""
    critical: list[Plane]
    """By class."""
    matched: dict[tuple[int, int, int], Plane]
    """By class, axis along which it is thin, and side: whether a cell's partner is wide along that axis and the cell
    its low (0) or high face (1); at the position of the partner, if that is a voxel, else of the cell."""

    @property
    def steps(self) -> Index:
        """int [3]: from an id to the next along each axis."""
        return np.array([self.shape[1] * self.shape[2], self.shape[2], 1]) * VOLUMES

    def least(self) -> list[int]:
        """The least voxel of each volume."""
        voxels: list[int] = self._voxels(self.keys.argmin(axis=1)).tolist()
        return voxels

    def cells(self, classes: tuple[int, ...]) -> Cells:
        """The critical cells of some classes by volume, then by rising value."""
        found = [self.cells_at(kind, _ids(self.critical[kind])) for kind in classes]
        key, voxel, ids = (np.concatenate([getattr(one, name) for one in found]) for name in ("key", "voxel", "id"))
        cells = Cells(key, voxel, ids, np.arange(len(found)).repeat([len(one.id) for one in found]))
        return cells[np.lexsort((cells.order(), ids % VOLUMES))]

    def cells_at(self, kind: int, ids: Index) -> Cells:
        """Cells of one class."""
        position, volume = np.divmod(ids, VOLUMES)
        owner = position.copy()
        for axis, step in enumerate((self.steps // VOLUMES).tolist()):
            if (kind, axis) in self.above:
                owner -= step * (1 - (self.above[kind, axis][position] >> volume & 1))
        return Cells(self.keys[volume, owner], self._voxels(owner), ids, np.zeros_like(ids))

    def merged_outside(self, ids: Index) -> Index:
        """Ids of voxels; of all that is outside of a volume one id."""
        position, volume = np.divmod(ids, VOLUMES)
        last = (self.keys.shape[1] - 1) * VOLUMES
        return np.where(self.keys[volume, position] == _OUTSIDE, last + volume, ids)

    def _voxels(self, positions: Index) -> Index:
        slices, rows, columns = np.unravel_index(positions, self.shape)
        voxels: Index = (slices * (self.shape[1] - 1) + rows) * (self.shape[2] - 1) + columns
        return voxels

    def flow(self, kind: int, ids: Index) -> Index:
        """Follow the gradient from corners (0) or voxels (7) to critical ones, or to the outside."""
        ways = [self.matched[kind & ~bit, axis, side] for axis, bit in enumerate(AXIS_BITS) for side in (0, 1)]
        # Directions 1 to 6 in binary. Corner p is the low end of the edge p, which leads to its other end.
        bits = [ways[0] | ways[2] | ways[4], ways[1] | ways[2] | ways[5], ways[3] | ways[4] | ways[5]]
        direction = np.zeros(len(ways[0]) * VOLUMES, dtype=np.uint8)
        for number, bit in enumerate(bits):
            direction |= np.unpackbits(bit, bitorder="little") * np.uint8(1 << number)
        along = self.steps if kind == 0 else -self.steps
        steps = np.concatenate([[0], np.stack([along, -along], axis=1).ravel()])
        ends = ids.flatten()
        moving = np.arange(len(ends))
        while len(moving):
            at = ends[moving]
            step = steps[direction[at]]
            goes = step != 0
            moving = moving[goes]
            ends[moving] = at[goes] + step[goes]
        return ends.reshape(ids.shape)


def gradient_of(volumes: NDArray[np.generic]) -> Gradient:
    """The gradient of at most eight volumes [volumes, D, H, W] without NaN."""
    depth, rows, columns = volumes.shape[1:]
    shape = (depth + 1, rows + 1, columns + 1)
    keys = np.empty((len(volumes), *shape), dtype=np.int32)
    keys[:, -1] = keys[:, :, -1] = keys[..., -1] = _OUTSIDE
    inside = np.empty((1, depth * rows * columns), dtype=np.int32)
    for volume, key in zip(volumes, keys, strict=True):
        write_sort_keys(volume.reshape(1, -1), inside, int(_OUTSIDE) - 1)
        key[:-1, :-1, :-1] = inside.reshape(depth, rows, columns)
    strides = (shape[1] * shape[2], shape[2], 1)
    flat: NDArray[np.int32] = keys.reshape(len(volumes), -1)
    above = _owners(flat, strides)
    critical = _inside(shape, len(volumes))
    return Gradient(shape, flat, above, critical, _match(above, critical, strides))


def _owners(keys: NDArray[np.int32], strides: tuple[int, int, int]) -> dict[tuple[int, int], Plane]:
    """Which of the voxels around each cell is the least.

    The last axis is compared first, so that of equal voxels the one below has the smaller number, whatever axes follow.
    """
    count = keys.shape[1]
    chosen = {thin: np.zeros(count, dtype=np.uint8) for thin in range(7)}
    least = {kind: np.empty(count, dtype=np.int32) for kind in (6, 5, 4)}
    scratch = np.empty(count, dtype=np.bool_)
    for volume, key in enumerate(keys):
        least[7] = key
        for wide, axis in ((7, 2), (7, 1), (6, 1), (7, 0), (6, 0), (5, 0), (4, 0)):
            thin, stride = wide & ~AXIS_BITS[axis], strides[axis]
            one, below = least[wide][stride:], least[wide][:-stride]
            scratch[:stride] = True
            np.less(one, below, out=scratch[stride:])
            code = scratch.view(np.uint8)
            # NumPy multiplies bytes fifty times faster than it shifts them.
            chosen[thin] |= np.multiply(code, BITS[volume], out=code)
            if thin in least:
                least[thin][:stride] = least[wide][:stride]
                np.minimum(one, below, out=least[thin][stride:])
    above: dict[tuple[int, int], Plane] = {(6, 2): chosen[6], (5, 1): chosen[5], (3, 0): chosen[3]}
    for thin, wide, axis, others in ((4, 6, 1, (2,)), (2, 6, 0, (2,)), (1, 5, 0, (1,)), (0, 4, 0, (1, 2))):
        above[thin, axis] = chosen[thin]
        stride = strides[axis]
        for other in others:
            # The same as that of the wide cell that was chosen.
            plane = above[wide, other].copy()
            plane[stride:] ^= (plane[stride:] ^ plane[:-stride]) & ~chosen[thin][stride:]
            above[thin, other] = plane
    return above


def _inside(shape: tuple[int, ...], volumes: int) -> list[Plane]:
    """By class: the cells that belong to the volumes."""
    inside: list[Plane] = []
    for kind in range(8):
        plane = np.full(shape, (1 << volumes) - 1, dtype=np.uint8)
        for axis, bit in enumerate(AXIS_BITS):
            if kind & bit:
                np.moveaxis(plane, axis, 0)[-1] = 0
        inside.append(plane.reshape(-1))
    return inside


def _match(
    above: dict[tuple[int, int], Plane], free: list[Plane], strides: tuple[int, int, int]
) -> dict[tuple[int, int, int], Plane]:
    """Match cells with cofaces of the same owner, along one axis and side after another; leaves ``free`` critical."""
    matched: dict[tuple[int, int, int], Plane] = {}
    count = len(free[0])
    scratch = np.empty(count, dtype=np.uint8)
    for axis, (bit, stride) in enumerate(zip(AXIS_BITS, strides, strict=True)):
        for side, shift in enumerate((0, stride)):
            face, cell = slice(shift, None), slice(count - shift)
            for thin in (kind for kind in range(8) if not kind & bit):
                wide = thin | bit
                match = np.empty(count, dtype=np.uint8)
                other = scratch[cell]
                # At the position of a voxel, or else of the face.
                here = match[cell] if wide == 7 else match[face]
                # The low face of a cell has it above.
                if side:
                    match[slice(count - shift, None) if wide == 7 else slice(shift)] = 0
                    np.invert(above[thin, axis][face], out=here)
                    here &= free[thin][face]
                else:
                    np.bitwise_and(above[thin, axis], free[thin], out=here)
                here &= free[wide][cell]
                for another, its_bit in enumerate(AXIS_BITS):
                    if not wide & its_bit:
                        np.bitwise_xor(above[thin, another][face], above[wide, another][cell], out=other)
                        here &= np.invert(other, out=other)
                free[thin][face] ^= here
                free[wide][cell] ^= here
                matched[thin, axis, side] = match
    return matched


def _ids(plane: Plane) -> Index:
    """The ids of the set bits."""
    positions = np.flatnonzero(plane != 0)
    place, volume = np.nonzero(np.unpackbits(plane[positions, None], axis=1, bitorder="little"))
    ids: Index = positions[place] * VOLUMES + volume
    return ids
