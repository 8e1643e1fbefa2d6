"""The persistence diagram of a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Diagram:
    """Births and deaths of the components (dimension 0), holes or tunnels (1) and cavities (2) of one sample.

    ``dimension`` int [n]; ``birth``, ``death`` float [n] in mm, infinite where nothing kills it; ``birth_index``,
    ``death_index`` int [n, axes], the pixel (row, column) or voxel (slice, row, column) that makes or kills it, −1
    where there is none.
    """

    dimension: np.ndarray
    birth: np.ndarray
    death: np.ndarray
    birth_index: np.ndarray
    death_index: np.ndarray

    def rows(self, chosen: np.ndarray | slice) -> Diagram:
        """The chosen classes: a mask, indices or a slice."""
        return Diagram(*(array[chosen] for array in vars(self).values()))

    @classmethod
    def empty(cls, axes: int = 2) -> Diagram:
        """A diagram of nothing in a slice (2 axes) or a volume (3)."""
        pixels = np.zeros((0, axes), int)
        return cls(np.zeros(0, int), np.zeros(0), np.zeros(0), pixels, pixels)
