"""The topological loss of the mask generator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import softplus

from topogan.config import TopologyMode, TopologySettings
from topogan.errors import InputError
from topogan.homology.betti import betti_numbers_of_batch
from topogan.losses.likelihood import likelihood_loss
from topogan.losses.paper.loss import Projections, paper_loss, projections_of_masks


@dataclass(frozen=True)
class TopologyTargets:
    """What the loss needs to know of real masks, computed once.

    Example:
        >>> targets = TopologyTargets.from_masks(np.eye(4)[None] > 0, TopologySettings())
        >>> len(targets), targets.betti.tolist()
        (1, [[1, 0]])
    """

    betti: NDArray[np.int64]
    """int [N, 2]: connected components and holes."""
    projections: Projections | None = None
    """Births of holes and deaths of components; only for the mode ``paper``."""

    @classmethod
    def from_masks(cls, masks: NDArray[np.generic], settings: TopologySettings) -> TopologyTargets:
        """Measure masks [N, H, W] (structure where not 0) for the mode and the dimensions of ``settings``.

        Raises:
            InputError: the masks are not such a stack.
        """
        masks = np.asarray(masks)
        betti = betti_numbers_of_batch(masks)
        if settings.mode is not TopologyMode.PAPER:
            return cls(betti)
        return cls(betti, projections_of_masks(masks, settings.dimensions.numbers, settings.max_points))

    def __len__(self) -> int:
        return len(self.betti)

    def select(self, indices: NDArray[np.int64]) -> TopologyTargets:
        """The targets of some of the masks, in the order of ``indices`` (int [B])."""
        projections = None if self.projections is None else self.projections.select(indices)
        return TopologyTargets(self.betti[indices], projections)


class TopologyLoss(nn.Module):
    """How far the topology of generated masks is from that of as many real ones.

    ``likelihood``, ``paper`` or, as a control without topology, ``binarise``: each pixel's logit is pushed away from
    0, to the side where it is. Persistence runs on the CPU on a detached copy; the gradient lies on the critical
    pixels (``paper``: on lines through them) and nowhere else. Logits of half precision are computed with
    in float32, also under autocast.

    Source of ``paper``: Wang et al., ECCV 2020; ``likelihood`` is our own (Resources/Docs/topology.md).

    Example:
        >>> settings = TopologySettings()
        >>> targets = TopologyTargets.from_masks(np.eye(8)[None] > 0, settings)
        >>> logits = torch.randn(1, 1, 8, 8, requires_grad=True)
        >>> TopologyLoss(settings)(logits, targets).backward()
    """

    def __init__(self, settings: TopologySettings) -> None:
        """
        Args:
            settings: ``mode``, ``point_rule``, ``dimensions`` and ``max_points`` are used.
        """
        super().__init__()
        self._settings = settings

    def forward(self, logits: Tensor, targets: TopologyTargets) -> Tensor:
        """
        Args:
            logits: float [B, 1, H, W] of any device and precision; structure where ≥ 0.
            targets: of B real masks, drawn anew for each batch.

        Returns:
            A scalar (float32, or float64 for float64 logits): the sum over matched points (``binarise``: over pixels)
            divided by B. A batch without points gives 0 with a gradient of 0.

        Raises:
            InputError: shapes do not fit, or the logits hold NaN.
        """
        if logits.ndim != 4 or logits.shape[1] != 1:
            raise InputError(f"The topological loss needs logits [B, 1, row, column], not {tuple(logits.shape)}.")
        if len(targets) != len(logits):
            raise InputError(f"{len(logits)} samples need as many real masks, not {len(targets)}.")
        # None of the operations below is one that autocast would compute in half precision.
        images = logits[:, 0] if logits.dtype is torch.float64 else logits[:, 0].float()
        return self._loss(images, targets)

    def _loss(self, images: Tensor, targets: TopologyTargets) -> Tensor:
        settings = self._settings
        dimensions = settings.dimensions.numbers
        if settings.mode is TopologyMode.LIKELIHOOD:
            betti = targets.betti[:, list(dimensions)]
            return likelihood_loss(images, betti, dimensions, settings.point_rule, settings.max_points)
        if settings.mode is TopologyMode.PAPER:
            if targets.projections is None:
                raise InputError("These targets were not made for the mode paper: make them with the same settings.")
            return paper_loss(images, targets.projections, dimensions, settings.max_points)
        if settings.mode is TopologyMode.BINARISE:
            return softplus(-images.abs()).sum() / len(images)
        return images.sum() * 0.0
