"""Networks that paint CT on label maps, and the 70×70 PatchGAN that judges them (Isola et al., CVPR 2017).

Slices and volumes have the same networks, with convolutions over two or three axes.

"unet" is pix2pix's own (arXiv:1611.07004), with two departures. The noise is an input channel instead of dropout: it
comes from a seeded generator, so that the same seed gives the same texture and a resumed training the same bits. And
instance normalization takes the place of batch normalization (in the paper, with a batch of one, they are the same): a
texture does not depend on what else is painted in the same batch. "noisy" and "spade" get noise at every resolution,
which "unet" does not use, and repeat pixels instead of transposed convolutions, which leave checkerboards. "grain" is
"spade" with fine noise that has no direction, which convolutions give it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from topogan.config import TextureSettings
from topogan.errors import lookup
from topogan.networks.labels import labels_to_network, level_to_network, with_level
from topogan.networks.texture_generators import WIDENING, NoisyGenerator, SpadeGenerator, UnetGenerator

Factory = Callable[[TextureSettings, int, int], nn.Module]
"""Settings, number of channels C of the condition and number of axes (2 or 3) -> untrained network."""


@dataclass(frozen=True)
class TextureNetworks:
    """A family: each makes an untrained network of the settings, for slices [H, W] or volumes [D, H, W]."""

    generator: Factory
    """Its module maps ``condition`` float32 [B, C, (D,) H, W] (see :func:`texture_condition`) and ``noise``, standard
    normal [B, N, (D,) H, W], to intensities [B, 1, (D,) H, W] in [-1, 1] (see :func:`intensities_from_network`)."""
    discriminator: Factory
    """Its module maps cat(condition, image) float32 [B, C + 1, (D,) H, W] to logits of any shape; higher is more
    real."""
    noise: Callable[[int], int] = lambda axes: 1
    """From the number of axes to that of the noise's channels, N."""


def make_texture_generator(
    settings: TextureSettings, structures: int = 1, levels: bool = False, axes: int = 2
) -> nn.Module:
    """Make an untrained generator of the family ``settings.network`` (see :class:`TextureNetworks`).

    Args:
        settings: which family, how wide.
        structures: number of labels.
        levels: whether it is told the slice level.
        axes: 2 for slices, 3 for volumes.

    Raises:
        InputError: there is no such family.
    """
    return _family(settings).generator(settings, structures + levels, axes)


def make_texture_discriminator(
    settings: TextureSettings, structures: int = 1, levels: bool = False, axes: int = 2
) -> nn.Module:
    """Make an untrained discriminator, as :func:`make_texture_generator` does."""
    return _family(settings).discriminator(settings, structures + levels, axes)


def texture_noise_channels(settings: TextureSettings, axes: int = 2) -> int:
    """How many channels of noise the generator of ``settings`` takes."""
    return _family(settings).noise(axes)


def texture_condition(labels: np.ndarray, structures: int, levels: np.ndarray | None) -> Tensor:
    """What a texture is painted on.

    Args:
        labels: label ids [N, H, W] or [N, D, H, W].
        structures: number of labels.
        levels: place of each slice along its structures, 0 to 1: float [N]; None: the networks are not told.

    Returns:
        float32 [N, C, (D,) H, W]: one channel a label, in {-1, 1}; with levels one more, constant, in [-1, 1].
    """
    return with_level(labels_to_network(labels, structures), None if levels is None else level_to_network(levels))


def channels_behind(weights: str) -> int:
    """How many channels of an input come behind those of labels and level, from the name of its layer's weights.

    One of noise, or the image; none where grain is told how strong it shall be.
    """
    return 0 if weights.startswith("finish.strengths.") else 1


def intensities_to_network(images: np.ndarray, window: tuple[float, float]) -> Tensor:
    """Images [N, (D,) H, W] in HU (or their own unit) -> float32 [N, 1, (D,) H, W], the window on [-1, 1], clipped."""
    low, high = window
    scaled = (np.asarray(images, dtype=np.float32) - low) * (2.0 / (high - low)) - 1.0
    return torch.from_numpy(np.clip(scaled, -1.0, 1.0)).unsqueeze(1)


def intensities_from_network(images: Tensor, window: tuple[float, float]) -> np.ndarray:
    """The inverse of :func:`intensities_to_network`: [N, 1, (D,) H, W] in [-1, 1] -> int16 [N, (D,) H, W], rounded."""
    low, high = window
    values = (images.detach().squeeze(1).float().cpu().numpy() + 1.0) * ((high - low) / 2.0) + low
    return np.rint(values).astype(np.int16)


def _family(settings: TextureSettings) -> TextureNetworks:
    return lookup(TEXTURE_NETWORKS, settings.network, "textures.network")


class _PatchDiscriminator(nn.Module):
    """One logit for each overlapping patch of 70 pixels along every axis, [B, 1, (D/8 - 2,) H/8 - 2, W/8 - 2]."""

    def __init__(self, width: int, condition: int, axes: int) -> None:
        super().__init__()
        # Imported here because MONAI's import takes two seconds, which a training of masks alone need not wait for.
        from monai.networks.nets.patchgan_discriminator import PatchDiscriminator

        norm = ("INSTANCE", {"affine": True})
        self.patches = PatchDiscriminator(
            spatial_dims=axes, channels=width, in_channels=condition + 1, num_layers_d=3, norm=norm
        )

    def forward(self, pair: Tensor) -> Tensor:
        scores: Tensor = self.patches(pair)[-1]
        return scores


def _judge(settings: TextureSettings, condition: int, axes: int) -> nn.Module:
    return _PatchDiscriminator(settings.width, condition, axes)


def _painter(network: Callable[[int, int, int], nn.Module]) -> Factory:
    return lambda settings, condition, axes: network(settings.width, condition, axes)


def _noises(axes: int) -> int:
    """One for each resolution of a decoder, and one that comes last."""
    return len(WIDENING[axes]) + 1


TEXTURE_NETWORKS: dict[str, TextureNetworks] = {
    "unet": TextureNetworks(_painter(UnetGenerator), _judge),
    "noisy": TextureNetworks(_painter(NoisyGenerator), _judge, _noises),
    "spade": TextureNetworks(_painter(SpadeGenerator), _judge, _noises),
    "grain": TextureNetworks(_painter(partial(SpadeGenerator, grain=True)), _judge, _noises),
}
"""What ``textures.network`` can name."""
