"""Sorting many floats by their digits, several times faster than by comparison."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# 48 bits tell a million random numbers apart almost surely; NumPy sorts 16 at a time by counting.
_DIGITS = (0, 16, 32)
_LARGEST = 2.0**48 - 1.0
# Below this a comparison sort costs as much.
FEW = 8192


def stable_order(values: NDArray[np.number]) -> NDArray[np.int64]:
    """The indices that sort numbers (no NaN), equal ones in their order: ``np.argsort(values, kind="stable")``.

    The numbers are cut to 48 bits of their range, which keeps their order, and sorted by three digits of 16 bits. Where
    two different numbers are cut to one and come out in the wrong order, comparison does the work again.

    Args:
        values: [n].

    Returns:
        int64 [n].
    """
    if len(values) >= FEW and values.dtype == np.float64:
        least = values.min()
        # Infinite numbers, huge ranges and tiny ones have no usable scale.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            scale = _LARGEST / (values.max() - least)
        if 0.0 < scale < np.inf:
            order = _order_by_digits(((values - least) * scale).astype(np.uint64))
            ordered = values[order]
            if (ordered[1:] >= ordered[:-1]).all():
                return order
    return np.argsort(values, kind="stable")


def _order_by_digits(numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
    order = np.arange(len(numbers))
    for digit in _DIGITS:
        order = order[np.argsort((numbers >> np.uint64(digit)).astype(np.uint16)[order], kind="stable")]
    return order
