"""Which rows of a large set are looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def draw(rows: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """At most ``count`` of ``rows``, drawn without replacement; all of them in their order where there are no more.

    Args:
        rows: int [N].
        count: how many.
        seed: same seed, same rows.

    Returns:
        int [min(count, N)], in rising position.
    """
    if len(rows) <= count:
        return rows
    chosen = np.random.default_rng(seed).choice(len(rows), size=count, replace=False)
    return rows[np.sort(chosen)]
