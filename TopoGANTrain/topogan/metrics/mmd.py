"""Maximum mean discrepancy: how far apart two sets are, seen by a kernel. Of diagrams, and of features (KID)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Matrix = NDArray[np.float64]


def unbiased_mmd(within: _Matrix, within_reference: _Matrix, between: _Matrix, scale: float) -> float | None:
    """Unbiased squared maximum mean discrepancy of two sets of diagrams with the kernel exp(−d / scale).

    No unit; it may be slightly negative, and is then as good as 0. Source: Gretton et al., JMLR 2012, eq. 3, with the
    kernel exp(−W1/σ²) of Wang et al., ECCV 2020.

    Args:
        within: float [N, N], distances inside the first set.
        within_reference: float [M, M], distances inside the second set.
        between: float [N, M].
        scale: σ² in the unit of the distances.

    Returns:
        The value, or None where ``scale`` is 0 (all reference diagrams are equal: the kernel is not defined).
    """
    if scale <= 0:
        return None
    return _squared_mmd(*(np.exp(-distances / scale) for distances in (within, within_reference, between)))


def kernel_inception_distance(features: _Matrix, reference: _Matrix) -> float:
    """Unbiased squared MMD of two sets of feature vectors with the kernel (x·y/d + 1)³.

    No unit; it may be slightly negative. Its size depends on the network: only values from the same weights can be
    compared. Source: Bińkowski et al., ICLR 2018.

    Args:
        features: float [N, d]; N ≥ 2.
        reference: float [M, d]; M ≥ 2.
    """

    def kernel(x: _Matrix, y: _Matrix) -> _Matrix:
        products: _Matrix = x @ y.T / x.shape[1]
        return (products + 1.0) ** 3

    return _squared_mmd(kernel(features, features), kernel(reference, reference), kernel(features, reference))


def _squared_mmd(within: _Matrix, within_reference: _Matrix, between: _Matrix) -> float:
    """mean_{i≠j} k(x_i, x_j) + mean_{i≠j} k(y_i, y_j) − 2 mean k(x_i, y_j), from the three kernel matrices."""
    inside = (float((k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))) for k in (within, within_reference))
    return sum(inside) - 2.0 * float(between.mean())
