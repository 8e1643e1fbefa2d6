"""Sizes of masks, and how alike they are: to real ones, to each other, and to those that were trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from topogan.evaluation.report import Metric
from topogan.evaluation.sets import SliceSet, ThreeSets, distance_metric, figure_metric
from topogan.metrics.memorization import MemorizationAudit
from topogan.metrics.shape import areas, best_matches, mean_pairwise_dice


def shape_section(sets: ThreeSets) -> list[Metric]:
    """Areas, overlap with test masks, and diversity."""
    group = "shape"

    def area_of(found: SliceSet) -> NDArray[np.float64]:
        return areas(found.masks, sets.pixel_size)

    low, high = np.percentile(area_of(sets.test), (5, 95))

    def share_inside(found: SliceSet) -> float:
        return 100.0 * float(((area_of(found) >= low) & (area_of(found) <= high)).mean())

    def distance(found: SliceSet, other: SliceSet) -> float:
        return float(wasserstein_distance(area_of(found), area_of(other)))

    inside = f"between the test slices' 5 and 95 %, {low:.0f} and {high:.0f} mm²"
    return [
        figure_metric(sets, lambda found: float(area_of(found).mean()), group, "Mean area", "mm²"),
        figure_metric(sets, share_inside, group, "Area in the usual range", "%", note=inside),
        distance_metric(sets, distance, group, "Area distance", "mm²"),
        _dice_to_real(sets),
        figure_metric(sets, lambda found: mean_pairwise_dice(found.masks), group, "Mean pairwise Dice", ""),
    ]


def _dice_to_real(sets: ThreeSets) -> Metric:
    value, training = (
        float(best_matches(found.masks, sets.test.masks).dice.mean()) for found in (sets.synthetic, sets.training)
    )
    return Metric("shape", "Dice to real", value, training, "", "higher", note="best match among test slices")


def memorization_section(found: MemorizationAudit) -> list[Metric]:
    """How close samples come to single training masks, beside how close test masks come to them."""
    samples, test = len(found.dice), len(found.reference_dice)

    def share(name: str, positions: NDArray[np.int64], real: float, note: str = "") -> Metric:
        return Metric("memorization", name, 100.0 * len(positions) / samples, real, "%", "lower", note=note)

    return [
        Metric(
            group="memorization",
            name="Dice to training",
            value=float(found.dice.mean()),
            real=float(found.reference_dice.mean()),
            unit="",
            better="equal to real",
            note="best match among training slices",
        ),
        Metric(
            group="memorization",
            name="Closer to training than a test slice",
            value=found.closer_percent,
            real=50.0,
            unit="%",
            better="equal to real",
            note="50 % means no copying",
        ),
        share("Possible copies", found.copies, 0.0, f"{100.0 / (test + 1):.2g} % expected from independent slices"),
        share("Equal to a training mask", found.identical, 100.0 * len(found.test_identical) / test),
        share("Equal to another mask", found.repeats, 100.0 * len(found.test_repeats) / test),
    ]
