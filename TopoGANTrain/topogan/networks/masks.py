"""The mask generator and its critic, in two families.

``dcgan`` (Radford et al., ICLR 2016, arXiv:1511.06434) is the fast one: plain convolutions, batch normalization in the
generator only. Where the paper has transposed convolutions, this has bilinear upsampling and a convolution: of rings
of 64 pixels, 58 to 80 % had the right topology after 240 steps, with nearest-neighbor upsampling 58 to 61 %, with
transposed convolutions none (three seeds, width 8; a step costs a third more). ``resnet`` (Gulrajani et al., NeurIPS
2017, arXiv:1704.00028) has residual blocks: a step costs three times as much and teaches more.
Neither critic is normalized: gradient penalties are defined for each sample alone, batch normalization mixes them.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from topogan.config import Backbone, MaskSettings

# Channels double towards the coarse end, up to this many times the width (Radford et al. have 64 to 512).
_MAX_WIDENING = 8
_COARSEST = 4
_SLOPE = 0.2
_DEVIATION = 0.02


def make_mask_generator(settings: MaskSettings, size: int) -> nn.Module:
    """Make an untrained generator.

    Args:
        settings: backbone, width and latent size are used.
        size: width and height of a mask in pixels, a power of two from 16 up.

    Returns:
        A module from z float32 [B, latent], standard normal, to logits float32 [B, 1, size, size]; the grey mask is
        sigmoid(logit), the structure is where it is at least 0.5.
    """
    channels = _channels(settings.width, size)
    families = {Backbone.DCGAN: _DcganGenerator, Backbone.RESNET: _ResnetGenerator}
    generator = families[settings.backbone](settings.latent, channels)
    layers = [layer for layer in generator.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    for layer in layers[:-1]:
        nn.init.normal_(layer.weight, std=_DEVIATION)  # Radford et al.
    # Not so in the last layer: weights as small all turn negative in the first steps, when the critic wants less
    # structure, and then nothing above the bias can come out again.
    nn.init.zeros_(layers[-1].bias)
    return generator


def make_mask_critic(settings: MaskSettings, size: int) -> nn.Module:
    """Make an untrained critic.

    Returns:
        A module from masks float32 [B, 1, size, size] in [-1, 1] (1 is the structure) to one logit a mask [B];
        higher is more real.
    """
    channels = _channels(settings.width, size)
    families = {Backbone.DCGAN: _DcganCritic, Backbone.RESNET: _ResnetCritic}
    critic = families[settings.backbone](channels)
    # Without normalization the scale of the first weights decides how fast a critic learns: with PyTorch's default
    # each layer shrinks its input, and 900 steps gave 8 % valid rings where these weights gave 66 %.
    for layer in critic.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, _SLOPE)
            nn.init.zeros_(layer.bias)
    return critic


def _channels(width: int, size: int) -> list[int]:
    """Channels of each resolution from ``size / 2`` down to 4 pixels, finest first."""
    stages = size.bit_length() - _COARSEST.bit_length()
    if size != _COARSEST << stages or stages < 2:
        raise ValueError(f"The size of a mask must be a power of two from 16 up, not {size}.")
    return [width * min(2**stage, _MAX_WIDENING) for stage in range(stages)]


def _doubling() -> nn.Module:
    return nn.Upsample(scale_factor=2, mode="bilinear")


class _DcganGenerator(nn.Sequential):
    def __init__(self, latent: int, channels: list[int]) -> None:
        layers: list[nn.Module] = [_Seed(latent, channels[-1]), nn.BatchNorm2d(channels[-1]), nn.ReLU()]
        for wide, narrow in pairwise(reversed(channels)):
            layers += [_doubling(), nn.Conv2d(wide, narrow, 3, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(narrow), nn.ReLU()]
        super().__init__(*layers, _doubling(), nn.Conv2d(channels[0], 1, 3, padding=1))


class _DcganCritic(nn.Sequential):
    def __init__(self, channels: list[int]) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise([1, *channels]):
            layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(_SLOPE)]
        super().__init__(*layers, _Verdict(channels[-1]))


class _ResnetGenerator(nn.Sequential):
    def __init__(self, latent: int, channels: list[int]) -> None:
        blocks = [_UpBlock(before, after) for before, after in pairwise([*reversed(channels), channels[0]])]
        head = [nn.BatchNorm2d(channels[0]), nn.ReLU(), nn.Conv2d(channels[0], 1, 3, padding=1)]
        super().__init__(_Seed(latent, channels[-1]), *blocks, *head)


class _ResnetCritic(nn.Sequential):
    def __init__(self, channels: list[int]) -> None:
        # The first halving is one convolution: blocks at full resolution would cost more than all others together.
        blocks = [_DownBlock(before, after) for before, after in pairwise(channels)]
        stem = nn.Conv2d(1, channels[0], 4, 2, 1)
        super().__init__(stem, *blocks, nn.LeakyReLU(_SLOPE), _Verdict(channels[-1]))


class _Seed(nn.Linear):
    """z [B, latent] -> the coarsest feature map [B, channels, 4, 4]."""

    def __init__(self, latent: int, channels: int) -> None:
        super().__init__(latent, channels * _COARSEST**2, bias=False)

    def forward(self, z: Tensor) -> Tensor:
        return super().forward(z).unflatten(1, (-1, _COARSEST, _COARSEST))


class _Verdict(nn.Linear):
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
        return deep + self.doubled(self.skip(features))


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
        return deep + self.skip(functional.avg_pool2d(features, 2))
