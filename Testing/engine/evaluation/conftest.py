"""A training set and a synthesis of simulated slices."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
from simulated import painted, simulated_masks, write_real, write_synthesis

from topogan.training_set import TrainingSet


@pytest.fixture(scope="session")
def real_slices() -> tuple[np.ndarray, np.ndarray]:
    """70 slices and their CT: 40 to train on, 30 held out."""
    masks = simulated_masks(70, 64, np.random.default_rng(5))
    return masks, painted(masks, 5)


@pytest.fixture(scope="session")
def synthetic_slices(real_slices: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """30 slices of the same kind and their CT; number 7 copies training row 3."""
    masks = simulated_masks(30, 64, np.random.default_rng(6))
    masks[7] = real_slices[0][3]
    return masks, painted(masks, 6)


@pytest.fixture(scope="session")
def training_set(tmp_path_factory: pytest.TempPathFactory, real_slices: tuple[np.ndarray, np.ndarray]) -> Path:
    return write_real(tmp_path_factory.mktemp("real") / "set", *real_slices, trained=40)


@pytest.fixture(scope="session")
def of_training_set(training_set: Path) -> dict[str, str]:
    """What a synthesis says of its model, trained on that set."""
    return {"content_hash": "b" * 64, "training_set": TrainingSet.open(training_set).content_hash}


@pytest.fixture(scope="session")
def synthesis(
    tmp_path_factory: pytest.TempPathFactory,
    synthetic_slices: tuple[np.ndarray, np.ndarray],
    of_training_set: dict[str, str],
) -> Path:
    return write_synthesis(tmp_path_factory.mktemp("made") / "samples", *synthetic_slices, model=of_training_set)


@pytest.fixture
def make_synthesis(tmp_path: Path, of_training_set: dict[str, str]):
    """Write another synthesis: ``make_synthesis(masks, textures, **changes of report.json)``."""
    numbers = iter(range(100))
    return lambda *arrays, **changes: write_synthesis(
        tmp_path / f"samples{next(numbers)}", *arrays, **{"model": of_training_set, **changes}
    )


@pytest.fixture
def make_training_set(tmp_path: Path):
    """Write another training set: ``make_training_set(masks, images, trained)``."""
    numbers = iter(range(100))
    return lambda *arrays, **more: write_real(tmp_path / f"set{next(numbers)}", *arrays, **more)
