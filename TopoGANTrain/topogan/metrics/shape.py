"""Sizes and overlaps of masks (bool [N, H, W], volumes [N, D, H, W]), and overlaps of label maps (ids, likewise).

The Dice of two label maps is 2 Σ |A_k ∩ B_k| / Σ (|A_k| + |B_k|) over all labels k: pixels with the same label. It is 1
for a copy alone, sees inner boundaries, which the union of the structures hides, and a structure that neither shows
does not count, while a mean over structures would take it for agreement. Of one structure it is the usual Dice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.metrics.nearest import Vectors, most_alike

Masks = NDArray[np.bool_]
Labels = NDArray[np.uint8]
ReadMasks = Callable[[NDArray[np.int64]], Masks | Labels]
"""Reads the masks of some rows of a stored set, such as :meth:`topogan.training_set.TrainingSet.region_masks`."""

# Rows that are compared at once: two blocks of 256² masks and their products stay below 300 MB; of volumes as few as
# have as many voxels.
_BLOCK, _BLOCK_VOXELS = 512, 512 * 256**2


def areas(masks: Masks, pixel_size: float) -> NDArray[np.float64]:
    """Area of the structure in each mask, in mm².

    Args:
        masks: bool [N, H, W].
        pixel_size: mm.
    """
    found: NDArray[np.float64] = masks.sum(axis=(1, 2)) * pixel_size**2
    return found


def volumes(masks: Masks, voxel_size: float) -> NDArray[np.float64]:
    """Volume of the structure in each mask, in ml.

    Args:
        masks: bool [N, D, H, W].
        voxel_size: mm.
    """
    # 1 ml is 1,000 mm³.
    found: NDArray[np.float64] = masks.sum(axis=(1, 2, 3)) * (voxel_size**3 / 1000.0)
    return found


@dataclass(frozen=True)
class BestMatches:
    """The most similar mask of a pool for each mask of a set."""

    dice: NDArray[np.float64]
    """float [N]: Dice with the most similar one, 0 to 1."""
    index: NDArray[np.int64]
    """int [N]: its row in the pool (the first, where several are equally similar)."""


def best_matches(masks: Masks | Labels, pool: Masks | Labels, structures: int = 1) -> BestMatches:
    """For each mask the Dice with its most similar mask in ``pool`` ([M, H, W] or [M, D, H, W], M ≥ 1)."""
    return best_stored_matches(masks, pool.__getitem__, np.arange(len(pool)), structures)


def best_stored_matches(
    masks: Masks | Labels, read: ReadMasks, rows: NDArray[np.int64], structures: int = 1
) -> BestMatches:
    """For each mask the Dice with its most similar mask of a stored set: max_j 2 |A ∩ B_j| / (|A| + |B_j|).

    No unit; two empty masks count as equal (1). Masks are compared where they lie: a shifted copy is not found.
    Source: Dice, Ecology 1945. Cost N·M multiplications a pixel; memory does not grow with M.

    Args:
        masks: bool [N, H, W] or [N, D, H, W], or label ids.
        read: gives the masks of some rows, which are read in blocks.
        rows: int [M], which rows are looked at; M ≥ 1.
        structures: number of labels, where they are label ids.
    """
    found = most_alike(
        len(masks),
        lambda part: flat(masks[part], structures),
        rows,
        lambda some: flat(read(some), structures),
        dice_of_pairs,
        together(masks, structures),
    )
    return BestMatches(*found)


def mean_pairwise_dice(masks: Masks | Labels, structures: int = 1) -> float:
    """How alike the masks of one set are: mean Dice over all pairs i < j, 0 to 1, no unit.

    Lower than real: shapes that vary more than real ones; higher: the generator repeats itself (1: all are equal).

    Args:
        masks: bool [N, H, W] or [N, D, H, W], or label ids; N ≥ 2.
        structures: number of labels, where they are label ids.
    """
    total, step = 0.0, together(masks, structures)
    for start in range(0, len(masks), step):
        block = flat(masks[start : start + step], structures)
        for other in range(0, len(masks), step):
            total += float(dice_of_pairs(block, flat(masks[other : other + step], structures)).sum())
    count = len(masks)
    return (total - count) / (count * (count - 1))


def together(masks: NDArray[np.generic], structures: int) -> int:
    """How many masks are made flat at once."""
    count = _BLOCK if masks.ndim == 3 else min(_BLOCK, _BLOCK_VOXELS // max(1, masks[:1].size))
    return max(1, count // structures)


def flat(masks: Masks | Labels, structures: int = 1) -> Vectors:
    """Masks as vectors, float32 [N, pixels]; of label maps [N, structures · pixels], one structure after another."""
    if masks.dtype != np.bool_:
        masks = masks[:, None] == np.arange(1, structures + 1).reshape(-1, *(1,) * (masks.ndim - 1))
    # float32 counts exactly up to 2^24 pixels (256³) and lets the matrix product run in BLAS.
    return masks.reshape(len(masks), -1).astype(np.float32)


def dice_of_pairs(first: Vectors, second: Vectors) -> NDArray[np.float64]:
    """Dice of every pair of flat masks, float [N, M]; 1 for two empty ones.

    Values between 0 and 1 are pixels in part: 2 Σ ab / (Σ a² + Σ b²), which is 1 of equal ones, and Dice of whole ones.
    """
    return dice_of_overlaps(first @ second.T, first, second)


def dice_of_overlaps(overlaps: Vectors, first: Vectors, second: Vectors) -> NDArray[np.float64]:
    """The same, given the products of every pair, [N, M]."""
    common = overlaps.astype(np.float64)
    # In float32 the sums of parts of pixels were off by up to 3e-6 of themselves.
    sizes = (np.einsum("ij,ij->i", one, one, dtype=np.float64) for one in (first, second))
    total = np.add.outer(*sizes)
    # Of parts of pixels, sums are rounded.
    return np.where(total > 0, np.minimum(2.0 * common / np.where(total > 0, total, 1.0), 1.0), 1.0)
