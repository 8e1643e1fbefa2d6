"""Networks for other structures than they were trained on: all but the channels of labels is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

Make = Callable[[int, bool], nn.Module]
"""Makes an untrained network for so many structures, told the slice level or not."""


@dataclass(frozen=True)
class Seen:
    """What networks are told of labels."""

    structures: tuple[str, ...]
    level: bool

    def channels(self, structures: bool, level: bool) -> list[str]:
        """Names of the channels of a layer that has some for the structures, for the level or for both."""
        return [*(self.structures if structures else ()), *(["level"] if level and self.level else [])]


def adapt(blank: nn.Module, old: nn.Module, make: Make, had: Seen, wants: Seen, behind: Callable[[str], int]) -> None:
    """Fill an untrained network with what fits of one that was trained for other structures.

    Channels of structures of the same name are kept, those of others stay untrained; everything else is copied. Which
    dimensions of which weights count labels is seen by making networks for one structure more, and for the level.

    Args:
        blank: untrained, for what it ``wants``; is filled.
        old: trained for what it ``had``.
        make: how both were made.
        had, wants: structures in the order of their channels.
        behind: from the name of weights, how many channels (noise, an image) come behind those of labels and level
            where these are inputs.
    """
    with torch.device("meta"):
        one, two, told = (make(*seen).state_dict() for seen in ((1, False), (2, False), (1, True)))
    source = old.state_dict()
    with torch.no_grad():
        for name, target in blank.state_dict().items():
            kept = []
            for dimension, size in enumerate(source[name].shape):
                counts = [other[name].shape[dimension] != one[name].shape[dimension] for other in (two, told)]
                kept.append(_kept(had.channels(*counts), wants.channels(*counts), size, behind(name)))
            before, after = (np.ix_(*(pairs[side] for pairs in kept)) for side in (0, 1))
            target[after] = source[name][before]


def _kept(had: list[str], wants: list[str], size: int, behind: int) -> tuple[list[int], list[int]]:
    """Which of ``size`` channels are kept, and where they go to."""
    others = size - len(had)
    first = others - min(others, behind)
    old = {name: first + place for place, name in enumerate(had)}
    new = {name: first + place for place, name in enumerate(wants)}
    shared = [name for name in new if name in old]
    before = [*range(first), *(old[name] for name in shared), *range(first + len(had), size)]
    after = [*range(first), *(new[name] for name in shared), *range(first + len(wants), size - len(had) + len(wants))]
    return before, after
