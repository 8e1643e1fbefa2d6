"""Removing specks: the step of its own after generation."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import generate_binary_structure, label


def remove_small(mask: ArrayLike, pixels: int) -> NDArray[np.bool_]:
    """Drop pieces of fewer than ``pixels`` pixels (the largest stays) and fill holes of fewer.

    Args:
        mask: bool or labels [H, W].
        pixels: 0 or 1 changes nothing.

    Returns:
        bool [H, W].
    """
    structure = np.asarray(mask) != 0
    pieces, _ = label(structure, generate_binary_structure(2, 2))
    sizes = np.bincount(pieces.ravel())
    small = sizes < pixels
    small[0] = False
    if len(sizes) > 1:
        small[1 + int(np.argmax(sizes[1:]))] = False
    structure = structure & ~small[pieces]
    regions, _ = label(np.pad(~structure, 1, constant_values=True))
    fill = np.bincount(regions.ravel()) < pixels
    fill[regions[0, 0]] = False
    fill[0] = False
    return structure | fill[regions][1:-1, 1:-1]
