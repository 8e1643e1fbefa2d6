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
# Pixels that are worked on together: their intermediate arrays stay in a core's cache, which is twice as fast.
_BLOCK = 2**15
# Pixels that are tried first.
_TASTE = 128


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
    flat = images.reshape(len(images), pixels)
    packed = np.empty(flat.shape)
    together = max(1, _BLOCK // pixels)
    for start in range(0, len(images), together):
        block = slice(start, start + together)
        _pack_block(flat[block], packed[block])
    return packed.reshape(images.shape)


def unpack_pixels(packed: NDArray[np.float64], pixels: int) -> NDArray[np.int64]:
    """Return the pixels' numbers (C order) of packed values of images of ``pixels`` pixels."""
    return packed.astype(np.int64) & (_stride(pixels) - 1)


def _pack_block(images: NDArray[np.generic], packed: NDArray[np.float64]) -> None:
    stride = _stride(images.shape[1])
    write_order_keys(images, packed)
    packed -= packed.min()
    if (packed.max() + 1) * stride > _LARGEST_EXACT:
        _write_ranks(images, packed)
    packed *= stride
    packed += np.arange(images.shape[1])


def _stride(pixels: int) -> int:
    """The smallest power of two that is at least twice the number of pixels."""
    return 1 << (2 * pixels - 1).bit_length()


def write_order_keys(images: NDArray[np.generic], keys: NDArray[np.float64]) -> None:
    """Write exact integers with key(p) < key(q) exactly where value(p) < value(q) within an image.

    Distances in pixels or isotropic mm (whose squares are integers times a common factor) and whatever float32 holds
    need no sorting; other float64 images get ranks.

    Args:
        images: [N, pixels], real numbers; ±inf are values like others.
        keys: float64 [N, pixels], contiguous, is written.

    Raises:
        InputError: there is a NaN, or the values are not real numbers.
    """
    kind = images.dtype.kind
    if kind not in "biuf":
        raise InputError(f"An image of {images.dtype} cannot be filtered: give real numbers.")
    if kind == "f" and np.isnan(images).any():
        raise InputError("The image holds NaN (not a number), which has no place in an order: remove or replace it.")
    if kind == "f" and images.dtype.itemsize <= 4:
        _write_float32(images.astype(np.float32, copy=False), keys)
    elif kind == "f":
        if not (_wrote_squares(images, keys) or _wrote_float32(images, keys)):
            _write_ranks(images, keys)
    elif int(images.min()) > -_LARGEST_EXACT and int(images.max()) < _LARGEST_EXACT:
        keys[:] = images
    else:
        _write_ranks(images, keys)


def _wrote_squares(images: NDArray[np.floating], keys: NDArray[np.float64]) -> bool:
    """Write signed integers k with |value| = √k · (smallest positive |value|) bit by bit, where there are any."""
    values, out = images.reshape(-1), keys.reshape(-1)
    unit, largest = _positive_range(values)
    # Beyond this the square roots of neighboring integers could round to one number.
    if not largest < unit * 2.0**24:
        return False
    starts = [0, *range(_TASTE, len(values), _BLOCK)]
    for start, end in zip(starts, [*starts[1:], len(values)], strict=True):
        value, square = values[start:end], out[start:end]
        size = np.abs(value)
        np.divide(size, unit, out=square)
        np.square(square, out=square)
        np.rint(square, out=square)
        if not np.array_equal(np.sqrt(square) * unit, size):
            return False
        np.copysign(square, value, out=square)
    return True


def _positive_range(values: NDArray[np.floating]) -> tuple[float, float]:
    """The smallest positive and the largest |value|; (1, 0) where all are 0."""
    size = np.abs(values)
    largest = size.max()
    if largest == 0:
        return 1.0, 0.0
    smallest = size.min()
    return float(smallest if smallest > 0 else np.where(size == 0, largest, size).min()), float(largest)


def _wrote_float32(images: NDArray[np.floating], keys: NDArray[np.float64]) -> bool:
    """Write the keys of images whose every value float32 holds exactly."""
    with np.errstate(over="ignore"):
        if not np.array_equal(images[0, :_TASTE].astype(np.float32), images[0, :_TASTE]):
            return False
        narrow = images.astype(np.float32)
    if not np.array_equal(narrow, images):
        return False
    _write_float32(narrow, keys)
    return True


def _write_float32(images: NDArray[np.float32], keys: NDArray[np.float64]) -> None:
    """IEEE 754 numbers have the order of their bits, read as sign and magnitude; + 0 turns −0.0 into 0.0."""
    bits = (images + np.float32(0.0)).view(np.int32)
    # Flipping the magnitude's bits of negative numbers turns sign and magnitude into a two's complement.
    keys[:] = bits ^ ((bits >> 31) & 0x7FFFFFFF)


def _write_ranks(images: NDArray[np.generic], keys: NDArray[np.float64]) -> None:
    """Write dense ranks within each image: equal values have equal ranks."""
    for values, key in zip(images, keys, strict=True):
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        steps = np.zeros(len(values))
        np.cumsum(ordered[1:] != ordered[:-1], out=steps[1:])
        key[order] = steps
