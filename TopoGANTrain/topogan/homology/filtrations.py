"""Functions on pixels whose growing sublevel sets show the topology of a mask.

Structure is where a mask is not 0. The distance filtrations are exact Euclidean distances between pixel centers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import distance_transform_edt

from topogan.errors import InputError


def distance_filtration(
    mask: ArrayLike, pixel_size: float | Sequence[float] = 1.0, border: bool = False
) -> NDArray[np.float64]:
    """Distance of every pixel to the structure: 0 on it, positive outside.

    Its sublevel sets grow the structure by t: components merge at half the width of the gap between them, and an
    almost-closed loop is born as a hole at half the width of its gap. Source: Wang et al., ECCV 2020, section 3.1.

    Args:
        mask: [H, W] or [D, H, W], structure where not 0.
        pixel_size: in mm, one number or one per axis; 1 gives pixels.
        border: count the outermost pixels as structure, so that branches which run out of the image bound holes
            (figure 2 of the paper). The image keeps its shape, and pixels keep their indices.

    Returns:
        float64 of the mask's shape, in the unit of ``pixel_size``. Without any structure it is the length of the
        image's diagonal everywhere; on a full mask it is 0 everywhere.

    Raises:
        InputError: the mask has no pixel, or a pixel size is not a positive number.
    """
    structure = _structure(mask, border)
    return _distance_to(structure, _sizes(pixel_size, structure.ndim))


def signed_distance_filtration(
    mask: ArrayLike, pixel_size: float | Sequence[float] = 1.0, border: bool = False
) -> NDArray[np.float64]:
    """Distance to the structure outside of it, minus the distance to the background inside of it.

    There is no 0: the last structure pixel has −1 pixel, the first background pixel +1. Clipped at 0 it is
    :func:`distance_filtration`; below 0 it tells how thick the structure is.

    Args, raises: as :func:`distance_filtration`.

    Returns:
        float64 of the mask's shape, in the unit of ``pixel_size``; ± the length of the image's diagonal everywhere
        where there is no structure (+) or no background (−).
    """
    structure = _structure(mask, border)
    sizes = _sizes(pixel_size, structure.ndim)
    return _distance_to(structure, sizes) - _distance_to(~structure, sizes)


def superlevel_filtration(image: ArrayLike) -> NDArray[np.floating]:
    """Turn a grey image (probability or logit) around, so that its bright pixels come first.

    Args:
        image: float, of any shape.

    Returns:
        −image, with its dtype if that is floating, else float64.
    """
    values = np.asarray(image)
    return -values if np.issubdtype(values.dtype, np.floating) else -values.astype(np.float64)


def _structure(mask: ArrayLike, border: bool) -> NDArray[np.bool_]:
    structure: NDArray[np.bool_] = np.asarray(mask) != 0
    if structure.ndim == 0 or structure.size == 0:
        raise InputError(f"A mask of shape {structure.shape} has no pixels: give at least one.")
    if not border:
        return structure
    bordered = np.ones_like(structure)
    inner = (slice(1, -1),) * structure.ndim
    bordered[inner] = structure[inner]
    return bordered


def _sizes(pixel_size: float | Sequence[float], axes: int) -> tuple[float, ...]:
    given: list[float] | float = np.asarray(pixel_size, dtype=np.float64).tolist()
    sizes = tuple(given) if isinstance(given, list) else (given,) * axes
    if len(sizes) != axes or not all(math.isfinite(size) and size > 0 for size in sizes):
        raise InputError(f"The pixel size {pixel_size!r} does not fit: give one positive number, or one for each axis.")
    return sizes


def _distance_to(structure: NDArray[np.bool_], sizes: tuple[float, ...]) -> NDArray[np.float64]:
    isotropic = len(set(sizes)) == 1
    sampling = (1.0,) * structure.ndim if isotropic else sizes
    if structure.any():
        distances: NDArray[np.float64] = distance_transform_edt(~structure, sampling=None if isotropic else sizes)
    else:
        # scipy's result is undefined here: there is no pixel to measure to.
        squares = sum((length * size) ** 2 for length, size in zip(structure.shape, sampling, strict=True))
        distances = np.full(structure.shape, math.sqrt(squares))
    # Scaling last keeps equal distances equal, bit by bit: scipy's pixel distances are roots of exact integers.
    return distances * sizes[0] if isotropic else distances
