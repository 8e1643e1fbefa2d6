"""What a report calls samples of two and of three dimensions, and in what it measures them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.report import number
from topogan.metrics.shape import Masks, areas, volumes


@dataclass(frozen=True)
class Terms:
    """The words and units of slices, or those of volumes."""

    sample: str
    pixel: str
    holes: str
    """What is counted beside pieces."""
    size: str
    """What grows with a structure."""
    unit: str
    """Of that."""
    digits: Callable[[float], str]
    """A size in figures."""
    fills: str
    """What a structure does with its size."""
    width: str
    """Unit of the distances between diagrams."""
    sizes: Callable[[Masks, float], NDArray[np.float64]]
    """Size of each mask, from masks and mm of a pixel."""
    speck: int
    """Pieces and holes of fewer pixels are removed for the cleaned figures: less than 2 pixels along each axis."""
    specks: str
    """What cleaning can remove."""

    @property
    def samples(self) -> str:
        """Several of them."""
        return f"{self.sample}s"

    @property
    def pixels(self) -> str:
        """Several of them."""
        return f"{self.pixel}s"

    def amount(self, size: float) -> str:
        """A size with its unit."""
        return f"{self.digits(size)} {self.unit}"


TERMS = {
    2: Terms(
        sample="slice",
        pixel="pixel",
        holes="holes",
        size="area",
        unit="mm²",
        digits="{:.0f}".format,
        fills="covers",
        width="image widths",
        sizes=areas,
        speck=4,
        specks="pieces and holes",
    ),
    3: Terms(
        sample="volume",
        pixel="voxel",
        holes="tunnels and cavities",
        size="volume",
        unit="ml",
        digits=number,
        fills="fills",
        width="volume widths",
        sizes=volumes,
        speck=8,
        # A tunnel is no region that could be filled.
        specks="pieces and cavities",
    ),
}
"""By the axes of a sample."""
