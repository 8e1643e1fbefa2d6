"""The figures of one run, all of them by :mod:`topogan.metrics` and :mod:`topogan.evaluation`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.betti_section import betti_metrics, cleaned_sets
from topogan.evaluation.diagram_section import DrawnDiagrams, diagram_section
from topogan.evaluation.memorization_section import membership_told, memorization_section
from topogan.evaluation.report import Metric, label
from topogan.evaluation.sets import SliceSet, ThreeSets, distance_metric, real_slices
from topogan.evaluation.shape_section import shape_section
from topogan.homology import betti_numbers_of_batch
from topogan.metrics.memorization import audit
from topogan.metrics.topology import betti_score
from topogan.training_set import TrainingSet

CLEANED = " (cleaned)"
JOINT = "Joint Betti score"
# More pieces and holes than this are one class of the joint histogram each; no set comes near.
_MOST = 1000


def figures_of(masks: NDArray[np.bool_], real: TrainingSet) -> dict[str, dict[str, Any]]:
    """Every metric of the samples against the test patients, raw and cleaned.

    Args:
        masks: bool [N, H, W], samples.
        real: the set that was trained on.

    Returns:
        By the metric's name in words: ``value``, ``real`` (training against test, or the test patients'
        own figure) and ``unit``.
    """
    samples = SliceSet(masks, betti_numbers_of_batch(masks), None)
    training, test = real_slices(real, real.train), real_slices(real, real.test)
    sets = ThreeSets(samples, samples, training, test, real.pixel_size, real.window)
    cleaned = cleaned_sets(sets)
    metrics = [
        *betti_metrics(sets, real.modal_betti[0]),
        joint_score(sets, ""),
        *betti_metrics(cleaned, real.modal_betti[0], CLEANED),
        joint_score(cleaned, CLEANED),
        *diagram_section(DrawnDiagrams(sets)),
        *shape_section(sets),
        *memorization_section(
            audit(masks, test.masks, real.region_masks, real.train), told=membership_told(sets, real)
        ),
    ]
    return {label(metric): {"value": metric.value, "real": metric.real, "unit": metric.unit} for metric in metrics}


def joint_score(sets: ThreeSets, suffix: str) -> Metric:
    """The Betti score (χ², 0 to 2) of the joint histogram of pieces and holes."""

    def score(found: SliceSet, other: SliceSet) -> float:
        return betti_score(_classes(found.betti), _classes(other.betti), 0)

    return distance_metric(sets, score, "topology", f"{JOINT}{suffix}", "")


def _classes(betti: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for each (b0, b1), int [N, 1]."""
    return (betti[:, :1] * _MOST) + np.minimum(betti[:, 1:], _MOST - 1)
