"""A trained model in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import nn

from topogan.config import TrainSettings
from topogan.errors import InputError
from topogan.homology import Diagram
from topogan.model.asking import Asked, Betti, SamplingRequest
from topogan.model.drawing import Samples, joined
from topogan.model.metadata import Metadata
from topogan.model.sampling import redraw, sample_chunks


@dataclass
class Model:
    """A trained model, ready to draw samples and to be trained further.

    Example:
        >>> samples = load_model("run/model").sample(16, seed=1, betti=(1, 1))
        >>> samples.labels.shape
        (16, 64, 64)
    """

    metadata: Metadata
    masks: nn.Module | None
    """z [B, latent (+ 1 for the level)] -> logits [B, K, H, W], with the averaged weights."""
    mask_discriminator: nn.Module | None
    textures: nn.Module | None
    """Labels [B, K, H, W] in {-1, 1}, level and noise -> intensities in [-1, 1]."""
    texture_discriminator: nn.Module | None
    reference: list[Diagram]
    """Diagrams of real masks that were not trained on (distance filtration, pixels), without positions; mask by mask,
    region by region."""
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
        betti: Asked | Betti = None,
        clean: int = 0,
        attempts: int = 20,
        levels: tuple[float, float] | None = None,
    ) -> Samples:
        """Draw ``n`` samples; sample i does not depend on ``n`` (on a CPU: to the bit).

        Args:
            n: how many.
            seed: same seed, same samples.
            betti: what every label map must have: others are thrown away and drawn again. One (b0, b1) or None for
                each structure and union; (b0, b1) alone of the first structure; ``"real"``: what real slices of the
                same level show together; None takes all.
            clean: remove components and fill holes of fewer pixels first; 0 is off.
            attempts: give up after ``attempts · n`` tries.
            levels: lowest and highest slice level, 0 to 1; None draws as in training.

        Raises:
            InputError: an argument is out of range, or the model makes no masks.
            WorkError: too few tries had the asked topology (the message says how many).
        """
        request = SamplingRequest(n, seed, _for_each_region(betti, len(self.metadata.regions)), clean, attempts, levels)
        return joined(list(sample_chunks(self, request, tick=lambda accepted, tries: None)))

    def draw(self, seeds: np.ndarray, clean: int = 0, levels: tuple[float, float] | None = None) -> Samples:
        """Draw the samples of these ``seeds`` (as in ``Samples.seeds``, int [n]) again, exactly.

        ``clean`` and ``levels`` are those of the first time.
        """
        if len(seeds) == 0:
            raise InputError("There is no seed to draw a sample of: name at least one.")
        return redraw(self, np.asarray(seeds, dtype=np.int64), clean, levels)

    def to(self, device: torch.device) -> Model:
        """Move the generators to ``device``; returns the model itself."""
        for network in (self.masks, self.textures):
            if network is not None:
                network.to(device)
        self.device = device
        return self


def _for_each_region(betti: Asked | Betti, regions: int) -> Asked:
    """``betti`` with an entry for each region, where it is (b0, b1) of the first structure alone."""
    if isinstance(betti, tuple) and all(isinstance(number, int) for number in betti):
        return cast(Betti, betti), *[None] * (regions - 1)
    return cast(Asked, betti)
