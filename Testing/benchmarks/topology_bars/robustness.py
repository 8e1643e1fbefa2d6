"""Bar 11: nothing breaks the loss."""

from __future__ import annotations

import numpy as np
import torch

from topogan.config import TopologyMode, TopologySettings
from topogan.topology.loss import TopologyLoss, TopologyTargets
from topology_bars.bars import Bar

_LOSSES = [
    TopologySettings(mode=TopologyMode.PAPER),
    TopologySettings(),
    TopologySettings(point_rule="w2"),
    TopologySettings(mode=TopologyMode.BINARISE),
]


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
    for settings in _LOSSES:
        for logits in inputs:
            for fill in (False, True):
                for dtype in (torch.float32, torch.float16, torch.bfloat16):
                    tried += 1
                    failed += not _is_finite(settings, torch.tensor(logits, dtype=dtype), fill)
    return Bar("11", "no crash, finite loss and gradient on difficult inputs", f"{failed} of {tried} fail", failed == 0)


def _is_finite(settings: TopologySettings, logits: torch.Tensor, fill: bool) -> bool:
    real = np.full((len(logits), *logits.shape[2:]), fill)
    leaf = logits.requires_grad_()
    loss = TopologyLoss(settings)(leaf, TopologyTargets.from_masks(real, settings))
    loss.backward()
    return bool(torch.isfinite(loss)) and leaf.grad is not None and bool(torch.isfinite(leaf.grad).all())
