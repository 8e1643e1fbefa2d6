"""Single samples that a reader should look at: nearest to training, best, worst."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.wording import is_copy, sample_verdict
from topogan.metrics.memorization import MemorizationAudit
from topogan.verdict import is_valid

SHOWN = 8


@dataclass(frozen=True)
class Case:
    """One sample with what is known about it."""

    sample: int
    """Position in the synthesis, from 0."""
    seed: str
    betti: tuple[int, ...]
    """Of each region after the other."""
    verdict: str
    dice_to_training: float
    """With the training mask that it is most similar to; of a changed copy after both were brought to one place and
    size."""
    nearest_training_row: int
    """Of that mask; where the texture alone is a possible copy, of the image that it copies."""
    dice_to_real: float


def all_cases(
    betti: NDArray[np.int64],
    seeds: list[str],
    verdicts: list[str],
    audit: MemorizationAudit,
    dice_to_real: NDArray[np.float64],
    foreign: bool = False,
) -> list[Case]:
    """Every sample with its verdict, in the order of the synthesis.

    Args:
        betti: int [N, numbers].
        seeds: of each sample.
        verdicts: on the topology of each.
        audit: of the same samples.
        dice_to_real: float [N], best match among the test masks.
        foreign: the model has not learned from these masks, so that none is called a copy.
    """
    masks, textures = (set() if foreign else set(found.tolist()) for found in (audit.all_copies, audit.texture_copies))
    row = audit.nearest.copy()
    for number in textures - masks:
        assert audit.texture is not None
        row[number] = audit.texture.nearest[number]
    return [
        Case(
            sample=number,
            seed=seeds[number],
            betti=tuple(found),
            verdict=sample_verdict(verdicts[number], number in masks, number in textures),
            dice_to_training=float(audit.nearest_dice[number]),
            nearest_training_row=int(row[number]),
            dice_to_real=float(dice_to_real[number]),
        )
        for number, found in enumerate(betti.tolist())
    ]


def nearest_to_training(cases: list[Case], count: int = SHOWN) -> list[Case]:
    """The samples that are most similar to a training mask."""
    return sorted(cases, key=lambda case: -case.dice_to_training)[:count]


def best(cases: list[Case], count: int = SHOWN) -> list[Case]:
    """Valid samples that are no copies, the most similar to a test mask first."""
    valid = (case for case in cases if is_valid(case.verdict) and not is_copy(case.verdict))
    return sorted(valid, key=lambda case: -case.dice_to_real)[:count]


def worst(cases: list[Case], wanted: NDArray[np.int64], count: int = SHOWN) -> list[Case]:
    """Samples with the most wrong components and holes first; among equals the least similar to any test mask.

    Args:
        cases: of all samples.
        wanted: int [N, numbers], what each should have had.
        count: how many.
    """

    def order(case: Case) -> tuple[int, float]:
        wrong = int(np.abs(np.subtract(case.betti, wanted[case.sample])).sum())
        return -wrong, case.dice_to_real

    return sorted(cases, key=order)[:count]


def ranks(cases: list[Case], wanted: NDArray[np.int64], copies: set[int]) -> list[int]:
    """How real each sample is among the others: 1 is the most real one; each rank is given once.

    Topology comes first: the fewer wrong components and holes, the more real; none are wrong where every structure is
    valid. Among equals possible copies come last (a copy is no synthesis, however real), and before that the one whose
    Dice with its nearest test sample is larger.

    Args:
        cases: of all samples.
        wanted: int [N, numbers], what each should have had.
        copies: numbers of the possible copies.

    Returns:
        1 … N in the order of the cases.
    """

    def order(case: Case) -> tuple[int, bool, float]:
        wrong = int(np.abs(np.subtract(case.betti, wanted[case.sample])).sum())
        return wrong, case.sample in copies, -case.dice_to_real

    places = {case.sample: rank for rank, case in enumerate(sorted(cases, key=order), start=1)}
    return [places[case.sample] for case in cases]
