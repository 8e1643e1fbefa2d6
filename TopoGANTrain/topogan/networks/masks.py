"""The mask generator and its discriminator, in the families of :data:`MASK_NETWORKS`.

``dcgan`` (Radford et al., ICLR 2016, arXiv:1511.06434) is the fast one: plain convolutions, batch normalization in the
generator only. Where the paper has transposed convolutions, this has bilinear upsampling and a convolution: of rings
of 64 pixels, 58 to 80 % had the right topology after 240 steps, with nearest-neighbor upsampling 58 to 61 %, with
transposed convolutions none (three seeds, width 8; a step costs a third more). ``resnet`` (Gulrajani et al., NeurIPS
2017, arXiv:1704.00028) has residual blocks: a step costs three times as much and teaches more.
Both make and judge images and volumes, with layers of two or three dimensions (:mod:`topogan.networks.layers`).
Neither discriminator is normalized: gradient penalties are defined for each sample, batch normalization mixes them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from topogan.config import MaskSettings
from topogan.errors import lookup
from topogan.networks.layers import Layers

# Channels double towards the coarse end, up to this many times the width (Radford et al. have 64 to 512).
_MAX_WIDENING = 8
# Pixels of the coarsest feature map along an axis; of sizes that are 3 times a power of two, the other.
_COARSEST, _COARSEST_OF_THREE = 4, 6
_SLOPE = 0.2
_DEVIATION = 0.02

Factory = Callable[[MaskSettings, int, int, bool, int], nn.Module]


@dataclass(frozen=True)
class MaskNetworks:
    """A family: each makes an untrained network of the settings, the width and height (and depth) of a mask in pixels,
    the number K of structures, whether it is told the slice level, and 2 for images or 3 for volumes."""

    generator: Factory
    """Its module maps z float32 [B, latent], standard normal, to one logit a structure, float32 [B, K, size, size] or
    [B, K, size, size, size] (see :mod:`topogan.networks.labels`). With levels z has one more number: 2·level - 1."""
    discriminator: Factory
    """Its module maps masks, float32 of that shape in [-1, 1] (1 is the structure) to one logit a mask [B]; higher
    is more real. With levels there is one more channel: 2·level - 1 everywhere."""


def make_mask_generator(
    settings: MaskSettings, size: int, structures: int = 1, levels: bool = False, axes: int = 2
) -> nn.Module:
    """Make an untrained generator of the family ``settings.backbone`` (see :class:`MaskNetworks`).

    Args:
        settings: which family, how wide.
        size: width and height (and depth) of a mask in pixels.
        structures: K, how many logits it gives.
        levels: whether it is told the slice level.
        axes: 2 for images, 3 for volumes.

    Raises:
        InputError: there is no such family.
        ValueError: the families here make masks of a power of two from 16 pixels up, or of three times one from 24.
    """
    family = lookup(MASK_NETWORKS, settings.backbone, "masks.backbone")
    return family.generator(settings, size, structures, levels, axes)


def make_mask_discriminator(
    settings: MaskSettings, size: int, structures: int = 1, levels: bool = False, axes: int = 2
) -> nn.Module:
    """Make an untrained discriminator, as :func:`make_mask_generator` does."""
    family = lookup(MASK_NETWORKS, settings.backbone, "masks.backbone")
    return family.discriminator(settings, size, structures, levels, axes)


@dataclass(frozen=True)
class _Pyramid:
    """What both networks of a family share: feature maps of halved size and doubled channels."""

    layers: Layers
    channels: list[int]
    """Of each resolution from half the mask's down to the coarsest, finest first."""
    coarsest: int
    """Pixels of the coarsest along an axis."""

    @classmethod
    def of(cls, width: int, size: int, axes: int) -> _Pyramid:
        coarsest = _COARSEST_OF_THREE if size % 3 == 0 else _COARSEST
        stages = (size // coarsest).bit_length() - 1
        if size != coarsest << stages or stages < 2:
            raise ValueError(f"The size of a mask must be a power of two from 16 up or 3 times one, not {size}.")
        channels = [width * min(2**stage, _MAX_WIDENING) for stage in range(stages)]
        return cls(Layers(axes), channels, coarsest)


def _generator(
    family: Callable[[_Pyramid, int, int], nn.Module],
    settings: MaskSettings,
    size: int,
    structures: int,
    levels: bool,
    axes: int,
) -> nn.Module:
    generator = family(_Pyramid.of(settings.width, size, axes), settings.latent + levels, structures)
    layers = [layer for layer in generator.modules() if isinstance(layer, nn.Linear | nn.Conv2d | nn.Conv3d)]
    for layer in layers[:-1]:
        nn.init.normal_(layer.weight, std=_DEVIATION)  # Radford et al.
    # Not so in the last layer: weights as small all turn negative in the first steps, when the discriminator wants
    # less structure, and then nothing above the bias can come out again.
    _zero_bias(layers[-1])
    return generator


def _discriminator(
    family: Callable[[_Pyramid, int], nn.Module],
    settings: MaskSettings,
    size: int,
    structures: int,
    levels: bool,
    axes: int,
) -> nn.Module:
    discriminator = family(_Pyramid.of(settings.width, size, axes), structures + levels)
    # Without normalization the scale of the first weights decides how fast a discriminator learns: with PyTorch's
    # default each layer shrinks its input, and 900 steps gave 8 % valid rings where these weights gave 66 %.
    for layer in discriminator.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.Conv3d):
            nn.init.kaiming_normal_(layer.weight, _SLOPE)
            _zero_bias(layer)
    return discriminator


def _zero_bias(layer: nn.Linear | nn.Conv2d | nn.Conv3d) -> None:
    assert layer.bias is not None
    nn.init.zeros_(layer.bias)


class _DcganGenerator(nn.Sequential):
    def __init__(self, pyramid: _Pyramid, latent: int, structures: int) -> None:
        of, channels = pyramid.layers, pyramid.channels
        layers: list[nn.Module] = [_Seed(pyramid, latent), of.norm(channels[-1]), nn.ReLU()]
        for wide, narrow in pairwise(reversed(channels)):
            layers += [of.doubling(), of.conv(wide, narrow, 3, padding=1, bias=False)]
            layers += [of.norm(narrow), nn.ReLU()]
        super().__init__(*layers, of.doubling(), of.conv(channels[0], structures, 3, padding=1))


class _DcganDiscriminator(nn.Sequential):
    def __init__(self, pyramid: _Pyramid, inputs: int) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise([inputs, *pyramid.channels]):
            layers += [pyramid.layers.conv(before, after, 4, 2, 1), nn.LeakyReLU(_SLOPE)]
        super().__init__(*layers, _ScoreHead(pyramid))


class _ResnetGenerator(nn.Sequential):
    def __init__(self, pyramid: _Pyramid, latent: int, structures: int) -> None:
        of, channels = pyramid.layers, pyramid.channels
        blocks = [_UpBlock(of, before, after) for before, after in pairwise([*reversed(channels), channels[0]])]
        head = [of.norm(channels[0]), nn.ReLU(), of.conv(channels[0], structures, 3, padding=1)]
        super().__init__(_Seed(pyramid, latent), *blocks, *head)


class _ResnetDiscriminator(nn.Sequential):
    def __init__(self, pyramid: _Pyramid, inputs: int) -> None:
        # The first halving is one convolution: blocks at full resolution would cost more than all others together.
        blocks = [_DownBlock(pyramid.layers, before, after) for before, after in pairwise(pyramid.channels)]
        stem = pyramid.layers.conv(inputs, pyramid.channels[0], 4, 2, 1)
        super().__init__(stem, *blocks, nn.LeakyReLU(_SLOPE), _ScoreHead(pyramid))


class _Seed(nn.Linear):
    """z [B, latent] -> the coarsest feature map, [B, channels, 4, 4] of images of a power of two."""

    def __init__(self, pyramid: _Pyramid, latent: int) -> None:
        self._shape = (pyramid.coarsest,) * pyramid.layers.axes
        super().__init__(latent, pyramid.channels[-1] * math.prod(self._shape), bias=False)

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z).reshape(len(z), -1, *self._shape)


class _ScoreHead(nn.Linear):
    """The coarsest feature map -> one logit a mask [B]."""

    def __init__(self, pyramid: _Pyramid) -> None:
        super().__init__(pyramid.channels[-1] * pyramid.coarsest**pyramid.layers.axes, 1)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features.flatten(1)).squeeze(1)


class _UpBlock(nn.Module):
    """Residual block that doubles the resolution."""

    def __init__(self, of: Layers, before: int, after: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = of.norm(before), of.norm(after)
        self.conv1 = of.conv(before, after, 3, padding=1, bias=False)
        self.conv2 = of.conv(after, after, 3, padding=1)
        self.skip = of.conv(before, after, 1)
        self.doubled = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, features: Tensor) -> Tensor:
        deep = self.conv1(self.doubled(torch.relu(self.norm1(features))))
        deep = self.conv2(torch.relu(self.norm2(deep)))
        total: Tensor = deep + self.doubled(self.skip(features))
        return total


class _DownBlock(nn.Module):
    """Residual block that halves the resolution."""

    def __init__(self, of: Layers, before: int, after: int) -> None:
        super().__init__()
        self.conv1 = of.conv(before, after, 3, padding=1)
        self.conv2 = of.conv(after, after, 3, padding=1)
        self.skip = of.conv(before, after, 1)
        self.halved = of.halving()

    def forward(self, features: Tensor) -> Tensor:
        deep = self.conv1(functional.leaky_relu(features, _SLOPE))
        deep = self.halved(self.conv2(functional.leaky_relu(deep, _SLOPE)))
        total: Tensor = deep + self.skip(self.halved(features))
        return total


MASK_NETWORKS: dict[str, MaskNetworks] = {
    "dcgan": MaskNetworks(partial(_generator, _DcganGenerator), partial(_discriminator, _DcganDiscriminator)),
    "resnet": MaskNetworks(partial(_generator, _ResnetGenerator), partial(_discriminator, _ResnetDiscriminator)),
}
"""What ``masks.backbone`` can name."""
