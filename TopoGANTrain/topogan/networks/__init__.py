"""The networks: a mask generator with its discriminator, and pix2pix (a U-Net with a PatchGAN) for the CT texture.

Each is made untrained of the settings alone, so that a package of weights and settings is all that is needed to make a
model again. A new family is one entry in :data:`MASK_NETWORKS` or :data:`TEXTURE_NETWORKS`.
"""

from __future__ import annotations

from topogan.networks.labels import labels_to_network
from topogan.networks.masks import MASK_NETWORKS, make_mask_discriminator, make_mask_generator
from topogan.networks.textures import (
    TEXTURE_NETWORKS,
    channels_behind,
    intensities_from_network,
    intensities_to_network,
    make_texture_discriminator,
    make_texture_generator,
    texture_condition,
    texture_noise_channels,
)

__all__ = [
    "MASK_NETWORKS",
    "TEXTURE_NETWORKS",
    "channels_behind",
    "intensities_from_network",
    "intensities_to_network",
    "labels_to_network",
    "make_mask_discriminator",
    "make_mask_generator",
    "make_texture_discriminator",
    "make_texture_generator",
    "texture_condition",
    "texture_noise_channels",
]
