"""A plain U-Net with usual augmentation, as a user would train it."""

from __future__ import annotations

from math import radians

import numpy as np
import torch
from monai.losses import DiceCELoss
from monai.networks.nets import UNet
from monai.transforms import Compose, RandAffined, RandGaussianNoised, RandScaleIntensityd
from numpy.typing import NDArray

from topogan.config import DownstreamSettings
from topogan.training.device import exact_numerics, thread_count
from topogan.training.randomness import BatchSampler, seeded, stream


def make_network(width: int) -> UNet:
    """MONAI's U-Net of four levels: [B, 1, H, W] in −1..1 to logits [B, 1, H, W]."""
    channels = tuple(width * factor for factor in (1, 2, 4, 8))
    return UNet(
        spatial_dims=2, in_channels=1, out_channels=1, channels=channels, strides=(2, 2, 2), num_res_units=1
    )


def make_augmentation(seed: int) -> Compose:
    """Small turns, shifts and scalings of image and mask, noise and contrast of the image."""
    both = ["image", "mask"]
    augmentation = Compose(
        [
            RandAffined(
                both,
                prob=0.5,
                rotate_range=radians(15),
                scale_range=0.1,
                translate_range=3,
                mode=("bilinear", "nearest"),
                padding_mode="border",
            ),
            RandScaleIntensityd("image", factors=0.1, prob=0.5),
            RandGaussianNoised("image", prob=0.5, std=0.05),
        ]
    )
    return augmentation.set_random_state(seed=seed)


def train_network(
    images: NDArray[np.int16],
    masks: NDArray[np.bool_],
    window: tuple[float, float],
    settings: DownstreamSettings,
    seed: int,
    device: torch.device,
) -> UNet:
    """Train a U-Net with Dice + cross-entropy and Adam.

    Args:
        images: int16 [N, H, W].
        masks: bool [N, H, W].
        window: lowest and highest intensity.
        settings: of the training.
        seed: of the first weights, the batches and the augmentation.
        device: where to compute.
    """
    network = seeded(lambda: make_network(settings.width), seed, "downstream network").to(device)
    sampler = BatchSampler(len(images), min(settings.batch, len(images)), stream(seed, "downstream batches"))
    augment = make_augmentation(seed)
    loss = DiceCELoss(sigmoid=True)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    with exact_numerics(thread_count(0), device):
        for _ in range(settings.steps):
            chosen = sampler.next()
            scaled = scaled_images(images[chosen], window)
            pairs = [
                augment({"image": image, "mask": mask[None].astype(np.float32)})
                for image, mask in zip(scaled, masks[chosen], strict=True)
            ]
            image, mask = (
                torch.stack([torch.as_tensor(pair[key]) for pair in pairs]).to(device) for key in ("image", "mask")
            )
            optimizer.zero_grad()
            loss(network(image), mask).backward()
            optimizer.step()
    return network.eval()


def predict(
    network: UNet, images: NDArray[np.int16], window: tuple[float, float], batch: int, device: torch.device
) -> NDArray[np.bool_]:
    """Masks of the images: probability of at least one half, bool [N, H, W]."""
    found = []
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            block = torch.from_numpy(scaled_images(images[start : start + batch], window)).to(device)
            found.append((network(block)[:, 0] >= 0).cpu().numpy())
    return np.concatenate(found)


def scaled_images(images: NDArray[np.int16], window: tuple[float, float]) -> NDArray[np.float32]:
    """The window as −1..1, float32 [N, 1, H, W]."""
    low, high = window
    return (np.clip((images - low) / (high - low), 0.0, 1.0) * 2.0 - 1.0).astype(np.float32)[:, None]
