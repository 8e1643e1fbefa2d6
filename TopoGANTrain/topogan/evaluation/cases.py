"""Single samples that a reader should look at: nearest to training, best, worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.wording import sample_verdict
from topogan.metrics.memorization import MemorizationAudit

SHOWN = 8


@dataclass(frozen=True)
class Case:
    """One sample with what is known about it."""

    sample: int
    """Position in the synthesis, from 0."""
    seed: str
    betti: tuple[int, ...]
    verdict: str
    dice_to_training: float
    nearest_training_row: int
    dice_to_real: float


def all_cases(
    betti: NDArray[np.int64],
    seeds: list[str],
    expected: tuple[int, ...],
    audit: MemorizationAudit,
    dice_to_real: NDArray[np.float64],
) -> list[Case]:
    """Every sample with its verdict, in the order of the synthesis.

    Args:
        betti: int [N, dimensions].
        seeds: of each sample.
        expected: Betti numbers that samples should have.
        audit: of the same samples.
        dice_to_real: float [N], best match among the test masks.
    """
    copies = set(audit.copies.tolist())
    return [
        Case(
            sample=number,
            seed=seeds[number],
            betti=tuple(found),
            verdict=sample_verdict(tuple(found), expected, number in copies),
            dice_to_training=float(audit.dice[number]),
            nearest_training_row=int(audit.nearest[number]),
            dice_to_real=float(dice_to_real[number]),
        )
        for number, found in enumerate(betti.tolist())
    ]


def nearest_to_training(cases: list[Case], count: int = SHOWN) -> list[Case]:
    """The samples that are most similar to a training mask."""
    return sorted(cases, key=lambda case: -case.dice_to_training)[:count]


def best(cases: list[Case], count: int = SHOWN) -> list[Case]:
    """Valid samples that are no copies, the most similar to a test mask first."""
    return sorted((case for case in cases if case.verdict == "valid"), key=lambda case: -case.dice_to_real)[:count]


def worst(cases: list[Case], expected: tuple[int, ...], count: int = SHOWN) -> list[Case]:
    """Samples with the most wrong components and holes first; among equals the least similar to any test mask."""

    def order(case: Case) -> tuple[int, float]:
        wrong = sum(abs(found - wanted) for found, wanted in zip(case.betti, expected, strict=True))
        return -wrong, case.dice_to_real

    return sorted(cases, key=order)[:count]
