"""Training sets small enough to train on in seconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from training_sets import write_training_set

SIZE = 64


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


def write_rings(folder: Path, count: int = 120, with_images: bool = True, seed: int = 0) -> Path:
    """Write a training set of rings: three quarters for training, bright rings on grey with noise."""
    masks = rings(count, seed)
    noise = np.random.default_rng(seed).normal(0, 20, masks.shape)
    images = (np.where(masks, 300, 40) + noise).astype(np.int16)
    return write_training_set(folder, masks, images if with_images else None, count * 3 // 4, count // 8)


@pytest.fixture(scope="session")
def ring_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 rings and discs with images."""
    return write_rings(tmp_path_factory.mktemp("rings") / "training_set")


@pytest.fixture(scope="session")
def label_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 rings and discs without images."""
    return write_rings(tmp_path_factory.mktemp("labels") / "training_set", 40, with_images=False)


@pytest.fixture(autouse=True)
def own_user_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings folder for the test alone, so that the user's own is neither read nor written."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(home))
    return home
