"""Integers in the order of an image's values.

GUDHI's fast path returns values, not pixels. A pixel's number packed below an integer that has the order of the
values lets it return both; so every image needs such integers, and getting them must not cost more than persistence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError

# Integers up to here are exact in float64, which is what GUDHI computes in.
_LARGEST_EXACT = 2**53
# Size of the key of −∞ in float32, the largest.
_LARGEST_FLOAT32 = 0x7F800001
# Pixels that are worked on together: their intermediate arrays stay in a core's cache, which is twice as fast.
BLOCK = 2**15
# Pixels that are tried first.
_PROBED = 128
_ONE = np.uint64(1)
# Writes the keys of images and says so, or says that it cannot.
Keys = NDArray[np.float64] | NDArray[np.int32]
Writer = Callable[[NDArray[Any], Any, int], bool]
_NOT_A_NUMBER = "The image holds NaN (not a number), which has no place in an order: remove or replace it."


def pack_pixels(images: NDArray[np.generic]) -> NDArray[np.float64]:
    """Give every pixel a value of its own that has the order of the images' values and tells the pixel's number.

    packed = key · stride + pixel with integer keys that have the order of the values and a stride of at least twice
    the number K of pixels. Two pixels of equal value differ by less than K, others by more: ``min_persistence=K``
    drops exactly the pairs of persistence 0.

    Args:
        images: [N, ...], real numbers without NaN; ±inf are values like others.

    Returns:
        float64 [N, ...], exact integers.

    Raises:
        InputError: there is a NaN, or the values are not real numbers.
    """
    pixels = images[0].size
    packed = np.empty((len(images), pixels))
    write_sort_keys(images.reshape(packed.shape), packed, _LARGEST_EXACT // stride_of(pixels) - 1)
    packed *= stride_of(pixels)
    packed += np.arange(pixels, dtype=np.float64)
    return packed.reshape(images.shape)


def unpack_pixels(packed: NDArray[np.float64], pixels: int) -> NDArray[np.int64]:
    """Return the pixels' numbers (C order) of packed values of images of ``pixels`` pixels."""
    return packed.astype(np.int64) & (stride_of(pixels) - 1)


def stride_of(pixels: int) -> int:
    """The smallest power of two that is at least twice the number of pixels."""
    return 1 << (2 * pixels - 1).bit_length()


def write_sort_keys(images: NDArray[np.generic], keys: Keys, limit: int) -> None:
    """Write exact integers with key(p) < key(q) exactly where value(p) < value(q) within an image.

    Distances in pixels or isotropic mm (whose squares are integers times a common factor) and whatever float32 holds
    need no sorting; other images get ranks.

    Args:
        images: [N, pixels], real numbers; ±inf are values like others.
        keys: float64 or int32 [N, pixels], contiguous, is written.
        limit: the largest size of a key, at least the number of pixels, and what ``keys`` can hold.

    Raises:
        InputError: there is a NaN, or the values are not real numbers.
    """
    kind = images.dtype.kind
    if kind == "f" and images.dtype.itemsize <= 8:
        wrote: Writer = _wrote_float32 if images.dtype.itemsize <= 4 else _wrote_float64
    elif kind in "biu":
        wrote = _wrote_integers
    else:
        raise InputError(f"An image of {images.dtype} cannot be filtered: give real numbers of at most 64 bits.")
    if not wrote(images, keys, limit):
        _write_ranks(images, keys)


def _wrote_integers(images: NDArray[np.integer], keys: Keys, limit: int) -> bool:
    if int(images.min()) < -limit or int(images.max()) > limit:
        return False
    keys[:] = images
    return True


def _wrote_float64(images: NDArray[np.float64], keys: Keys, limit: int) -> bool:
    least, most = float(images.min()), float(images.max())
    if math.isnan(least):
        raise InputError(_NOT_A_NUMBER)
    if _wrote_squares(images.reshape(-1), keys.reshape(-1), least, most, limit):
        return True
    start = images[0, :_PROBED]
    with np.errstate(over="ignore"):
        if not np.array_equal(start.astype(np.float32), start):
            return False
        narrow = images.astype(np.float32)
    return np.array_equal(narrow, images) and _wrote_float32(narrow, keys, limit)


def _wrote_squares(values: NDArray[np.float64], keys: Keys, least: float, most: float, limit: int) -> bool:
    """Write signed integers k with |value| = √k · (smallest positive |value|) bit by bit, where there are any."""
    if least == most == 0.0:
        keys[:] = 0.0
        return True
    signed = least < 0.0
    unit = least if least > 0.0 else _smallest_positive(np.abs(values) if signed else values)
    ratio = max(-least, most) / unit
    # Far beyond this the square roots of neighboring integers would round to one number.
    if not ratio * ratio < min(limit, 2**48):
        return False
    squares = np.empty(min(BLOCK, len(values)))
    for start in range(0, len(values), BLOCK):
        value = values[start : start + BLOCK]
        square = squares[: len(value)]
        size = np.abs(value) if signed else value
        np.divide(size, unit, out=square)
        np.square(square, out=square)
        np.rint(square, out=square)
        root = np.sqrt(square)
        root *= unit
        if not (root == size).all():
            return False
        keys[start : start + BLOCK] = np.copysign(square, value) if signed else square
    return True


def _smallest_positive(sizes: NDArray[np.float64]) -> float:
    """The smallest number above 0 of numbers ≥ 0, one of which is above 0."""
    # Read as unsigned integers, positive floats keep their order; one less, and 0 becomes the largest of all.
    return float((np.min(sizes.view(np.uint64) - _ONE) + _ONE).view(np.float64))


def _wrote_float32(images: NDArray[np.floating], keys: Keys, limit: int) -> bool:
    """Write the bits: IEEE 754 numbers have their order, read as sign and magnitude; + 0 turns −0.0 into 0.0."""
    values = images.astype(np.float32, copy=False) + np.float32(0.0)
    if np.isnan(values.min()):
        raise InputError(_NOT_A_NUMBER)
    if limit < _LARGEST_FLOAT32:
        return False
    bits = values.view(np.int32)
    # Flipping the magnitude's bits of negative numbers turns sign and magnitude into a two's complement.
    keys[:] = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    return True


def _write_ranks(images: NDArray[np.generic], keys: Keys) -> None:
    for values, key in zip(images, keys, strict=True):
        key[:] = dense_ranks(values)


def dense_ranks(values: NDArray[np.generic]) -> NDArray[np.int64]:
    """int64 [n]: place of each number among the distinct ones of [n] numbers; equal numbers have equal ranks."""
    # NumPy's default sort is vectorized on x86 and 5 times faster than its stable one; ranks need no stable order.
    order = np.argsort(values)
    ordered = values[order]
    ranks = np.zeros(len(values), dtype=np.int64)
    ranks[order[1:]] = np.cumsum(ordered[1:] != ordered[:-1])
    return ranks
