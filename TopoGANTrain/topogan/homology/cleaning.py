"""Removing small components and holes: a step of its own, so that figures can be given without and with it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import binary_dilation, find_objects, label

from topogan.errors import InputError


def remove_small(mask: ArrayLike, pixels: int) -> NDArray[np.bool_]:
    """Remove small connected components, then fill small holes; of a volume, small cavities.

    Components (8-connected, in volumes 26-connected) under ``pixels`` pixels go, except the largest, so that a mask
    never becomes empty; then holes and cavities (4- or 6-connected background that does not reach the border) under
    ``pixels`` pixels are filled. Tunnels of a volume stay.

    Args:
        mask: [H, W] or [D, H, W], structure where not 0.
        pixels: the smallest size that stays, in pixels or voxels; 0 and 1 change nothing.

    Returns:
        bool, of the mask's shape.

    Raises:
        InputError: the mask has other than 2 or 3 axes, or ``pixels`` is negative.
    """
    structure: NDArray[np.bool_] = np.asarray(mask) != 0
    if structure.ndim not in (2, 3):
        words = "[row, column] or a volume [slice, row, column]"
        raise InputError(f"Cleaning needs a mask {words}, not an array of shape {structure.shape}.")
    if pixels < 0:
        raise InputError(f"Pieces cannot be smaller than {pixels} pixels: give 0 or more.")
    if pixels <= 1 or not structure.any():
        return structure
    structure = _without_small_components(structure, pixels)
    return structure | _small_holes(structure, pixels)


def clean_labels(labels: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
    """Give the small connected components and holes of a label map to the label that surrounds most of them.

    Of each label in turn, components (8-connected, in volumes 26-connected) under ``pixels`` pixels, except its
    largest; then background (4- or 6-connected) that does not reach the border. So a small hole or cavity is filled
    unless a whole structure lies in it; tunnels stay. Of one structure the same as :func:`remove_small`.

    Args:
        labels: ids [H, W] or [D, H, W], 0 for background.
        pixels: the smallest size that stays; 0 and 1 change nothing.

    Returns:
        uint8, of the same shape.
    """
    labels = labels.copy()
    if pixels <= 1:
        return labels
    for number in [*np.unique(labels[labels > 0]), 0]:
        where = labels == number
        kept = _without_small_components(where, pixels) if number else ~_small_holes(~where, pixels)
        parts = label(where & ~kept, np.ones((3,) * labels.ndim, dtype=bool) if number else None)[0]
        for part, box in enumerate(find_objects(parts), start=1):
            around = tuple(slice(max(side.start - 1, 0), side.stop + 1) for side in box)
            mine = parts[around] == part
            neighbors = labels[around][binary_dilation(mine) & ~mine]
            labels[around][mine] = np.bincount(neighbors).argmax()
    return labels


def _without_small_components(structure: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    labels: NDArray[np.int32] = label(structure, np.ones((3,) * structure.ndim, dtype=bool))[0]
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    kept = sizes >= pixels
    kept[sizes.argmax()] = True
    return kept[labels]


def _small_holes(structure: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    labels: NDArray[np.int32] = label(~structure)[0]
    small = np.bincount(labels.ravel()) < pixels
    for axis in range(labels.ndim):
        small[labels.take([0, -1], axis)] = False
    small[0] = False
    return small[labels]
