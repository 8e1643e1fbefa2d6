"""Integers in the order of an image's values.

GUDHI's fast path returns values, not pixels. A pixel's number packed below an integer that has the order of the
values lets it return both; so every image needs such integers, and getting them must not cost more than persistence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError

# Integers up to here are exact in float64, which is what GUDHI computes in.
_LARGEST_EXACT = 2**53


def pack_pixels(images: NDArray[np.generic]) -> NDArray[np.float64]:
    """Give every pixel a value of its own that has the order of the images' values and tells the pixel's number.

    packed = key · 2K + pixel, K pixels in an image, with integer keys that have the order of the values. Two pixels of
    equal value differ by less than K, others by more: ``min_persistence=K`` drops exactly the pairs of persistence 0.

    Args:
        images: [N, ...], real numbers without NaN; ±inf are values like others.

    Returns:
        float64 [N, ...], exact integers.

    Raises:
        InputError: there is a NaN.
    """
    pixels = images[0].size
    keys = order_keys(images)
    keys -= keys.min()
    if (int(keys.max()) + 1) * 2 * pixels > _LARGEST_EXACT:
        keys = _ranks(images)
    packed = keys.reshape(len(images), pixels) * (2 * pixels) + np.arange(pixels)
    return packed.astype(np.float64).reshape(images.shape)


def unpack_pixels(packed: NDArray[np.float64], pixels: int) -> NDArray[np.int64]:
    """Return the pixels' numbers (C order) of packed values of images of ``pixels`` pixels."""
    return packed.astype(np.int64) % (2 * pixels)


def order_keys(images: NDArray[np.generic]) -> NDArray[np.int64]:
    """Give integers with key(p) < key(q) exactly where value(p) < value(q) within an image.

    Distances in pixels or isotropic mm (whose squares are integers times a common factor) and whatever float32 holds
    need no sorting; other float64 images get ranks.

    Args:
        images: [N, ...], real numbers; ±inf are values like others.

    Returns:
        int64 of the same shape.

    Raises:
        InputError: there is a NaN, or the values are not real numbers.
    """
    kind = images.dtype.kind
    if kind in "bi" or (kind == "u" and images.dtype.itemsize < 8):
        return images.astype(np.int64)
    if kind not in "fu":
        raise InputError(f"An image of {images.dtype} cannot be filtered: give real numbers.")
    if np.isnan(images).any():
        raise InputError("The image holds NaN (not a number), which has no place in an order: remove or replace it.")
    if images.dtype.itemsize <= 4:
        return _float32_keys(images)
    # The first row decides cheaply which way is worth trying; the whole is then verified.
    for attempt in (_square_keys, _float32_keys_if_exact):
        if attempt(images[:1, :1]) is not None and (keys := attempt(images)) is not None:
            return keys
    return _ranks(images)


def _square_keys(images: NDArray[np.floating]) -> NDArray[np.int64] | None:
    """Signed integers k with |value| = √k · (smallest positive |value|), bit by bit; None where there are none."""
    size = np.abs(images)
    positive = size[size > 0]
    if not positive.size:
        return np.zeros(images.shape, dtype=np.int64)
    unit = positive.min()
    if not size.max() < unit * 2.0**25:
        return None
    squares = np.rint(np.square(size / unit))
    if not np.array_equal(np.sqrt(squares) * unit, size):
        return None
    return np.copysign(squares, images).astype(np.int64)


def _float32_keys_if_exact(images: NDArray[np.floating]) -> NDArray[np.int64] | None:
    with np.errstate(over="ignore"):
        narrow = images.astype(np.float32)
    return _float32_keys(narrow) if np.array_equal(narrow, images) else None


def _float32_keys(images: NDArray[np.floating]) -> NDArray[np.int64]:
    """IEEE 754 floats have the order of their bits as sign and magnitude; + 0.0 turns −0.0 into 0.0."""
    bits = (images.astype(np.float32) + np.float32(0.0)).view(np.int32).astype(np.int64)
    return np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))


def _ranks(images: NDArray[np.generic]) -> NDArray[np.int64]:
    """Dense ranks within each image: equal values have equal ranks."""
    flat = images.reshape(len(images), -1)
    order = np.argsort(flat, axis=1, kind="stable")
    ordered = np.take_along_axis(flat, order, axis=1)
    steps = np.zeros(flat.shape, dtype=np.int64)
    np.cumsum(ordered[:, 1:] != ordered[:, :-1], axis=1, out=steps[:, 1:])
    ranks = np.empty_like(steps)
    np.put_along_axis(ranks, order, steps, axis=1)
    return ranks.reshape(images.shape)
