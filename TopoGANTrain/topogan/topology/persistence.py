"""Cubical persistence of 2-D images, dimensions 0 and 1, with the pixels that cause each birth and death.

Sublevel filtration of top-dimensional cells (T-construction): a pixel is a closed square, so that the sublevel sets are
8-connected and their holes are bounded 4-connected regions. The computation is GUDHI's 2-D fast path, which returns
values only; each pixel's value is therefore replaced by its rank among all pixels (ties in pixel order), from which the
pixel is read back. Diagrams do not depend on how ties are broken, once points of no persistence are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from gudhi._pers_cub_low_dim_ext import _persistence_on_rectangle_from_top_cells
from numpy.typing import ArrayLike, NDArray

from topogan.topology.diagrams import Diagram


def cubical_persistence(image: ArrayLike, dimensions: Sequence[int] = (0, 1)) -> Diagram:
    """The persistence diagram of one image.

    Args:
        image: real [H, W]; sublevel sets are filtered. ±inf is allowed.
        dimensions: homology dimensions wanted, of 0 and 1.

    Raises:
        ValueError: the image is not 2-D, is empty, or holds NaN.
    """
    values = np.asarray(image, dtype=np.float64)
    if values.ndim != 2 or values.size == 0:
        raise ValueError(f"An image with two axes is needed, not one of shape {values.shape}.")
    if np.isnan(values).any():
        raise ValueError("The image holds NaN, which has no place in a filtration.")
    flat = values.ravel()
    order = np.argsort(flat, kind="stable")
    ranks = np.empty(flat.size)
    ranks[order] = np.arange(flat.size)
    cells = ranks.reshape(values.shape)
    if min(values.shape) == 1:  # GUDHI needs two rows and two columns: add what no sublevel set reaches
        missing = [(0, 1 if length == 1 else 0) for length in values.shape]
        cells = np.pad(cells, missing, constant_values=np.inf)
    found = _persistence_on_rectangle_from_top_cells(np.ascontiguousarray(cells), 0.0)
    parts = [_decode(found[dimension], dimension, order, flat, values.shape) for dimension in dimensions]
    return Diagram(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def cubical_persistence_of_batch(
    images: Iterable[ArrayLike], dimensions: Sequence[int] = (0, 1)
) -> list[Diagram]:
    """The diagrams of several images, see :func:`cubical_persistence`."""
    return [cubical_persistence(image, dimensions) for image in images]


def _decode(
    pairs: NDArray[np.float64],
    dimension: int,
    order: NDArray[np.int64],
    flat: NDArray[np.float64],
    shape: tuple[int, ...],
) -> tuple[NDArray, ...]:
    essential = ~np.isfinite(pairs[:, 1])
    births = order[pairs[:, 0].astype(np.int64)]
    deaths = order[np.where(essential, 0, pairs[:, 1]).astype(np.int64)]
    birth, death = flat[births], np.where(essential, np.inf, flat[deaths])
    kept = (birth < death) | essential
    birth_index = np.column_stack(np.unravel_index(births, shape))
    death_index = np.where(essential[:, None], -1, np.column_stack(np.unravel_index(deaths, shape)))
    size = int(kept.sum())
    return np.full(size, dimension), birth[kept], death[kept], birth_index[kept], death_index[kept]
