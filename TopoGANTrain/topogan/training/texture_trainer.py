"""Training of pix2pix: mask and noise -> CT texture."""

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
    mask_to_network,
)
from topogan.randomness import BatchSampler, seeded, stream, torch_stream
from topogan.runs.previews import contact_sheet
from topogan.training.exact_state import ExactState, pack_networks, restore_networks
from topogan.training.objectives import OBJECTIVES
from topogan.training.optimization import Values, descend, make_optimizers
from topogan.training_set import TrainingSet

# Isola et al. use (0.5, 0.999), and halve the discriminator's loss to slow it down against the generator.
_BETAS = (0.5, 0.999)
_OBJECTIVE = OBJECTIVES["nonsaturating"]
_DISCRIMINATOR_SHARE = 0.5
_PREVIEW_ROWS = 8


def blank_texture_networks(settings: TrainSettings) -> dict[str, nn.Module]:
    """Make an untrained generator and discriminator."""
    return {
        "generator": make_texture_generator(settings.textures),
        "discriminator": make_texture_discriminator(settings.textures),
    }


class TextureTrainer:
    """One step at a time; :attr:`exact` holds all that changes.

    Args:
        training_set: its training rows, with images, are learned.
        settings: ``textures`` and ``seed`` are used.
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
        blank = seeded(lambda: blank_texture_networks(settings), seed, "textures: weights")
        placed = {key: part.to(device) for key, part in blank.items()}
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
        mask, image = self._pairs(self._rows[self._sampler.next()])
        with mixed_precision(self._device):
            fake = self._generator(mask, self._noise(len(mask), self._random)).float()
        values = self._update_discriminator(mask, image, fake.detach()) | self._update_generator(mask, image, fake)
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
            Rows of mask, painted and real as a contact sheet in [0, 1], and the mean absolute difference of painted
            and real in the training set's own unit (HU for CT).
        """
        mask, image = self._pairs(self._shown)
        with torch.no_grad():
            fake = self._generator(mask, self._preview_noise)
        low, high = self._window
        error = float((fake - image).abs().mean()) * (high - low) / 2
        rows = torch.stack([mask, fake, image], dim=1).flatten(0, 2)
        return contact_sheet((rows.cpu().numpy() + 1) / 2, columns=6), {"quick_absolute_error": error}

    def _pairs(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        mask = mask_to_network(self._set.region_masks(rows))
        image = intensities_to_network(self._images[rows], self._window)
        return mask.to(self._device), image.to(self._device)

    def _noise(self, count: int, generator: torch.Generator) -> Tensor:
        size = self._set.size
        return torch.randn(count, 1, size, size, generator=generator).to(self._device)

    def _update_discriminator(self, mask: Tensor, image: Tensor, fake: Tensor) -> Values:
        with mixed_precision(self._device):
            scores = self._discriminator(torch.cat([mask, image], 1)), self._discriminator(torch.cat([mask, fake], 1))
        loss = _OBJECTIVE.discriminator(scores[0].float(), scores[1].float())
        norm = descend(self._optimizers["discriminator_optimizer"], self._discriminator, _DISCRIMINATOR_SHARE * loss)
        return {"loss_discriminator": loss.detach(), "gradient_discriminator": norm}

    def _update_generator(self, mask: Tensor, image: Tensor, fake: Tensor) -> Values:
        with mixed_precision(self._device):
            scores = self._discriminator(torch.cat([mask, fake], 1))
        adversarial = _OBJECTIVE.generator(scores.float())
        difference = (fake - image).abs().mean()
        loss = adversarial + self._settings.l1_weight * difference
        norm = descend(self._optimizers["generator_optimizer"], self._generator, loss)
        return {
            "loss_generator": adversarial.detach(),
            "difference": difference.detach(),
            "gradient_generator": norm,
        }
