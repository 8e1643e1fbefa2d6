"""A small subset of the metrics, for training logs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topogan.homology import betti_numbers_of_batch
from topogan.metrics.sampling import draw
from topogan.metrics.shape import best_matches, mean_pairwise_dice
from topogan.metrics.topology import betti_error, betti_histogram, valid_share

QUICK_SAMPLES = 100


def quick_metrics(masks: NDArray[np.generic], reference: NDArray[np.generic], seed: int = 0) -> dict[str, float]:
    """Betti error, % valid, mean size, Dice to the reference and diversity on at most 100 masks a side.

    They share their code with ``evaluate`` but are noisier and are not to be reported: every name begins with
    ``quick_``, and ``quick_samples`` says how many masks were looked at.

    Args:
        masks: [N, H, W] or [N, D, H, W], structure where not 0; N ≥ 2.
        reference: [M, …], real masks, such as the validation part's.
        seed: which masks are drawn.

    Returns:
        ``quick_samples``; ``quick_betti_error`` (0 to 1); ``quick_valid`` (% with the reference's most frequent
        topology); ``quick_area_ratio`` (mean area over the reference's), of volumes ``quick_volume_ratio``;
        ``quick_dice_to_reference`` (0 to 1); ``quick_diversity`` (mean pairwise Dice, 0 to 1).
    """
    drawn = masks[draw(np.arange(len(masks)), QUICK_SAMPLES, seed)] != 0
    real = reference[draw(np.arange(len(reference)), QUICK_SAMPLES, seed)] != 0
    betti, real_betti = betti_numbers_of_batch(drawn), betti_numbers_of_batch(real)
    return {
        "quick_samples": float(len(drawn)),
        "quick_betti_error": betti_error(betti, real_betti),
        "quick_valid": valid_share(betti, next(iter(betti_histogram(real_betti)))),
        f"quick_{'area' if drawn.ndim == 3 else 'volume'}_ratio": float(drawn.mean() / max(real.mean(), 1e-12)),
        "quick_dice_to_reference": float(best_matches(drawn, real).dice.mean()),
        "quick_diversity": mean_pairwise_dice(drawn),
    }
