"""How finely contact sheets show patches, cells of about 1.6 inches each."""

from __future__ import annotations

from typing import Literal

_LEAST, _MOST = 120, 240
_CELL_INCHES = 1.6
_LARGE = 256


def dots_per_inch(size: int) -> int:
    """A dot for each pixel of a patch of 256; of 512 three for four, or a sheet would have twenty million."""
    return min(_MOST, max(_LEAST, round(size / _CELL_INCHES)))


def interpolation(size: int) -> Literal["nearest", "antialiased"]:
    """Square pixels where they can be seen; where they cannot, none is left out."""
    return "nearest" if size < _LARGE else "antialiased"
