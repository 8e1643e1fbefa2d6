"""The networks: a mask generator with its critic, and pix2pix (a U-Net with a PatchGAN) for the CT texture.

Each factory takes the settings and returns an untrained ``nn.Module``, so that a package of weights and settings is
all that is needed to make a model again.
"""

from __future__ import annotations

from topogan.networks.masks import make_mask_critic, make_mask_generator
from topogan.networks.textures import (
    intensities_from_network,
    intensities_to_network,
    make_texture_critic,
    make_texture_generator,
    mask_to_network,
)

__all__ = [
    "intensities_from_network",
    "intensities_to_network",
    "make_mask_critic",
    "make_mask_generator",
    "make_texture_critic",
    "make_texture_generator",
    "mask_to_network",
]
