"""Training sets small enough to train on in seconds."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

SIZE = 64
WINDOW = (-200.0, 600.0)


def rings(count: int, seed: int = 0) -> np.ndarray:
    """Rings of varied place and radius, every sixth a disc: uint8 [count, 64, 64]."""
    generator = np.random.default_rng(seed)
    row, column = np.indices((SIZE, SIZE))
    masks = []
    for index in range(count):
        center = SIZE / 2 + generator.normal(0, 2, 2)
        outer = generator.uniform(14, 20)
        distance = np.hypot(row - center[0], column - center[1])
        inner = 0.0 if index % 6 == 0 else outer - generator.uniform(4, 7)
        masks.append((distance < outer) & (distance >= inner))
    return np.stack(masks).astype(np.uint8)


def counted(betti: np.ndarray) -> dict[str, int]:
    """How often each (b0, b1) occurs."""
    return dict(Counter(f"{b0},{b1}" for b0, b1 in betti))


def write_training_set(folder: Path, count: int = 120, with_images: bool = True, seed: int = 0) -> Path:
    """Write a training set of rings by hand: three quarters for training, bright rings on grey with noise."""
    from topogan.homology import (
        betti_numbers_of_batch,
        cubical_persistence_of_batch,
        distance_filtration,
        save_diagrams,
    )

    folder.mkdir(parents=True)
    masks = rings(count, seed)
    noise = np.random.default_rng(seed).normal(0, 20, masks.shape)
    images = (np.where(masks == 1, 300, 40) + noise).astype(np.int16)
    np.save(folder / "masks.npy", masks)
    if with_images:
        np.save(folder / "images.npy", images)
    filtrations = np.stack([distance_filtration(mask) for mask in masks])
    save_diagrams(folder / "diagrams.npz", cubical_persistence_of_batch(filtrations, (0, 1)))
    train = count * 3 // 4
    betti = betti_numbers_of_batch(masks)
    with (folder / "slices.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "patient", "phase", "level", "split", "area_mm2", "b0", "b1"])
        for row, mask in enumerate(masks):
            patient, split = ("patient_001", "train") if row < train else ("patient_002", "held_out")
            writer.writerow([row, patient, 0, row / count, split, int(mask.sum()), *betti[row]])
    description = {
        "schema": "topogan.training-set/1",
        "structure": "ring",
        "labels": [1],
        "intensity": "HU" if with_images else "none",
        "pixel_size_mm": 1.0,
        "size": SIZE,
        "window": WINDOW if with_images else None,
        "plane": "axial",
        "independent": True,
        "counts": {"total": count, "train": train, "held_out": count - train, "patients": 2},
        "betti": {"train": counted(betti[:train]), "held_out": counted(betti[train:]), "modal": [1, 1]},
        "content_hash": hashlib.sha256(masks.tobytes() + images.tobytes()).hexdigest(),
        "settings": {},
        "volumes": [],
    }
    (folder / "dataset.json").write_text(json.dumps(description), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def ring_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 rings and discs with images."""
    return write_training_set(tmp_path_factory.mktemp("rings") / "training_set")


@pytest.fixture(scope="session")
def label_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 rings and discs without images."""
    return write_training_set(tmp_path_factory.mktemp("labels") / "training_set", 40, with_images=False)


@pytest.fixture(autouse=True)
def own_user_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings folder for the test alone, so that the user's own is neither read nor written."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(home))
    return home
