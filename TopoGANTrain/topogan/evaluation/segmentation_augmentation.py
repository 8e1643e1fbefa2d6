"""What a segmentation network sees instead of the slices themselves: moved, bent, and imaged a little differently."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from topogan.warping import Outside, Warp, draw_grids, warped, warped_labels

_WARP = Warp(shift=0.1, turn=30.0, scale=math.log(1.4), deformation=0.04)
_MOST_VARIANCE = 0.1
_BLUR, _BLUR_PIXELS = (0.5, 1.0), 2
_BRIGHTNESS, _CONTRAST, _GAMMA = (0.75, 1.25), (0.75, 1.25), (0.7, 1.5)


@dataclass(frozen=True)
class Augmentation:
    """How much is changed, and with what chance each kind of change happens to a slice.

    Ranges and chances are those of nnU-Net v2 (Isensee et al., Nature Methods 2021, and its default trainer), with
    two differences. Turns end at 30° and nothing is mirrored, as slices are cut along axes of the anatomy. And shifts,
    which nnU-Net makes by its random patches, and smooth deformation, which version 2 has left out, are made here.
    """

    warp: Warp = _WARP
    warped: float = 0.2
    noised: float = 0.1
    blurred: float = 0.2
    brightened: float = 0.15
    contrasted: float = 0.15
    gamma_changed: float = 0.3
    gamma_changed_inverted: float = 0.1
    outside: Outside = "zeros"
    """What masks show beyond their edges; images show there what lies at the edge."""


def augmented(
    images: Tensor, masks: Tensor, structures: int, generator: np.random.Generator, how: Augmentation
) -> tuple[Tensor, Tensor]:
    """Change each slice at random, in place and shape together with its mask, and its intensities.

    Args:
        images: float [B, 1, H, W] in −1..1.
        masks: float [B, 1, H, W]: label ids, 0 to ``structures``.
        structures: number of labels.
        generator: source of the changes.
        how: what is changed.
    """
    grids = draw_grids(len(images), images.shape[2:], how.warp, generator, how.warped)
    labels = warped_labels(masks[:, 0].to(torch.uint8).cpu().numpy(), structures, grids, how.outside)
    changed = _intensities_changed(warped(images, grids, outside="border"), generator, how)
    return changed, torch.from_numpy(labels)[:, None].to(masks)


def _intensities_changed(images: Tensor, generator: np.random.Generator, how: Augmentation) -> Tensor:
    """Noise, blur, brightness, contrast and gamma, in the order of nnU-Net."""
    count = len(images)

    def draw(chance: float, low: float, high: float, usual: float) -> Tensor:
        """A value for each image, ``usual`` where nothing shall change: [B, 1, 1, 1]."""
        happens, values = generator.random(count) < chance, generator.uniform(low, high, count)
        return torch.from_numpy(np.where(happens, values, usual)).to(images)[:, None, None, None]

    # The numbers of nnU-Net are for images of standard deviation 1.
    spread = images.std(dim=(1, 2, 3), keepdim=True)
    noise = torch.from_numpy(generator.standard_normal(tuple(images.shape), dtype=np.float32)).to(images)
    images = images + noise * spread * draw(how.noised, 0.0, _MOST_VARIANCE, 0.0).sqrt()
    images = _blurred(images, draw(how.blurred, *_BLUR, 0.0))
    images = images * draw(how.brightened, *_BRIGHTNESS, 1.0)
    mean = images.mean(dim=(1, 2, 3), keepdim=True)
    images = mean + (images - mean) * draw(how.contrasted, *_CONTRAST, 1.0)
    images = -_gamma_changed(-images, draw(how.gamma_changed_inverted, *_GAMMA, 1.0))
    return _gamma_changed(images, draw(how.gamma_changed, *_GAMMA, 1.0))


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
