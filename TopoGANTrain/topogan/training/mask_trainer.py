"""Training of the mask generator: z and slice level -> label map, with a discriminator and the topological loss."""

from __future__ import annotations

from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from topogan.config import TrainSettings
from topogan.device import mixed_precision
from topogan.errors import lookup
from topogan.networks import make_mask_discriminator, make_mask_generator
from topogan.networks.labels import (
    labels_of,
    labels_to_network,
    level_to_network,
    probabilities,
    to_discriminator,
    with_level,
)
from topogan.randomness import BatchSampler, seeded, stream, torch_stream
from topogan.runs.previews import contact_sheet, in_colors, middle_planes
from topogan.training.augmentation import DiscriminatorAugmentation, varied_masks
from topogan.training.ema import EMA
from topogan.training.exact_state import ExactState, pack_networks, restore_networks
from topogan.training.objectives import LAZY_STEPS, OBJECTIVES, Penalty, interpolation_penalty, r1_penalty
from topogan.training.optimization import Values, descend, make_optimizers
from topogan.training.topological_gradient import TopologicalGradient, chosen_regions
from topogan.training_set import TrainingSet

# Without momentum of the mean, with a long memory of the square (Karras et al., ICLR 2018).
_BETAS = (0.0, 0.99)
_PREVIEW_SAMPLES = 64
# Volumes that are drawn together: 64 of 64 voxels would take half a gigabyte.
_VOLUMES_TOGETHER = 8


def blank_mask_networks(settings: TrainSettings, size: int, structures: int, axes: int) -> dict[str, nn.Module]:
    """Make an untrained generator and discriminator; ``axes``: 2 for images, 3 for volumes."""
    seen = structures, settings.tells_level(structures, axes), axes
    return {
        "generator": make_mask_generator(settings.masks, size, *seen),
        "discriminator": make_mask_discriminator(settings.masks, size, *seen),
    }


class _Fakes(NamedTuple):
    logits: Tensor
    level: Tensor | None
    """What the generator was told, float32 [B, 1]."""
    rows: np.ndarray | None
    """Of which training rows (by place among them) that is the level."""


class MaskTrainer:
    """One step at a time; :attr:`exact` holds all that changes.

    Args:
        training_set: its training rows are learned.
        settings: ``masks``, ``topology``, ``augmentation``, ``condition`` and ``seed`` are used.
        device: where the networks are.
        start: weights to go on from (fine-tuning), on the CPU.
        continued: whether the training began with a model that knows all of these structures. What protects random
            weights is then left out: the average's short memory at first, and the topological loss's warm-up.
    """

    name = "masks"

    def __init__(
        self,
        training_set: TrainingSet,
        settings: TrainSettings,
        device: torch.device,
        start: dict[str, nn.Module] | None = None,
        continued: bool = False,
    ) -> None:
        self._settings, self._device, seed = settings.masks, device, settings.seed
        self._objective = lookup(OBJECTIVES, self._settings.objective, "masks.objective")
        self.step, self.total = 0, self._settings.steps
        self._set, self._rows = training_set, training_set.train
        self._structures = len(training_set.table)
        size, axes = training_set.size, training_set.axes
        self._levels = training_set.levels[self._rows] if settings.tells_level(self._structures, axes) else None
        blank: dict[str, Any] = seeded(
            lambda: blank_mask_networks(settings, size, self._structures, axes), seed, "masks: weights"
        )
        # Channels last makes these small convolutions a fifth faster on CPUs, and those of volumes twice as fast.
        layout = torch.channels_last if axes == 2 else torch.channels_last_3d
        placed = {key: part.to(device, memory_format=layout) for key, part in blank.items()}
        if start is not None:
            restore_networks(placed, pack_networks(start))
        self._generator, self._discriminator = placed["generator"], placed["discriminator"]
        self._average = EMA(self._generator, self._settings.average, self.total if continued else None)
        rate = self._settings.learning_rate
        self._optimizers = make_optimizers(self._generator, self._discriminator, rate, _BETAS)
        self._random = torch_stream(seed, "masks: latents")
        self._sampler = BatchSampler(len(self._rows), self._settings.batch, stream(seed, "masks: batches"))
        self._topology = self._make_topology(settings, continued)
        self._augmentation, self._changes = settings.augmentation, torch_stream(seed, "masks: changes")
        self._seen: DiscriminatorAugmentation | None = None
        if settings.augmentation.discriminator != "off":
            self._seen = DiscriminatorAugmentation(settings.augmentation, self._changes, training_set.outside)
        shown = None if self._levels is None else np.quantile(self._levels, np.linspace(0, 1, _PREVIEW_SAMPLES))
        self._preview_z = self._latents(_PREVIEW_SAMPLES, torch_stream(seed, "masks: previews"), self._told(shown))

    def train_step(self) -> Values:
        """Update the discriminator ``discriminator_steps`` times and the generator once; return values for curves."""
        values: Values = {}
        steps = self._settings.discriminator_steps
        for left in reversed(range(steps)):
            # The last batch of fakes also trains the generator: one pass through it is saved.
            with torch.set_grad_enabled(left == 0), mixed_precision(self._device):
                fakes = self._draw_fakes()
            values |= self._update_discriminator(fakes, first=left == steps - 1)
        values |= self._update_generator(fakes)
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
        generators = {"latents": self._random}
        if self._seen is not None:
            small["augmentation"] = self._seen
        if self._seen is not None or self._augmentation.masks > 0.0:
            generators["changes"] = self._changes  # checkpoints of older versions have none
        return ExactState(parts, self._optimizers, generators, small)

    def preview(self) -> tuple[np.ndarray, dict[str, float]]:
        """Draw 64 samples of the average, always from the same z (and of rising levels).

        Returns:
            Their contact sheet (of volumes three planes) in [0, 1], in colors for several structures, and the quick
            metrics against real masks (of validation where there are any), in the mean over structures and unions.
        """
        from topogan.metrics.quick import quick_metrics

        drawn, planes = [], []
        with torch.no_grad():
            # Of volumes only labels and planes are kept: all logits of 64 would take gigabytes.
            for part in self._preview_z.split(_PREVIEW_SAMPLES if self._set.axes == 2 else _VOLUMES_TOGETHER):
                logits = self._average.network(part).float().cpu()
                drawn.append(labels_of(logits))
                planes.append(middle_planes(probabilities(logits).numpy()))
        labels, real = np.concatenate(drawn), self._set.masks[self._set.validation_or_train]
        found = [quick_metrics(region.of(labels), region.of(real)) for region in self._set.regions]
        colors = [structure.color for structure in self._set.table.structures]
        sheet = contact_sheet(in_colors(np.concatenate(planes), colors), columns=8)
        return sheet, {name: fmean(one[name] for one in found) for name in found[0]}

    def _make_topology(self, settings: TrainSettings, continued: bool) -> TopologicalGradient | None:
        if not settings.topology.on:
            return None
        draws = stream(settings.seed, "masks: targets")
        regions = chosen_regions(self._set, settings.topology)
        labels = self._set.masks[self._rows]
        return TopologicalGradient(settings.topology, labels, regions, self._levels, settings.masks, draws, continued)

    def _draw_fakes(self) -> _Fakes:
        """Masks of the generator; where it is told a level, those of training rows drawn anew."""
        count = self._settings.batch
        rows, level = None, None
        if self._levels is not None:
            rows = torch.randint(len(self._levels), (count,), generator=self._random).numpy()
            level = self._told(self._levels[rows])
        return _Fakes(self._generator(self._latents(count, self._random, level)).float(), level, rows)

    def _latents(self, count: int, generator: torch.Generator, level: Tensor | None = None) -> Tensor:
        z = torch.randn(count, self._settings.latent, generator=generator).to(self._device)
        return z if level is None else torch.cat([z, level], 1)

    def _told(self, levels: np.ndarray | None) -> Tensor | None:
        return None if levels is None else level_to_network(levels).to(self._device)

    def _update_discriminator(self, fakes: _Fakes, first: bool) -> Values:
        rows = self._sampler.next()
        level = None if self._levels is None else self._told(self._levels[rows])
        labels = self._set.masks[self._rows[rows]]
        if self._augmentation.masks > 0.0:
            changed = self._changes, self._device, self._set.outside
            labels = varied_masks(labels, self._structures, self._augmentation, *changed)
        real = self._shown(labels_to_network(labels, self._structures).to(self._device), level)
        fake = self._shown(to_discriminator(fakes.logits.detach()), fakes.level)
        with mixed_precision(self._device):
            score_real, score_fake = self._discriminator(real).float(), self._discriminator(fake).float()
        loss = self._objective.discriminator(score_real, score_fake)
        values: Values = {
            "loss_discriminator": loss.detach(),
            "score_real": score_real.detach().mean(),
            "score_fake": score_fake.detach().mean(),
        }
        if self._seen is not None:
            values["augmentation"] = self._seen.chance
            self._seen.adapt(score_real)
        penalty, weight = self._penalty(real, fake, first)
        if penalty is not None:
            values["penalty"] = penalty.detach()
            loss = loss + weight * penalty
        optimizer = self._optimizers["discriminator_optimizer"]
        values["gradient_discriminator"] = descend(optimizer, self._discriminator, loss)
        return values

    def _shown(self, images: Tensor, level: Tensor | None) -> Tensor:
        """What the discriminator sees of masks; the level is never changed."""
        return with_level(images if self._seen is None else self._seen(images), level)

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

    def _update_generator(self, fakes: _Fakes) -> Values:
        logits = fakes.logits
        shown = self._shown(to_discriminator(logits), fakes.level)
        with mixed_precision(self._device):
            scores = self._discriminator(shown)
        loss = self._objective.generator(scores.float())
        # The gradients of all losses meet at the logits; one backward pass takes their sum through the generator.
        (gradient,) = torch.autograd.grad(loss, logits)
        values: Values = {"loss_generator": loss.detach()}
        if self._topology is not None and self._topology.active(self.step):
            gradient, more = self._topology.add(self.step, logits, gradient, fakes.rows)
            values |= more
        optimizer = self._optimizers["generator_optimizer"]
        values["gradient_generator"] = descend(optimizer, self._generator, logits, gradient)
        return values
