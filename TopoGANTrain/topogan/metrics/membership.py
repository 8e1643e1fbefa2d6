"""Can the samples tell who was trained on: membership inference by the nearest sample.

Whoever holds the samples and a patient's mask can ask whether the patient was trained on: a mask that a sample comes
close to probably was. The attack needs neither the model nor the training set. Sources: Hilprecht et al., PoPETs 2019
("Monte Carlo and reconstruction membership inference attacks against generative models"), and Chen et al., CCS 2020
("GAN-Leaks", the full black-box attack: the distance of a record to the nearest generated one), here with Dice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.metrics.shape import Labels, Masks, best_matches

FEWEST_PATIENTS = 3
"""On either side, for an interval: two can be drawn again in three ways only, one in a single one."""
_RESAMPLES = 2000
_TAILS = (2.5, 97.5)


@dataclass(frozen=True)
class Membership:
    """How well the nearest sample tells training masks (members) from held-out ones."""

    auc: float
    """How often a random training mask has a nearer sample than a random held-out one, 0 to 1, ties counted half;
    0.5: the samples tell nothing, 1: they tell every training mask."""
    low: float | None
    """2.5 % of the AUCs of patients that are drawn again; None where one side has fewer than 3 patients: then nobody
    knows how far the AUC of other patients would lie from this one."""
    high: float | None
    """97.5 % of the same."""
    members: int
    """Training masks that were compared."""
    others: int
    """Held-out masks."""
    member_patients: int
    other_patients: int


def membership(
    samples: Masks | Labels,
    members: Masks | Labels,
    others: Masks | Labels,
    member_patients: Sequence[str],
    other_patients: Sequence[str],
    structures: int = 1,
) -> Membership:
    """Attack with the Dice of each mask with its nearest sample.

    Args:
        samples: bool [N, H, W] or [N, D, H, W], or label ids; N ≥ 1.
        members: [K, …], masks that were trained on; K ≥ 1.
        others: [M, …], held-out masks; M ≥ 1.
        member_patients: whose each of ``members`` is.
        other_patients: whose each of ``others`` is.
        structures: number of labels, where masks are label ids.
    """
    near, far = (best_matches(masks, samples, structures).dice for masks in (members, others))
    return membership_of(near, far, member_patients, other_patients)


def membership_of(
    members: NDArray[np.float64],
    others: NDArray[np.float64],
    member_patients: Sequence[str],
    other_patients: Sequence[str],
    seed: int = 0,
) -> Membership:
    """The AUC of scores, and its 95 % interval by drawing patients again.

    Masks of one patient are alike, so that slices are no independent observations: a bootstrap over slices would give
    an interval far too narrow. Patients of both sides are drawn again, each with all of its masks; the interval is that
    of percentiles (Efron & Tibshirani 1993, chapter 13). Of few patients it is rough.

    Args:
        members: float [K], the larger the more like a member.
        others: float [M].
        member_patients: [K], whose each is.
        other_patients: [M].
        seed: of the draws.
    """
    first, second = (np.unique(np.asarray(names), return_inverse=True) for names in (member_patients, other_patients))
    sizes = np.bincount(first[1]), np.bincount(second[1])
    wins = _wins(members, others, first[1], second[1], sizes)
    low = high = None
    if min(len(sizes[0]), len(sizes[1])) >= FEWEST_PATIENTS:
        rng = np.random.default_rng(seed)
        weights = [rng.multinomial(len(size), np.full(len(size), 1 / len(size)), _RESAMPLES) for size in sizes]
        pairs = (weights[0] @ sizes[0]) * (weights[1] @ sizes[1])
        drawn = np.einsum("ri,ij,rj->r", weights[0], wins, weights[1], optimize=True) / pairs
        low, high = (float(value) for value in np.percentile(drawn, _TAILS))
    return Membership(
        auc=float(wins.sum() / (len(members) * len(others))),
        low=low,
        high=high,
        members=len(members),
        others=len(others),
        member_patients=len(sizes[0]),
        other_patients=len(sizes[1]),
    )


def _wins(
    members: NDArray[np.float64],
    others: NDArray[np.float64],
    of_member: NDArray[np.intp],
    of_other: NDArray[np.intp],
    sizes: tuple[NDArray[np.intp], NDArray[np.intp]],
) -> NDArray[np.float64]:
    """In how many pairs of masks the member's score is the larger one (ties half), patient against patient [P, Q]."""
    wins = np.zeros((len(sizes[0]), len(sizes[1])))
    for other in range(len(sizes[1])):
        scores = others[of_other == other]
        # The number of scores below each member's: half of the ties go to either side.
        ordered = np.sort(scores)
        below = (np.searchsorted(ordered, members, "left") + np.searchsorted(ordered, members, "right")) / 2
        wins[:, other] = np.bincount(of_member, below, len(sizes[0]))
    return wins
