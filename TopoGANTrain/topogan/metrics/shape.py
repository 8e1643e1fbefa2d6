"""Sizes and overlaps of masks (bool [N, H, W])."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Masks = NDArray[np.bool_]
ReadMasks = Callable[[NDArray[np.int64]], Masks]
"""Reads the masks of some rows of a stored set, such as :meth:`topogan.training_set.TrainingSet.region_masks`."""

# Rows that are compared at once: two blocks of 256² masks and their products stay below 300 MB.
_BLOCK = 512


def areas(masks: Masks, pixel_size: float) -> NDArray[np.float64]:
    """Area of the structure in each mask, in mm².

    Args:
        masks: bool [N, H, W].
        pixel_size: mm.
    """
    found: NDArray[np.float64] = masks.sum(axis=(1, 2)) * pixel_size**2
    return found


@dataclass(frozen=True)
class BestMatches:
    """The most similar mask of a pool for each mask of a set."""

    dice: NDArray[np.float64]
    """float [N]: Dice with the most similar one, 0 to 1."""
    index: NDArray[np.int64]
    """int [N]: its row in the pool (the first, where several are equally similar)."""


def best_matches(masks: Masks, pool: Masks) -> BestMatches:
    """For each mask the Dice with its most similar mask in ``pool`` (bool [M, H, W], M ≥ 1)."""
    return best_stored_matches(masks, pool.__getitem__, np.arange(len(pool)))


def best_stored_matches(masks: Masks, read: ReadMasks, rows: NDArray[np.int64]) -> BestMatches:
    """For each mask the Dice with its most similar mask of a stored set: max_j 2 |A ∩ B_j| / (|A| + |B_j|).

    No unit; two empty masks count as equal (1). Masks are compared where they lie: a shifted copy is not found.
    Source: Dice, Ecology 1945. Cost N·M·H·W multiplications; memory does not grow with M.

    Args:
        masks: bool [N, H, W].
        read: gives the masks of some rows, which are read in blocks.
        rows: int [M], which rows are looked at; M ≥ 1.
    """
    dice = np.full(len(masks), -1.0)
    index = np.zeros(len(masks), dtype=np.int64)
    for pool_start in range(0, len(rows), _BLOCK):
        pool_rows = rows[pool_start : pool_start + _BLOCK]
        block = _flat(read(pool_rows))
        for start in range(0, len(masks), _BLOCK):
            part = slice(start, min(start + _BLOCK, len(masks)))
            found = _dice(_flat(masks[part]), block)
            nearest = found.argmax(axis=1)
            value = found[np.arange(len(nearest)), nearest]
            better = value > dice[part]
            dice[part] = np.where(better, value, dice[part])
            index[part] = np.where(better, pool_rows[nearest], index[part])
    return BestMatches(dice, index)


def mean_pairwise_dice(masks: Masks) -> float:
    """How alike the masks of one set are: mean Dice over all pairs i < j, 0 to 1, no unit.

    Lower than real: shapes that vary more than real ones; higher: the generator repeats itself (1: all are equal).

    Args:
        masks: bool [N, H, W]; N ≥ 2.
    """
    total = 0.0
    for start in range(0, len(masks), _BLOCK):
        block = _flat(masks[start : start + _BLOCK])
        for other in range(0, len(masks), _BLOCK):
            total += float(_dice(block, _flat(masks[other : other + _BLOCK])).sum())
    count = len(masks)
    return (total - count) / (count * (count - 1))


def _flat(masks: Masks) -> NDArray[np.float32]:
    # float32 counts exactly up to 2^24 pixels and lets the matrix product run in BLAS.
    return masks.reshape(len(masks), -1).astype(np.float32)


def _dice(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float64]:
    """Dice of every pair of flat masks, float [N, M]; 1 for two empty ones."""
    common = (first @ second.T).astype(np.float64)
    total = first.sum(axis=1, dtype=np.float64)[:, None] + second.sum(axis=1, dtype=np.float64)[None, :]
    return np.where(total > 0, 2.0 * common / np.maximum(total, 1.0), 1.0)
