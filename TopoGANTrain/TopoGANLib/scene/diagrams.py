"""The persistence diagram of a sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Diagram:
    """Births and deaths of the connected components (dimension 0) and holes (dimension 1) of one sample.

    ``dimension`` int [n]; ``birth``, ``death`` float [n] in mm, infinite where nothing kills it; ``birth_index``,
    ``death_index`` int [n, 2], the pixel (row, column) that makes or kills it, −1 where there is none.
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
    def empty(cls) -> Diagram:
        """A diagram of nothing."""
        pixels = np.zeros((0, 2), int)
        return cls(np.zeros(0, int), np.zeros(0), np.zeros(0), pixels, pixels)
