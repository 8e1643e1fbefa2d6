"""How close samples come to single training samples, against how close held-out ones come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# A bar is passed by more than this alone. Products of parts of pixels are summed in float32, which leaves the Dice of a
# mask with itself within 4e-7 of 1: where samples and held-out masks are as close as each other, rounding would decide
# what is a copy.
BEYOND_ROUNDING = 1e-5


@dataclass(frozen=True)
class Closeness:
    """By any figure that is the larger the more alike two are, such as Dice."""

    value: NDArray[np.float64]
    """float [N]: of each sample with its most similar training sample."""
    nearest: NDArray[np.int64]
    """int [N]: the row of that one in the training set."""
    reference: NDArray[np.float64]
    """float [M]: the same figure of each held-out sample: how alike different patients are."""

    @property
    def threshold(self) -> float:
        """The largest figure that a held-out sample reaches: the bar of possible copies."""
        return float(self.reference.max())

    @property
    def beyond(self) -> NDArray[np.bool_]:
        """Bool [N]: the samples that come closer than any held-out one does, by more than rounding.

        Of N samples that are as independent as the M held-out ones, about N / (M + 1) are expected here.
        """
        return self.value > self.threshold + BEYOND_ROUNDING

    def closest(self, count: int) -> NDArray[np.int64]:
        """int [count or N]: the samples that are most like a training sample, the closest first."""
        return np.argsort(-self.value, kind="stable")[:count]

    @property
    def margin(self) -> NDArray[np.float64]:
        """float [N]: which part of the way from the bar to a copy each sample has gone; negative below the bar."""
        found: NDArray[np.float64] = (self.value - self.threshold) / max(1.0 - self.threshold, 1e-9)
        return found

    @property
    def closer_percent(self) -> float:
        """How often a random sample is closer to the training set than a random held-out one, in %.

        50: no copying; 100: every sample is. The Mann-Whitney statistic U / (N·M), ties counted half. Source: Meehan
        et al., AISTATS 2020 ("A non-parametric test to detect data-copying in generative models").
        """
        from scipy.stats import mannwhitneyu  # takes half a second, which each training would wait for

        statistic = mannwhitneyu(self.value, self.reference).statistic
        return 100.0 * float(statistic) / (len(self.value) * len(self.reference))
