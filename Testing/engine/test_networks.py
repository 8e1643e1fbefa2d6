"""The networks: shapes, sizes, and the properties that the training relies on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from topogan.config import MaskSettings, TextureSettings
from topogan.networks import (
    MASK_NETWORKS,
    TEXTURE_NETWORKS,
    intensities_from_network,
    intensities_to_network,
    make_mask_discriminator,
    make_mask_generator,
    make_texture_discriminator,
    make_texture_generator,
    texture_condition,
    texture_noise_channels,
)

NARROW = TextureSettings(width=4)


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("backbone", list(MASK_NETWORKS))
@pytest.mark.parametrize("size", [64, 128, 256, 512])
def test_mask_networks_have_the_shapes_of_their_contract(backbone: str, size: int) -> None:
    settings = MaskSettings(backbone=backbone, width=4, latent=7)
    logits = make_mask_generator(settings, size)(torch.randn(3, 7))
    assert logits.shape == (3, 1, size, size)
    assert make_mask_discriminator(settings, size)(torch.tanh(logits)).shape == (3,)


@pytest.mark.parametrize("backbone", list(MASK_NETWORKS))
def test_every_weight_of_the_mask_networks_learns(backbone: str) -> None:
    settings = MaskSettings(backbone=backbone, width=4)
    generator, discriminator = make_mask_generator(settings, 64), make_mask_discriminator(settings, 64)
    discriminator(torch.tanh(generator(torch.randn(4, settings.latent)))).square().sum().backward()
    for network in (generator, discriminator):
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
    assert all(float(parameter.grad.norm()) > 0 for parameter in generator.parameters())


def test_width_sets_the_size_of_the_networks() -> None:
    sizes = [parameters(make_mask_generator(MaskSettings(width=width), 64)) for width in (8, 16, 32)]
    assert sizes[0] < sizes[1] < 500_000 < sizes[2]
    textures = [parameters(make_texture_generator(TextureSettings(width=width))) for width in (4, 8)]
    assert textures[0] < textures[1]


@pytest.mark.parametrize("backbone", list(MASK_NETWORKS))
def test_the_discriminator_judges_each_mask_alone(backbone: str) -> None:
    """A gradient penalty is defined for each sample; anything that mixes a batch would break it."""
    discriminator = make_mask_discriminator(MaskSettings(backbone=backbone, width=4), 64)
    masks = torch.rand(4, 1, 64, 64) * 2 - 1
    torch.testing.assert_close(discriminator(masks)[:1], discriminator(masks[:1]))


@pytest.mark.parametrize("size", [8, 12, 80, 100])
def test_other_sizes_are_refused(size: int) -> None:
    with pytest.raises(ValueError, match="power of two"):
        make_mask_generator(MaskSettings(), size)


@pytest.mark.parametrize("size", [32, 48])
@pytest.mark.parametrize("backbone", list(MASK_NETWORKS))
def test_volumes_are_made_and_judged(backbone: str, size: int) -> None:
    settings = MaskSettings(backbone=backbone, width=4)
    logits = make_mask_generator(settings, size, 2, axes=3)(torch.randn(2, settings.latent))
    assert logits.shape == (2, 2, size, size, size)
    scores = make_mask_discriminator(settings, size, 2, axes=3)(logits)
    assert scores.shape == (2,)


def test_the_condition_of_a_volume_has_a_channel_for_each_label() -> None:
    labels = np.random.default_rng(0).integers(0, 4, (2, 3, 5, 4)).astype(np.uint8)
    condition = texture_condition(labels, 3, levels=None).numpy()
    assert condition.shape == (2, 3, 3, 5, 4)
    for label in (1, 2, 3):
        np.testing.assert_array_equal(condition[:, label - 1], np.where(labels == label, 1, -1))


def test_a_condition_has_a_channel_for_each_label_and_one_for_the_level() -> None:
    labels = np.array([[[0, 1], [2, 3]]], np.uint8)
    alone = texture_condition(labels, 3, levels=None)
    np.testing.assert_array_equal(alone[0].numpy(), np.where(labels == np.array([1, 2, 3])[:, None, None], 1.0, -1.0))
    told = texture_condition(labels, 3, levels=np.array([0.25]))
    assert torch.equal(told[:, :3], alone)
    assert told.dtype == torch.float32 and (told[:, 3] == -0.5).all()


def noise_for(settings: TextureSettings, count: int, size: int = 64, axes: int = 2) -> torch.Tensor:
    return torch.randn(count, texture_noise_channels(settings, axes), *(size,) * axes)


@pytest.mark.parametrize("network", list(TEXTURE_NETWORKS))
@pytest.mark.parametrize(("size", "axes"), [(64, 2), (512, 2), (32, 3), (48, 3)])
def test_texture_networks_have_the_shapes_of_their_contract(network: str, size: int, axes: int) -> None:
    settings, image = TextureSettings(network=network, width=4), (size,) * axes
    condition = torch.ones(2, 4, *image)
    with torch.no_grad():
        painted = make_texture_generator(settings, 3, True, axes)(condition, noise_for(settings, 2, size, axes))
        patches = make_texture_discriminator(settings, 3, True, axes)(torch.cat([condition, painted], 1))
    assert painted.shape == (2, 1, *image)
    assert painted.abs().max().item() <= 1.0
    assert patches.shape == (2, 1, *(size // 8 - 2,) * axes)


@pytest.mark.parametrize("network", list(TEXTURE_NETWORKS))
@pytest.mark.parametrize(("size", "axes"), [(64, 2), (32, 3)])
@torch.no_grad()
def test_a_texture_depends_on_its_labels_and_noise_and_on_nothing_else(network: str, size: int, axes: int) -> None:
    torch.manual_seed(0)
    settings = TextureSettings(network=network, width=4)
    generator = make_texture_generator(settings, 2, axes=axes)
    labels, noise = torch.randn(3, 2, *(size,) * axes).sign(), noise_for(settings, 3, size, axes)
    painted = generator(labels, noise)
    torch.testing.assert_close(generator(labels[:1], noise[:1]), painted[:1])
    # Grain takes the place of that of the two finest resolutions.
    for channel in range(2 if network == "grain" else 0, noise.shape[1]):
        other = noise.clone()
        other[:, channel] *= -1
        assert not torch.equal(generator(labels, other), painted), "noise of every resolution is used"
    for channel in range(2):
        other = labels.clone()
        other[:, channel] *= -1
        assert not torch.equal(generator(other, noise), painted)


@pytest.mark.parametrize("network", list(TEXTURE_NETWORKS))
@pytest.mark.parametrize(("size", "axes"), [(64, 2), (32, 3)])
def test_every_weight_of_the_texture_generators_learns(network: str, size: int, axes: int) -> None:
    settings = TextureSettings(network=network, width=4)
    generator = make_texture_generator(settings, axes=axes)
    labels, noise = torch.randn(2, 1, *(size,) * axes).sign(), noise_for(settings, 2, size, axes)
    generator(labels, noise).square().sum().backward()
    assert all(parameter.grad is not None and float(parameter.grad.norm()) > 0 for parameter in generator.parameters())


def test_patches_of_the_texture_discriminator_are_70_pixels_wide() -> None:
    field, stride = 1, 1
    for layer in make_texture_discriminator(NARROW).modules():
        if isinstance(layer, nn.Conv2d):
            field += (layer.kernel_size[0] - 1) * stride
            stride *= layer.stride[0]
    assert field == 70


def test_intensities_survive_the_way_to_the_network_and_back() -> None:
    window = (-200.0, 600.0)
    volume = np.random.default_rng(0).integers(-200, 601, (2, 3, 4, 5)).astype(np.int16)
    np.testing.assert_array_equal(intensities_from_network(intensities_to_network(volume, window), window), volume)
    images = np.array([[[-1000, -200, -199], [0, 599, 3000]]], dtype=np.int16)
    scaled = intensities_to_network(images, window)
    assert scaled.shape == (1, 1, 2, 3)
    assert (float(scaled.min()), float(scaled.max())) == (-1.0, 1.0)
    expected = np.clip(images, -200, 600)
    np.testing.assert_array_equal(intensities_from_network(scaled, window), expected)
