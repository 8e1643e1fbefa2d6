"""How good a segmentation is: overlap, boundary and topology."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from monai.metrics.hausdorff_distance import compute_hausdorff_distance
from monai.metrics.meandice import compute_dice
from numpy.typing import NDArray

from topogan.homology import betti_numbers_of_batch
from topogan.metrics.topology import betti_error


@dataclass(frozen=True)
class SegmentationScores:
    """Scores over a set of 2-D slices, whose Betti numbers are (b0, b1): connected components and holes."""

    UNITS: ClassVar[dict[str, str]] = {
        "dice": "",
        "hd95": "mm",
        "missed": "%",
        "betti_error": "",
        "component_error": "components",
        "hole_error": "holes",
    }

    dice: float
    """Mean over slices of 2 |A ∩ B| / (|A| + |B|), 0 to 1; a missed structure counts 0."""
    hd95: float | None
    """Mean over slices of the 95th percentile of the distances between the two boundaries, in mm, where both masks
    have pixels; None where no slice has. Source: Huttenlocher et al., PAMI 1993, as in MONAI."""
    missed: float
    """Share of slices whose prediction is empty, in %: these have no boundary distance."""
    betti_error: float
    """Total variation distance between the (b0, b1) histograms of predictions and truth, 0 to 1."""
    component_error: float
    """Mean |b0 predicted − b0 true| of a slice."""
    hole_error: float
    """Mean |b1 predicted − b1 true| of a slice."""


def segmentation_scores(
    predicted: NDArray[np.bool_], truth: NDArray[np.bool_], pixel_size: float
) -> SegmentationScores:
    """Compare predicted masks with true ones, slice by slice.

    Args:
        predicted: bool [N, H, W].
        truth: bool [N, H, W], none of them empty.
        pixel_size: mm.
    """
    one, other = (torch.from_numpy(np.ascontiguousarray(masks))[:, None].float() for masks in (predicted, truth))
    seen = np.count_nonzero(predicted, axis=(1, 2)) > 0
    boundary = None
    if seen.any():
        distances = compute_hausdorff_distance(
            one[seen], other[seen], include_background=True, percentile=95, spacing=pixel_size
        )
        boundary = float(distances.mean())
    betti, true_betti = betti_numbers_of_batch(predicted), betti_numbers_of_batch(truth)
    errors = np.abs(betti - true_betti).mean(axis=0)
    return SegmentationScores(
        dice=float(compute_dice(one, other, ignore_empty=False).mean()),
        hd95=boundary,
        missed=100.0 * float(1.0 - seen.mean()),
        betti_error=betti_error(betti, true_betti),
        component_error=float(errors[0]),
        hole_error=float(errors[1]),
    )
