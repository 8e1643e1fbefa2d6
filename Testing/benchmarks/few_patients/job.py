"""One training, and its samples."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
import torch
from ablation.sets import cache_folder
from numpy.typing import NDArray

from topogan.config import AugmentationSettings, Device, MaskSettings, Part, TrainSettings
from topogan.networks.labels import labels_of
from topogan.randomness import torch_stream
from topogan.runs.checkpoints import Checkpoint, latest_checkpoint, save_checkpoint
from topogan.training.mask_trainer import MaskTrainer
from topogan.training.optimization import as_floats
from topogan.training_set import TrainingSet

PHANTOMS = ("six_patients", "two_patients", "four_patients", "twelve_patients")
SETS = (*PHANTOMS, "six_atria")
VARIANTS: dict[str, dict[str, Any]] = {
    "none": {},
    "masks": {"masks": 1.0},
    "masks, less bent": {"masks": 1.0, "bending": 0.04},
    "masks, half": {"masks": 0.5, "bending": 0.04},
    "adaptive": {"discriminator": "adaptive", "bending": 0.04},
    "fixed": {"discriminator": "fixed", "bending": 0.04},
    "masks + fixed": {"masks": 1.0, "discriminator": "fixed", "bending": 0.04},
}
_OFF: dict[str, Any] = {"masks": 0.0, "discriminator": "off"}
_SAMPLES, _TOGETHER = 1000, 100
_CURVE_EVERY = 100
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Job:
    """One training."""

    set_name: str
    variant: str
    seed: int
    steps: int
    small: bool
    """Half the width and half the batch: a quarter of the time, for more seeds and sets."""

    @property
    def name(self) -> str:
        """What it is called in the results."""
        return f"{self.set_name}, {self.variant}, {self.steps} {'small ' * self.small}steps, seed {self.seed}"

    @property
    def settings(self) -> TrainSettings:
        """The defaults but for steps, augmentation, and what is small."""
        small = {"width": 8, "batch": 16} if self.small else {}
        return TrainSettings(
            part=Part.MASKS,
            masks=MaskSettings(steps=self.steps, **small),
            augmentation=AugmentationSettings(**{**_OFF, **VARIANTS[self.variant]}),
            seed=self.seed,
            device=Device.CPU,
            threads=1,
        )

    def train(self, training_set: TrainingSet) -> tuple[MaskTrainer, list[dict[str, float]]]:
        """Train to the end, from the last checkpoint where there is one; return the trainer and its curve."""
        folder = cache_folder() / "few_patients" / f"{self.name}-{training_set.content_hash[:12]}".replace(", ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        trainer, curve = MaskTrainer(training_set, self.settings, CPU), []
        found = latest_checkpoint(folder)
        if found is not None:
            trainer.exact.restore(found.tensors, found.values["trainer"])
            trainer.step, curve = found.step, found.values["curve"]
        rows: list[dict[str, float]] = []
        while trainer.step < trainer.total:
            rows.append(as_floats(trainer.train_step()))
            if trainer.step % _CURVE_EVERY == 0 or trainer.step == trainer.total:
                shown = ("score_real", "score_fake", "augmentation")
                curve.append({"step": trainer.step} | {key: _mean(rows, key) for key in shown if key in rows[0]})
                tensors, values = trainer.exact.pack()
                save_checkpoint(folder, Checkpoint(trainer.step, tensors, {"trainer": values, "curve": curve}))
                rows = []
        return trainer, curve


def _mean(rows: list[dict[str, float]], key: str) -> float:
    return round(fmean(row[key] for row in rows), 4)


def drawn(trainer: MaskTrainer, job: Job) -> NDArray[np.bool_]:
    """Raw samples, bool [N, H, W], from the same z whatever was trained."""
    z = torch.randn(_SAMPLES, job.settings.masks.latent, generator=torch_stream(0, "few patients: samples"))
    with torch.no_grad():
        found = [labels_of(trainer.networks()["generator"](part)) for part in z.split(_TOGETHER)]
    return np.concatenate(found) == 1
