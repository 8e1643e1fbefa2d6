"""What paints and draws: networks of a few patients, trained once and kept in the cache."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from topogan.files import read_json, write_json
from topogan.model import Model, load_model, save_model
from topogan.runs.checkpoints import Checkpoint, latest_checkpoint, save_checkpoint
from topogan.training.mask_trainer import MaskTrainer
from topogan.training.texture_trainer import TextureTrainer
from topogan.training_set import TrainingSet

_CPU = torch.device("cpu")
_SCHEMA = "topogan.downstream-model/1"
TOPOLOGY, NONE, PAINTER = "topology", "none", "painter"
"""With the topological loss, without it, and a model that paints alone."""

Networks = dict[str, nn.Module]


@dataclass(frozen=True)
class Training:
    """What the trainings of all models have in common."""

    mask_steps: int = 1200
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
            augmentation=AugmentationSettings(masks=1.0, discriminator="off"),
            seed=seed,
            device=Device.CPU,
            threads=1,
        )


def open_model(name: str, real: TrainingSet, patients: int, seed: int, kind: str, training: Training) -> Model:
    """The model of so many patients, trained first where it is missing."""
    folder = cache_folder() / "downstream" / f"{name}-k{patients}-seed{seed}"
    if not (folder / PAINTER).is_dir():
        settings = training.settings(Part.TEXTURES, seed)
        trainer = TextureTrainer(real, settings, _CPU)
        seconds = _train(trainer, trainer.total)
        _save(folder / PAINTER, settings, real, None, trainer.networks(), seconds)
    if kind != PAINTER and not (folder / kind).is_dir():
        _train_masks(folder, real, seed, kind, training)
    return load_model(folder / kind, discriminators=False)


def seconds_of(name: str, patients: int, seed: int, kind: str) -> float:
    """Seconds of the CPU that the training of a model took."""
    folder = cache_folder() / "downstream" / f"{name}-k{patients}-seed{seed}"
    return float(read_json(folder / f"{kind}.json", _SCHEMA)["cpu_seconds"])


def _train_masks(folder: Path, real: TrainingSet, seed: int, kind: str, training: Training) -> None:
    """Go on from a warm-up that is the same with and without the topological loss; paint with the same networks."""
    painter = load_model(folder / PAINTER)
    assert painter.textures is not None and painter.texture_discriminator is not None
    textures = {"generator": painter.textures, "discriminator": painter.texture_discriminator}
    settings = training.settings(Part.BOTH, seed, TopologySettings(mode="off") if kind == NONE else None)
    warm = _warmed_up(folder / "warm-up", real, seed, training)
    trainer = MaskTrainer(real, settings, _CPU)
    # What the training without the loss does not have starts fresh.
    trainer.exact.restore(warm.tensors, trainer.exact.pack()[1] | warm.values["trainer"])
    trainer.step = warm.step
    seconds = warm.values["cpu_seconds"] + _train(trainer, trainer.total)
    _save(folder / kind, settings, real, trainer.networks(), textures, seconds)


def _warmed_up(folder: Path, real: TrainingSet, seed: int, training: Training) -> Checkpoint:
    """Before its warm-up ends the loss neither acts nor draws random numbers."""
    found = latest_checkpoint(folder) if folder.is_dir() else None
    if found is None:
        settings = training.settings(Part.BOTH, seed, TopologySettings(mode="off"))
        trainer = MaskTrainer(real, settings, _CPU)
        seconds = _train(trainer, int(TopologySettings().warm_up * settings.masks.steps))
        tensors, values = trainer.exact.pack()
        found = Checkpoint(trainer.step, tensors, {"trainer": values, "cpu_seconds": seconds})
        folder.mkdir(parents=True)
        save_checkpoint(folder, found)
    return found


def _train(trainer: Any, until: int) -> float:
    start = time.process_time()
    while trainer.step < until:
        trainer.train_step()
    return time.process_time() - start


def _save(
    out: Path, settings: TrainSettings, real: TrainingSet, masks: Networks | None, textures: Networks, seconds: float
) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out.with_suffix(".json"), {"cpu_seconds": round(seconds, 1)}, _SCHEMA)
    training = {"steps": {}, "seconds": round(seconds, 1)}
    save_model(out, settings=settings, training_set=real, masks=masks, textures=textures, training=training)
