"""The topological loss of the mask generator.

``likelihood``: persistence of the grey output itself. Superlevel sets of p = sigmoid(logit) are filtered; every point of
the diagram is caused by two pixels, so that the gradient reaches exactly these. Each sample is matched to one of as
many real masks (the cheapest assignment between sorted persistences), which says how many pieces and holes it should
have. By the rule ``rank`` that many most persistent points are pulled to (1, 0), the others to the diagonal, with
binary cross-entropy on the logits; by ``w2`` single points are matched to (1, 0) or the diagonal, with squared
differences of probabilities.

``binarise`` is a control without topology: every pixel is pulled to its own rounded value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.special import expit
from torch import Tensor, nn
from torch.nn import functional

from topogan.config import PointRule, TopologyMode, TopologySettings
from topogan.topology.betti import betti_numbers_of_batch
from topogan.topology.persistence import cubical_persistence


@dataclass(frozen=True)
class TopologyTargets:
    """What the loss needs of the real masks: ``betti`` int64 [N, 2]."""

    betti: NDArray[np.int64]

    @classmethod
    def from_masks(cls, masks: NDArray[np.bool_], settings: TopologySettings) -> TopologyTargets:
        """Compute the targets of real masks, bool [N, H, W]; once for a training."""
        return cls(betti_numbers_of_batch(masks))

    def __len__(self) -> int:
        return len(self.betti)

    def select(self, indices: NDArray[np.int64]) -> TopologyTargets:
        """The targets of some masks."""
        return TopologyTargets(self.betti[indices])


@dataclass(frozen=True)
class _Points:
    """The most persistent points of one dimension of one sample; pixels are flat indices, −1 is none."""

    birth: NDArray[np.int64]
    death: NDArray[np.int64]
    birth_value: NDArray[np.float64]
    death_value: NDArray[np.float64]

    @property
    def persistence(self) -> NDArray[np.float64]:
        return self.birth_value - self.death_value


class TopologyLoss(nn.Module):
    """See the module; logits float [B, 1, H, W] and B targets in, a scalar out: a sum over matched points, over B."""

    def __init__(self, settings: TopologySettings) -> None:
        super().__init__()
        self._settings = settings

    def forward(self, logits: Tensor, targets: TopologyTargets) -> Tensor:
        logits = logits.float()
        if self._settings.mode is TopologyMode.BINARISE:
            wanted = (logits.detach() >= 0).to(logits.dtype)
            return functional.binary_cross_entropy_with_logits(logits, wanted, reduction="sum") / len(logits)
        images = logits.detach().squeeze(1).cpu().double().numpy()
        dimensions = self._settings.dimensions.numbers
        samples = [_points_of(image, dimensions, self._settings.max_points) for image in images]
        rows = _matched_rows(samples, targets.betti, dimensions, self._settings.max_points)
        pixels, values = [], []
        for sample, (points_of_dimension, row) in enumerate(zip(samples, rows, strict=True)):
            for dimension, points in zip(dimensions, points_of_dimension, strict=True):
                birth, death = _pulled(points, int(targets.betti[row, dimension]), self._settings.point_rule)
                offset = sample * images[0].size
                there = points.death >= 0
                pixels += [points.birth + offset, points.death[there] + offset]
                values += [birth, death[there]]
        chosen = logits.reshape(-1)[torch.as_tensor(np.concatenate(pixels), device=logits.device)]
        wanted = torch.as_tensor(np.concatenate(values), dtype=logits.dtype, device=logits.device)
        if self._settings.point_rule is PointRule.W2:
            return ((torch.sigmoid(chosen) - wanted) ** 2).sum() / len(logits)
        crossed = functional.binary_cross_entropy_with_logits(chosen, wanted, reduction="sum")
        return (crossed - torch.special.entr(wanted).sum() - torch.special.entr(1 - wanted).sum()) / len(logits)


def _points_of(image: NDArray[np.float64], dimensions: tuple[int, ...], most: int) -> list[_Points]:
    diagram = cubical_persistence(-image, dimensions)
    width = image.shape[1]
    found = []
    for dimension in dimensions:
        part = diagram.of_dimension(dimension)
        birth, death = expit(-part.birth), expit(-part.death)
        top = np.argsort(death - birth, kind="stable")[:most]
        flat = [index[top, 0] * width + index[top, 1] for index in (part.birth_index, part.death_index)]
        flat[1][part.death_index[top, 0] < 0] = -1
        found.append(_Points(*flat, birth[top], death[top]))
    return found


def _matched_rows(
    samples: list[list[_Points]], betti: NDArray[np.int64], dimensions: tuple[int, ...], most: int
) -> NDArray[np.int64]:
    ours = np.zeros((len(samples), len(dimensions), most))
    for row, points_of_dimension in enumerate(samples):
        for column, points in enumerate(points_of_dimension):
            ours[row, column, : len(points.birth)] = points.persistence
    theirs = (np.arange(most) < betti[:, list(dimensions), None]).astype(float)
    costs = ((ours[:, None] - theirs[None]) ** 2).sum(axis=(2, 3))
    return linear_sum_assignment(costs)[1]


def _pulled(points: _Points, count: int, rule: PointRule) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each point's birth and death should go."""
    middle = (points.birth_value + points.death_value) / 2
    if rule is PointRule.RANK:
        kept = np.arange(len(middle)) < count
    else:
        gain = (1 - points.birth_value) ** 2 + points.death_value**2 - points.persistence**2 / 2
        kept = np.zeros(len(middle), dtype=bool)
        kept[np.argsort(gain, kind="stable")[:count]] = True
    return np.where(kept, 1.0, middle), np.where(kept, 0.0, middle)
