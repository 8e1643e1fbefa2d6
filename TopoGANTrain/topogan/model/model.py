"""A trained model in memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from topogan.config import TrainSettings
from topogan.errors import InputError
from topogan.homology import Diagram
from topogan.model.metadata import Metadata
from topogan.model.sampling import Samples, SamplingRequest, joined, redraw, sample_chunks


@dataclass
class Model:
    """A trained model, ready to draw samples and to be trained further.

    Example:
        >>> samples = load_model("run/model").sample(16, seed=1, betti=(1, 1))
        >>> samples.masks.shape
        (16, 64, 64)
    """

    metadata: Metadata
    masks: nn.Module | None
    """z [B, latent] -> logits [B, 1, H, W], with the averaged weights."""
    mask_discriminator: nn.Module | None
    textures: nn.Module | None
    """Mask [B, 1, H, W] in {-1, 1} and noise -> intensities in [-1, 1]."""
    texture_discriminator: nn.Module | None
    reference: list[Diagram]
    """Diagrams of real masks that were not trained on (distance filtration, pixels), without positions."""
    device: torch.device
    """Where the generators are."""

    @property
    def settings(self) -> TrainSettings:
        """Those of its training."""
        return self.metadata.settings

    @property
    def size(self) -> int:
        """Width and height of a sample in pixels."""
        return self.metadata.size

    def sample(
        self,
        n: int,
        seed: int = 0,
        betti: tuple[int, int] | None = None,
        clean: int = 0,
        attempts: int = 20,
    ) -> Samples:
        """Draw ``n`` samples; sample i does not depend on ``n`` (on a CPU: to the bit).

        Args:
            n: how many.
            seed: same seed, same samples.
            betti: (b0, b1) that every mask must have: others are thrown away and drawn again; None takes all.
            clean: remove components and fill holes of fewer pixels first; 0 is off.
            attempts: give up after ``attempts · n`` tries.

        Raises:
            InputError: an argument is out of range, or the model makes no masks.
            WorkError: too few tries had the asked topology (the message says how many).
        """
        request = SamplingRequest(n, seed, betti, clean, attempts)
        return joined(list(sample_chunks(self, request, tick=lambda accepted, tries: None)))

    def draw(self, seeds: np.ndarray, clean: int = 0) -> Samples:
        """Draw the samples of these ``seeds`` (as in ``Samples.seeds``, int [n]) again, exactly."""
        if len(seeds) == 0:
            raise InputError("There is no seed to draw a sample of: name at least one.")
        return redraw(self, np.asarray(seeds, dtype=np.int64), clean)

    def to(self, device: torch.device) -> Model:
        """Move the generators to ``device``; returns the model itself."""
        for network in (self.masks, self.textures):
            if network is not None:
                network.to(device)
        self.device = device
        return self
