"""Synthetic masks and images of any size."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter


def blobs(count: int, size: int, seed: int = 0) -> np.ndarray:
    """Masks of irregular components with holes: thresholded smooth noise, bool [count, size, size]."""
    return blob_logits(count, size, seed)[:, 0] >= 0


def blob_logits(count: int, size: int, seed: int = 0) -> np.ndarray:
    """Grey images such as a half-trained generator makes, float32 [count, 1, size, size]."""
    rng = np.random.default_rng(seed)
    smooth = np.stack([gaussian_filter(rng.standard_normal((size, size)), size / 21) for _ in range(count)])
    return (4.0 * smooth / smooth.std())[:, None].astype(np.float32)


def rings(count: int, size: int, seed: int = 0) -> np.ndarray:
    """Masks of rings, some of them with a gap, as the wall of the left ventricle, bool [count, size, size]."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((size, size))
    masks = []
    for _ in range(count):
        center = size / 2 + rng.normal(0.0, size / 16, 2)
        radius, wall = size * rng.uniform(0.15, 0.3), size * rng.uniform(0.03, 0.08)
        away = np.hypot((rows - center[0]) * rng.uniform(0.8, 1.2), columns - center[1])
        mask = np.abs(away - radius) < wall
        if rng.random() < 0.3:
            start = int(center[0])
            mask[start : start + rng.integers(1, 5), int(center[1]) :] = False
        masks.append(mask)
    return np.stack(masks)


def half_and_half(count: int, size: int, seed: int = 0) -> np.ndarray:
    """As many blobs as rings."""
    return np.concatenate([blobs(count // 2, size, seed), rings(count - count // 2, size, seed + 1)])
