"""Label maps as networks see them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def labels_to_network(labels: np.ndarray, structures: int) -> Tensor:
    """Label ids [N, H, W] -> float32 [N, ``structures``, H, W]: 1 where the label is that of the channel, else -1."""
    ids = torch.arange(1, structures + 1, dtype=torch.uint8).view(-1, 1, 1)
    return (torch.from_numpy(np.asarray(labels, dtype=np.uint8)).unsqueeze(1) == ids).float().mul_(2).sub_(1)
