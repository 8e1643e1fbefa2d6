"""Intensities of textures in the tissues that their masks define (int16, in HU for CT)."""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, distance_transform_edt

from topogan.metrics.shape import Labels, Masks

AROUND_MM = 10.0
# How far a boundary profile goes to either side.
PROFILE_PIXELS = 6
_LOWEST = -32768
_VALUES = 65536


class Tissue(str, Enum):
    """Where, seen from the mask, an intensity is measured."""

    INSIDE = "inside the structure"
    HOLES = "inside enclosed holes"
    AROUND = "around the structure"


def tissue_region(mask: NDArray[np.bool_], tissue: Tissue, pixel_size: float) -> NDArray[np.bool_]:
    """The pixels of a tissue.

    INSIDE is the mask; HOLES the background that it encloses (the blood pool of a myocardial ring; in a volume the
    cavity of a shell); AROUND the open background within 10 mm of the structure.

    Args:
        mask: bool [H, W] or [D, H, W].
        tissue: which one.
        pixel_size: mm.

    Returns:
        bool of the same shape, empty where the mask has no such pixels.
    """
    if tissue is Tissue.INSIDE:
        return mask
    filled: NDArray[np.bool_] = binary_fill_holes(mask)
    if tissue is Tissue.HOLES:
        return filled & ~mask
    if not mask.any():
        return np.zeros_like(mask)
    near: NDArray[np.bool_] = distance_transform_edt(~filled) * pixel_size <= AROUND_MM
    return near & ~filled


class IntensityHistogram:
    """Counts of integer intensities, filled slice by slice, so that memory does not grow with the set."""

    def __init__(self) -> None:
        self._counts = np.zeros(_VALUES, dtype=np.int64)

    def add(self, values: NDArray[np.int16]) -> None:
        """Count ``values`` (int16 [n])."""
        if values.size:
            self._counts += np.bincount(values.astype(np.int64) - _LOWEST, minlength=_VALUES)

    @property
    def count(self) -> int:
        """How many values were added."""
        return int(self._counts.sum())

    @property
    def mean(self) -> float | None:
        """Mean intensity, None without any value."""
        if not self.count:
            return None
        return float(self._counts @ np.arange(_LOWEST, _LOWEST + _VALUES) / self.count)

    def shares(self, edges: NDArray[np.float64]) -> list[float]:
        """Share of the values in each bin [edge, next edge), the last one closed; zeros without any value."""
        values = np.arange(_LOWEST, _LOWEST + _VALUES)
        counts, _ = np.histogram(values, bins=edges, weights=self._counts)
        return [float(count) / max(self.count, 1) for count in counts]

    def distance(self, other: IntensityHistogram) -> float | None:
        """1-Wasserstein distance ∫ |F(x) − G(x)| dx of the two cumulative distributions, in HU (or image units).

        The mean number of HU by which intensities must move to turn one histogram into the other; exact, because
        intensities are integers. None where one histogram has no value.
        """
        if not (self.count and other.count):
            return None
        difference = np.cumsum(self._counts) / self.count - np.cumsum(other._counts) / other.count
        return float(np.abs(difference).sum())


def tissue_histograms(
    masks: Masks, images: NDArray[np.int16], pixel_size: float, window: tuple[float, float]
) -> dict[Tissue, IntensityHistogram]:
    """Intensity histogram of each tissue over a set of slices.

    Intensities are clipped to ``window`` first, as those of synthetic textures are by construction.

    Args:
        masks: bool [N, H, W] or [N, D, H, W].
        images: int16 of the same shape.
        pixel_size: mm.
        window: lowest and highest intensity of the textures.
    """
    histograms = {tissue: IntensityHistogram() for tissue in Tissue}
    for mask, image in zip(masks, images, strict=True):
        clipped = np.clip(image, *window).astype(np.int16)
        for tissue, histogram in histograms.items():
            histogram.add(clipped[tissue_region(mask, tissue, pixel_size)])
    return histograms


def label_histograms(
    labels: Labels, images: NDArray[np.int16], pixel_size: float, window: tuple[float, float], structures: int
) -> list[IntensityHistogram]:
    """Intensity histogram inside each structure of label maps, and last around all of them (as AROUND of their union).

    Args:
        labels: label ids [N, H, W] or [N, D, H, W].
        images, pixel_size, window: as for :func:`tissue_histograms`.
        structures: number of labels.
    """
    histograms = [IntensityHistogram() for _ in range(structures + 1)]
    for found, image in zip(labels, images, strict=True):
        clipped = np.clip(image, *window).astype(np.int16)
        for label, histogram in enumerate(histograms[:-1], start=1):
            histogram.add(clipped[found == label])
        histograms[-1].add(clipped[tissue_region(found > 0, Tissue.AROUND, pixel_size)])
    return histograms


def boundary_profile(masks: Masks, images: NDArray[np.int16], window: tuple[float, float]) -> NDArray[np.float64]:
    """Mean intensity by the distance to the boundary of a structure; a halo along it shows as a bump.

    Args:
        masks: bool [N, H, W] or [N, D, H, W].
        images: int16 of the same shape.
        window: lowest and highest intensity of the textures.

    Returns:
        float [2 · PROFILE_PIXELS]: the farthest pixels inside first, then those that touch the boundary inside and
        outside at the middle; NaN where no mask has such pixels.
    """
    sums, counts = np.zeros(2 * PROFILE_PIXELS), np.zeros(2 * PROFILE_PIXELS)
    for mask, image in zip(masks, images, strict=True):
        if not mask.any() or mask.all():
            continue
        inside, outside = distance_transform_edt(mask), distance_transform_edt(~mask)
        steps = np.where(mask, -np.rint(inside), np.rint(outside) - 1).astype(np.int64) + PROFILE_PIXELS
        near = (steps >= 0) & (steps < len(sums))
        sums += np.bincount(steps[near], np.clip(image, *window)[near], len(sums))
        counts += np.bincount(steps[near], minlength=len(sums))
    with np.errstate(invalid="ignore"):
        return sums / counts


def neighbor_difference(images: NDArray[np.int16], window: tuple[float, float], axis: int) -> float:
    """Mean absolute difference of neighboring slices (rows, columns), in HU or the images' unit.

    Volumes that are painted slice by slice flicker along the axis of the slices: there this is too large.

    Args:
        images: int16 [N, H, W] or [N, D, H, W].
        window: lowest and highest intensity of the textures.
        axis: which of the axes of one image, from 0.
    """
    differences = [
        float(np.abs(np.diff(np.clip(image, *window).astype(np.float32), axis=axis)).mean()) for image in images
    ]
    return float(np.mean(differences))
