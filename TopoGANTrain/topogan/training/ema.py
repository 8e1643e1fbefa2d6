"""The exponential moving average of a network, from which the samples come."""

from __future__ import annotations

import copy

import torch
from torch import nn

# How often the memory, 1 / (1 - decay) steps, fits into a training that goes on from a model: e⁻³ is 5 %.
_MEMORIES = 3


class EMA:
    """A copy of ``network`` whose weights and statistics follow it slowly.

    Weights of a model are an average themselves, and no single step of a training is as good: what forgets them in the
    first steps has to begin anew. From such a start every step keeps the same share, and at the end 5 % of the start
    are left.

    Args:
        network: the network to follow.
        decay: share of the old average kept each step. The first steps keep less, (1 + n) / (10 + n), so that a
            short training is not an average with its random start.
        continued: of how many steps is the training, where its start is a model's; None where it is random.
    """

    def __init__(self, network: nn.Module, decay: float, continued: int | None = None) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._ramps = continued is None
        self._decay = decay if continued is None else min(decay, max(0.0, 1.0 - _MEMORIES / continued))

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Move towards ``network`` after its step number ``step`` (from 0)."""
        decay = min(self._decay, (1.0 + step) / (10.0 + step)) if self._ramps else self._decay
        weight = 1.0 - decay
        for mine, theirs in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
            if mine.is_floating_point():
                mine.lerp_(theirs, weight)
            else:
                mine.copy_(theirs)
