"""Bar 11: nothing breaks the loss."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from topogan.config import TopologySettings
from topogan.losses.sizes import SizeTargets, size_loss
from topogan.losses.topology_loss import TopologyLoss, TopologyTargets
from topology_bars.bars import Bar

_SETTINGS = [
    TopologySettings(mode="paper"),
    TopologySettings(point_rule="rank"),
    TopologySettings(point_rule="w2"),
    TopologySettings(mode="binarise"),
]
Loss = Callable[[torch.Tensor, np.ndarray], torch.Tensor]


def robustness_bar() -> Bar:
    """Every loss on every difficult input, in three precisions."""
    rng = np.random.default_rng(0)
    inputs = [
        np.full((2, 1, 16, 16), -3.0),
        np.full((2, 1, 16, 16), 3.0),
        np.zeros((2, 1, 16, 16)),
        rng.standard_normal((1, 1, 16, 16)),
        rng.standard_normal((3, 1, 9, 30)),
        rng.standard_normal((2, 1, 1, 1)),
        rng.standard_normal((2, 1, 1, 9)),
    ]
    tried = failed = 0
    for loss in [*(_of(settings) for settings in _SETTINGS), _sizes]:
        for logits in inputs:
            for fill in (False, True):
                for dtype in (torch.float32, torch.float16, torch.bfloat16):
                    tried += 1
                    failed += not _is_finite(loss, torch.tensor(logits, dtype=dtype), fill)
    return Bar("11", "no crash, finite loss and gradient on difficult inputs", f"{failed} of {tried} fail", failed == 0)


def _of(settings: TopologySettings) -> Loss:
    return lambda logits, real: TopologyLoss(settings)(logits, TopologyTargets.from_masks(real, settings))


def _sizes(logits: torch.Tensor, real: np.ndarray) -> torch.Tensor:
    return size_loss(logits[:, 0].float(), SizeTargets.from_masks(real, (0, 1), 16), (0, 1), 16)


def _is_finite(loss: Loss, logits: torch.Tensor, fill: bool) -> bool:
    real = np.full((len(logits), *logits.shape[2:]), fill)
    leaf = logits.requires_grad_()
    value = loss(leaf, real)
    value.backward()
    return bool(torch.isfinite(value)) and leaf.grad is not None and bool(torch.isfinite(leaf.grad).all())
