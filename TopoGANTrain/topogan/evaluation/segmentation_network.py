"""A plain U-Net, as a user would train it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from monai.losses.dice import DiceCELoss
from monai.networks.nets.unet import UNet
from numpy.typing import NDArray

from topogan.config import DownstreamSettings
from topogan.device import exact_numerics, thread_count
from topogan.evaluation.segmentation_augmentation import Augmentation, augmented
from topogan.randomness import BatchSampler, seeded, stream

Slices = tuple[NDArray[np.int16], NDArray[Any]]
"""Images and their masks."""


def make_network(width: int, structures: int = 1) -> UNet:
    """MONAI's U-Net of four levels: [B, 1, H, W] in −1..1 to logits [B, 1, H, W], of several with the background's."""
    outputs = structures + 1 if structures > 1 else 1
    channels = tuple(width * factor for factor in (1, 2, 4, 8))
    return UNet(
        spatial_dims=2, in_channels=1, out_channels=outputs, channels=channels, strides=(2, 2, 2), num_res_units=1
    )


def train_network(
    parts: Sequence[Slices],
    window: tuple[float, float],
    settings: DownstreamSettings,
    seed: int,
    device: torch.device,
    structures: int = 1,
    augmentation: Augmentation | None = None,
) -> UNet:
    """Train a U-Net with Dice + cross-entropy and Adam.

    Args:
        parts: images int16 [N, H, W] with their masks (bool [N, H, W], or label ids); of two parts, each batch holds
            the ``share`` of the settings from the second.
        window: lowest and highest intensity.
        settings: of the training.
        seed: of the first weights, the batches and the augmentation.
        device: where to compute.
        structures: number of labels, where masks are label ids.
        augmentation: how slices are changed at random; None leaves them as they are.
    """
    network: Any = seeded(lambda: make_network(settings.width, structures), seed, "downstream network")
    # On CPUs a step takes a fifth less time.
    network.to(device, memory_format=torch.channels_last)
    samplers = [
        BatchSampler(len(images), min(count, len(images)), stream(seed, f"downstream batches {number}"))
        for number, ((images, _), count) in enumerate(zip(parts, batch_counts(settings, len(parts)), strict=True))
    ]
    changes = stream(seed, "downstream augmentation")
    several = structures > 1
    loss = DiceCELoss(sigmoid=not several, softmax=several, to_onehot_y=several, include_background=not several)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    with exact_numerics(thread_count(settings.threads), device):
        for _ in range(settings.steps):
            image, mask = _batch(parts, [sampler.next() for sampler in samplers], window, device)
            if augmentation is not None:
                image, mask = augmented(image, mask, structures, changes, augmentation)
            optimizer.zero_grad()
            loss(network(image), mask).backward()
            optimizer.step()
    return cast(UNet, network.eval())


def batch_counts(settings: DownstreamSettings, parts: int) -> list[int]:
    """How many slices of a batch come from each of one or two parts; of two, at least one each."""
    if parts == 1:
        return [settings.batch]
    second = min(max(1, round(settings.batch * settings.share / 100)), settings.batch - 1)
    return [settings.batch - second, second]


def _batch(
    parts: Sequence[Slices], rows: list[NDArray[np.int64]], window: tuple[float, float], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    images = np.concatenate([part[0][chosen] for part, chosen in zip(parts, rows, strict=True)])
    masks = np.concatenate([part[1][chosen] for part, chosen in zip(parts, rows, strict=True)])
    image = torch.from_numpy(scaled_images(images, window)).to(device)
    return image, torch.from_numpy(masks[:, None].astype(np.float32)).to(device)


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
