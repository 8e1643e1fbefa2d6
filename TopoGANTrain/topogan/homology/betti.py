"""Betti numbers of masks: how many connected components and holes they have.

Components are 8-connected and holes 4-connected, as in the persistence of this package (T-construction).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import label

from topogan.errors import InputError
from topogan.structures import Region

_EIGHT_CONNECTED = np.ones((3, 3), dtype=bool)
# Connects the pixels of a slice, never two slices: one call labels a whole stack.
_EIGHT_CONNECTED_SLICES = np.stack([~_EIGHT_CONNECTED, _EIGHT_CONNECTED, ~_EIGHT_CONNECTED])
# Masks that are labeled together, so that memory does not grow with their number.
_BLOCK = 256


def betti_numbers(mask: ArrayLike) -> tuple[int, int]:
    """(b0, b1): the number of connected components and of holes.

    Args:
        mask: [H, W], structure where not 0.

    Raises:
        InputError: the mask is not 2-D.
    """
    mask = np.asarray(mask)
    if mask.ndim != 2:
        raise InputError(f"Betti numbers need a mask [row, column], not an array of shape {mask.shape}.")
    components, holes = betti_numbers_of_batch(mask[None])[0].tolist()
    return components, holes


def betti_numbers_of_batch(masks: ArrayLike) -> NDArray[np.int64]:
    """(b0, b1) of each mask of a stack.

    Args:
        masks: [N, H, W], structure where not 0.

    Returns:
        int64 [N, 2].

    Raises:
        InputError: the masks are not a stack of 2-D masks.
    """
    masks = np.asarray(masks)
    if masks.ndim != 3:
        raise InputError(f"Betti numbers need masks [N, row, column], not an array of shape {masks.shape}.")
    numbers = np.zeros((len(masks), 2), dtype=np.int64)
    for start in range(0, len(masks), _BLOCK):
        structure = masks[start : start + _BLOCK] != 0
        components = _components(structure)
        numbers[start : start + _BLOCK] = np.stack([components, components - euler_characteristics(structure)], axis=1)
    return numbers


def betti_of(labels: NDArray[np.generic], regions: Iterable[Region]) -> NDArray[np.int64]:
    """(b0, b1) of each of R regions in each label map [N, H, W]: int64 [N, R, 2]."""
    return np.stack([betti_numbers_of_batch(region.of(labels)) for region in regions], axis=1)


def euler_characteristics(structure: NDArray[np.bool_]) -> NDArray[np.int64]:
    """b0 − b1 of each mask: corners − edges + squares of the union of its closed pixel squares.

    Args:
        structure: bool [N, H, W].

    Returns:
        int64 [N].
    """
    padded = np.pad(structure, ((0, 0), (1, 1), (1, 1)))
    vertical_edges = padded[:, 1:-1, 1:] | padded[:, 1:-1, :-1]
    above_or_below = padded[:, 1:] | padded[:, :-1]
    horizontal_edges = above_or_below[:, :, 1:-1]
    corners = above_or_below[:, :, 1:] | above_or_below[:, :, :-1]
    return _count(corners) - _count(horizontal_edges) - _count(vertical_edges) + _count(structure)


def _components(structure: NDArray[np.bool_]) -> NDArray[np.int64]:
    if not structure.size:
        return np.zeros(len(structure), dtype=np.int64)
    labels, _ = label(structure, _EIGHT_CONNECTED_SLICES)
    # A label is new where its first pixel comes: the largest label up to a slice counts the components up to it.
    so_far = np.maximum.accumulate(labels.reshape(len(structure), -1).max(axis=1))
    return np.diff(so_far, prepend=0).astype(np.int64)


def _count(cells: NDArray[np.bool_]) -> NDArray[np.int64]:
    counts: NDArray[np.int64] = np.count_nonzero(cells, axis=(1, 2)).astype(np.int64)
    return counts
