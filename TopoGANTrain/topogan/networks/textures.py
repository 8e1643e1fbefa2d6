"""Networks that paint CT on label maps, and the 70×70 PatchGAN that judges them (Isola et al., CVPR 2017).

Slices and volumes have the same networks, with convolutions over two or three axes.

"unet" is pix2pix's own (arXiv:1611.07004), with two departures. The noise is an input channel instead of dropout: it
comes from a seeded generator, so that the same seed gives the same texture and a resumed training the same bits. And
instance normalization takes the place of batch normalization (in the paper, with a batch of one, they are the same): a
texture does not depend on what else is painted in the same batch. "noisy" and "spade" get noise at every resolution,
which "unet" does not use, and repeat pixels instead of transposed convolutions, which leave checkerboards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, avg_pool3d, conv2d, conv3d, interpolate, leaky_relu, pad

from topogan.config import TextureSettings
from topogan.errors import lookup
from topogan.networks.labels import labels_to_network, level_to_network, with_level

# Channels of each halving, in widths, by the number of axes: five halvings leave 2×2 pixels of a 64-pixel patch, four
# leave 2×2×2 voxels of a volume of 32, and divide one of 48.
_WIDENING = {2: (1, 2, 4, 8, 8), 3: (1, 2, 4, 8)}
_SLOPE = 0.2
# The same layer over two and over three axes.
_Conv = {2: nn.Conv2d, 3: nn.Conv3d}
_ConvTranspose = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_InstanceNorm = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}
_avg_pool = {2: avg_pool2d, 3: avg_pool3d}
_conv = {2: conv2d, 3: conv3d}
# Of grain: pixels, as Gaussians; and at how many of the finest resolutions there is no other noise.
_GRAIN_WIDTHS = (0.0, 0.7, 1.4, 2.8)
_FINE = 2


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


class _TextureGenerator(nn.Module):
    """A U-Net; H and W are multiples of 32, or D, H and W of 16."""

    def __init__(self, width: int, condition: int, axes: int) -> None:
        super().__init__()
        channels = [width * factor for factor in _WIDENING[axes]]
        inputs = [condition + 1, *channels[:-1]]
        self.down = nn.ModuleList(
            # Neither the first nor the coarsest layer is normalized: the one sees the labels themselves, the other too
            # few pixels for statistics.
            _Down(axes, before, after, normalize=0 < level < len(channels) - 1)
            for level, (before, after) in enumerate(zip(inputs, channels, strict=True))
        )
        skips = [0, *reversed(channels[:-1])]
        outputs = [*reversed(channels[:-1]), width]
        self.up = nn.ModuleList(
            _Up(axes, before + skip, after)
            for before, skip, after in zip([channels[-1], *outputs[:-1]], skips, outputs, strict=True)
        )
        self.head = _Conv[axes](width + condition + 1, 1, 3, padding=1)

    def forward(self, condition: Tensor, noise: Tensor) -> Tensor:
        inputs = torch.cat([condition, noise], dim=1)
        skips = [inputs]
        for down in self.down:
            skips.append(down(skips[-1]))
        features = skips.pop()
        for up in self.up:
            features = torch.cat([up(features), skips.pop()], dim=1)
        return torch.tanh(self.head(features))


class _Down(nn.Sequential):
    """Half the resolution."""

    def __init__(self, axes: int, before: int, after: int, normalize: bool) -> None:
        layers: list[nn.Module] = [_Conv[axes](before, after, 4, 2, 1, bias=not normalize)]
        if normalize:
            layers.append(_InstanceNorm[axes](after, affine=True))
        super().__init__(*layers, nn.LeakyReLU(_SLOPE))


class _Up(nn.Sequential):
    """Twice the resolution."""

    def __init__(self, axes: int, before: int, after: int) -> None:
        super().__init__(
            _ConvTranspose[axes](before, after, 4, 2, 1, bias=False),
            _InstanceNorm[axes](after, affine=True),
            nn.ReLU(),
        )


class _NoisyGenerator(nn.Module):
    """A U-Net with noise of its own at every resolution of the decoder; for sizes see :class:`_TextureGenerator`.

    Karras et al., CVPR 2019 (arXiv:1812.04948): each channel learns how much noise it takes.
    """

    def __init__(self, width: int, condition: int, axes: int) -> None:
        super().__init__()
        channels = [width * factor for factor in _WIDENING[axes]]
        self.down = nn.ModuleList(
            _Down(axes, before, after, normalize=0 < level < len(channels) - 1)
            for level, (before, after) in enumerate(zip([condition, *channels[:-1]], channels, strict=True))
        )
        skips, outputs = [0, *reversed(channels[:-1])], [*reversed(channels[:-1]), width]
        self.up = nn.ModuleList(
            _NoisyUp(axes, before + skip, after)
            for before, skip, after in zip([channels[-1], *outputs[:-1]], skips, outputs, strict=True)
        )
        self.finish = _Finish(axes, width, condition)

    def forward(self, condition: Tensor, noise: Tensor) -> Tensor:
        skips = [condition]
        for down in self.down:
            skips.append(down(skips[-1]))
        features = skips.pop()
        for up, skip, own in zip(self.up, reversed(skips), _coarse_to_fine(noise, len(self.up)), strict=True):
            features = torch.cat([up(features, own), skip], dim=1)
        painted: Tensor = self.finish(features, noise)
        return painted


class _SpadeGenerator(nn.Module):
    """A decoder whose normalization is told the labels at every resolution (Park et al., CVPR 2019, arXiv:1903.07291).

    Much smaller than theirs, and with noise at every resolution like :class:`_NoisyGenerator`.
    """

    def __init__(self, width: int, condition: int, axes: int, grain: bool = False) -> None:
        super().__init__()
        channels = [width * factor for factor in (*reversed(_WIDENING[axes]), 1)]
        self.start = _Conv[axes](condition, channels[0], 3, padding=1)
        self.up = nn.ModuleList(
            _NoisyUp(
                axes,
                before,
                after,
                _Spade(axes, after, condition, width),
                noise=not grain or level < len(channels) - 1 - _FINE,
            )
            for level, (before, after) in enumerate(pairwise(channels))
        )
        self.finish = _GrainyFinish(axes, width, condition) if grain else _Finish(axes, width, condition)

    def forward(self, condition: Tensor, noise: Tensor) -> Tensor:
        sizes = [condition]
        halved = _avg_pool[condition.ndim - 2]
        for _ in self.up:
            sizes.append(halved(sizes[-1], 2))
        features = leaky_relu(self.start(sizes.pop()), _SLOPE)
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


class _Noise(nn.Module):
    """Adds noise [B, 1, (D,) H, W] to each channel, as much as it learns to."""

    def __init__(self, axes: int, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels, *(1,) * axes), 0.3))

    def forward(self, features: Tensor, noise: Tensor) -> Tensor:
        return features + self.scale * noise


class _NoisyUp(nn.Module):
    """Twice the resolution. Pixels are repeated: a transposed convolution leaves checkerboards."""

    def __init__(self, axes: int, before: int, after: int, spade: _Spade | None = None, noise: bool = True) -> None:
        super().__init__()
        self.conv = _Conv[axes](before, after, 3, padding=1, bias=False)
        self.norm = _InstanceNorm[axes](after, affine=spade is None)
        self.spade = spade
        self.noise = _Noise(axes, after) if noise else None

    def forward(self, features: Tensor, noise: Tensor, condition: Tensor | None = None) -> Tensor:
        features = interpolate(self.norm(self.conv(features)), scale_factor=2.0)
        if self.spade is not None:
            features = self.spade(features, condition)
        if self.noise is not None:
            features = self.noise(features, noise)
        return leaky_relu(features, _SLOPE)


class _Spade(nn.Module):
    """Scale and offset of each pixel and channel, from the condition around it."""

    def __init__(self, axes: int, channels: int, condition: int, hidden: int) -> None:
        super().__init__()
        self.shared = _Conv[axes](condition, hidden, 3, padding=1)
        self.both = _Conv[axes](hidden, 2 * channels, 3, padding=1)

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        scale, offset = self.both(torch.relu(self.shared(condition))).chunk(2, dim=1)
        scaled: Tensor = features * (1 + scale) + offset
        return scaled


class _Finish(nn.Module):
    """From features, condition and noise at full resolution to the image.

    Nothing is normalized here: this is where a contrast of the whole image can come from, a number of the noise.
    """

    def __init__(self, axes: int, width: int, condition: int) -> None:
        super().__init__()
        self.paint = _Conv[axes](width + condition + 1, width, 3, padding=1)
        self.noise = _Noise(axes, width)
        self.head = _Conv[axes](width, 1, 3, padding=1)

    def forward(self, features: Tensor, noise: Tensor) -> Tensor:
        features = self.paint(torch.cat([features, _one_number(noise)], 1))
        image: Tensor = torch.tanh(self.head(leaky_relu(self.noise(features, noise[:, -1:]), _SLOPE)))
        return image


class _GrainyFinish(nn.Module):
    """As :class:`_Finish`, with the grain of the image laid on at the end.

    Convolutions begin at random, each with a direction of its own, and noise that goes through them is woven. Grain is
    a sum of the same noise at several widths, as strong at each pixel as the network wants: of no direction whatever it
    learns, and of any radial spectrum (a difference of two widths is that of CT, which has little of the coarse).
    """

    def __init__(self, axes: int, width: int, condition: int) -> None:
        super().__init__()
        self.paint = _Conv[axes](width + condition + 1, width, 3, padding=1)
        self.head = _Conv[axes](width, 1, 3, padding=1)
        # Not told the one number, or grain would be strong in one sample and weak in the next.
        self.strengths = _Conv[axes](width + condition, len(_GRAIN_WIDTHS), 3, padding=1)

    def forward(self, features: Tensor, noise: Tensor) -> Tensor:
        painted = leaky_relu(self.paint(torch.cat([features, _one_number(noise)], 1)), _SLOPE)
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
    return len(_WIDENING[axes]) + 1


TEXTURE_NETWORKS: dict[str, TextureNetworks] = {
    "unet": TextureNetworks(_painter(_TextureGenerator), _judge),
    "noisy": TextureNetworks(_painter(_NoisyGenerator), _judge, _noises),
    "spade": TextureNetworks(_painter(_SpadeGenerator), _judge, _noises),
    "grain": TextureNetworks(_painter(partial(_SpadeGenerator, grain=True)), _judge, _noises),
}
"""What ``textures.network`` can name."""
