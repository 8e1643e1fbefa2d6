"""Training of pix2pix: labels, slice level and noise -> CT texture."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from topogan.config import TrainSettings
from topogan.device import mixed_precision
from topogan.networks import (
    intensities_to_network,
    make_texture_discriminator,
    make_texture_generator,
    texture_condition,
    texture_noise_channels,
)
from topogan.randomness import BatchSampler, seeded, stream, torch_stream
from topogan.runs.previews import contact_sheet, in_colors, middle_planes
from topogan.training.exact_state import ExactState, pack_networks, restore_networks
from topogan.training.objectives import LAZY_STEPS, OBJECTIVES, r1_penalty
from topogan.training.optimization import Values, descend, make_optimizers
from topogan.training_set import TrainingSet

# Isola et al. use (0.5, 0.999), and halve the discriminator's loss to slow it down against the generator.
_BETAS = (0.5, 0.999)
_OBJECTIVE = OBJECTIVES["nonsaturating"]
_DISCRIMINATOR_SHARE = 0.5
_PREVIEW_ROWS = 8


def blank_texture_networks(settings: TrainSettings, structures: int, axes: int) -> dict[str, nn.Module]:
    """Make an untrained generator and discriminator for so many structures, of slices (``axes`` = 2) or volumes (3)."""
    levels = settings.tells_level(structures, axes)
    return {
        "generator": make_texture_generator(settings.textures, structures, levels, axes),
        "discriminator": make_texture_discriminator(settings.textures, structures, levels, axes),
    }


class TextureTrainer:
    """One step at a time; :attr:`exact` holds all that changes.

    Args:
        training_set: its training rows, with images, are learned.
        settings: ``textures``, ``condition`` and ``seed`` are used.
        device: where the networks are.
        start: weights to go on from (fine-tuning), on the CPU.
    """

    name = "textures"

    def __init__(
        self,
        training_set: TrainingSet,
        settings: TrainSettings,
        device: torch.device,
        start: dict[str, nn.Module] | None = None,
    ) -> None:
        self._settings, self._device, seed = settings.textures, device, settings.seed
        self.step, self.total = 0, self._settings.steps
        assert training_set.images is not None and training_set.window is not None
        self._images, self._window = training_set.images, training_set.window
        self._set, self._rows = training_set, training_set.train
        structures, axes = len(training_set.table), training_set.axes
        self._tell_level = settings.tells_level(structures, axes)
        blank = seeded(lambda: blank_texture_networks(settings, structures, axes), seed, "textures: weights")
        placed = {key: _channels_last(part.to(device)) for key, part in blank.items()}
        if start is not None:
            restore_networks(placed, pack_networks(start))
        self._generator, self._discriminator = placed["generator"], placed["discriminator"]
        rate = self._settings.learning_rate
        self._optimizers = make_optimizers(self._generator, self._discriminator, rate, _BETAS)
        self._random = torch_stream(seed, "textures: noise")
        self._sampler = BatchSampler(len(self._rows), self._settings.batch, stream(seed, "textures: batches"))
        shown = training_set.validation_or_train
        self._shown = shown[np.linspace(0, len(shown) - 1, _PREVIEW_ROWS).astype(int)]
        self._preview_noise = self._noise(_PREVIEW_ROWS, torch_stream(seed, "textures: previews"))

    def train_step(self) -> Values:
        """Update the discriminator and then the generator once, on the same pairs; return what is worth a curve."""
        self._set_rates()
        condition, image = self._pairs(self._rows[self._sampler.next()])
        with mixed_precision(self._device):
            repeated = torch.cat([condition] * self._settings.draws)
            fake = self._generator(repeated, self._noise(len(repeated), self._random)).float()
            real_pair, fake_pair = torch.cat([condition, image], 1), torch.cat([repeated, fake], 1)
        values = self._update_discriminator(real_pair, fake_pair.detach())
        values |= self._update_generator(fake_pair, self._difference(fake, image))
        self.step += 1
        return values

    def networks(self) -> dict[str, nn.Module]:
        """The networks worth keeping."""
        return {"generator": self._generator, "discriminator": self._discriminator}

    @property
    def exact(self) -> ExactState:
        """Everything that changes while training."""
        return ExactState(self.networks(), self._optimizers, {"noise": self._random}, {"batches": self._sampler})

    def preview(self) -> tuple[np.ndarray, dict[str, float]]:
        """Paint eight masks (of validation where there are any), always with the same noise.

        Returns:
            Labels (in the colors of several structures), painted and real as a contact sheet in [0, 1], of volumes the
            three middle planes; and the mean absolute difference of painted and real in the training set's own unit
            (HU for CT).
        """
        condition, image = self._pairs(self._shown)
        with torch.no_grad():
            fake = self._generator(condition, self._preview_noise)
        low, high = self._window
        error = float((fake - image).abs().mean()) * (high - low) / 2
        known = (condition[:, : len(self._set.table)] > 0).float()
        columns = 6 if self._set.axes == 2 else 3
        return contact_sheet(self._beside(known, fake, image), columns), {"quick_absolute_error": error}

    def _beside(self, known: Tensor, *images: Tensor) -> np.ndarray:
        """Pictures of each mask [N, K, (D,) H, W] and, after it, of its images [N, 1, (D,) H, W] in [-1, 1]."""
        colors = [structure.color for structure in self._set.table.structures]
        labels = in_colors(middle_planes(known.cpu().numpy()), colors)
        grey = [(middle_planes(image.cpu().numpy())[:, 0] + 1) / 2 for image in images]
        if labels.ndim == 4:
            grey = [np.repeat(image[..., None], 3, axis=-1) for image in grey]
        return np.stack([labels, *grey], axis=1).reshape(-1, *labels.shape[1:])

    def _pairs(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        levels = self._set.levels[rows] if self._tell_level else None
        condition = texture_condition(self._set.masks[rows], len(self._set.table), levels)
        image = intensities_to_network(self._images[rows], self._window)
        return condition.to(self._device), image.to(self._device)

    def _noise(self, count: int, generator: torch.Generator) -> Tensor:
        shape = count, texture_noise_channels(self._settings, self._set.axes), *(self._set.size,) * self._set.axes
        return torch.randn(shape, generator=generator).to(self._device)

    def _set_rates(self) -> None:
        """Let the learning rate fall to 0 at the end, as pix2pix does, or intensities stray to the last step."""
        left = 1.0 - self.step / self.total
        rate = self._settings.learning_rate * min(1.0, left / max(self._settings.decay, 1.0 / self.total))
        for optimizer in self._optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate

    def _difference(self, fake: Tensor, image: Tensor) -> Tensor:
        """How far the textures of a mask are from the real one.

        The absolute difference of one texture is least where no pixel has noise. Of two textures on the same mask, by
        noise of their own, the energy score ½(|f₁ − r| + |f₂ − r| − |f₁ − f₂|) is least in expectation where their
        distribution is that of the real ones, noise and all (Gneiting & Raftery, JASA 2007: strictly proper). Pixel by
        pixel it knows nothing of neighbors, and woven patterns with the right histogram cost nothing; so the
        differences of neighboring pixels along each axis are scored beside the pixels.

        Args:
            fake: [draws·B, 1, (D,) H, W], the first draws of all masks first.
            image: [B, 1, (D,) H, W].
        """
        if self._settings.draws == 1:
            return (fake - image).abs().mean()
        first, second = fake.chunk(2)
        found = _energy_score(first, second, image)
        for axis in range(2, image.ndim):
            found = found + _energy_score(*(shown.diff(dim=axis) for shown in (first, second, image)))
        return found

    def _update_discriminator(self, real_pair: Tensor, fake_pair: Tensor) -> Values:
        with mixed_precision(self._device):
            real, fake = self._discriminator(real_pair).float(), self._discriminator(fake_pair).float()
        loss = _OBJECTIVE.discriminator(real, fake)
        values: Values = {"loss_discriminator": loss.detach()}
        loss = _DISCRIMINATOR_SHARE * loss
        if self._settings.gradient_penalty and self.step % LAZY_STEPS == 0:
            penalty = r1_penalty(lambda pair: self._discriminator(pair).flatten(1).mean(1), real_pair)
            loss = loss + self._settings.gradient_penalty / 2 * LAZY_STEPS * penalty
            values["penalty"] = penalty.detach()
        values["gradient_discriminator"] = descend(
            self._optimizers["discriminator_optimizer"], self._discriminator, loss
        )
        return values

    def _update_generator(self, fake_pair: Tensor, difference: Tensor) -> Values:
        with mixed_precision(self._device):
            scores = self._discriminator(fake_pair)
        adversarial = _OBJECTIVE.generator(scores.float())
        loss = adversarial + self._settings.l1_weight * difference
        norm = descend(self._optimizers["generator_optimizer"], self._generator, loss)
        return {
            "loss_generator": adversarial.detach(),
            "difference": difference.detach(),
            "gradient_generator": norm,
        }


def _channels_last(network: nn.Module) -> nn.Module:
    """Lay the weights over three axes out with the channels last: on a CPU a step takes a fifth less time."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv3d | nn.ConvTranspose3d):
            layer.weight.data = layer.weight.data.contiguous(memory_format=torch.channels_last_3d)
    return network


def _energy_score(first: Tensor, second: Tensor, real: Tensor) -> Tensor:
    return ((first - real).abs() + (second - real).abs() - (first - second).abs()).mean() / 2
