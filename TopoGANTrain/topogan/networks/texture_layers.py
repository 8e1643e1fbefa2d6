"""The layers of the networks that paint textures, over two or three axes, with and without noise of their own."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv3d, interpolate, leaky_relu, pad

SLOPE = 0.2
"""Of leaky rectifiers."""
# The same layer over two and over three axes.
CONV = {2: nn.Conv2d, 3: nn.Conv3d}
_ConvTranspose = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_InstanceNorm = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
_conv = {2: conv2d, 3: conv3d}
# Of grain, as Gaussians: pixels.
_GRAIN_WIDTHS = (0.0, 0.7, 1.4, 2.8)


class Down(nn.Sequential):
    """Half the resolution."""

    def __init__(self, axes: int, before: int, after: int, normalize: bool) -> None:
        layers: list[nn.Module] = [CONV[axes](before, after, 4, 2, 1, bias=not normalize)]
        if normalize:
            layers.append(_InstanceNorm[axes](after, affine=True))
        super().__init__(*layers, nn.LeakyReLU(SLOPE))


class Up(nn.Sequential):
    """Twice the resolution."""

    def __init__(self, axes: int, before: int, after: int) -> None:
        super().__init__(
            _ConvTranspose[axes](before, after, 4, 2, 1, bias=False),
            _InstanceNorm[axes](after, affine=True),
            nn.ReLU(),
        )


class _Noise(nn.Module):
    """Adds noise [B, 1, (D,) H, W] to each channel, as much as it learns to."""

    def __init__(self, axes: int, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels, *(1,) * axes), 0.3))

    def forward(self, features: Tensor, noise: Tensor) -> Tensor:
        return features + self.scale * noise


class NoisyUp(nn.Module):
    """Twice the resolution. Pixels are repeated: a transposed convolution leaves checkerboards."""

    def __init__(self, axes: int, before: int, after: int, spade: Spade | None = None, noise: bool = True) -> None:
        super().__init__()
        self.conv = CONV[axes](before, after, 3, padding=1, bias=False)
        self.norm = _InstanceNorm[axes](after, affine=spade is None)
        self.spade = spade
        self.noise = _Noise(axes, after) if noise else None

    def forward(self, features: Tensor, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        features = interpolate(self.norm(self.conv(features)), scale_factor=2.0)
        if self.spade is not None:
            features = self.spade(features, condition)
        if self.noise is not None:
            features = self.noise(features, noise)
        return leaky_relu(features, SLOPE)


class Spade(nn.Module):
    """Scale and offset of each pixel and channel, from the condition around it."""

    def __init__(self, axes: int, channels: int, condition: int, hidden: int) -> None:
        super().__init__()
        self.shared = CONV[axes](condition, hidden, 3, padding=1)
        self.both = CONV[axes](hidden, 2 * channels, 3, padding=1)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        scale, offset = self.both(torch.relu(self.shared(condition))).chunk(2, dim=1)
        scaled: Tensor = features * (1 + scale) + offset
        return scaled


class Finish(nn.Module):
    """From features, condition and noise at full resolution to the image.

    Nothing is normalized here: this is where a contrast of the whole image can come from, a number of the noise.
    """

    def __init__(self, axes: int, width: int, condition: int) -> None:
        super().__init__()
        self.paint = CONV[axes](width + condition + 1, width, 3, padding=1)
        self.noise = _Noise(axes, width)
        self.head = CONV[axes](width, 1, 3, padding=1)

    def forward(self, features: Tensor, noise: Tensor) -> Tensor:
        features = self.paint(torch.cat([features, _one_number(noise)], 1))
        image: Tensor = torch.tanh(self.head(leaky_relu(self.noise(features, noise[:, -1:]), SLOPE)))
        return image


class GrainyFinish(nn.Module):
    """As :class:`Finish`, with the grain of the image laid on at the end.

    Convolutions begin at random, each with a direction of its own, and noise that goes through them is woven. Grain is
    a sum of the same noise at several widths, as strong at each pixel as the network wants: of no direction whatever it
    learns, and of any radial spectrum (a difference of two widths is that of CT, which has little of the coarse).
    """

    def __init__(self, axes: int, width: int, condition: int) -> None:
        super().__init__()
        self.paint = CONV[axes](width + condition + 1, width, 3, padding=1)
        self.head = CONV[axes](width, 1, 3, padding=1)
        # Not told the one number, or grain would be strong in one sample and weak in the next.
        self.strengths = CONV[axes](width + condition, len(_GRAIN_WIDTHS), 3, padding=1)

    def forward(self, features: Tensor, noise: Tensor) -> Tensor:
        painted = leaky_relu(self.paint(torch.cat([features, _one_number(noise)], 1)), SLOPE)
        grain = torch.cat([_blurred(noise[:, -1:], width) for width in _GRAIN_WIDTHS], 1)
        grainy: Tensor = torch.tanh(self.head(painted) + (self.strengths(features) * grain).sum(1, keepdim=True))
        return grainy


def _one_number(noise: Tensor) -> Tensor:
    """A number of each sample, as a channel."""
    one = (slice(1, 2),) * (noise.ndim - 2)
    return noise[(slice(None), slice(-2, -1), *one)].expand_as(noise[:, -1:])


def _blurred(noise: Tensor, width: float) -> Tensor:
    """Noise [B, 1, (D,) H, W] convolved with a Gaussian of so many pixels along each axis, to a variance of 1."""
    if width == 0.0:
        return noise
    reach = round(3 * width)
    kernel = torch.exp(-(torch.arange(-reach, reach + 1, dtype=noise.dtype, device=noise.device) ** 2) / (2 * width**2))
    kernel = kernel / kernel.square().sum().sqrt()
    axes = noise.ndim - 2
    for axis in range(axes):
        shape = [1] * (axes + 2)
        shape[2 + axis] = len(kernel)
        around = [0] * (2 * axes)
        around[2 * (axes - 1 - axis) : 2 * (axes - axis)] = reach, reach
        noise = _conv[axes](pad(noise, around, mode="circular"), kernel.reshape(shape))
    return noise
