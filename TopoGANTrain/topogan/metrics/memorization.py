"""Does the generator copy patients: a privacy leak that no other metric shows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from topogan.metrics.shape import Labels, Masks, ReadMasks, best_stored_matches

_IDENTICAL = 1.0 - 1e-9


@dataclass(frozen=True)
class MemorizationAudit:
    """How close each sample comes to a single training mask, against how close test masks come."""

    dice: NDArray[np.float64]
    """float [N]: Dice of each sample with its most similar training mask, 0 to 1."""
    nearest: NDArray[np.int64]
    """int [N]: that mask's row in the training set."""
    reference_dice: NDArray[np.float64]
    """float [M]: the same Dice of each test mask: how alike different patients are."""
    repeats: NDArray[np.int64]
    """int: samples that are equal, pixel by pixel, to an earlier sample."""
    test_repeats: NDArray[np.int64]
    """int: the same of the test masks."""

    @property
    def threshold(self) -> float:
        """The largest Dice that a test mask reaches."""
        return float(self.reference_dice.max())

    @property
    def copies(self) -> NDArray[np.int64]:
        """Samples that come closer to a training mask than any test mask does, the closest first.

        Of N samples that are as independent as the M test masks, about N / (M + 1) are expected here.
        """
        beyond = np.flatnonzero(self.dice > self.threshold)
        return beyond[np.argsort(-self.dice[beyond], kind="stable")]

    @property
    def identical(self) -> NDArray[np.int64]:
        """Samples that are equal, pixel by pixel, to a training mask."""
        return np.flatnonzero(self.dice >= _IDENTICAL)

    @property
    def test_identical(self) -> NDArray[np.int64]:
        """Test masks that are equal, pixel by pixel, to a training mask."""
        return np.flatnonzero(self.reference_dice >= _IDENTICAL)

    @property
    def closer_percent(self) -> float:
        """How often a random sample is closer to the training set than a random test mask, in %.

        50: no copying; 100: every sample is. The Mann-Whitney statistic U / (N·M), ties counted half. Source: Meehan
        et al., AISTATS 2020 ("A non-parametric test to detect data-copying in generative models").
        """
        statistic = mannwhitneyu(self.dice, self.reference_dice).statistic
        return 100.0 * float(statistic) / (len(self.dice) * len(self.reference_dice))


def audit(
    masks: Masks | Labels,
    test: Masks | Labels,
    read: ReadMasks,
    training_rows: NDArray[np.int64],
    structures: int = 1,
) -> MemorizationAudit:
    """Compare every sample and every test mask with every training mask.

    Args:
        masks: bool [N, H, W] or [N, D, H, W], or label ids: the samples.
        test: [M, …], masks of patients that were not trained on.
        read: gives the masks of some rows of the training set.
        training_rows: int [K], the rows that were trained on.
        structures: number of labels, where masks are label ids.
    """
    nearest = best_stored_matches(masks, read, training_rows, structures)
    reference_dice = best_stored_matches(test, read, training_rows, structures).dice
    return MemorizationAudit(nearest.dice, nearest.index, reference_dice, _repeats(masks), _repeats(test))


def _repeats(masks: Masks | Labels) -> NDArray[np.int64]:
    """Positions of masks that are equal to an earlier one."""
    # By their hashes, so that no second stack is held.
    hashes = [hashlib.sha256(np.ascontiguousarray(mask).data).hexdigest() for mask in masks]
    _, first = np.unique(hashes, return_index=True)
    return np.setdiff1d(np.arange(len(masks)), first)
