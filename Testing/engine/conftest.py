"""A small training set and a small model that knows rings and discs, made once for all tests that need a model."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

SIZE = 64
PIXEL_SIZE = 1.5
WINDOW = (-200.0, 600.0)


def ring(inner: float, outer: float, center: tuple[float, float] = (31.5, 31.5)) -> np.ndarray:
    """A ring, or a disc where ``inner`` is 0: bool [64, 64]; radii in pixels."""
    row, column = np.indices((SIZE, SIZE))
    distance = np.hypot(row - center[0], column - center[1])
    return (distance >= inner) & (distance < outer)


@pytest.fixture(scope="session")
def ring_training_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 rings of two patients with images: 16 for training, 8 held out."""
    from topogan.topology import cubical_persistence_of_batch, distance_filtration, save_diagrams

    folder = tmp_path_factory.mktemp("real") / "training_set"
    folder.mkdir()
    generator = np.random.default_rng(0)
    masks = np.stack([ring(6 + index % 5, 14 + index % 7) for index in range(24)]).astype(np.uint8)
    images = np.where(masks == 1, 300, 40) + generator.normal(0, 20, masks.shape)
    np.save(folder / "masks.npy", masks)
    np.save(folder / "images.npy", images.astype(np.int16))
    filtrations = np.stack([distance_filtration(mask) for mask in masks])
    save_diagrams(folder / "diagrams.npz", cubical_persistence_of_batch(filtrations, (0, 1)))
    with (folder / "slices.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "patient", "phase", "level", "split", "area_mm2", "b0", "b1"])
        for row, mask in enumerate(masks):
            patient, split = ("patient_001", "train") if row < 16 else ("patient_002", "held_out")
            writer.writerow([row, patient, 0, row / 23, split, mask.sum() * PIXEL_SIZE**2, 1, 1])
    description = {
        "schema": "topogan.training-set/1",
        "structure": "ring",
        "labels": [1],
        "intensity": "HU",
        "pixel_size_mm": PIXEL_SIZE,
        "size": SIZE,
        "window": WINDOW,
        "plane": "axial",
        "independent": True,
        "counts": {"total": 24, "train": 16, "held_out": 8, "patients": 2},
        "betti": {"train": {"1,1": 16}, "held_out": {"1,1": 8}, "modal": [1, 1]},
        "content_hash": "c" * 64,
        "settings": {},
        "volumes": [],
    }
    (folder / "dataset.json").write_text(json.dumps(description), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def ring_model(tmp_path_factory: pytest.TempPathFactory, ring_training_set: Path) -> Path:
    """A package whose generator makes rings (b 1,1) and discs (b 1,0), about half of each.

    Its generator is fitted to a known function of z by least squares, which takes a second where a GAN takes minutes.
    """
    import torch

    from topogan.config import MaskSettings, TextureSettings, TrainSettings
    from topogan.model import save_model
    from topogan.networks import (
        make_mask_critic,
        make_mask_generator,
        make_texture_critic,
        make_texture_generator,
    )
    from topogan.training_set import TrainingSet

    settings = TrainSettings(masks=MaskSettings(width=4, latent=4), textures=TextureSettings(width=4))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = make_mask_generator(settings.masks, SIZE)
        optimizer = torch.optim.Adam(generator.parameters(), 0.01)
        for _ in range(150):
            z = torch.randn(16, settings.masks.latent)
            wanted = [ring(8.0 if one > 0 else 0.0, 18 + 3 * np.tanh(two)) for one, two, *_ in z.tolist()]
            targets = np.stack(wanted)
            logits = generator(z).squeeze(1)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(targets).float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        masks = {"generator": generator, "critic": make_mask_critic(settings.masks, SIZE)}
        textures = {
            "generator": make_texture_generator(settings.textures),
            "critic": make_texture_critic(settings.textures),
        }
    return save_model(
        tmp_path_factory.mktemp("models") / "ring",
        settings=settings,
        training_set=TrainingSet.open(ring_training_set),
        masks=masks,
        textures=textures,
        training={"steps": {"masks": 150, "textures": 0}, "seconds": 2.5},
    )
