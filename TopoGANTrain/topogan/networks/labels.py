"""Label maps as networks see and make them.

A generator gives one logit a structure. That of the background is 0 by convention: a softmax over one more logit is
free to add a constant to all of them, this one is not, and for one structure it is the sigmoid.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from topogan.structures import Region


def labels_to_network(labels: np.ndarray, structures: int) -> Tensor:
    """Label ids [N, H, W] -> float32 [N, ``structures``, H, W]: 1 where the label is that of the channel, else -1.

    Those of volumes have one axis more, here and below.
    """
    ids = torch.arange(1, structures + 1, dtype=torch.uint8).view(-1, *(1,) * (labels.ndim - 1))
    return (torch.from_numpy(np.asarray(labels, dtype=np.uint8)).unsqueeze(1) == ids).float().mul_(2).sub_(1)


def level_to_network(levels: NDArray[np.generic]) -> Tensor:
    """Slice levels [N], 0 to 1 -> float32 [N, 1], -1 to 1."""
    return torch.from_numpy(2 * np.asarray(levels, dtype=np.float32) - 1).unsqueeze(1)


def with_level(images: Tensor, level: Tensor | None) -> Tensor:
    """Images [N, C, H, W] with one more channel that is ``level`` [N, 1] everywhere; as they are for None."""
    if level is None:
        return images
    return torch.cat([images, level[:, :, None, None].expand_as(images[:, :1])], 1)


def probabilities(logits: Tensor) -> Tensor:
    """Logits [B, K, H, W] -> probabilities of the K structures; what is left to 1 is that of the background."""
    if logits.shape[1] == 1:
        return torch.sigmoid(logits)
    return torch.softmax(torch.cat([torch.zeros_like(logits[:, :1]), logits], 1), 1)[:, 1:]


def to_discriminator(logits: Tensor) -> Tensor:
    """What a discriminator sees of logits: 2·probability - 1."""
    # One structure: written so that it keeps its precision.
    return torch.tanh(logits / 2) if logits.shape[1] == 1 else 2 * probabilities(logits) - 1


def margins(logits: Tensor, regions: Sequence[Region]) -> Tensor:
    """By how much each region wins: its greatest logit minus the greatest of all others, the background's 0 among them.

    Args:
        logits: [B, K, H, W].
        regions: R structures or unions of them.

    Returns:
        [B, R, H, W]; a region is where its margin is not negative (up to ties). For one structure, the logits.
    """
    background = torch.zeros_like(logits[:, :1])
    found = []
    for region in regions:
        members = [label - 1 for label in region.ids]
        others = [channel for channel in range(logits.shape[1]) if channel not in members]
        rivals = torch.cat([background, logits[:, others]], 1)
        found.append(logits[:, members].amax(1) - rivals.amax(1))
    return torch.stack(found, 1)


def labels_of(logits: Tensor) -> NDArray[np.uint8]:
    """The most probable label of each pixel: logits [B, K, H, W] -> uint8 ids [B, H, W], 0 where all are negative."""
    best, channel = logits.max(1)
    labels: NDArray[np.uint8] = ((channel + 1) * (best >= 0)).to(torch.uint8).cpu().numpy()
    return labels
