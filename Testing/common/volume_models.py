"""Models of hearts in 3-D whose networks are not trained but draw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from training_sets import write_training_set

from topogan.config import MaskSettings, TrainSettings
from topogan.model import Model, load_model, save_model
from topogan.networks import make_mask_discriminator, make_mask_generator
from topogan.training_set import TrainingSet

SIZE, VOXEL = 32, 2.0


def heart(radius: float, tunnel: bool = False, speck: bool = False, closed: bool = False) -> np.ndarray:
    """Label ids, uint8 [32, 32, 32]: a cup of wall (1), open towards the head, around blood (2)."""
    slices, rows, columns = np.indices((SIZE,) * 3) - 15.5
    distance = np.sqrt(slices**2 + rows**2 + columns**2)
    labels = (1 * (distance < radius) + 1 * (distance < radius - 4)).astype(np.uint8)
    if not closed:
        labels[20:] = 0
    if tunnel:
        labels[14:17, 14:17, 16:][labels[14:17, 14:17, 16:] == 1] = 0
    if speck:
        labels[2:4, 2:4, 2:4] = 1
    return labels


class Hearts(torch.nn.Module):
    """Draws with spheres: some have a tunnel, a speck or a lid."""

    def __init__(self, structures: int) -> None:
        super().__init__()
        self.structures = structures

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        drawn = []
        for size, *faults in z.tolist():
            labels = heart(11 + np.tanh(size), *(fault > 0.8 for fault in faults))
            drawn.append(np.stack([np.where(labels == label, 5.0, -5.0) for label in range(1, self.structures + 1)]))
        return torch.from_numpy(np.stack(drawn)).float()


def real_set(folder: Path, table: dict[str, Any]) -> TrainingSet:
    """40 hearts with images, some with a tunnel: 24 for training, 8 for validation, 8 for the test."""
    labels = np.stack([heart(10.5 + index % 4 / 2, tunnel=index % 13 == 12) for index in range(40)])
    images = np.array([-100, 120, 400])[labels]
    if len(table["structures"]) == 1:
        labels[labels == 2] = 0
    written = write_training_set(folder, labels, images, 24, 8, table=table, levels=np.zeros(40), pixel_size_mm=VOXEL)
    return TrainingSet.open(written)


def package_of(folder: Path, real: TrainingSet) -> Path:
    settings = TrainSettings(masks=MaskSettings(width=4, latent=4))
    sides = {"generator": make_mask_generator, "discriminator": make_mask_discriminator}
    networks = {name: make(settings.masks, SIZE, len(real.table), axes=3) for name, make in sides.items()}
    return save_model(folder, settings=settings, training_set=real, masks=networks, textures=None, training={})


def opened(package: Path) -> Model:
    """The model of a package, whose network is not trained, with one that draws."""
    model = load_model(package, discriminators=False)
    return replace(model, masks=Hearts(len(model.metadata.table)))
