"""What a segmentation network sees instead of the slices themselves: moved, bent, and imaged a little differently."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from topogan.warping import Warp, draw_grids, warped, warped_labels

# Ranges and probabilities of nnU-Net v2 (Isensee et al., Nature Methods 2021, and its default trainer), with three
# differences. Turns end at 30°, and nothing is mirrored, as slices are cut along axes of the anatomy. Smooth
# deformation and shifts, which nnU-Net has left out or makes by its random patches, are made here. And each change of
# place happens to every second slice, not every fifth: a network of few steps sees each slice only a few dozen times.
WARP = Warp(shift=0.1, turn=30.0, scale=math.log(1.4), deformation=0.04)
_WARPED = 0.5
_NOISED, _MOST_VARIANCE = 0.1, 0.1
_BLURRED, _BLUR = 0.2, (0.5, 1.0)
_BRIGHTENED, _BRIGHTNESS = 0.15, (0.75, 1.25)
_CONTRASTED, _CONTRAST = 0.15, (0.75, 1.25)
_GAMMA_CHANGED, _INVERTED, _GAMMA = 0.3, 0.1, (0.7, 1.5)
_BLUR_PIXELS = 2


def augmented(images: Tensor, masks: Tensor, structures: int, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Change each slice at random, in place and shape together with its mask, and its intensities.

    Args:
        images: float [B, 1, H, W] in −1..1.
        masks: float [B, 1, H, W]: label ids, 0 to ``structures``.
        structures: number of labels.
        generator: source of the changes.
    """
    grids = draw_grids(len(images), images.shape[2:], WARP, generator, _WARPED)
    labels = warped_labels(masks[:, 0].to(torch.uint8).cpu().numpy(), structures, grids)
    changed = _intensities_changed(warped(images, grids, outside="border"), generator)
    return changed, torch.from_numpy(labels)[:, None].to(masks)


def _intensities_changed(images: Tensor, generator: np.random.Generator) -> Tensor:
    """Noise, blur, brightness, contrast and gamma, in the order of nnU-Net."""
    count = len(images)

    def draw(chance: float, low: float, high: float, usual: float) -> Tensor:
        """A value for each image, ``usual`` where nothing shall change: [B, 1, 1, 1]."""
        happens, values = generator.random(count) < chance, generator.uniform(low, high, count)
        return torch.from_numpy(np.where(happens, values, usual)).to(images)[:, None, None, None]

    # The numbers of nnU-Net are for images of standard deviation 1.
    spread = images.std(dim=(1, 2, 3), keepdim=True)
    noise = torch.from_numpy(generator.standard_normal(tuple(images.shape), dtype=np.float32)).to(images)
    images = images + noise * spread * draw(_NOISED, 0.0, _MOST_VARIANCE, 0.0).sqrt()
    images = _blurred(images, draw(_BLURRED, *_BLUR, 0.0))
    images = images * draw(_BRIGHTENED, *_BRIGHTNESS, 1.0)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    images = mean + (images - mean) * draw(_CONTRASTED, *_CONTRAST, 1.0)
    images = -_gamma_changed(-images, draw(_INVERTED, *_GAMMA, 1.0))
    return _gamma_changed(images, draw(_GAMMA_CHANGED, *_GAMMA, 1.0))


def _blurred(images: Tensor, sigmas: Tensor) -> Tensor:
    """Gaussian blur, each image [B, 1, H, W] with its own σ in pixels [B, 1, 1, 1]; 0 leaves it as it is."""
    at = torch.arange(-_BLUR_PIXELS, _BLUR_PIXELS + 1).to(images)
    weights = torch.exp(-0.5 * (at / sigmas.clamp(min=0.01).flatten()[:, None]) ** 2)
    weights = weights / weights.sum(1, keepdim=True)
    # One group of channels for each image.
    row = pad(images.transpose(0, 1), (_BLUR_PIXELS,) * 4, mode="replicate")
    row = conv2d(row, weights[:, None, None, :], groups=len(images))
    return conv2d(row, weights[:, None, :, None], groups=len(images)).transpose(0, 1)


def _gamma_changed(images: Tensor, gammas: Tensor) -> Tensor:
    """Raise each image's range, as 0 to 1, to a power, and keep its mean and standard deviation, as nnU-Net does."""
    low = images.amin(dim=(1, 2, 3), keepdim=True)
    extent = (images.amax(dim=(1, 2, 3), keepdim=True) - low).clamp(min=1e-6)
    raised = ((images - low) / extent).clamp(0.0, 1.0) ** gammas * extent + low
    mean, spread = images.mean(dim=(1, 2, 3), keepdim=True), images.std(dim=(1, 2, 3), keepdim=True)
    centered = raised - raised.mean(dim=(1, 2, 3), keepdim=True)
    return centered / raised.std(dim=(1, 2, 3), keepdim=True).clamp(min=1e-6) * spread + mean
