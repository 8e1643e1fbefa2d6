"""Sizes of masks, and how alike they are: to real ones and to each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from topogan.evaluation.report import Metric
from topogan.evaluation.sets import SliceSet, ThreeSets, distance_metric, figure_metric
from topogan.evaluation.terms import Terms
from topogan.metrics.shape import best_matches, mean_pairwise_dice


def shape_section(sets: ThreeSets) -> list[Metric]:
    """Areas or volumes, overlap with test masks, and diversity."""
    group, terms = "shape", sets.terms
    mean, usual, distance_name = size_names(terms)

    def size_of(found: SliceSet) -> NDArray[np.float64]:
        return terms.sizes(found.masks, sets.pixel_size)

    low, high = np.percentile(size_of(sets.test), (5, 95))

    def share_inside(found: SliceSet) -> float:
        return 100.0 * float(((size_of(found) >= low) & (size_of(found) <= high)).mean())

    def distance(found: SliceSet, other: SliceSet) -> float:
        return float(wasserstein_distance(size_of(found), size_of(other)))

    inside = f"between the test {terms.samples}' 5 and 95 %, {terms.digits(low)} and {terms.amount(high)}"
    return [
        figure_metric(sets, lambda found: float(size_of(found).mean()), group, mean, terms.unit),
        figure_metric(sets, share_inside, group, usual, "%", note=inside),
        distance_metric(sets, distance, group, distance_name, terms.unit),
        _dice_to_real(sets),
        figure_metric(sets, lambda found: mean_pairwise_dice(found.masks), group, "Mean pairwise Dice", ""),
    ]


def size_names(terms: Terms) -> tuple[str, str, str]:
    """The names of the metrics on sizes: mean, share in the usual range, distance."""
    size = terms.size
    return f"Mean {size}", f"{size.capitalize()} in the usual range", f"{size.capitalize()} distance"


def _dice_to_real(sets: ThreeSets) -> Metric:
    value, training = (
        float(best_matches(found.masks, sets.test.masks).dice.mean()) for found in (sets.synthetic, sets.training)
    )
    note = f"best match among test {sets.terms.samples}"
    return Metric("shape", "Dice to real", value, training, "", "higher", note=note)
