"""Distances between the persistence diagrams of masks, in units of the image width.

The filtration is the one-sided distance to the structure, in pixels and without a border; only points with a finite
death count. Dimension 0 is connected components, 1 is holes and almost-holes; of volumes 1 is tunnels, 2 cavities.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topogan.homology import (
    Diagram,
    cubical_persistence_of_batch,
    distance_filtration,
    pairwise_w1,
    pairwise_w1_births,
)

# Below this the two calls cost more than the mirrored half saves.
_SMALLEST_SPLIT = 64
# Masks whose distance images (float64) are in memory at once; of volumes fewer, with as many voxels as 64 have of 64³.
_BLOCK, _BLOCK_VOXELS = 64, 64 * 64**3


def diagrams_of(masks: NDArray[np.bool_]) -> list[Diagram]:
    """The diagram of the distance filtration of each mask (bool [N, H, W] or [N, D, H, W]): all dimensions, pixels."""
    diagrams: list[Diagram] = []
    step = max(1, min(_BLOCK, _BLOCK_VOXELS // max(1, masks[:1].size)))
    for start in range(0, len(masks), step):
        distances = np.stack([distance_filtration(mask) for mask in masks[start : start + step]])
        diagrams += cubical_persistence_of_batch(distances, tuple(range(masks.ndim - 1)))
    return diagrams


def w1_matrix(first: list[Diagram], second: list[Diagram], dimension: int, width: int) -> NDArray[np.float64]:
    """1-Wasserstein distance of every pair: the cheapest way to move points onto each other or to the diagonal.

    min over partial matchings of Σ ‖x − y‖∞ + Σ_unmatched (death − birth)/2, in units of the image width. It counts
    how many holes there are and how large.

    Args:
        first: N diagrams in pixels.
        second: M diagrams in pixels.
        dimension: 0, 1 or, of volumes, 2.
        width: of the images or volumes, in pixels.

    Returns:
        float [N, M].
    """
    return pairwise_w1(first, second, dimension) / width


def w1_birth_matrix(first: list[Diagram], second: list[Diagram], dimension: int, width: int) -> NDArray[np.float64]:
    """Distance of every pair by the births of holes or the deaths of components alone, in units of the image width.

    Each diagram is a distribution of equal weights; see :func:`topogan.homology.pairwise_w1_births` for the formula
    and for diagrams without points. It sees where the births lie and not how many there are. Source: equation 3 of
    Wang et al., ECCV 2020, as its reference implementation reads it.

    Args, returns: as :func:`w1_matrix`.
    """
    return pairwise_w1_births(first, second, dimension) / width


def w1_within(diagrams: list[Diagram], dimension: int, width: int) -> NDArray[np.float64]:
    """The symmetric matrix :func:`w1_matrix` of a set with itself, for about half its cost.

    Args:
        diagrams: N diagrams in pixels.
        dimension: 0, 1 or, of volumes, 2.
        width: of the images or volumes, in pixels.

    Returns:
        float [N, N].
    """
    if len(diagrams) <= _SMALLEST_SPLIT:
        return w1_matrix(diagrams, diagrams, dimension, width)
    middle = len(diagrams) // 2
    halves = diagrams[:middle], diagrams[middle:]
    first, second = (w1_within(half, dimension, width) for half in halves)
    between = w1_matrix(*halves, dimension, width)
    return np.block([[first, between], [between.T, second]])
