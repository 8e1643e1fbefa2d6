"""What paints and draws: networks of a few patients, trained once and kept in the cache."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from ablation.sets import cache_folder
from torch import nn

from topogan.config import (
    AugmentationSettings,
    Device,
    MaskSettings,
    Part,
    TextureSettings,
    TopologySettings,
    TrainSettings,
)
from topogan.model import Model, load_model, save_model
from topogan.runs.checkpoints import Checkpoint, latest_checkpoint, save_checkpoint
from topogan.training.mask_trainer import MaskTrainer
from topogan.training.texture_trainer import TextureTrainer
from topogan.training_set import TrainingSet

# As masks were bent in all that has been measured.
_BENDING = 0.04
_CPU = torch.device("cpu")
TOPOLOGY, NONE, PAINTER = "topology", "none", "painter"
"""With the topological loss, without it, and a model that paints alone."""


@dataclass(frozen=True)
class Training:
    """What the trainings of all models have in common."""

    mask_steps: int = 1000
    mask_width: int = 8
    mask_batch: int = 16
    texture_steps: int = 600
    texture_width: int = 8

    def settings(self, part: Part, seed: int, topology: TopologySettings | None = None) -> TrainSettings:
        """Defaults but for sizes, steps (also those of the ramp), and masks that are varied as few patients need it."""
        masks = MaskSettings(steps=self.mask_steps, width=self.mask_width, batch=self.mask_batch)
        textures = TextureSettings(steps=self.texture_steps, width=self.texture_width)
        return TrainSettings(
            part=part,
            masks=masks,
            textures=textures,
            topology=topology or TopologySettings(ramp_steps=self.mask_steps // 10),
            augmentation=AugmentationSettings(masks=1.0, bending=_BENDING, discriminator="off"),
            seed=seed,
            device=Device.CPU,
            threads=1,
        )


def open_model(name: str, real: TrainingSet, patients: int, seed: int, kind: str, training: Training) -> Model:
    """The model of so many patients, trained first where it is missing."""
    folder = cache_folder() / "downstream" / f"{name}-k{patients}-seed{seed}"
    painter = folder / PAINTER
    if not painter.is_dir():
        settings = training.settings(Part.TEXTURES, seed)
        textures = TextureTrainer(real, settings, _CPU)
        _train(textures, textures.total)
        folder.mkdir(parents=True, exist_ok=True)
        networks = textures.networks()
        save_model(painter, settings=settings, training_set=real, masks=None, textures=networks, training={"steps": {}})
    model = load_model(painter, discriminators=False)
    if kind == PAINTER:
        return model
    generator = _train_masks(folder, real, seed, kind, training)
    return replace(
        model,
        masks=generator,
        metadata=model.metadata.model_copy(update={"settings": settings_of(kind, seed, training)}),
    )


def settings_of(kind: str, seed: int, training: Training) -> TrainSettings:
    """Those of the training of a model's masks."""
    return training.settings(Part.MASKS, seed, TopologySettings(mode="off") if kind == NONE else None)


def _train_masks(folder: Path, real: TrainingSet, seed: int, kind: str, training: Training) -> nn.Module:
    """Go on from a warm-up that is the same with and without the topological loss, and return the generator."""
    settings = settings_of(kind, seed, training)
    trainer = MaskTrainer(real, settings, _CPU)
    warm_up = int(settings.topology.warm_up * trainer.total)
    # Before its warm-up ends the loss neither acts nor draws random numbers.
    shared = MaskTrainer(real, settings_of(NONE, seed, training), _CPU)
    warm = _trained(folder / "warm-up", shared, warm_up)
    # What the training without the loss does not have starts fresh.
    trainer.exact.restore(warm.tensors, trainer.exact.pack()[1] | warm.values)
    trainer.step = warm.step
    last = _trained(folder / kind, trainer, trainer.total)
    trainer.exact.restore(last.tensors, last.values)
    return trainer.networks()["generator"].eval()


def _trained(folder: Path, trainer: MaskTrainer, until: int) -> Checkpoint:
    """The state at that step, trained first where it is missing."""
    found = latest_checkpoint(folder) if folder.is_dir() else None
    if found is None:
        _train(trainer, until)
        found = Checkpoint(trainer.step, *trainer.exact.pack())
        folder.mkdir(parents=True)
        save_checkpoint(folder, found)
    return found


def _train(trainer: MaskTrainer | TextureTrainer, until: int) -> None:
    while trainer.step < until:
        trainer.train_step()
