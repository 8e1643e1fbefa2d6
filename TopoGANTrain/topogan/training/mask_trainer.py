"""Training of the mask generator: z -> grey mask, against a discriminator, with the topological loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from topogan.config import TrainSettings
from topogan.device import mixed_precision
from topogan.errors import lookup
from topogan.networks import make_mask_discriminator, make_mask_generator, mask_to_network
from topogan.randomness import BatchSampler, seeded, stream, torch_stream
from topogan.runs.previews import contact_sheet
from topogan.training.ema import EMA
from topogan.training.exact_state import ExactState, pack_networks, restore_networks
from topogan.training.objectives import OBJECTIVES, Penalty, interpolation_penalty, r1_penalty
from topogan.training.optimization import Values, descend, make_optimizers
from topogan.training.topological_gradient import TopologicalGradient
from topogan.training_set import TrainingSet

# Without momentum of the mean, with a long memory of the square (Karras et al., ICLR 2018).
_BETAS = (0.0, 0.99)
# R1 changes slowly: every 16th step with 16 times the weight costs a sixteenth (Karras et al., CVPR 2020).
LAZY_STEPS = 16
_PREVIEW_SAMPLES = 64


def blank_mask_networks(settings: TrainSettings, size: int) -> dict[str, nn.Module]:
    """Make an untrained generator and discriminator."""
    return {
        "generator": make_mask_generator(settings.masks, size),
        "discriminator": make_mask_discriminator(settings.masks, size),
    }


class MaskTrainer:
    """One step at a time; :attr:`exact` holds all that changes.

    Args:
        training_set: its training rows are learned.
        settings: ``masks``, ``topology`` and ``seed`` are used.
        device: where the networks are.
        start: weights to go on from (fine-tuning), on the CPU.
    """

    name = "masks"

    def __init__(
        self,
        training_set: TrainingSet,
        settings: TrainSettings,
        device: torch.device,
        start: dict[str, nn.Module] | None = None,
    ) -> None:
        self._settings, self._device, seed = settings.masks, device, settings.seed
        self._objective = lookup(OBJECTIVES, self._settings.objective, "masks.objective")
        self.step, self.total = 0, self._settings.steps
        self._set, self._rows = training_set, training_set.train
        blank: dict[str, Any] = seeded(lambda: blank_mask_networks(settings, training_set.size), seed, "masks: weights")
        # Channels last makes these small convolutions a fifth faster on CPUs.
        placed = {key: part.to(device, memory_format=torch.channels_last) for key, part in blank.items()}
        if start is not None:
            restore_networks(placed, pack_networks(start))
        self._generator, self._discriminator = placed["generator"], placed["discriminator"]
        self._average = EMA(self._generator, self._settings.average)
        rate = self._settings.learning_rate
        self._optimizers = make_optimizers(self._generator, self._discriminator, rate, _BETAS)
        self._random = torch_stream(seed, "masks: latents")
        self._sampler = BatchSampler(len(self._rows), self._settings.batch, stream(seed, "masks: batches"))
        self._topology = self._make_topology(settings)
        self._preview_z = self._latents(_PREVIEW_SAMPLES, torch_stream(seed, "masks: previews"))

    def train_step(self) -> Values:
        """Update the discriminator ``discriminator_steps`` times and the generator once; return values for curves."""
        values: Values = {}
        steps = self._settings.discriminator_steps
        for left in reversed(range(steps)):
            # The last batch of fakes also trains the generator: one pass through it is saved.
            with torch.set_grad_enabled(left == 0), mixed_precision(self._device):
                logits = self._generator(self._latents(self._settings.batch, self._random))
            logits = logits.float()
            values |= self._update_discriminator(logits.detach(), first=left == steps - 1)
        values |= self._update_generator(logits)
        self._average.update(self._generator, self.step)
        self.step += 1
        return values

    def networks(self) -> dict[str, nn.Module]:
        """The networks worth keeping: the averaged generator and the discriminator."""
        return {"generator": self._average.network, "discriminator": self._discriminator}

    @property
    def exact(self) -> ExactState:
        """Everything that changes while training."""
        parts: dict[str, nn.Module] = {
            "generator": self._generator,
            "average": self._average.network,
            "discriminator": self._discriminator,
        }
        small: dict[str, Any] = {"batches": self._sampler}
        if self._topology is not None:
            small |= self._topology.small
        return ExactState(parts, self._optimizers, {"latents": self._random}, small)

    def preview(self) -> tuple[np.ndarray, dict[str, float]]:
        """Draw 64 samples of the average, always from the same z.

        Returns:
            Their contact sheet in [0, 1], and the quick metrics against real masks (of validation where there are any).
        """
        from topogan.metrics.quick import quick_metrics

        with torch.no_grad():
            grey = torch.sigmoid(self._average.network(self._preview_z))[:, 0].cpu().numpy()
        return contact_sheet(grey, columns=8), quick_metrics(grey >= 0.5, self._real(self._set.validation_or_train))

    def _make_topology(self, settings: TrainSettings) -> TopologicalGradient | None:
        if not settings.topology.on:
            return None
        draws = stream(settings.seed, "masks: targets")
        return TopologicalGradient(settings.topology, self._real(self._rows), settings.masks, draws)

    def _real(self, rows: np.ndarray) -> np.ndarray:
        """Masks of the structure: bool [n, H, W]."""
        return self._set.region_masks(rows)

    def _latents(self, count: int, generator: torch.Generator) -> Tensor:
        return torch.randn(count, self._settings.latent, generator=generator).to(self._device)

    def _update_discriminator(self, logits: Tensor, first: bool) -> Values:
        real = mask_to_network(self._real(self._rows[self._sampler.next()])).to(self._device)
        fake = _as_mask(logits)
        with mixed_precision(self._device):
            score_real, score_fake = self._discriminator(real).float(), self._discriminator(fake).float()
        loss = self._objective.discriminator(score_real, score_fake)
        values: Values = {
            "loss_discriminator": loss.detach(),
            "score_real": score_real.detach().mean(),
            "score_fake": score_fake.detach().mean(),
        }
        penalty, weight = self._penalty(real, fake, first)
        if penalty is not None:
            values["penalty"] = penalty.detach()
            loss = loss + weight * penalty
        optimizer = self._optimizers["discriminator_optimizer"]
        values["gradient_discriminator"] = descend(optimizer, self._discriminator, loss)
        return values

    def _penalty(self, real: Tensor, fake: Tensor, first: bool) -> tuple[Tensor | None, float]:
        """Return this update's gradient penalty (in float32) and its weight."""
        weight = self._settings.gradient_penalty
        if weight == 0.0:
            return None, 0.0
        if self._objective.penalty is Penalty.INTERPOLATION:
            share = torch.rand(len(real), generator=self._random).to(self._device)
            return interpolation_penalty(self._discriminator, real, fake, share), weight
        if first and self.step % LAZY_STEPS == 0:
            return r1_penalty(self._discriminator, real), weight / 2 * LAZY_STEPS
        return None, 0.0

    def _update_generator(self, logits: Tensor) -> Values:
        with mixed_precision(self._device):
            scores = self._discriminator(_as_mask(logits))
        loss = self._objective.generator(scores.float())
        # The gradients of all losses meet at the logits; one backward pass takes their sum through the generator.
        (gradient,) = torch.autograd.grad(loss, logits)
        values: Values = {"loss_generator": loss.detach()}
        if self._topology is not None and self._topology.active(self.step):
            gradient, more = self._topology.add(self.step, logits, gradient)
            values |= more
        optimizer = self._optimizers["generator_optimizer"]
        values["gradient_generator"] = descend(optimizer, self._generator, logits, gradient)
        return values


def _as_mask(logits: Tensor) -> Tensor:
    """A grey mask for the discriminator: 2·sigmoid(logit) - 1, written so that it keeps its precision."""
    return torch.tanh(logits / 2)
