"""Kernel Inception Distance on features of any network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def kernel_inception_distance(features: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """Unbiased squared MMD of two sets of feature vectors with the kernel (x·y/d + 1)³.

    mean_{i≠j} k(x_i, x_j) + mean_{i≠j} k(y_i, y_j) − 2 mean k(x_i, y_j); no unit; it may be slightly negative. Its
    size depends on the network: only values from the same weights can be compared. Source: Bińkowski et al., ICLR 2018.

    Args:
        features: float [N, d]; N ≥ 2.
        reference: float [M, d]; M ≥ 2.
    """
    size = features.shape[1]

    def kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        products: NDArray[np.float64] = x @ y.T / size
        return (products + 1.0) ** 3

    def within(x: NDArray[np.float64]) -> float:
        values = kernel(x, x)
        return float((values.sum() - np.trace(values)) / (len(x) * (len(x) - 1)))

    return within(features) + within(reference) - 2.0 * float(kernel(features, reference).mean())
