"""A small right input, from which most cases are made by spoiling one thing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk

SHAPE = (40, 32, 32)
SPACING = (1.5, 1.5, 2.0)
ORIGIN = (-24.0, -20.0, 100.0)


def labels(shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """A tube along the slices: uint8 [slice, row, column], label 1, hollow, drifting sideways."""
    z, y, x = np.indices(shape, dtype=float)
    distance = np.hypot(y - shape[1] / 2, x - shape[2] / 2 + np.sin(z / 6))
    return ((distance < 10) & (distance >= 5)).astype(np.uint8)


def scan(mask: np.ndarray) -> np.ndarray:
    """HU: int16 of the mask's shape, bright in the structure, air around the body."""
    noise = np.random.default_rng(0).normal(0, 10, mask.shape)
    body = np.full(mask.shape, 40.0)
    body[:, :2] = -1000
    return (np.where(mask == 1, 300, body) + noise).astype(np.int16)


def image_of(
    array: np.ndarray, spacing: Sequence[float] = SPACING, origin: Sequence[float] = ORIGIN, **how: bool
) -> sitk.Image:
    """The array as an image at its place in the patient; [phase, slice, row, column] as phases."""
    if array.ndim == 4 and not how:
        return sitk.JoinSeries([image_of(phase, spacing, origin) for phase in array])
    image = sitk.GetImageFromArray(array, **how)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    return image


def save(path: Path, array: np.ndarray, **where: Sequence[float]) -> Path:
    """Write an array as a volume; the ending chooses the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image_of(array, **where), str(path))
    return path
