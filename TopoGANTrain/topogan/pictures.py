"""How finely contact sheets show patches, cells of about 1.6 inches each; the planes in which they show volumes."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

_LEAST, _MOST = 120, 240
_CELL_INCHES = 1.6
_LARGE = 256


def dots_per_inch(size: int) -> int:
    """A dot for each pixel of a patch of 256; of 512 three for four, or a sheet would have twenty million."""
    return min(_MOST, max(_LEAST, round(size / _CELL_INCHES)))


def interpolation(size: int) -> Literal["nearest", "antialiased"]:
    """Square pixels where they can be seen; where they cannot, none is left out."""
    return "nearest" if size < _LARGE else "antialiased"


def middle_of(labels: NDArray[np.generic]) -> tuple[int, int, int]:
    """The voxel in the middle of the bounding box of what is not 0, or of a volume [slice, row, column] of zeros."""
    places = np.argwhere(labels)
    ends = (places.min(axis=0), places.max(axis=0)) if len(places) else (np.zeros(3), np.array(labels.shape) - 1)
    first, second, third = ((ends[0] + ends[1]) // 2).astype(int).tolist()
    return first, second, third


def three_planes(volume: NDArray[Any], at: tuple[int, int, int]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The slice, and the planes through a row and a column, of a volume [slice, row, column] (and channels).

    Later slices are further up in the last two: of an axial volume they are the axial, the coronal and the sagittal
    plane as Slicer shows them.
    """
    number, row, column = at
    return volume[number], volume[::-1, row], volume[::-1, :, column]
