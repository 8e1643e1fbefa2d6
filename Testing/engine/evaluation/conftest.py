"""A training set and a synthesis of simulated slices, written by hand as the contracts say."""

from __future__ import annotations

import csv
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import SimpleITK as sitk

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
TRAINING_HASH = "a" * 64
PIXEL_SIZE = 1.5


@pytest.fixture(scope="session")
def sanity() -> ModuleType:
    """The benchmark that perturbs slices: its simulated slices serve all tests here."""
    spec = importlib.util.spec_from_file_location("metric_sanity", BENCHMARKS / "metric_sanity.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def write_training_set(folder: Path, masks: np.ndarray, images: np.ndarray | None, trained: int) -> Path:
    """Write a set of two parts: the first ``trained`` slices to train on, the others held out; ten slices a patient.

    A corner of each slice has another label, which no figure may take for the structure.
    """
    from topogan.homology import betti_numbers_of_batch

    folder.mkdir(parents=True)
    labels = masks.astype(np.uint8)
    labels[:, 0, 0] = 2
    np.save(folder / "masks.npy", labels)
    if images is not None:
        np.save(folder / "images.npy", images.astype(np.int16))
    with (folder / "slices.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["row", "patient", "phase", "level", "split", "area_mm2", "b0", "b1"])
        for row, (pieces, holes) in enumerate(betti_numbers_of_batch(masks).tolist()):
            split = "train" if row < trained else "held_out"
            writer.writerow([row, f"patient_{row // 10 + 1:03d}", 0, 0.5, split, 1.0, pieces, holes])
    description = {
        "schema": "topogan.training-set/1",
        "structure": "myocardium <left>",
        "intensity": "none" if images is None else "HU",
        "pixel_size_mm": PIXEL_SIZE,
        "size": int(masks.shape[1]),
        "window": None if images is None else [-200.0, 600.0],
        "independent": True,
        "counts": {"total": len(masks), "train": trained, "held_out": len(masks) - trained},
        "betti": {"modal": [2, 1]},
        "content_hash": TRAINING_HASH,
    }
    (folder / "dataset.json").write_text(json.dumps(description), encoding="utf-8")
    return folder


def write_synthesis(folder: Path, masks: np.ndarray, textures: np.ndarray | None, **changes: object) -> Path:
    """Write a synthesis; ``changes`` replace entries of its report.json."""
    folder.mkdir(parents=True)
    for name, stack in (("masks", masks.astype(np.uint8)), ("textures", textures)):
        if stack is not None:
            image = sitk.GetImageFromArray(stack)
            image.SetSpacing((PIXEL_SIZE,) * 3)
            sitk.WriteImage(image, str(folder / f"{name}.nrrd"), True)
    with (folder / "samples.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["sample", "seed", "b0", "b1", "verdict", "area_mm2"])
        writer.writerows([[number, 1000 + number, 1, 1, "valid", 1.0] for number in range(len(masks))])
    report = {
        "schema": "topogan.synthesis/1",
        "requested_betti": None,
        "accepted_percent": 100.0,
        "settings": {"clean": 0},
        "betti_histogram_before_cleaning": {},
        "model": {"content_hash": "b" * 64, "training_set": TRAINING_HASH},
    }
    (folder / "report.json").write_text(json.dumps({**report, **changes}), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def real_slices(sanity: ModuleType) -> tuple[np.ndarray, np.ndarray]:
    """70 slices and their CT: 40 to train on, 30 held out."""
    masks = sanity.simulated_masks(70, 64, np.random.default_rng(5))
    return masks, sanity.painted(masks, 5)


@pytest.fixture(scope="session")
def synthetic_slices(sanity: ModuleType, real_slices: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """30 slices of the same kind and their CT; number 7 copies training row 3."""
    masks = sanity.simulated_masks(30, 64, np.random.default_rng(6))
    masks[7] = real_slices[0][3]
    return masks, sanity.painted(masks, 6)


@pytest.fixture(scope="session")
def training_set(tmp_path_factory: pytest.TempPathFactory, real_slices: tuple[np.ndarray, np.ndarray]) -> Path:
    return write_training_set(tmp_path_factory.mktemp("real") / "set", *real_slices, trained=40)


@pytest.fixture(scope="session")
def synthesis(tmp_path_factory: pytest.TempPathFactory, synthetic_slices: tuple[np.ndarray, np.ndarray]) -> Path:
    return write_synthesis(tmp_path_factory.mktemp("made") / "samples", *synthetic_slices)


@pytest.fixture
def make_synthesis(tmp_path: Path):
    """Write another synthesis: ``make_synthesis(masks, textures, **changes of report.json)``."""
    numbers = iter(range(100))
    return lambda *arrays, **changes: write_synthesis(tmp_path / f"samples{next(numbers)}", *arrays, **changes)


@pytest.fixture
def make_training_set(tmp_path: Path):
    """Write another training set: ``make_training_set(masks, images, trained)``."""
    numbers = iter(range(100))
    return lambda *arrays, **more: write_training_set(tmp_path / f"set{next(numbers)}", *arrays, **more)
