"""Betti numbers of masks: pieces (8-connected) and holes (bounded 4-connected background)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import generate_binary_structure, label

_EIGHT = generate_binary_structure(2, 2)


def betti_numbers(mask: ArrayLike) -> tuple[int, int]:
    """(b0, b1) of a mask [H, W]: numbers of pieces and of holes. An empty mask has (0, 0)."""
    structure = np.asarray(mask) != 0
    pieces = label(structure, _EIGHT)[1]
    # A frame of background joins all that touches the border into the one outer region.
    background = label(np.pad(~structure, 1, constant_values=True))[1]
    return int(pieces), int(background - 1)


def betti_numbers_of_batch(masks: ArrayLike) -> NDArray[np.int64]:
    """(b0, b1) int64 [N, 2] of masks [N, H, W]."""
    return np.array([betti_numbers(mask) for mask in np.asarray(masks)], dtype=np.int64).reshape(-1, 2)
