"""The gradient of the topological loss at the generator's output."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from topogan.config import MaskSettings, TopologySettings
from topogan.losses.sizes import SizeTargets, size_loss
from topogan.losses.topology_loss import TopologyLoss, TopologyTargets
from topogan.losses.weight import TopologyWeight
from topogan.randomness import BatchSampler
from topogan.training.optimization import Values


@dataclass(frozen=True)
class LossTerm:
    """A loss, its targets and its own weight; ``name`` tells its values in the curves from the others'."""

    name: str
    loss: Callable[[Tensor, Any], Tensor]
    targets: TopologyTargets | SizeTargets
    weight: TopologyWeight

    def gradient(self, step: int, logits: Tensor, rows: np.ndarray, adversarial_norm: float) -> tuple[Tensor, Values]:
        """λ·∂L/∂logits towards some of the targets."""
        leaf = logits.detach().float().requires_grad_()
        loss = self.loss(leaf, self.targets.select(rows))
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
    """λ·∂L_topo/∂logits, towards real masks drawn anew each step; with ``likelihood`` also λₛ·∂L_sizes/∂logits.

    Args:
        settings: mode and strengths.
        masks: bool [N, H, W], the real masks; N is at least the batch.
        training: batch and steps are used.
        generator: source of the draws.
    """

    def __init__(
        self, settings: TopologySettings, masks: np.ndarray, training: MaskSettings, generator: np.random.Generator
    ) -> None:
        targets = TopologyTargets.from_masks(masks, settings)
        self._terms = [LossTerm("topology", TopologyLoss(settings), targets, TopologyWeight(settings, training.steps))]
        if settings.mode == "likelihood" and settings.size_ratio > 0:
            # A λ that is fixed is that of the topology; that of the sizes is always measured.
            of_sizes = settings.model_copy(update={"ratio": settings.size_ratio, "fixed_weight": 0.0})
            dimensions, most = settings.dimensions.numbers, settings.max_points
            self._terms.append(
                LossTerm(
                    "sizes",
                    lambda logits, real: size_loss(logits[:, 0], real, dimensions, most),
                    SizeTargets.from_masks(masks, dimensions, most),
                    TopologyWeight(of_sizes, training.steps),
                )
            )
        self._every = settings.every
        self._draws = BatchSampler(len(masks), training.batch, generator)

    @property
    def small(self) -> dict[str, Any]:
        """The parts with a state."""
        return {"targets": self._draws} | {f"{term.name}_weight": term.weight for term in self._terms}

    def active(self, step: int) -> bool:
        """Tell whether a loss acts (or is measured) in this step."""
        return any(term.weight.active(step) for term in self._terms)

    def add(self, step: int, logits: Tensor, adversarial: Tensor) -> tuple[Tensor, Values]:
        """Return the sum of all gradients [B, 1, H, W], ``adversarial`` among them, and what is worth a curve.

        Persistence is computed from the logits in full precision, whatever the networks use. A training that has
        diverged gets no topological gradient: the caller sees by the norm that it has.
        """
        norm = float(adversarial.norm())
        values: Values = {"force_adversarial": norm}
        if not math.isfinite(norm):
            return adversarial, values
        rows = self._draws.next()
        total = adversarial
        for term in self._terms:
            if term.weight.active(step):
                gradient, more = term.gradient(step, logits, rows, norm)
                # Every k-th step k times as strong: the same in the mean, at a k-th of the cost.
                total, values = total + self._every * gradient, values | more
        return total, values
