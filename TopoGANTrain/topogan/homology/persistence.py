"""Persistent homology of images and volumes, with the pixels that make and kill each class.

T-construction: a pixel is a closed square with the pixel's value, a voxel a closed cube; an edge or a corner has the
smallest value of the squares or cubes around it. Sublevel sets are therefore 8-connected (in volumes 26-connected),
their complement is 4-connected (6-connected), and outside of the image is background. GUDHI's top-dimensional cells are
the same construction; its "vertices" (and cripser) are the other one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from topogan.errors import InputError
from topogan.homology.diagrams import Diagram
from topogan.homology.gudhi_cubical import persistence_of_top_cells
from topogan.homology.index_packing import BLOCK, dense_ranks, pack_pixels, unpack_pixels
from topogan.homology.morse import persistence_of_volumes

# Below this many pairs one comparison sort costs less than three fast ones.
_FEW = 2048
_HOMOLOGY = {
    2: "Images have homology in the dimensions 0 and 1",
    3: "Volumes have homology in the dimensions 0, 1 and 2",
}


@dataclass(frozen=True)
class BatchPairs:
    """The persistence pairs of a batch of images, row i of every array is one pair.

    The pairs of an image and a dimension are one group; groups rise, and within a group there is no order.
    """

    dimensions: tuple[int, ...]
    """The dimensions asked for, in rising order."""
    group: NDArray[np.int64]
    """int [P]: image · number of dimensions + place of the dimension."""
    values: NDArray[np.float64]
    """float [P, 2]: birth and death; the death of an essential class is inf."""
    pixels: NDArray[np.int64]
    """int [P, 2]: number of the birth and of the death pixel in its image, C order; −1 where there is none."""

    @property
    def image(self) -> NDArray[np.int64]:
        """int [P]: number of the image in the batch."""
        return self.group // len(self.dimensions)

    @property
    def dimension(self) -> NDArray[np.int64]:
        """int [P]"""
        return np.array(self.dimensions)[self.group % len(self.dimensions)]

    @property
    def birth(self) -> NDArray[np.float64]:
        """float [P]"""
        return self.values[:, 0]

    @property
    def death(self) -> NDArray[np.float64]:
        """float [P]"""
        return self.values[:, 1]

    @property
    def birth_pixel(self) -> NDArray[np.int64]:
        """int [P]"""
        return self.pixels[:, 0]

    @property
    def death_pixel(self) -> NDArray[np.int64]:
        """int [P]"""
        return self.pixels[:, 1]

    @property
    def essential(self) -> NDArray[np.bool_]:
        """bool [P]: whether the class never dies."""
        return self.pixels[:, 1] < 0

    def by_falling_persistence(self) -> NDArray[np.int64]:
        """int [P]: the order that sorts each group by falling persistence and leaves the groups where they are."""
        with np.errstate(invalid="ignore"):
            growth = self.birth - self.death
        # The essential class of an image of +inf alone is born at inf.
        growth[self.essential] = -np.inf
        if len(growth) < _FEW:
            return np.lexsort((growth, self.group))
        # Distinct keys keep equal persistences in their order, whatever the sort.
        order = np.sort(dense_ranks(growth) * len(growth) + np.arange(len(growth))) % len(growth)
        # NumPy sorts small integers by counting.
        group = self.group.astype(np.min_scalar_type(self.group[-1]))
        return order[np.argsort(group[order], kind="stable")]


def cubical_persistence(image: ArrayLike, dimensions: Sequence[int] | None = None) -> Diagram:
    """Persistence diagram of the sublevel sets of an image or a volume.

    Args:
        image: [H, W] or [D, H, W], real numbers, ±inf included; axes are (row, column) or (slice, row, column).
        dimensions: which to return of 0 (connected components), 1 (holes; of a volume, tunnels) and 2 (cavities of a
            volume); None for all.

    Returns:
        All pairs of positive persistence and the one essential class (dimension 0, born at the image's minimum).
        ``image[birth_index] = birth`` and ``image[death_index] = death``. Where several pixels of equal value could
        stand for a birth or death, the choice depends on their order only, and so is the same each time.

    Raises:
        InputError: the image has other than 2 or 3 axes, has no pixel, holds NaN, or has no such dimension.
    """
    return cubical_persistence_of_batch(np.asarray(image)[None], dimensions)[0]


def cubical_persistence_of_batch(images: ArrayLike, dimensions: Sequence[int] | None = None) -> list[Diagram]:
    """Persistence diagrams of the sublevel sets of each image of a stack, faster than one by one.

    Args:
        images: [N, H, W] or [N, D, H, W].
        dimensions: as for :func:`cubical_persistence`.

    Returns:
        N diagrams, as :func:`cubical_persistence` gives them.

    Raises:
        InputError: as :func:`cubical_persistence`.
    """
    images = np.asarray(images)
    pairs = pairs_of_batch(images, dimensions)
    order = pairs.by_falling_persistence()
    values, index = pairs.values[order], _positions(pairs.pixels[order], images.shape[1:])
    ends = np.bincount(pairs.image, minlength=len(images)).cumsum().tolist()
    arrays: tuple[NDArray[Any], ...] = (pairs.dimension, values[:, 0], values[:, 1], index[:, 0], index[:, 1])
    return [Diagram(*(array[start:end] for array in arrays)) for start, end in zip([0, *ends], ends, strict=False)]


def pairs_of_batch(
    images: NDArray[np.generic],
    dimensions: Sequence[int] | None = None,
    tunnels_of: NDArray[np.bool_] | None = None,
) -> BatchPairs:
    """Return the persistence pairs of a stack of images or volumes as flat arrays.

    Args:
        images: [N, H, W] or [N, D, H, W].
        dimensions: as for :func:`cubical_persistence`.
        tunnels_of: bool [N], of volumes: those whose pairs of dimension 1 are wanted, half of the cost; the others
            get none. All, if None.

    Raises:
        InputError: as :func:`cubical_persistence`.
    """
    axes = images.ndim - 1
    if axes not in (2, 3) or images[:1].size == 0 != len(images):
        words = "[row, column], or volumes [slice, row, column], with pixels"
        raise InputError(f"Persistence needs images {words}, not the shape {images.shape[1:]}.")
    known = tuple(range(axes))
    dimensions = known if dimensions is None else tuple(sorted(set(dimensions)))
    if not dimensions or not set(known).issuperset(dimensions):
        raise InputError(f"{_HOMOLOGY[axes]}, not {dimensions}.")
    if not len(images):
        nothing = np.zeros((0, 2), dtype=np.int64)
        return BatchPairs(dimensions, nothing[:, 0], nothing.astype(np.float64), nothing)
    if axes == 2:
        found: Sequence[Sequence[NDArray[Any]]] = _packed_pairs(images)
    else:
        with_tunnels = np.ones(len(images), dtype=bool) if tunnels_of is None else tunnels_of
        found = persistence_of_volumes(images, dimensions, with_tunnels)
    blocks = [points[dim] for points in found for dim in dimensions]
    group = np.arange(len(blocks)).repeat([len(block) for block in blocks])
    points = np.concatenate(blocks)
    pixels = _unpacked(points, images[0].size) if axes == 2 else points
    return BatchPairs(dimensions, group, _values(images, group // len(dimensions), pixels), pixels)


def _packed_pairs(images: NDArray[np.generic]) -> list[list[NDArray[np.float64]]]:
    """Packed points of each image [N, H, W] and dimension."""
    pixels = images[0].size
    together = max(1, BLOCK // pixels)
    parts = (images[start : start + together] for start in range(0, len(images), together))
    return [persistence_of_top_cells(image, pixels) for part in parts for image in pack_pixels(part)]


def _unpacked(points: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Pixels of packed points of images of ``count`` pixels."""
    essential = np.flatnonzero(points[:, 1] == np.inf)
    points[essential, 1] = 0.0
    pixels = unpack_pixels(points, count)
    pixels[essential, 1] = -1
    return pixels


def _values(images: NDArray[np.generic], image: NDArray[np.int64], pixels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Values of birth and death pixels [P, 2] of the images; inf where there is none."""
    places = pixels + (image * images[0].size)[:, None]
    values: NDArray[np.float64] = images.reshape(-1)[places].astype(np.float64, copy=False)
    values[pixels[:, 1] < 0, 1] = np.inf
    return values


def _positions(pixels: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """int [P, 2, axes] of pixel numbers [P, 2] in images of ``shape``; −1 everywhere of −1."""
    positions = np.empty((*pixels.shape, len(shape)), dtype=np.int64)
    for axis in range(len(shape) - 1, 0, -1):
        # The modulus of −1 is not −1; no pixel's position is above its number.
        np.minimum(pixels % shape[axis], pixels, out=positions[..., axis])
        pixels = pixels // shape[axis]
    positions[..., 0] = pixels
    return positions
