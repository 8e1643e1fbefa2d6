"""Betti numbers of masks: how many connected components and holes they have; in volumes tunnels and cavities.

Components are 8-connected and holes 4-connected, in volumes 26- and 6-connected, as in the persistence of this package
(T-construction).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import generate_binary_structure, label

from topogan.errors import InputError
from topogan.structures import Region

# Pixels that are labeled together, so that memory does not grow with the number of masks.
_BLOCK = 2**20


def betti_numbers(mask: ArrayLike) -> tuple[int, ...]:
    """(b0, b1) of a mask, (b0, b1, b2) of a volume: connected components, holes or tunnels, and cavities.

    Args:
        mask: [H, W] or [D, H, W], structure where not 0.

    Raises:
        InputError: the mask has other than 2 or 3 axes.
    """
    return tuple(betti_numbers_of_batch(np.asarray(mask)[None])[0].tolist())


def betti_numbers_of_batch(masks: ArrayLike) -> NDArray[np.int64]:
    """(b0, b1) or (b0, b1, b2) of each mask of a stack.

    Args:
        masks: [N, H, W], or volumes [N, D, H, W]; structure where not 0.

    Returns:
        int64 [N, 2], or [N, 3] of volumes.

    Raises:
        InputError: the masks are neither a stack of 2-D masks nor one of volumes.
    """
    masks = np.asarray(masks)
    axes = masks.ndim - 1
    if axes not in (2, 3):
        words = "[row, column] or volumes [slice, row, column]"
        raise InputError(f"Betti numbers need masks {words}, not an array of shape {masks.shape[1:]}.")
    numbers = np.zeros((len(masks), axes), dtype=np.int64)
    together = max(1, _BLOCK // max(1, masks[:1].size))
    for start in range(0, len(masks), together):
        structure = masks[start : start + together] != 0
        found = numbers[start : start + together]
        found[:, 0] = _components(structure, corners=True)
        found[:, 1] = found[:, 0] - euler_characteristics(structure)
        if axes == 3:
            # All background but the outside, which the added layer makes one component.
            outside = ((0, 0), (1, 1), (1, 1), (1, 1))
            found[:, 2] = _components(~np.pad(structure, outside), corners=False) - 1
            found[:, 1] += found[:, 2]
    return numbers


def betti_of(labels: NDArray[np.generic], regions: Iterable[Region]) -> NDArray[np.int64]:
    """(b0, b1) of each of R regions in each label map [N, H, W]: int64 [N, R, 2]."""
    return np.stack([betti_numbers_of_batch(region.of(labels)) for region in regions], axis=1)


def euler_characteristics(structure: NDArray[np.bool_]) -> NDArray[np.int64]:
    """b0 − b1 + b2 of each mask: its cells, counted with the sign of their dimension.

    These are corners, edges, squares (and cubes) of the union of the closed squares or cubes of its pixels.

    Args:
        structure: bool [N, H, W] or [N, D, H, W].

    Returns:
        int64 [N].
    """
    signed_cells = [((-1) ** (structure.ndim - 1), structure)]
    for axis in range(1, structure.ndim):
        signed_cells += [(-sign, _between(cells, axis)) for sign, cells in signed_cells]
    total: NDArray[np.int64] = np.sum([sign * _count(cells) for sign, cells in signed_cells], axis=0)
    return total


def _between(cells: NDArray[np.bool_], axis: int) -> NDArray[np.bool_]:
    """The cells before, between and after cells along an axis."""
    shape = list(cells.shape)
    shape[axis] += 1
    between = np.zeros(shape, dtype=bool)
    before = (slice(None),) * axis
    between[(*before, slice(-1))] = cells
    between[(*before, slice(1, None))] |= cells
    return between


def _components(structure: NDArray[np.bool_], corners: bool) -> NDArray[np.int64]:
    """int [N]: connected components of each mask, across corners or across faces only."""
    if not structure.size:
        return np.zeros(len(structure), dtype=np.int64)
    # Connects the pixels of a mask, never two masks: one call labels a whole stack.
    connected = np.zeros((3,) * structure.ndim, dtype=bool)
    axes = structure.ndim - 1
    connected[1] = generate_binary_structure(axes, axes if corners else 1)
    labels, _ = label(structure, connected)
    # A label is new where its first pixel comes: the largest label up to a mask counts the components up to it.
    so_far = np.maximum.accumulate(labels.reshape(len(structure), -1).max(axis=1))
    return np.diff(so_far, prepend=0).astype(np.int64)


def _count(cells: NDArray[np.bool_]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.count_nonzero(cells, axis=tuple(range(1, cells.ndim))).astype(np.int64)
    return counts
