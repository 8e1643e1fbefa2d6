"""The mask generator and its discriminator, in the families of :data:`MASK_NETWORKS`.

``dcgan`` (Radford et al., ICLR 2016, arXiv:1511.06434) is the fast one: plain convolutions, batch normalization in the
generator only. Where the paper has transposed convolutions, this has bilinear upsampling and a convolution: of rings
of 64 pixels, 58 to 80 % had the right topology after 240 steps, with nearest-neighbor upsampling 58 to 61 %, with
transposed convolutions none (three seeds, width 8; a step costs a third more). ``resnet`` (Gulrajani et al., NeurIPS
2017, arXiv:1704.00028) has residual blocks: a step costs three times as much and teaches more.
Neither discriminator is normalized: gradient penalties are defined for each sample, batch normalization mixes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from topogan.config import MaskSettings
from topogan.errors import lookup

# Channels double towards the coarse end, up to this many times the width (Radford et al. have 64 to 512).
_MAX_WIDENING = 8
_COARSEST = 4
_SLOPE = 0.2
_DEVIATION = 0.02

Factory = Callable[[MaskSettings, int, int, bool], nn.Module]


@dataclass(frozen=True)
class MaskNetworks:
    """A family: each makes an untrained network of the settings, the width and height of a mask in pixels, the number
    K of structures, and whether it is told the slice level."""

    generator: Factory
    """Its module maps z float32 [B, latent], standard normal, to one logit a structure, float32 [B, K, size, size]
    (see :mod:`topogan.networks.labels`). With levels z has one more number: 2·level - 1."""
    discriminator: Factory
    """Its module maps masks float32 [B, K, size, size] in [-1, 1] (1 is the structure) to one logit a mask [B]; higher
    is more real. With levels there is one more channel: 2·level - 1 everywhere."""


def make_mask_generator(settings: MaskSettings, size: int, structures: int = 1, levels: bool = False) -> nn.Module:
    """Make an untrained generator of the family ``settings.backbone`` (see :class:`MaskNetworks`).

    Args:
        settings: which family, how wide.
        size: width and height of a mask in pixels.
        structures: K, how many logits it gives.
        levels: whether it is told the slice level.

    Raises:
        InputError: there is no such family.
        ValueError: the families here make masks of a power of two from 16 pixels up.
    """
    return lookup(MASK_NETWORKS, settings.backbone, "masks.backbone").generator(settings, size, structures, levels)


def make_mask_discriminator(settings: MaskSettings, size: int, structures: int = 1, levels: bool = False) -> nn.Module:
    """Make an untrained discriminator, as :func:`make_mask_generator` does."""
    return lookup(MASK_NETWORKS, settings.backbone, "masks.backbone").discriminator(settings, size, structures, levels)


def _generator(
    family: Callable[[int, list[int], int], nn.Module], settings: MaskSettings, size: int, structures: int, levels: bool
) -> nn.Module:
    generator = family(settings.latent + levels, _channels(settings.width, size), structures)
    layers = [layer for layer in generator.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    for layer in layers[:-1]:
        nn.init.normal_(layer.weight, std=_DEVIATION)  # Radford et al.
    # Not so in the last layer: weights as small all turn negative in the first steps, when the discriminator wants
    # less structure, and then nothing above the bias can come out again.
    _zero_bias(layers[-1])
    return generator


def _discriminator(
    family: Callable[[int, list[int]], nn.Module], settings: MaskSettings, size: int, structures: int, levels: bool
) -> nn.Module:
    discriminator = family(structures + levels, _channels(settings.width, size))
    # Without normalization the scale of the first weights decides how fast a discriminator learns: with PyTorch's
    # default each layer shrinks its input, and 900 steps gave 8 % valid rings where these weights gave 66 %.
    for layer in discriminator.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, _SLOPE)
            _zero_bias(layer)
    return discriminator


def _zero_bias(layer: nn.Linear | nn.Conv2d) -> None:
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


def _channels(width: int, size: int) -> list[int]:
    """Channels of each resolution from ``size / 2`` down to 4 pixels, finest first."""
    stages = size.bit_length() - _COARSEST.bit_length()
    if size != _COARSEST << stages or stages < 2:
        raise ValueError(f"The size of a mask must be a power of two from 16 up, not {size}.")
    return [width * min(2**stage, _MAX_WIDENING) for stage in range(stages)]


def _doubling() -> nn.Module:
    return nn.Upsample(scale_factor=2, mode="bilinear")


class _DcganGenerator(nn.Sequential):
    def __init__(self, latent: int, channels: list[int], structures: int) -> None:
        layers: list[nn.Module] = [_Seed(latent, channels[-1]), nn.BatchNorm2d(channels[-1]), nn.ReLU()]
        for wide, narrow in pairwise(reversed(channels)):
            layers += [_doubling(), nn.Conv2d(wide, narrow, 3, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(narrow), nn.ReLU()]
        super().__init__(*layers, _doubling(), nn.Conv2d(channels[0], structures, 3, padding=1))


class _DcganDiscriminator(nn.Sequential):
    def __init__(self, inputs: int, channels: list[int]) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise([inputs, *channels]):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(_SLOPE)]
        super().__init__(*layers, _ScoreHead(channels[-1]))


class _ResnetGenerator(nn.Sequential):
    def __init__(self, latent: int, channels: list[int], structures: int) -> None:
        blocks = [_UpBlock(before, after) for before, after in pairwise([*reversed(channels), channels[0]])]
        head = [nn.BatchNorm2d(channels[0]), nn.ReLU(), nn.Conv2d(channels[0], structures, 3, padding=1)]
        super().__init__(_Seed(latent, channels[-1]), *blocks, *head)


class _ResnetDiscriminator(nn.Sequential):
    def __init__(self, inputs: int, channels: list[int]) -> None:
        # The first halving is one convolution: blocks at full resolution would cost more than all others together.
        blocks = [_DownBlock(before, after) for before, after in pairwise(channels)]
        stem = nn.Conv2d(inputs, channels[0], 4, 2, 1)
        super().__init__(stem, *blocks, nn.LeakyReLU(_SLOPE), _ScoreHead(channels[-1]))


class _Seed(nn.Linear):
    """z [B, latent] -> the coarsest feature map [B, channels, 4, 4]."""

    def __init__(self, latent: int, channels: int) -> None:
        super().__init__(latent, channels * _COARSEST**2, bias=False)

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z).reshape(len(z), -1, _COARSEST, _COARSEST)


class _ScoreHead(nn.Linear):
    """The coarsest feature map [B, channels, 4, 4] -> one logit a mask [B]."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels * _COARSEST**2, 1)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features.flatten(1)).squeeze(1)


class _UpBlock(nn.Module):
    """Residual block that doubles the resolution."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(before), nn.BatchNorm2d(after)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.skip = nn.Conv2d(before, after, 1)
        self.doubled = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, features: Tensor) -> Tensor:
        deep = self.conv1(self.doubled(torch.relu(self.norm1(features))))
        deep = self.conv2(torch.relu(self.norm2(deep)))
        total: Tensor = deep + self.doubled(self.skip(features))
        return total


class _DownBlock(nn.Module):
    """Residual block that halves the resolution."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, padding=1)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1)
        self.skip = nn.Conv2d(before, after, 1)

    def forward(self, features: Tensor) -> Tensor:
        deep = self.conv1(functional.leaky_relu(features, _SLOPE))
        deep = functional.avg_pool2d(self.conv2(functional.leaky_relu(deep, _SLOPE)), 2)
        total: Tensor = deep + self.skip(functional.avg_pool2d(features, 2))
        return total


MASK_NETWORKS: dict[str, MaskNetworks] = {
    "dcgan": MaskNetworks(partial(_generator, _DcganGenerator), partial(_discriminator, _DcganDiscriminator)),
    "resnet": MaskNetworks(partial(_generator, _ResnetGenerator), partial(_discriminator, _ResnetDiscriminator)),
}
"""What ``masks.backbone`` can name."""
