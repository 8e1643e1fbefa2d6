"""What the U-Net is trained on: each arm, and one run of one."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from downstream_runs.models import NONE, PAINTER, TOPOLOGY, Training, open_model
from downstream_runs.sets import SOURCES, open_patients
from topogan.config import Device, DownstreamSettings
from topogan.evaluation.downstream import scores_of_parts, true_masks
from topogan.evaluation.own_masks import painted_own_masks
from topogan.evaluation.segmentation_augmentation import Augmentation
from topogan.evaluation.segmentation_network import Slices, predict, train_network
from topogan.homology import betti_numbers_of_batch
from topogan.training_set import TrainingSet

_CPU = torch.device("cpu")
SEGMENTATION = DownstreamSettings(steps=300, batch=16, width=8, learning_rate=0.003, device=Device.CPU, threads=1)
# As many as there are training slices of four patients.
SAMPLES = 400


@dataclass(frozen=True)
class Arm:
    """What is mixed with real slices, and how."""

    data: str | None = None
    """The model that makes it; None: nothing is."""
    augmented: bool = True
    share: int = 50
    betti: str | None = None
    """The topology that samples must have: "real", or None for any."""


REAL, RIVAL, OWN, SYNTHETIC, WITHOUT, PLAIN = (
    "real",
    "real + augmentation",
    "own masks painted + augmentation",
    "synthetic + augmentation",
    "synthetic of λ = 0 + augmentation",
    "synthetic",
)
ARMS = {
    REAL: Arm(augmented=False),
    RIVAL: Arm(),
    OWN: Arm(PAINTER),
    SYNTHETIC: Arm(TOPOLOGY),
    WITHOUT: Arm(NONE),
    PLAIN: Arm(TOPOLOGY, augmented=False),
    "own masks painted": Arm(PAINTER, augmented=False),
    "synthetic, 25 %": Arm(TOPOLOGY, share=25),
    "synthetic, 75 %": Arm(TOPOLOGY, share=75),
    "own masks painted, 25 %": Arm(PAINTER, share=25),
    "own masks painted, 75 %": Arm(PAINTER, share=75),
    "synthetic, real topologies alone": Arm(TOPOLOGY, betti="real"),
    "synthetic of λ = 0, real topologies alone": Arm(NONE, betti="real"),
}
"""By the words of the tables; the last seven vary one thing."""


def run_arm(source: str, patients: int, seed: int, arm: Arm, training: Training) -> dict[str, Any]:
    """Train one U-Net; its scores on validation and on test patients, and what was used."""
    real = open_patients(SOURCES[source].segmented or source, patients, seed)
    assert real.images is not None and real.window is not None
    parts: list[Slices] = [(real.images[real.train], true_masks(real, real.train))]
    content: dict[str, Any] = {"train_slices": len(real.train), "segmentation": SEGMENTATION.model_dump(mode="json")}
    if arm.data is not None:
        told = open_patients(source, patients, seed)
        images, labels, content["model"] = _made(source, told, patients, seed, arm, training)
        parts.append((images, labels == 1))
        content["betti"] = _histogram(labels)
    settings = SEGMENTATION.model_copy(update={"share": arm.share})
    start = time.process_time()
    augmentation = Augmentation() if arm.augmented else None
    network = train_network(parts, real.window, settings, seed, _CPU, augmentation=augmentation)
    content["cpu_seconds"] = round(time.process_time() - start, 1)
    for part in ("validation", "test"):
        rows = getattr(real, part)
        if len(rows):
            predicted = predict(network, real.images[rows], real.window, settings.batch, _CPU)
            content[part] = asdict(scores_of_parts(predicted, true_masks(real, rows), real))
    return content


def _made(
    source: str, told: TrainingSet, patients: int, seed: int, arm: Arm, training: Training
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Images, label ids, and the settings of the model."""
    assert arm.data is not None
    model = open_model(source, told, patients, seed, arm.data, training)
    settings = model.settings.model_dump(mode="json")
    if arm.data == PAINTER:
        images, labels = painted_own_masks(model, told, SAMPLES, seed)
        return images, labels, {"textures": settings["textures"]}
    samples = model.sample(SAMPLES, seed, betti=arm.betti)
    assert samples.textures is not None
    return samples.textures, samples.labels, {**settings, "tries": samples.tries}


def _histogram(labels: np.ndarray) -> dict[str, int]:
    found, counts = np.unique(betti_numbers_of_batch(labels == 1), axis=0, return_counts=True)
    return {",".join(map(str, betti)): int(count) for betti, count in zip(found.tolist(), counts, strict=True)}
