"""Does a texture repeat an image that was trained on: told by its grain, not by the shape of the heart."""

from __future__ import annotations

from collections.abc import Callable
from itertools import compress, product

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, gaussian_filter, maximum_filter, minimum_filter

from topogan.metrics.alignment import place_and_size
from topogan.metrics.closeness import Closeness
from topogan.metrics.nearest import Vectors, most_alike
from topogan.metrics.shape import Labels, Masks
from topogan.metrics.texture import AROUND_MM

Images = NDArray[np.int16]
ReadPairs = Callable[[NDArray[np.int64]], tuple[Masks | Labels, Images]]
"""Reads the masks and the images of some rows of a stored set."""

# What varies more slowly than this is anatomy and shading, which images of different patients share (pixels).
_FINE = 2.0
# Grains of few pixels are alike by chance: those of 67 had correlations of up to 0.89 between patients.
_LEAST_AROUND = {2: 5, 3: 1}
# Within so many pixels grain is made equally strong, where it is at least this part of the median strength.
_COARSE, _WEAKEST = 2.0, 0.2
# Images that are compared at once have as many pixels as 128 of 256², in two places each.
_BLOCK_PIXELS = 128 * 256**2
_MOST_PIXELS, _FEWEST = 256 * 256**2, 8


def texture_audit(
    samples: tuple[Masks | Labels, Images],
    test: tuple[Masks | Labels, Images],
    read: ReadPairs,
    training_rows: NDArray[np.int64],
    pixel_size: float,
    window: tuple[float, float],
) -> Closeness:
    """The largest normalized cross-correlation of each image's grain with that of a training image.

    Images of two hearts correlate by their shapes, copied or not. The grain is what is left in each tissue without its
    mean and without what varies slowly (:func:`grain`): noise and fine detail, which two scans never share by chance.
    Grains are compared where they lie, and with their masks' centroids on one another, mirrored in every way. Source of
    the figure: Lewis, "Fast normalized cross-correlation", 1995; here at these shifts alone.

    Args:
        samples: masks (bool [N, H, W], [N, D, H, W], or label ids) and images, int16 of the same shape; at most
            :func:`most_images` are compared, the first ones.
        test: the same of held-out patients.
        read: gives masks and images of some rows of the training set.
        training_rows: int [K], the rows that were trained on.
        pixel_size: mm.
        window: lowest and highest intensity of the textures.

    Returns:
        Correlations, −1 to 1.
    """

    def best(pair: tuple[Masks | Labels, Images]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        masks, images = pair
        some = slice(most_images(images))
        return _best_correlations(masks[some], images[some], read, training_rows, pixel_size, window)

    return Closeness(*best(samples), best(test)[0])


def most_images(images: Images) -> int:
    """How many images of a set are compared: 256 of 256², 64 volumes of 64³; each costs two of memory, and time."""
    return max(_FEWEST, _MOST_PIXELS // max(1, images[:1].size))


def grain(
    mask: NDArray[np.generic], image: Images, pixel_size: float, window: tuple[float, float]
) -> NDArray[np.float32]:
    """What an image shows in and around the structures beside the means of its tissues and what varies slowly.

    Tissues are the structures, what they enclose, and what lies within 10 mm of them (as a square counts; in slices 5
    pixels at least), without the pixels on their boundaries; of an empty mask all is one tissue. What is left after a
    Gaussian mean (2 pixels, over the tissues alone) is divided by its local strength (local contrast normalization,
    Jarrett et al., ICCV 2009).

    Args:
        mask: bool or label ids [H, W] or [D, H, W].
        image: int16 of the same shape.
        pixel_size: mm.
        window: lowest and highest intensity.

    Returns:
        float32 of the same shape, 0 elsewhere, of length 1; all 0 where nothing varies.
    """
    tissues = _tissues(mask, max(_LEAST_AROUND[mask.ndim], round(AROUND_MM / pixel_size)))
    # Pixels on a boundary hold a part of either tissue: they tell of the shape.
    pure = (maximum_filter(tissues, size=3) == minimum_filter(tissues, size=3)) & (tissues > 0)
    inside = pure.astype(np.float32)
    values = np.clip(image, *window).astype(np.float32)
    counts = np.bincount(tissues[pure], minlength=tissues.max() + 1)
    means = np.bincount(tissues[pure], values[pure], len(counts)) / np.maximum(counts, 1)
    flat = (values - means[tissues].astype(np.float32)) * inside
    fine = (flat - _mean(flat, inside, _FINE)) * inside
    # Edges that no mask shows, of ribs or lungs, are ten times as strong as grain, and lie alike in many.
    strength = np.sqrt(_mean(fine**2, inside, _COARSE))
    # But nothing is made of what was clipped, or is as good as even.
    least = max(1.0, _WEAKEST * float(np.median(strength[pure]))) if pure.any() else 1.0
    found: NDArray[np.float32] = fine / np.maximum(strength, least)
    length = float(np.linalg.norm(found))
    return found / np.float32(length) if length > 1e-3 else np.zeros_like(found)


def _mean(values: NDArray[np.float32], inside: NDArray[np.float32], width: float) -> NDArray[np.float32]:
    """Gaussian mean of the values inside (0 elsewhere), over what is inside alone."""
    total, weight = (gaussian_filter(one, width, mode="constant") for one in (values, inside))
    found: NDArray[np.float32] = total / np.maximum(weight, 1e-6)
    return found


def _tissues(mask: NDArray[np.generic], around: int) -> NDArray[np.int64]:
    """A number for each tissue, 0 elsewhere."""
    shown = mask != 0
    if not shown.any():
        return np.ones(mask.shape, dtype=np.int64)
    near = maximum_filter(shown, size=2 * around + 1, mode="constant")
    found = np.where(near, 1, 0)
    found[binary_fill_holes(shown)] = 2
    found[shown] = mask[shown].astype(np.int64) + 2
    return found


def _best_correlations(
    masks: Masks | Labels,
    images: Images,
    read: ReadPairs,
    rows: NDArray[np.int64],
    pixel_size: float,
    window: tuple[float, float],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    axes = range(1, masks.ndim)
    ways = [tuple(compress(axes, way)) for way in product((False, True), repeat=len(axes))]

    def grains(some: Masks | Labels, painted: Images) -> NDArray[np.float32]:
        """float32 [n, 2, …]: where they lie, and with the centroid in the middle."""
        pairs = zip(some, painted, strict=True)
        return np.stack([_two_places(mask, grain(mask, image, pixel_size, window)) for mask, image in pairs])

    def stored(some: NDArray[np.int64]) -> Vectors:
        return _flat(grains(*read(some)))

    step = max(1, _BLOCK_PIXELS // max(1, images[:1].size))
    own = [grains(masks[start : start + step], images[start : start + step]) for start in range(0, len(masks), step)]
    upright = np.concatenate(own)

    def take(part: slice) -> Vectors:
        # Numbers count image by image, way by way.
        numbers = range(part.start, part.stop)
        return _flat(np.stack([np.flip(upright[number // len(ways)], ways[number % len(ways)]) for number in numbers]))

    found = most_alike(len(masks) * len(ways), take, rows, stored, _correlations, step)
    value, index = (values.reshape(len(masks), len(ways)) for values in found)
    best = np.arange(len(masks)), value.argmax(axis=1)
    return value[best], index[best]


def _two_places(mask: NDArray[np.generic], fine: NDArray[np.float32]) -> NDArray[np.float32]:
    center, size = place_and_size(mask)
    if size == 0.0:
        return np.stack([fine, fine])
    moved = np.zeros_like(fine)
    sources, targets = [], []
    for middle, length in zip(center, fine.shape, strict=True):
        # With an even number of pixels the middle lies between two; mirroring there keeps what is mirrored in place.
        shift = int(np.floor((length - 1) / 2 - middle + 0.5))
        sources.append(slice(max(0, -shift), min(length, length - shift)))
        targets.append(slice(max(0, shift), min(length, length + shift)))
    moved[tuple(targets)] = fine[tuple(sources)]
    return np.stack([fine, moved])


def _flat(pairs: NDArray[np.float32]) -> Vectors:
    return pairs.reshape(len(pairs), -1)


def _correlations(first: Vectors, second: Vectors) -> NDArray[np.float64]:
    """The larger one of the correlations in the two places, float [n, m]."""
    half = first.shape[1] // 2
    lying, centered = first[:, :half] @ second[:, :half].T, first[:, half:] @ second[:, half:].T
    found: NDArray[np.float64] = np.maximum(lying, centered).astype(np.float64)
    return found
