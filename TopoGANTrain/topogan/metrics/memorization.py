"""Does the generator copy patients: a privacy leak that no other metric shows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.metrics.alignment import best_aligned_matches
from topogan.metrics.closeness import Closeness
from topogan.metrics.shape import Labels, Masks, ReadMasks, best_stored_matches

_IDENTICAL = 1.0 - 1e-9


@dataclass(frozen=True)
class MemorizationAudit:
    """How close each sample comes to a single training mask, against how close test masks come."""

    lying: Closeness
    """Dice of masks where they lie."""
    changed: Closeness
    """Dice after both were brought to one place and size: of shifted, scaled, turned (slices) and mirrored copies."""
    repeats: NDArray[np.int64]
    """int: samples that are equal, pixel by pixel, to an earlier sample."""
    test_repeats: NDArray[np.int64]
    """int: the same of the test masks."""
    texture: Closeness | None = None
    """Correlation of the grain of their images; None without images. Of the first so many samples, where there are
    more than can be compared."""

    @property
    def dice(self) -> NDArray[np.float64]:
        """float [N]: Dice of each sample with its most similar training mask, 0 to 1."""
        return self.lying.value

    @property
    def reference_dice(self) -> NDArray[np.float64]:
        """float [M]: the same Dice of each test mask."""
        return self.lying.reference

    @property
    def threshold(self) -> float:
        """The largest Dice that a test mask reaches."""
        return self.lying.threshold

    @property
    def nearest(self) -> NDArray[np.int64]:
        """int [N]: row in the training set of the mask that each sample is most similar to, or a changed copy of."""
        return np.where(self._changed_alone, self.changed.nearest, self.lying.nearest)

    @property
    def nearest_dice(self) -> NDArray[np.float64]:
        """float [N]: Dice with that mask, of changed copies after both were brought to one place and size."""
        return np.where(self._changed_alone, self.changed.value, self.lying.value)

    @property
    def _changed_alone(self) -> NDArray[np.bool_]:
        return self.changed.beyond & ~self.lying.beyond

    @property
    def copied(self) -> NDArray[np.bool_]:
        """Bool [N]: the samples that come closer to a training mask than any test mask does, lying or changed.

        Of N samples that are as independent as the M test masks, at most 2 N / (M + 1) are expected.
        """
        return self.lying.beyond | self.changed.beyond

    @property
    def all_copies(self) -> NDArray[np.int64]:
        """Their numbers, the closest first."""
        found = np.flatnonzero(self.copied)
        margin = np.maximum(self.lying.margin, self.changed.margin)
        return found[np.argsort(-margin[found], kind="stable")]

    @property
    def copies(self) -> NDArray[np.int64]:
        """Those of them that are close where they lie, the closest first."""
        found = np.flatnonzero(self.lying.beyond)
        return found[np.argsort(-self.dice[found], kind="stable")]

    @property
    def changed_copies(self) -> NDArray[np.int64]:
        """The others: close when shifted, scaled, turned (slices) or mirrored alone."""
        return np.flatnonzero(self._changed_alone)

    @property
    def texture_copies(self) -> NDArray[np.int64]:
        """Samples whose grain is more like that of a training image than any test image's is, the closest first."""
        if self.texture is None:
            return np.zeros(0, dtype=np.int64)
        found = np.flatnonzero(self.texture.beyond)
        return found[np.argsort(-self.texture.value[found], kind="stable")]

    @property
    def by_chance(self) -> float:
        """How many of as many independent samples would be called copies of masks."""
        return 2.0 * len(self.dice) / (len(self.reference_dice) + 1)

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
        """How often a random sample is closer to the training set than a random test mask, in %; 50: no copying."""
        return self.lying.closer_percent


def audit(
    masks: Masks | Labels,
    test: Masks | Labels,
    read: ReadMasks,
    training_rows: NDArray[np.int64],
    structures: int = 1,
    texture: Closeness | None = None,
) -> MemorizationAudit:
    """Compare every sample and every test mask with every training mask.

    Args:
        masks: bool [N, H, W] or [N, D, H, W], or label ids: the samples.
        test: [M, …], masks of patients that were not trained on.
        read: gives the masks of some rows of the training set.
        training_rows: int [K], the rows that were trained on.
        structures: number of labels, where masks are label ids.
        texture: what :func:`topogan.metrics.texture_copies.texture_audit` has found of their images.
    """
    lying, changed = (
        Closeness(found.dice, found.index, reference.dice)
        for found, reference in (
            [match(some, read, training_rows, structures) for some in (masks, test)]
            for match in (best_stored_matches, best_aligned_matches)
        )
    )
    return MemorizationAudit(lying, changed, _repeats(masks), _repeats(test), texture)


def _repeats(masks: Masks | Labels) -> NDArray[np.int64]:
    """Positions of masks that are equal to an earlier one."""
    # By their hashes, so that no second stack is held.
    hashes = [hashlib.sha256(np.ascontiguousarray(mask).data).hexdigest() for mask in masks]
    _, first = np.unique(hashes, return_index=True)
    return np.setdiff1d(np.arange(len(masks)), first)
