"""Volumes of a tube around blood, and what was written of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

SHAPE = (40, 60, 60)
SPACING = (1.0, 1.0, 2.0)
BLOOD, MUSCLE, AIR = 350, 90, -900


def ring_labels(radius: float = 16.0, shift: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """A tube (label 2) around blood (label 1) with a fin (label 2) on the side of rising columns: uint8 [z, y, x]."""
    z, y, x = np.indices(SHAPE, dtype=float)
    y, x = y - 30 - shift[0], x - 28 - shift[1]
    distance = np.hypot(y, x)
    labels = np.zeros(SHAPE, np.uint8)
    labels[distance < radius] = 2
    labels[(np.abs(y) < 3) & (x > 0) & (x < radius + 6)] = 2
    labels[distance < radius - 6] = 1
    labels[(z < 4) | (z > 35)] = 0
    return labels


def scan_of(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 10, labels.shape)
    return (np.choose(labels, [AIR, BLOOD, MUSCLE]) + noise).astype(np.int16)


def save(path: Path, array: np.ndarray, spacing: Sequence[float] = SPACING, orientation: str = "LPS") -> Path:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetOrigin((-30.0, -20.0, 100.0))
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.DICOMOrient(image, orientation), path)
    return path


def patients(folder: Path, count: int = 3, **how: Any) -> tuple[list[Path], list[Path]]:
    labels = [ring_labels(14.0 + number, (number - 1.0, 1.0 - number)) for number in range(count)]
    masks = [save(folder / "labels" / f"p{number}.nii.gz", array, **how) for number, array in enumerate(labels)]
    scans = [
        save(folder / "scans" / f"p{number}.nii.gz", scan_of(array, number), **how)
        for number, array in enumerate(labels)
    ]
    return masks, scans


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "slices.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
