"""How the topology of two sets of masks differs: Betti numbers and persistence diagrams.

Betti numbers are int arrays [N, dimensions]: of slices (b0, b1), connected components and holes; of volumes (b0, b1,
b2), connected components, tunnels and cavities. :mod:`topogan.homology` says what is connected.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from topogan.verdict import RealTopologies

Betti = NDArray[np.int64]
Distances = NDArray[np.float64]


def betti_histogram(betti: Betti) -> dict[tuple[int, ...], float]:
    """Share of each tuple of Betti numbers.

    Args:
        betti: int [N, dimensions]; N ≥ 1.

    Returns:
        Shares that sum to 1, the most frequent first; equal shares in rising order of the numbers.
    """
    counts = Counter(tuple(numbers) for numbers in betti.tolist())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {numbers: count / len(betti) for numbers, count in ordered}


def betti_error(betti: Betti, reference: Betti) -> float:
    """Total variation distance between the joint histograms of all Betti numbers: ½ Σ |p − q|.

    Range 0 (same shares) to 1 (no common ones); no unit. With finite sets it is above 0 even for two draws of one
    distribution: judge it beside real against real.

    Args:
        betti: int [N, dimensions].
        reference: int [M, dimensions].
    """
    first, second = betti_histogram(betti), betti_histogram(reference)
    return 0.5 * sum(abs(first.get(key, 0.0) - second.get(key, 0.0)) for key in first.keys() | second.keys())


def betti_score(betti: Betti, reference: Betti, dimension: int) -> float:
    """χ² distance between the histograms of one Betti number: Σ (p − q)² / (p + q).

    Range 0 to 2; no unit. Source: Wang et al., ECCV 2020 ("Betti score"), which names χ² and prints no formula; its
    table reaches 1.775, which the variant with a factor ½ (at most 1) cannot.

    Args:
        betti: int [N, dimensions].
        reference: int [M, dimensions].
        dimension: 0 for connected components, 1 for holes or tunnels, 2 for cavities.
    """
    values = np.union1d(betti[:, dimension], reference[:, dimension])
    p = (betti[:, dimension, None] == values).mean(axis=0)
    q = (reference[:, dimension, None] == values).mean(axis=0)
    return float(np.sum((p - q) ** 2 / (p + q)))


def valid_share(betti: Betti, wanted: tuple[int, ...]) -> float:
    """Share of masks that have exactly the ``wanted`` Betti numbers, in percent.

    Args:
        betti: int [N, dimensions].
        wanted: (b0, b1, …).
    """
    return 100.0 * float(np.mean((betti == np.asarray(wanted)).all(axis=1)))


def shown_by_real(betti: Betti, levels: NDArray[np.float64] | None, real: RealTopologies) -> NDArray[np.bool_]:
    """Whether each region of each sample has Betti numbers that real ones of its level show.

    Args:
        betti: int [N, R, dimensions].
        levels: float [N], 0 to 1; None: real samples of every level count, as of volumes.
        real: what real samples show.

    Returns:
        bool [N, R]. The share of samples of which every structure has is the joint figure of label maps.
    """
    known: list[float | None] = [None] * len(betti) if levels is None else levels.tolist()
    return np.array(
        [
            [tuple(numbers) in real.of_region(region, level) for region, numbers in enumerate(found)]
            for found, level in zip(betti.tolist(), known, strict=True)
        ]
    )


def set_distance(distances: Distances) -> float:
    """Distance between two sets of equally many diagrams: the cheapest one-to-one matching, mean cost of a pair.

    min over permutations π of (1/N) Σ d(i, π(i)); the unit is that of ``distances``. It is the 1-Wasserstein distance
    between the two empirical distributions (equations 4 and 5 of Wang et al., ECCV 2020, for n_syn = n_real).

    Args:
        distances: float [N, N], the distance of every pair.
    """
    rows, columns = linear_sum_assignment(distances)
    return float(distances[rows, columns].mean())
