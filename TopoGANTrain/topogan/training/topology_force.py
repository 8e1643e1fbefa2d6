"""The pull of the topological loss at the generator's output."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from topogan.config import MaskSettings, TopologySettings
from topogan.topology.loss import TopologyLoss, TopologyTargets
from topogan.topology.weight import TopologyWeight
from topogan.training.optimization import Values
from topogan.training.randomness import BatchSampler


class TopologyForce:
    """λ·∂L_topo/∂logits, towards real masks drawn anew each step.

    Args:
        settings: mode and strength.
        masks: bool [N, H, W], the real masks; N is at least the batch.
        training: batch and steps are used.
        generator: source of the draws.
    """

    def __init__(
        self, settings: TopologySettings, masks: np.ndarray, training: MaskSettings, generator: np.random.Generator
    ) -> None:
        self._loss = TopologyLoss(settings)
        self._targets = TopologyTargets.from_masks(masks, settings)
        self._weight = TopologyWeight(settings, training.steps)
        self._draws = BatchSampler(len(masks), training.batch, generator)

    @property
    def small(self) -> dict[str, Any]:
        """The parts with a state."""
        return {"targets": self._draws, "topology_weight": self._weight}

    def active(self, step: int) -> bool:
        """Tell whether the loss acts (or is measured) in this step."""
        return self._weight.active(step)

    def add(self, step: int, logits: Tensor, adversarial: Tensor) -> tuple[Tensor, Values]:
        """Return the sum of both forces [B, 1, H, W] and what is worth a curve.

        Persistence is computed from the logits in full precision, whatever the networks use. A training that has
        diverged gets no topological force: the caller sees by the norm that it has.
        """
        adversarial_norm = float(adversarial.norm())
        if not math.isfinite(adversarial_norm):
            return adversarial, {"force_adversarial": adversarial_norm}
        leaf = logits.detach().float().requires_grad_()
        loss = self._loss(leaf, self._targets.select(self._draws.next()))
        (topological,) = torch.autograd.grad(loss, leaf)
        topological_norm = float(topological.norm())
        weight = self._weight.update(step, adversarial_norm, topological_norm)
        values: Values = {
            "loss_topology": loss.detach(),
            "force_adversarial": adversarial_norm,
            "force_topology": topological_norm,
            "lambda": weight,
        }
        return adversarial + weight * topological, values
