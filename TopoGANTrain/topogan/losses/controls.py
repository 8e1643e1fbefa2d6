"""No topological loss, and a control without topology."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import softplus

from topogan.config import TopologySettings


class Off:
    """No loss: 0, with a gradient of 0."""

    def measure(self, masks: NDArray[np.generic], settings: TopologySettings) -> tuple[NDArray[np.generic]]:
        """Nothing of each mask: [N, 0]."""
        return (np.zeros((len(masks), 0)),)

    def loss(
        self,
        images: Tensor,
        targets: tuple[NDArray[np.generic]],
        settings: TopologySettings,
        apart: NDArray[np.float64] | None = None,
    ) -> Tensor:
        """0."""
        return images.sum() * 0.0


class Binarise(Off):
    """Each logit is pushed away from 0, to the side where it is, whatever the real masks are."""

    def loss(
        self,
        images: Tensor,
        targets: tuple[NDArray[np.generic]],
        settings: TopologySettings,
        apart: NDArray[np.float64] | None = None,
    ) -> Tensor:
        """Sum over the pixels, divided by B."""
        return softplus(-images.abs()).sum() / len(images)
