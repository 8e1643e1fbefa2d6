"""For each of some vectors the most similar one of a stored set, block against block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""float32 [n, d]."""


def most_alike(
    count: int,
    take: Callable[[slice], Vectors],
    rows: NDArray[np.int64],
    read: Callable[[NDArray[np.int64]], Vectors],
    alike: Callable[[Vectors, Vectors], NDArray[np.float64]],
    step: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Compare all with all; memory does not grow with the stored set, which is read once.

    Args:
        count: N, how many are looked for.
        take: gives some of them; is called once for each block of the stored set.
        rows: int [M], which rows of the stored set are looked at; M ≥ 1.
        read: gives those of some rows.
        alike: float [n, m] of two blocks, the larger the more similar.
        step: how many are in a block.

    Returns:
        float [N], the largest similarity, and int [N], the row that has it (the first, where several have).
    """
    best = np.full(count, -np.inf)
    index = np.zeros(count, dtype=np.int64)
    for stored in range(0, len(rows), step):
        some = rows[stored : stored + step]
        block = read(some)
        for start in range(0, count, step):
            part = slice(start, min(start + step, count))
            found = alike(take(part), block)
            nearest = found.argmax(axis=1)
            value = found[np.arange(len(nearest)), nearest]
            better = value > best[part]
            best[part] = np.where(better, value, best[part])
            index[part] = np.where(better, some[nearest], index[part])
    return best, index
