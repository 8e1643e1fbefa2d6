"""Augmentation of the training of masks: of what is learned, and of what the discriminator sees."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from topogan.config import AugmentationSettings
from topogan.warping import Outside, Warp, draw_grids, warped, warped_labels

# Training masks of six phantom patients, so changed and bent by 6 %, are a little farther from the nearest training
# mask than those of other patients; 1 % have another topology (Resources/Docs/model.md).
_UNBENT = Warp(shift=0.02, turn=20.0, scale=0.1)
# Karras et al., NeurIPS 2020: what the mean sign of real scores is held at, and of how many batches it is taken.
_TARGET, _BATCHES = 0.6, 4
# They let the chance rise from 0 to 1 within a fiftieth of their training; ours are some 250 times shorter.
_STEPS_FROM_0_TO_1 = 400


def varied_masks(
    labels: NDArray[np.uint8],
    structures: int,
    settings: AugmentationSettings,
    source: torch.Generator,
    device: torch.device | None = None,
    outside: Outside = "zeros",
) -> NDArray[np.uint8]:
    """Real label maps [B, H, W] or [B, D, H, W] at random changed, as more patients might be; ``device`` computes.

    What is used of the settings is ``masks`` and ``bending``.
    """
    warp = _warp(settings).times(settings.masks)
    grids = draw_grids(len(labels), labels.shape[1:], warp, source, device=device)
    return warped_labels(labels, structures, grids, outside)


class DiscriminatorAugmentation:
    """The same kind of changes of all that the discriminator sees, so that the generator need not show them.

    ``fixed`` changes everything (Zhao et al., NeurIPS 2020, "Differentiable augmentation for data-efficient GAN
    training"). ``adaptive`` makes each kind of change with a chance p that rises while the discriminator is too sure of
    real masks, and falls while it is not (Karras et al., NeurIPS 2020, "Training generative adversarial networks with
    limited data").

    Args:
        settings: ``discriminator`` and ``bending`` are used.
        source: of the changes.
        outside: what is seen beyond the edges.
    """

    def __init__(self, settings: AugmentationSettings, source: torch.Generator, outside: Outside = "zeros") -> None:
        self._source, self._outside, self._adaptive = source, outside, settings.discriminator == "adaptive"
        self._warp = _warp(settings)
        self.chance = 1.0 if settings.discriminator == "fixed" else 0.0
        self._signs: list[float] = []

    def __call__(self, images: Tensor) -> Tensor:
        """Change images [B, C, H, W] (or volumes) in [-1, 1], differentiably; nothing is drawn at a chance of 0."""
        if self.chance == 0.0:
            return images
        shape = images.shape[2:]
        grids = draw_grids(len(images), shape, self._warp, self._source, self.chance, images.device)
        # As probabilities, so that zeros from outside are background.
        return warped(images + 1, grids, self._outside) - 1

    def adapt(self, real_scores: Tensor) -> None:
        """Take the discriminator's scores [B] of a batch of real masks, as it has seen them."""
        if not self._adaptive:
            return
        self._signs.append(float(real_scores.detach().sign().mean()))
        if len(self._signs) == _BATCHES:
            step = _BATCHES / _STEPS_FROM_0_TO_1 * float(np.sign(sum(self._signs) / _BATCHES - _TARGET))
            self.chance = min(1.0, max(0.0, self.chance + step))
            self._signs = []

    def state_dict(self) -> dict[str, Any]:
        """What :meth:`load_state_dict` needs to go on exactly."""
        return {"chance": self.chance, "signs": list(self._signs)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state_dict` gave."""
        self.chance = float(state["chance"])
        self._signs = [float(sign) for sign in state["signs"]]


def _warp(settings: AugmentationSettings) -> Warp:
    return replace(_UNBENT, deformation=settings.bending)
