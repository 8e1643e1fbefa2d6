"""The exponential moving average of a network, from which the samples come."""

from __future__ import annotations

import copy

import torch
from torch import nn


class EMA:
    """A copy of ``network`` whose weights and statistics follow it slowly.

    Args:
        network: the network to follow.
        decay: share of the old average kept each step. The first steps keep less, (1 + n) / (10 + n), so that a
            short training is not an average with its random start.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Move towards ``network`` after its step number ``step`` (from 0)."""
        weight = 1.0 - min(self._decay, (1.0 + step) / (10.0 + step))
        for mine, theirs in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, weight)
            else:
                mine.copy_(theirs)
