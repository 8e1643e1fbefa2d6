"""The topological loss of the mask generator, and the registry of its kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from topogan.config import TopologySettings
from topogan.errors import InputError, lookup
from topogan.losses import likelihood
from topogan.losses.controls import Binarise, Off
from topogan.losses.paper import loss as paper


class Loss(Protocol):
    """One kind of loss: a module with these two functions, or an object with these two methods."""

    def measure(self, masks: NDArray[np.generic], settings: TopologySettings) -> tuple[NDArray[Any], ...]:
        """What the loss needs to know of real masks [N, H, W] or [N, D, H, W]: arrays of N rows."""

    def loss(
        self, images: Tensor, targets: Any, settings: TopologySettings, apart: NDArray[np.float64] | None = None
    ) -> Tensor:
        """A scalar for logits [B, H, W] or [B, D, H, W] and the rows of B real masks in these arrays.

        ``apart``, float [B, B], is what it costs besides to match a sample (row) with a real mask (column).
        """


LOSSES: dict[str, Loss] = {"off": Off(), "likelihood": likelihood, "paper": paper, "binarise": Binarise()}
"""What ``topology.mode`` can name."""


@dataclass(frozen=True)
class TopologyTargets:
    """What the loss needs to know of real masks, computed once.

    Example:
        >>> targets = TopologyTargets.from_masks(np.eye(4)[None] > 0, TopologySettings())
        >>> len(targets), targets.arrays[0].tolist()
        (1, [[1, 0]])
    """

    mode: str
    """The loss that measured them."""
    arrays: tuple[NDArray[Any], ...]
    """What it measured: at least one array, each of N rows."""

    @classmethod
    def from_masks(cls, masks: NDArray[np.generic], settings: TopologySettings) -> TopologyTargets:
        """Measure masks [N, H, W] or [N, D, H, W], structure where not 0, for the mode and dimensions of ``settings``.

        Raises:
            InputError: the masks are not such a stack, or there is no such mode.
        """
        masks = np.asarray(masks)
        if masks.ndim not in (3, 4):
            raise InputError(f"The topological loss needs masks [N, row, column] or volumes, not {masks.shape}.")
        return cls(settings.mode, lookup(LOSSES, settings.mode, "topology.mode").measure(masks, settings))

    def __len__(self) -> int:
        return len(self.arrays[0])

    def select(self, indices: NDArray[np.int64]) -> TopologyTargets:
        """The targets of some of the masks, in the order of ``indices`` (int [B])."""
        return TopologyTargets(self.mode, tuple(array[indices] for array in self.arrays))


class TopologyLoss(nn.Module):
    """How far the topology of generated masks is from that of as many real ones.

    Of the kind that ``settings.mode`` names in :data:`LOSSES`. Persistence runs on the CPU on a detached copy; the
    gradient lies on the critical pixels (``paper``: on lines through them) and nowhere else. Logits of half precision
    are computed with in float32, also under autocast.

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

        Raises:
            InputError: there is no such mode.
        """
        super().__init__()
        self._settings = settings
        self._loss = lookup(LOSSES, settings.mode, "topology.mode")

    def forward(self, logits: Tensor, targets: TopologyTargets, apart: NDArray[np.float64] | None = None) -> Tensor:
        """
        Args:
            logits: float [B, 1, H, W] or [B, 1, D, H, W] of any device and precision; structure where ≥ 0.
            targets: of B real masks, drawn anew for each batch.
            apart: float [B, B], what it costs besides to match a sample (row) with a real mask (column).

        Returns:
            A scalar (float32, or float64 for float64 logits): the sum over matched points divided by B. A batch without
            points gives 0 with a gradient of 0.

        Raises:
            InputError: shapes or targets do not fit, or the logits hold NaN.
        """
        if logits.ndim not in (4, 5) or logits.shape[1] != 1:
            words = "[B, 1, row, column] or those of volumes"
            raise InputError(f"The topological loss needs logits {words}, not {tuple(logits.shape)}.")
        if len(targets) != len(logits):
            raise InputError(f"{len(logits)} samples need as many real masks, not {len(targets)}.")
        if targets.mode != self._settings.mode:
            raise InputError(f"These targets were made for {targets.mode}, not for {self._settings.mode}.")
        # None of the operations below is one that autocast would compute in half precision.
        images = logits[:, 0] if logits.dtype is torch.float64 else logits[:, 0].float()
        return self._loss.loss(images, targets.arrays, self._settings, apart)
