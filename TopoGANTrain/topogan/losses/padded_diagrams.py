"""Diagrams of a batch in arrays of one shape: the most persistent points of each, padded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from topogan.homology.persistence import BatchPairs

Value = TypeVar("Value", bound=np.generic)


@dataclass(frozen=True)
class PaddedDiagrams:
    """The most persistent points of each sample and dimension; arrays [B, D, K], most persistent first."""

    birth_pixel: NDArray[np.int64]
    """Pixel number; 0 where there is no point."""
    death_pixel: NDArray[np.int64]
    """Pixel number; 0 where there is no point or it is essential."""
    birth: NDArray[np.float64]
    """0 where there is no point."""
    death: NDArray[np.float64]
    """0 where there is no point."""
    there: NDArray[np.bool_]
    """Whether there is a point."""
    essential: NDArray[np.bool_]
    """Whether it is the essential class: the first component."""

    @classmethod
    def of(
        cls,
        pairs: BatchPairs,
        samples: int,
        birth: NDArray[np.float64],
        death: NDArray[np.float64],
        length: NDArray[np.float64],
        max_points: int,
    ) -> PaddedDiagrams:
        """Take the ``max_points`` longest pairs of each sample and dimension.

        Args:
            pairs: of a batch of ``samples`` images.
            samples: B.
            birth: float [P], what to keep as the pairs' births.
            death: float [P], likewise.
            length: float [P], what is longest; −inf leaves a pair out.
            max_points: K.
        """
        dimensions = len(pairs.dimensions)
        rows, place = _longest(pairs.group, length, samples * dimensions, max_points)
        where = (*np.divmod(pairs.group[rows], dimensions), place)
        shape = (samples, dimensions, max_points)

        def padded(values: NDArray[Value]) -> NDArray[Value]:
            array: NDArray[Value] = np.zeros(shape, dtype=values.dtype)
            array[where] = values[rows]
            return array

        return cls(
            birth_pixel=padded(pairs.birth_pixel),
            death_pixel=padded(np.maximum(pairs.death_pixel, 0)),
            birth=padded(birth),
            death=padded(death),
            there=padded(np.ones(len(birth), dtype=bool)),
            essential=padded(pairs.essential),
        )

    @property
    def persistence(self) -> NDArray[np.float64]:
        """float [B, D, K]: |birth − death|; 0 where there is no point."""
        return np.abs(self.birth - self.death)


def values_at(images: Tensor, pixels: NDArray[np.int64]) -> Tensor:
    """The values of images [B, H, W] or volumes at pixel numbers [B, …], with their gradient."""
    index = torch.from_numpy(pixels.reshape(len(pixels), -1)).to(images.device)
    return images.flatten(1).gather(1, index).reshape(pixels.shape)


def _longest(
    group: NDArray[np.int64], length: NDArray[np.float64], groups: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The ``count`` longest rows of each group: their numbers by group and falling length, and their places in it."""
    sizes = np.bincount(group, minlength=groups)
    starts = np.cumsum(sizes) - sizes
    table = np.full((groups, max(count, int(sizes.max(initial=0)))), -np.inf)
    table[group, np.arange(len(group)) - starts[group]] = length
    # Noise has hundreds of points; only those that reach the count-th length are worth sorting.
    threshold = np.partition(table, -count, axis=1)[:, -count]
    rows = np.flatnonzero((length >= threshold[group]) & (length > -np.inf))
    rows = rows[np.lexsort((-length[rows], group[rows]))]
    place = np.arange(len(rows)) - np.searchsorted(group[rows], group[rows], side="left")
    kept = place < count
    return rows[kept], place[kept]
