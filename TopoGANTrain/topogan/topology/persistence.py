"""Persistent homology of 2-D images, dimensions 0 and 1, with the pixels that make and kill each class.

T-construction: a pixel is a closed square with the pixel's value; an edge or a corner has the smallest value of the
squares around it. Sublevel sets are therefore 8-connected, their complement is 4-connected, and outside of the image
is background. GUDHI's top-dimensional cells are the same construction; its "vertices" (and cripser) are the other one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from topogan.errors import InputError
from topogan.topology.diagrams import Diagram
from topogan.topology.order_keys import pack_pixels, unpack_pixels
from topogan.topology.rectangle import persistence_of_rectangle


@dataclass(frozen=True)
class BatchPairs:
    """The persistence pairs of a batch of images, row i of every array is one pair; grouped by image, else unsorted."""

    image: NDArray[np.int64]
    """int [P]: number of the image in the batch."""
    dimension: NDArray[np.int64]
    """int [P]"""
    birth: NDArray[np.float64]
    """float [P]"""
    death: NDArray[np.float64]
    """float [P]; inf where the class is essential."""
    birth_pixel: NDArray[np.int64]
    """int [P]: number of the pixel in its image, C order."""
    death_pixel: NDArray[np.int64]
    """int [P]; −1 where the class is essential."""

    def most_persistent_first(self) -> BatchPairs:
        """The pairs sorted by image, then by dimension, then by falling persistence."""
        with np.errstate(invalid="ignore"):
            persistence = np.where(self.death_pixel < 0, np.inf, self.death - self.birth)
        order = np.lexsort((-persistence, self.dimension, self.image))
        return BatchPairs(*(getattr(self, field.name)[order] for field in fields(self)))


def cubical_persistence(image: ArrayLike, dimensions: Sequence[int] = (0, 1)) -> Diagram:
    """Persistence diagram of the sublevel sets of an image.

    Args:
        image: [H, W], real numbers, ±inf included; axes are (row, column).
        dimensions: which of 0 (pieces) and 1 (holes) to return.

    Returns:
        All pairs of positive persistence and the one essential class (dimension 0, born at the image's minimum).
        ``image[birth_index] = birth`` and ``image[death_index] = death``. Where several pixels of equal value could
        stand for a birth or death, the choice depends on their order only, and so is the same each time.

    Raises:
        InputError: the image is not 2-D, has no pixel, holds NaN, or a dimension is neither 0 nor 1.
    """
    image = np.asarray(image)
    if image.ndim != 2:
        raise InputError(f"Persistence needs an image [row, column], not an array of shape {image.shape}.")
    return cubical_persistence_of_batch(image[None], dimensions)[0]


def cubical_persistence_of_batch(images: ArrayLike, dimensions: Sequence[int] = (0, 1)) -> list[Diagram]:
    """Persistence diagrams of the sublevel sets of each image of a stack, faster than one by one.

    Args:
        images: [N, H, W].
        dimensions: which of 0 and 1 to return.

    Returns:
        N diagrams, as :func:`cubical_persistence` gives them.

    Raises:
        InputError: as :func:`cubical_persistence`.
    """
    images = np.asarray(images)
    pairs = pairs_of_batch(images, sorted(set(dimensions))).most_persistent_first()
    width = images.shape[2]
    ends = np.searchsorted(pairs.image, np.arange(len(images)), side="right").tolist()
    arrays = (
        pairs.dimension,
        pairs.birth,
        pairs.death,
        _positions(pairs.birth_pixel, width),
        _positions(pairs.death_pixel, width),
    )
    return [Diagram(*(array[start:end] for array in arrays)) for start, end in zip([0, *ends], ends, strict=False)]


def pairs_of_batch(images: NDArray[np.generic], dimensions: Sequence[int] = (0, 1)) -> BatchPairs:
    """Return the persistence pairs of a stack of images as flat arrays.

    Args, raises: as :func:`cubical_persistence_of_batch`.
    """
    if images.ndim != 3 or images[:1].size == 0 != len(images):
        raise InputError(f"Persistence needs images [N, row, column] with pixels, not the shape {images.shape}.")
    if not set(dimensions) <= {0, 1}:
        raise InputError(f"Images have homology in the dimensions 0 and 1, not {tuple(dimensions)}.")
    if not len(images):
        nothing, numbers = np.zeros(0, dtype=np.int64), np.zeros(0)
        return BatchPairs(nothing, nothing, numbers, numbers, nothing, nothing)
    pixels = images[0].size
    found = [persistence_of_rectangle(packed, pixels) for packed in pack_pixels(images)]
    blocks = [points[dim] for points in found for dim in dimensions]
    lengths = [len(block) for block in blocks]
    image = np.repeat(np.repeat(np.arange(len(images)), len(dimensions)), lengths)
    dimension = np.repeat(np.tile(np.asarray(dimensions, dtype=np.int64), len(images)), lengths)
    return _decoded(images, image, dimension, np.concatenate(blocks))


def _decoded(
    images: NDArray[np.generic], image: NDArray[np.int64], dimension: NDArray[np.int64], packed: NDArray[np.float64]
) -> BatchPairs:
    """Look births and deaths up in the images."""
    pixels = images[0].size
    values = images.reshape(-1)
    first_pixel = image * pixels
    essential = np.isinf(packed[:, 1])
    birth_pixel = unpack_pixels(packed[:, 0], pixels)
    death_pixel = unpack_pixels(np.where(essential, 0.0, packed[:, 1]), pixels)
    birth = values[first_pixel + birth_pixel].astype(np.float64)
    death = values[first_pixel + death_pixel].astype(np.float64)
    death[essential] = np.inf
    death_pixel[essential] = -1
    return BatchPairs(image, dimension, birth, death, birth_pixel, death_pixel)


def _positions(pixels: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """int [P, 2] (row, column) of pixel numbers; (−1, −1) of −1."""
    row, column = np.divmod(pixels, width)
    return np.stack([row, np.where(pixels < 0, -1, column)], axis=1)
