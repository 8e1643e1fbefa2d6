"""Simulated slices, and folders made of them by hand as the contracts say, for tests and benchmarks."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

sys.path.append(str(Path(__file__).resolve().parents[1] / "common"))
from training_sets import sign, write_training_set

Masks = NDArray[np.bool_]
Images = NDArray[np.int16]

WINDOW = (-200.0, 600.0)
PIXEL_SIZE = 1.5


def simulated_masks(count: int, size: int, rng: np.random.Generator) -> Masks:
    """Rings, in 7 of 10 slices with a disc beside them; 1 wall in 20 is open. bool [N, H, W]."""
    rows, columns = np.mgrid[:size, :size] * (64.0 / size)
    masks = []
    for _ in range(count):
        row, column = 32 + rng.uniform(-2, 2), 26 + rng.uniform(-2, 2)
        stretch, radius, half_wall = rng.uniform(0.9, 1.1), rng.uniform(8, 11), rng.uniform(2.2, 3)
        distance = np.hypot((rows - row) * stretch, (columns - column) / stretch)
        mask = np.abs(distance - radius) < half_wall
        if rng.random() < 0.05:
            mask &= ~((np.abs(columns - column) < 1.6) & (rows > row))
        if rng.random() < 0.7:
            right = column + radius * stretch + half_wall + rng.uniform(6.5, 10)
            mask |= np.hypot(rows - row, columns - right) < rng.uniform(3, 4.5)
        masks.append(mask)
    return np.array(masks)


def painted(masks: Masks, seed: int) -> Images:
    """CT of the slices: muscle 110 HU, blood pool 350 HU, around −50 HU, noise of 30 HU. int16 [N, H, W]."""
    filled = np.array([binary_fill_holes(mask) for mask in masks])
    clean = np.where(masks, 110.0, np.where(filled, 350.0, -50.0))
    return np.rint(clean + np.random.default_rng(seed).normal(0.0, 30.0, masks.shape)).astype(np.int16)


def write_real(folder: Path, masks: Masks, images: Images | None, trained: int) -> Path:
    """Write a set: the first ``trained`` slices to train on, the others for the test; ten slices a patient.

    A corner of each slice has another label, which no figure may take for the structure.
    """
    words = {"structure": "myocardium <left>"}
    write_training_set(folder, masks, images, trained, diagrams=False, pixel_size_mm=PIXEL_SIZE, **words)
    labels = np.load(folder / "masks.npy")
    labels[:, 0, 0] = 2
    np.save(folder / "masks.npy", labels)
    sign(folder)
    return folder


def write_synthesis(folder: Path, masks: Masks, textures: Images | None, **changes: object) -> Path:
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
        "model": {"content_hash": "b" * 64, "training_set": "a" * 64},
    }
    (folder / "report.json").write_text(json.dumps({**report, **changes}), encoding="utf-8")
    return folder
