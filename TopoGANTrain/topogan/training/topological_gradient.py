"""The gradient of the topological losses at the generator's output."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from topogan.config import MaskSettings, TopologySettings
from topogan.errors import lookup
from topogan.losses.sizes import SizeTargets, size_loss
from topogan.losses.topology_loss import TopologyLoss, TopologyTargets
from topogan.losses.weight import TopologyWeight
from topogan.networks.labels import margins
from topogan.randomness import BatchSampler
from topogan.structures import Region
from topogan.training.optimization import Values
from topogan.training_set import TrainingSet

Targets = TopologyTargets | SizeTargets
Apart = NDArray[np.float64] | None
# Levels that are so far apart cost as much as one connected component or hole.
_FAR = 0.1


def chosen_regions(training_set: TrainingSet, settings: TopologySettings) -> tuple[Region, ...]:
    """The structures and unions that the topological loss looks at.

    Raises:
        InputError: the settings name one that the training set does not have.
    """
    known = {region.name: region for region in training_set.regions}
    chosen = tuple(lookup(known, name, "topology.regions") for name in dict.fromkeys(settings.regions))
    return chosen or training_set.regions


@dataclass(frozen=True)
class LossTerm:
    """A loss, its targets for each region and its weight; ``name`` tells its values in the curves from the others'."""

    name: str
    loss: Callable[[Tensor, Any, Apart], Tensor]
    targets: Sequence[Targets]
    weight: TopologyWeight

    def gradient(
        self, step: int, logits: Tensor, region: Region, target: Targets, apart: Apart, adversarial_norm: float
    ) -> tuple[Tensor, Values]:
        """λ·∂L/∂logits of one region towards some targets, which lie ``apart`` from the samples."""
        leaf = logits.detach().float().requires_grad_()
        loss = self.loss(margins(leaf, [region]), target, apart)
        (gradient,) = torch.autograd.grad(loss, leaf)
        norm = float(gradient.norm())
        weight = self.weight.update(step, adversarial_norm, norm)
        values: Values = {
            f"loss_{self.name}": loss.detach(),
            f"force_{self.name}": norm,
            "lambda" if self.name == "topology" else f"lambda_{self.name}": weight,
        }
        return weight * gradient, values


class TopologicalGradient:
    """λ·∂L_topo/∂logits, towards real masks drawn anew each step; ``likelihood`` of slices also λₛ·∂L_sizes/∂logits.

    Of several regions one acts at a time, in turns, so that they cost no more than one. They share λ: what is seldom
    wrong, or seldom there, pulls less.

    Args:
        settings: mode and strengths.
        labels: uint8 [N, H, W] or [N, D, H, W], the real label maps; N is at least the batch.
        regions: R structures and unions.
        levels: float [N], those of the real masks, where the generator is told one; else None.
        training: batch and steps are used.
        generator: source of the draws.
        continued: whether the training goes on from a model.
    """

    def __init__(
        self,
        settings: TopologySettings,
        labels: np.ndarray,
        regions: Sequence[Region],
        levels: np.ndarray | None,
        training: MaskSettings,
        generator: np.random.Generator,
        continued: bool = False,
    ) -> None:
        # Region by region: masks of all volumes are as large as the training set.
        counts = [TopologyTargets.from_masks(region.of(labels), settings) for region in regions]
        weight = TopologyWeight(settings, training.steps, continued)
        self._terms = [LossTerm("topology", TopologyLoss(settings), counts, weight)]
        # In volumes the sizes would cost several steps: a transform of 75³ voxels for one of 32³.
        if settings.mode == "likelihood" and settings.size_ratio > 0 and labels.ndim == 3:
            # A λ that is fixed is that of the topology; that of the sizes is always measured.
            of_sizes = settings.model_copy(update={"ratio": settings.size_ratio, "fixed_weight": 0.0})
            dimensions, most = settings.dimensions.numbers(labels.ndim - 1), settings.max_points
            self._terms.append(
                LossTerm(
                    "sizes",
                    lambda margin, real, apart: size_loss(margin[:, 0], real, dimensions, most, apart),
                    [SizeTargets.from_masks(region.of(labels), dimensions, most) for region in regions],
                    TopologyWeight(of_sizes, training.steps, continued),
                )
            )
        self._regions, self._levels, self._every = regions, levels, settings.every
        self._draws = BatchSampler(len(labels), training.batch, generator)

    @property
    def small(self) -> dict[str, Any]:
        """The parts with a state."""
        return {"targets": self._draws} | {f"{term.name}_weight": term.weight for term in self._terms}

    def active(self, step: int) -> bool:
        """Tell whether a loss acts (or is measured) in this step."""
        return any(term.weight.active(step) for term in self._terms)

    def add(
        self, step: int, logits: Tensor, adversarial: Tensor, rows: np.ndarray | None = None
    ) -> tuple[Tensor, Values]:
        """Return the sum of all gradients [B, K, H, W], ``adversarial`` among them, and what is worth a curve.

        Persistence is computed from the logits in full precision, whatever the networks use. A training that has
        diverged gets no topological gradient: the caller sees by the norm that it has.

        Args:
            step: counted from 0.
            logits: [B, K, H, W].
            adversarial: gradient at them.
            rows: int [B], the real masks whose level the generator was told; None without levels.
        """
        norm = float(adversarial.norm())
        values: Values = {"force_adversarial": norm}
        if not math.isfinite(norm):
            return adversarial, values
        apart = None
        if rows is None or self._levels is None:
            rows = self._draws.next()
        else:
            told = self._levels[rows] / _FAR
            apart = (told[:, None] - told[None, :]) ** 2
        total = adversarial
        for term in self._terms:
            if term.weight.active(step):
                turn = term.weight.turn(step) % len(self._regions)
                target = term.targets[turn].select(rows)
                gradient, more = term.gradient(step, logits, self._regions[turn], target, apart, norm)
                # Every k-th step k times as strong: the same in the mean, at a k-th of the cost.
                total, values = total + self._every * gradient, values | more
        return total, values
