"""Every random number of a training comes from here: streams of their own, made of the seed, that can be stored."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch

Made = TypeVar("Made")


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Make a NumPy generator that depends on the seed and the purpose alone."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def torch_stream(seed: int, purpose: str) -> torch.Generator:
    """Make a torch generator on the CPU (so that every device sees the same numbers)."""
    return torch.Generator().manual_seed(int(stream(seed, purpose).integers(2**62)))


def seeded(make: Callable[[], Made], seed: int, purpose: str) -> Made:
    """Make networks whose first weights depend on the seed and the purpose; the global generator is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(seed, purpose).integers(2**62)))
        return make()


class BatchSampler:
    """Endless batches: every item once in a random order, then in another one; a short rest of a round is left out.

    Args:
        count: number of items, at least ``batch``.
        batch: items a batch.
        generator: source of the orders.
    """

    def __init__(self, count: int, batch: int, generator: np.random.Generator) -> None:
        self._count, self._batch, self._generator = count, batch, generator
        self._start_round()

    def next(self) -> np.ndarray:
        """Return the indices of the next batch, int64 [batch]."""
        if self._position + self._batch > self._count:
            self._start_round()
        chosen = self._order[self._position : self._position + self._batch]
        self._position += self._batch
        return chosen

    def state_dict(self) -> dict[str, Any]:
        """The position, as JSON: the generator's state at the start of the round and how far the round is."""
        return {"generator": self._at_start, "position": self._position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go to where :meth:`state_dict` was called."""
        self._generator.bit_generator.state = state["generator"]
        self._start_round()
        self._position = state["position"]

    def _start_round(self) -> None:
        self._at_start = self._generator.bit_generator.state
        self._order = self._generator.permutation(self._count)
        self._position = 0
