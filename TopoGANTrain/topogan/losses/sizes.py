"""Loss of sizes: how large holes are, how wide gaps and how thick walls, as persistence of a soft distance.

Counts alone (:mod:`topogan.losses.likelihood`) are content with a hole of one pixel. In the sublevel sets of the
distance to the structure a hole dies at its radius, a component at half the gap to the next one, and a wall's thinnest
place gives the birth of its hole; a real mask says where all of these should be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from torch import Tensor

from topogan.homology.matching import assign
from topogan.homology.persistence import pairs_of_batch
from topogan.losses.padded_diagrams import PaddedDiagrams, values_at
from topogan.losses.soft_distance import soft_distance

# Masks that are measured together, so that memory does not grow with their number.
_BLOCK = 128


@dataclass(frozen=True)
class SizeTargets:
    """Births and deaths of N real masks, in pixels; arrays [N, D, K], most persistent first."""

    birth: NDArray[np.float64]
    """0 where there is no point."""
    death: NDArray[np.float64]
    """0 where there is no point."""

    @classmethod
    def from_masks(cls, masks: NDArray[np.generic], dimensions: tuple[int, ...], max_points: int) -> SizeTargets:
        """Measure masks [N, H, W] or [N, D, H, W] (structure where not 0)."""
        blocks = [masks[start : start + _BLOCK] != 0 for start in range(0, max(len(masks), 1), _BLOCK)]
        found = [_points(soft_distance(torch.from_numpy(block)), dimensions, max_points) for block in blocks]
        return cls(np.concatenate([one.birth for one in found]), np.concatenate([one.death for one in found]))

    def __len__(self) -> int:
        return len(self.birth)

    @property
    def persistence(self) -> NDArray[np.float64]:
        """float [N, D, K]: death − birth; 0 where there is no point."""
        return self.death - self.birth

    def select(self, indices: NDArray[np.int64]) -> SizeTargets:
        """The targets of some of the masks, in the order of ``indices`` (int [B])."""
        return SizeTargets(self.birth[indices], self.death[indices])


def size_loss(
    logits: Tensor,
    real: SizeTargets,
    dimensions: tuple[int, ...],
    max_points: int,
    apart: NDArray[np.float64] | None = None,
) -> Tensor:
    """Squared 2-Wasserstein distance, Euclidean ground cost, between the diagrams of samples and of real masks.

    Samples are assigned to real masks by their sorted persistences, then points to points or to the diagonal. The
    gradient goes from the critical pixels through the distance to the pixels at the edges of the structure.

    Args:
        logits: float [B, H, W] or [B, D, H, W].
        real: of B real masks.
        dimensions: which of 0 and 1, of volumes also 2.
        max_points: K, the most persistent points of each dimension that take part.
        apart: float [B, B], what it costs besides to match a sample with a real mask.

    Returns:
        A scalar (float64), in pixels²: sum over the points, divided by B. The essential class takes no part.
    """
    # Apple's devices have no float64, which the soft distance needs.
    near = logits.cpu() if logits.device.type == "mps" else logits
    distance = soft_distance(near.sigmoid())
    points = _points(distance.detach(), dimensions, max_points)
    costs = cdist(points.persistence.reshape(len(logits), -1), real.persistence.reshape(len(logits), -1), "sqeuclidean")
    birth, death = _targets(points, real.select(assign(costs + (0.0 if apart is None else apart))))
    squares = (values_at(distance, points.birth_pixel) - torch.from_numpy(birth).to(distance.device)).square()
    squares = squares + (values_at(distance, points.death_pixel) - torch.from_numpy(death).to(distance.device)).square()
    return squares.masked_fill(torch.from_numpy(~points.there).to(distance.device), 0.0).sum() / len(logits)


def _points(distance: Tensor, dimensions: tuple[int, ...], max_points: int) -> PaddedDiagrams:
    # In single precision pixels are sorted five times faster; a millionth of a pixel is nothing here.
    pairs = pairs_of_batch(distance.float().cpu().numpy(), dimensions)
    length = np.where(pairs.essential, -np.inf, pairs.death - pairs.birth)
    return PaddedDiagrams.of(pairs, len(distance), pairs.birth, pairs.death, length, max_points)


def _targets(points: PaddedDiagrams, real: SizeTargets) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each point is to be: at its partner, or at the nearest point of the diagonal; two float [B, D, K]."""
    middle = (points.birth + points.death) / 2.0
    birth, death = middle.copy(), middle.copy()
    apart = (points.birth[..., :, None] - real.birth[..., None, :]) ** 2
    apart += (points.death[..., :, None] - real.death[..., None, :]) ** 2
    # What a match saves over sending both points to the diagonal; what is not there lies on it and saves nothing.
    saved = (points.persistence[..., :, None] ** 2 + real.persistence[..., None, :] ** 2) / 2.0 - apart
    there = points.there[..., :, None] & (real.persistence[..., None, :] > 0.0)
    saved = np.where(there, np.maximum(saved, 0.0), 0.0)
    for where in zip(*np.nonzero(saved.any(axis=(2, 3))), strict=True):
        rows, columns = linear_sum_assignment(saved[where], maximize=True)
        worth_it = saved[where][rows, columns] > 0.0
        birth[where][rows[worth_it]] = real.birth[where][columns[worth_it]]
        death[where][rows[worth_it]] = real.death[where][columns[worth_it]]
    return birth, death
