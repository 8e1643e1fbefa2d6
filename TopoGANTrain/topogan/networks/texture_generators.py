"""The generators of textures: condition and noise -> image, for slices [H, W] or volumes [D, H, W]."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, avg_pool3d, leaky_relu

from topogan.networks.texture_layers import CONV, SLOPE, Down, Finish, GrainyFinish, NoisyUp, Spade, Up

WIDENING = {2: (1, 2, 4, 8, 8), 3: (1, 2, 4, 8)}
"""Channels of each halving, in widths, by the number of axes: five halvings leave 2×2 pixels of a 64-pixel patch, four
leave 2×2×2 voxels of a volume of 32, and divide one of 48."""
_avg_pool = {2: avg_pool2d, 3: avg_pool3d}
# Of how many of the finest resolutions grain takes the place of other noise.
_FINE = 2


class UnetGenerator(nn.Module):
    """A U-Net; H and W are multiples of 32, or D, H and W of 16."""

    def __init__(self, width: int, condition: int, axes: int) -> None:
        super().__init__()
        channels = [width * factor for factor in WIDENING[axes]]
        inputs = [condition + 1, *channels[:-1]]
        self.down = nn.ModuleList(
            # Neither the first nor the coarsest layer is normalized: the one sees the labels themselves, the other too
            # few pixels for statistics.
            Down(axes, before, after, normalize=0 < level < len(channels) - 1)
            for level, (before, after) in enumerate(zip(inputs, channels, strict=True))
        )
        skips = [0, *reversed(channels[:-1])]
        outputs = [*reversed(channels[:-1]), width]
        self.up = nn.ModuleList(
            Up(axes, before + skip, after)
            for before, skip, after in zip([channels[-1], *outputs[:-1]], skips, outputs, strict=True)
        )
        self.head = CONV[axes](width + condition + 1, 1, 3, padding=1)

    def forward(self, condition: Tensor, noise: Tensor) -> Tensor:
        inputs = torch.cat([condition, noise], dim=1)
        skips = [inputs]
        for down in self.down:
            skips.append(down(skips[-1]))
        features = skips.pop()
        for up in self.up:
            features = torch.cat([up(features), skips.pop()], dim=1)
        return torch.tanh(self.head(features))


class NoisyGenerator(nn.Module):
    """A U-Net with noise of its own at every resolution of the decoder; for sizes see :class:`UnetGenerator`.

    Karras et al., CVPR 2019 (arXiv:1812.04948): each channel learns how much noise it takes.
    """

    def __init__(self, width: int, condition: int, axes: int) -> None:
        super().__init__()
        channels = [width * factor for factor in WIDENING[axes]]
        self.down = nn.ModuleList(
            Down(axes, before, after, normalize=0 < level < len(channels) - 1)
            for level, (before, after) in enumerate(zip([condition, *channels[:-1]], channels, strict=True))
        )
        skips, outputs = [0, *reversed(channels[:-1])], [*reversed(channels[:-1]), width]
        self.up = nn.ModuleList(
            NoisyUp(axes, before + skip, after)
            for before, skip, after in zip([channels[-1], *outputs[:-1]], skips, outputs, strict=True)
        )
        self.finish = Finish(axes, width, condition)

    def forward(self, condition: Tensor, noise: Tensor) -> Tensor:
        skips = [condition]
        for down in self.down:
            skips.append(down(skips[-1]))
        features = skips.pop()
        for up, skip, own in zip(self.up, reversed(skips), _coarse_to_fine(noise, len(self.up)), strict=True):
            features = torch.cat([up(features, own), skip], dim=1)
        painted: Tensor = self.finish(features, noise)
        return painted


class SpadeGenerator(nn.Module):
    """A decoder whose normalization is told the labels at every resolution (Park et al., CVPR 2019, arXiv:1903.07291).

    Much smaller than theirs, and with noise at every resolution like :class:`NoisyGenerator`; with ``grain`` the finest
    resolutions have none but what :class:`GrainyFinish` lays on at the end.
    """

    def __init__(self, width: int, condition: int, axes: int, grain: bool = False) -> None:
        super().__init__()
        channels = [width * factor for factor in (*reversed(WIDENING[axes]), 1)]
        self.start = CONV[axes](condition, channels[0], 3, padding=1)
        steps = list(pairwise(channels))
        noisy = len(steps) - (_FINE if grain else 0)
        self.up = nn.ModuleList(
            NoisyUp(axes, before, after, Spade(axes, after, condition, width), noise=level < noisy)
            for level, (before, after) in enumerate(steps)
        )
        self.finish = GrainyFinish(axes, width, condition) if grain else Finish(axes, width, condition)

    def forward(self, condition: Tensor, noise: Tensor) -> Tensor:
        sizes = [condition]
        halved = _avg_pool[condition.ndim - 2]
        for _ in self.up:
            sizes.append(halved(sizes[-1], 2))
        features = leaky_relu(self.start(sizes.pop()), SLOPE)
        for up, known, own in zip(self.up, reversed(sizes), _coarse_to_fine(noise, len(self.up)), strict=True):
            features = up(features, own, known)
        painted: Tensor = self.finish(torch.cat([features, condition], 1), noise)
        return painted


def _coarse_to_fine(noise: Tensor, resolutions: int) -> list[Tensor]:
    """The noise of each resolution of a decoder, [B, 1, H/16, W/16] to [B, 1, H, W]: a channel each, thinned out."""
    axes = noise.ndim - 2
    return [
        noise[(slice(None), slice(level, level + 1), *(slice(None, None, 2**level),) * axes)]
        for level in reversed(range(resolutions))
    ]
