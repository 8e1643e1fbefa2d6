"""A plain U-Net with usual augmentation, as a user would train it."""

from __future__ import annotations

from math import radians
from typing import Any

import numpy as np
import torch
from monai.losses.dice import DiceCELoss
from monai.networks.nets.unet import UNet
from numpy.typing import NDArray
from torch.nn.functional import affine_grid, grid_sample

from topogan.config import DownstreamSettings
from topogan.device import exact_numerics, thread_count
from topogan.randomness import BatchSampler, seeded, stream

_TURN = radians(15)


def make_network(width: int, structures: int = 1) -> UNet:
    """MONAI's U-Net of four levels: [B, 1, H, W] in −1..1 to logits [B, 1, H, W], of several with the background's."""
    outputs = structures + 1 if structures > 1 else 1
    channels = tuple(width * factor for factor in (1, 2, 4, 8))
    return UNet(
        spatial_dims=2, in_channels=1, out_channels=outputs, channels=channels, strides=(2, 2, 2), num_res_units=1
    )


def augmented(
    images: torch.Tensor, masks: torch.Tensor, generator: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn, shift and scale each slice a little; change the contrast of its image and add noise.

    Up to 15°, 5 % of the width and 10 %; contrast up to 10 %, noise of 2.5 % of the window.

    Args:
        images: float [B, 1, H, W] in −1..1.
        masks: float [B, 1, H, W], 0 or 1, or label ids.
        generator: source of the changes.
    """
    count = len(images)
    angle, scale = generator.uniform(-_TURN, _TURN, count), generator.uniform(0.9, 1.1, count)
    shift = generator.uniform(-0.1, 0.1, (count, 2))
    turned = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1).reshape(count, 2, 2)
    matrix = np.concatenate([turned * scale[:, None, None], shift[:, :, None]], axis=2)
    grid = affine_grid(torch.from_numpy(matrix).float(), list(images.shape), align_corners=False).to(images.device)
    images = grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)
    masks = grid_sample(masks, grid, mode="nearest", padding_mode="border", align_corners=False)
    contrast = torch.from_numpy(generator.uniform(0.9, 1.1, (count, 1, 1, 1))).to(images)
    noise = torch.from_numpy(generator.normal(0.0, 0.05, tuple(images.shape))).to(images)
    return images * contrast + noise, masks


def train_network(
    images: NDArray[np.int16],
    masks: NDArray[Any],
    window: tuple[float, float],
    settings: DownstreamSettings,
    seed: int,
    device: torch.device,
    structures: int = 1,
) -> UNet:
    """Train a U-Net with Dice + cross-entropy and Adam.

    Args:
        images: int16 [N, H, W].
        masks: bool [N, H, W], or label ids.
        window: lowest and highest intensity.
        settings: of the training.
        seed: of the first weights, the batches and the augmentation.
        device: where to compute.
        structures: number of labels, where masks are label ids.
    """
    network = seeded(lambda: make_network(settings.width, structures), seed, "downstream network").to(device)
    sampler = BatchSampler(len(images), min(settings.batch, len(images)), stream(seed, "downstream batches"))
    changes = stream(seed, "downstream augmentation")
    several = structures > 1
    loss = DiceCELoss(sigmoid=not several, softmax=several, to_onehot_y=several, include_background=not several)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    with exact_numerics(thread_count(settings.threads), device):
        for _ in range(settings.steps):
            chosen = sampler.next()
            image = torch.from_numpy(scaled_images(images[chosen], window)).to(device)
            mask = torch.from_numpy(masks[chosen][:, None].astype(np.float32)).to(device)
            image, mask = augmented(image, mask, changes)
            optimizer.zero_grad()
            loss(network(image), mask).backward()
            optimizer.step()
    return network.eval()


def predict(
    network: UNet, images: NDArray[np.int16], window: tuple[float, float], batch: int, device: torch.device
) -> NDArray[Any]:
    """Masks of the images: probability of at least one half, bool [N, H, W]; of several structures label ids."""
    found = []
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            block = torch.from_numpy(scaled_images(images[start : start + batch], window)).to(device)
            logits = network(block)
            labels = logits.argmax(dim=1).to(torch.uint8) if logits.shape[1] > 1 else logits[:, 0] >= 0
            found.append(labels.cpu().numpy())
    return np.concatenate(found)


def scaled_images(images: NDArray[np.int16], window: tuple[float, float]) -> NDArray[np.float32]:
    """The window as −1..1, float32 [N, 1, H, W]."""
    low, high = window
    scaled: NDArray[np.float64] = np.clip((images - low) / (high - low), 0.0, 1.0) * 2.0 - 1.0
    return scaled.astype(np.float32)[:, None]
