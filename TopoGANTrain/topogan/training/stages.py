"""The stages of a run: masks, then textures, as the settings ask."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import nn

from topogan.config import Part, TrainSettings
from topogan.training.exact_state import ExactState
from topogan.training.mask_trainer import MaskTrainer, blank_mask_networks
from topogan.training.optimization import Values
from topogan.training.texture_trainer import TextureTrainer, blank_texture_networks
from topogan.training_set import TrainingSet

Networks = dict[str, nn.Module]  # "generator" and "discriminator"


class Trainer(Protocol):
    """What the loop needs to know of a training."""

    name: str
    step: int
    total: int

    def train_step(self) -> Values: ...

    def preview(self) -> tuple[np.ndarray, dict[str, float]]: ...

    def networks(self) -> Networks: ...

    @property
    def exact(self) -> ExactState: ...


@dataclass(frozen=True)
class Stage:
    """A training that will be made when its turn comes: ``make`` takes weights to start from, or None."""

    name: str
    steps: int
    make: Callable[[Networks | None], Trainer]


def planned_stages(
    settings: TrainSettings, training_set: TrainingSet, device: torch.device, continued: Collection[str] = ()
) -> list[Stage]:
    """Return the stages in their order; ``continued`` are those that began with a model's networks as they were."""

    def masks(start: Networks | None) -> MaskTrainer:
        return MaskTrainer(training_set, settings, device, start, "masks" in continued)

    stages = [
        Stage("masks", settings.masks.steps, masks),
        Stage("textures", settings.textures.steps, lambda start: TextureTrainer(training_set, settings, device, start)),
    ]
    return [stage for stage in stages if settings.part in (Part.BOTH, Part(stage.name))]


def blank_networks(name: str, settings: TrainSettings, size: int, structures: int, axes: int) -> Networks:
    """Make the untrained networks of the stage ``name``."""
    if name == "masks":
        return blank_mask_networks(settings, size, structures, axes)
    return blank_texture_networks(settings, structures, axes)
