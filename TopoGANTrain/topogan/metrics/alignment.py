"""Masks brought to one place and size, so that a shifted, scaled, turned or mirrored copy is its original again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import compress, product

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.ndimage import map_coordinates

from topogan.metrics.nearest import Vectors, most_alike
from topogan.metrics.shape import BestMatches, Labels, Masks, ReadMasks, dice_of_overlaps, dice_of_pairs, together

# Points of the grid along each axis, by the axes of a mask.
_POINTS = {2: 64, 3: 32}
# How far the grid reaches from the centroid, in root mean square distances of the structure's pixels from it. A full
# disc ends at 1.4, a thin ring at 1, a bar at 1.7.
_REACH = 2.2
_WHOLE = 255
# Slices are compared on rings around the centroid, where a turn is a shift. With 48 angles fewer turned copies of left
# atria are found (55 of 100, not 68), with 128 no more, at twice the cost.
_RINGS, _ANGLES = 24, 96
# Overlaps of as many slices with as many, for every angle, are 25 MB.
_TURNED_TOGETHER = 256

Aligned = NDArray[np.uint8]
"""What :func:`aligned` makes."""


def aligned(masks: Masks | Labels, structures: int = 1) -> Aligned:
    """Bring each mask to one place and size.

    The centroid of all structures together goes to the middle of a grid, and their root mean square distance from it
    ("centroid size") to the same number of points: what is left is the shape in Kendall's sense, but for rotation.
    Source: Dryden & Mardia, "Statistical Shape Analysis", 1998, chapter 2. Points lie between pixels and take parts of
    them, linearly, as wide as a pixel or as a point, whichever is the larger: with whole pixels, 15 % of the copies
    scaled by 1.15 were no closer to their originals than masks of other patients (phantom, 64 pixels). Slices are then
    read along rings around the middle.

    Args:
        masks: bool [N, H, W] or [N, D, H, W], or label ids.
        structures: number of labels, where masks are label ids.

    Returns:
        uint8 [N, structures, rings, angles] of slices, [N, structures, 32, 32, 32] of volumes: which part of a point
        each structure has, 255 all of it; 0 where a mask is empty.
    """
    grids = _on_grids(masks, structures)
    if grids.ndim == 5:
        return grids
    middle = (grids.shape[-1] - 1) / 2
    angles = 2 * np.pi * np.arange(_ANGLES) / _ANGLES
    places = middle + middle / _REACH * _radii() * np.stack([np.sin(angles), np.cos(angles)])[:, None]
    rings = [map_coordinates(grid, places, order=1) for grid in grids.reshape(-1, *grids.shape[2:])]
    return np.array(rings, dtype=np.uint8).reshape(*grids.shape[:2], _RINGS, _ANGLES)


def _radii() -> NDArray[np.float64]:
    """Of the rings, [rings, 1], in root mean square distances."""
    found: NDArray[np.float64] = _REACH * (np.arange(_RINGS)[:, None] + 0.5) / _RINGS
    return found


def _on_grids(masks: Masks | Labels, structures: int) -> Aligned:
    """uint8 [N, structures, 64, 64] or [N, structures, 32, 32, 32]."""
    axes = masks.ndim - 1
    points = np.linspace(-_REACH, _REACH, _POINTS[axes])
    found = np.zeros((len(masks), structures, *(len(points),) * axes), dtype=np.uint8)
    for one, mask in zip(found, masks, strict=True):
        center, size = place_and_size(mask)
        if size == 0.0:
            continue
        weights = [_weights(middle + points * size, length) for middle, length in zip(center, mask.shape, strict=True)]
        for label, target in enumerate(one, start=1):
            values = (mask == label).astype(np.float32)
            for weight in weights:
                # Each product moves the axis that it resamples to the end: after all of them the order is as before.
                values = np.tensordot(values, weight, axes=(0, 1))
            target[:] = np.rint(np.minimum(values, 1.0) * _WHOLE)
    return found


def _weights(places: NDArray[np.float64], length: int) -> NDArray[np.float32]:
    """How much of each of ``length`` pixels goes into each point, float32 [points, length]; beyond them is nothing."""
    width = max(1.0, places[1] - places[0])
    # As many pixels on to either side, so that all weights of a point inside add up to 1.
    pixels = np.arange(-np.ceil(width), length + np.ceil(width))
    weights = np.maximum(0.0, 1.0 - np.abs(places[:, None] - pixels) / width)
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    inside = (pixels >= 0) & (pixels < length)
    found: NDArray[np.float32] = weights[:, inside].astype(np.float32)
    return found


def place_and_size(mask: NDArray[np.generic]) -> tuple[list[float], float]:
    """The centroid of what is not 0 (pixels, by axis), and the root mean square distance from it (pixels).

    The size is 0 where the mask is empty; of a single pixel it is that of a square, not 0.
    """
    shown = mask != 0
    axes = range(shown.ndim)
    # Moments along an axis need but the sums over the others.
    counts = [shown.sum(axis=tuple(other for other in axes if other != axis), dtype=np.float64) for axis in axes]
    total = counts[0].sum()
    if total == 0:
        return [0.0] * shown.ndim, 0.0
    places = [np.arange(len(count)) for count in counts]
    center = [float(count @ place / total) for count, place in zip(counts, places, strict=True)]
    # 1/12: the variance of the places within a pixel.
    spread = sum(
        count @ (place - middle) ** 2 / total + 1 / 12
        for count, place, middle in zip(counts, places, center, strict=True)
    )
    return center, float(np.sqrt(spread))


def best_aligned_matches(
    masks: Masks | Labels, read: ReadMasks, rows: NDArray[np.int64], structures: int = 1
) -> BestMatches:
    """The most similar stored mask after both were brought to one place and size, turned and mirrored as it fits best.

    Slices are turned by every angle in steps of 3.75°, mirrored or not; volumes are mirrored in all 8 ways: a turned
    copy of a volume is found as far as a small turn changes little, or where it is turned by 180°.

    Args:
        masks, read, rows, structures: as for :func:`topogan.metrics.shape.best_stored_matches`.
    """
    return best_turned_matches(aligned(masks, structures), lambda some: aligned(read(some), structures), rows)


def best_turned_matches(
    upright: Aligned, read: Callable[[NDArray[np.int64]], Aligned], rows: NDArray[np.int64]
) -> BestMatches:
    """The same of masks that have been brought to one place and size (:func:`aligned`), as the stored ones have."""
    if upright.ndim == 5:
        return _best_mirrored(upright, read, rows)
    found = most_alike(
        len(upright),
        lambda part: _ring_parts(upright[part]),
        rows,
        lambda some: _ring_parts(read(some)),
        _turned_dice,
        _TURNED_TOGETHER,
    )
    return BestMatches(*found)


def _turned_dice(first: Vectors, second: Vectors) -> NDArray[np.float64]:
    """Dice of every pair, [N, M], at the angle, mirrored or not, at which they overlap most.

    The overlaps at all angles are a circular correlation, by Fourier transforms along the rings (Reddy & Chatterji,
    IEEE Transactions on Image Processing 1996). Mirroring conjugates a spectrum.
    """
    mine, others = (
        np.ascontiguousarray(rfft(one.reshape(len(one), -1, _ANGLES)).transpose(2, 0, 1)) for one in (first, second)
    )
    common = [irfft(one @ others.transpose(0, 2, 1), _ANGLES, axis=0).max(axis=0) for one in (mine, mine.conj())]
    return dice_of_overlaps(np.maximum(*common), first, second)


def _ring_parts(points: Aligned) -> Vectors:
    """Parts of points as vectors whose products are overlaps: a ring counts as much as it is long."""
    weights = np.sqrt(_radii()).astype(np.float32) / np.float32(_WHOLE)
    return (points * weights).reshape(len(points), -1)


def _best_mirrored(
    upright: Aligned, read: Callable[[NDArray[np.int64]], Aligned], rows: NDArray[np.int64]
) -> BestMatches:
    """Of volumes: mirrored along each axis, and along several."""
    axes = range(2, upright.ndim)
    ways = [tuple(compress(axes, way)) for way in product((False, True), repeat=len(axes))]

    def take(part: slice) -> Vectors:
        # Numbers count mask by mask, way by way.
        numbers = np.arange(part.start, part.stop)
        turned = [
            np.flip(upright[number // len(ways)], tuple(axis - 1 for axis in ways[number % len(ways)]))
            for number in numbers
        ]
        return _parts(np.stack(turned))

    step = together(upright[:, 0], upright.shape[1])
    found = most_alike(len(upright) * len(ways), take, rows, lambda some: _parts(read(some)), dice_of_pairs, step)
    dice, index = (values.reshape(len(upright), len(ways)) for values in found)
    best = np.arange(len(upright)), dice.argmax(axis=1)
    return BestMatches(dice[best], index[best])


def _parts(points: Aligned) -> Vectors:
    return points.reshape(len(points), -1).astype(np.float32) / np.float32(_WHOLE)
