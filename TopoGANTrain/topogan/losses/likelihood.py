"""Loss ``likelihood``: persistence of the grey output itself, pulled to the Betti numbers of real masks."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.special import expit
from torch import Tensor
from torch.nn.functional import softplus

from topogan.config import PointRule, TopologySettings
from topogan.homology.betti import betti_numbers_of_batch
from topogan.homology.matching import assign
from topogan.homology.persistence import pairs_of_batch
from topogan.losses.padded_diagrams import PaddedDiagrams, values_at


def measure(masks: NDArray[np.generic], settings: TopologySettings) -> tuple[NDArray[np.int64]]:
    """int [N, dimensions]: Betti numbers of masks [N, H, W] or [N, D, H, W] in the dimensions of ``settings``."""
    return (betti_numbers_of_batch(masks)[:, settings.dimensions.numbers(masks.ndim - 1)],)


def loss(
    logits: Tensor,
    targets: tuple[NDArray[np.int64]],
    settings: TopologySettings,
    apart: NDArray[np.float64] | None = None,
) -> Tensor:
    """Match samples with real Betti numbers, then pull each point to (1, 0) or to the diagonal.

    Args:
        logits: float32 or float64 [B, H, W] or [B, D, H, W].
        targets: of B real masks.
        settings: the ``dimensions``, the ``point_rule``, and ``max_points``: K, the most persistent points (in
            probability) of each dimension that take part.
        apart: float [B, B], what it costs besides to match a sample with a real mask.

    Returns:
        A scalar: sum over the points, divided by B.
    """
    dimensions = settings.dimensions.numbers(logits.ndim - 1)
    points = padded_diagrams(logits.detach().cpu().numpy(), dimensions, settings.max_points)
    betti = np.minimum(targets[0], settings.max_points)
    wanted = betti[assign(assignment_costs(points, betti) + (0.0 if apart is None else apart))]
    birth = values_at(logits, points.birth_pixel)
    death = values_at(logits, points.death_pixel)
    per_point = _rank_loss if settings.point_rule is PointRule.RANK else _w2_loss
    return per_point(birth, death, points, wanted) / len(logits)


def padded_diagrams(logits: NDArray[np.floating], dimensions: tuple[int, ...], max_points: int) -> PaddedDiagrams:
    """The most persistent points, in probability, of the superlevel sets of logits as :func:`loss` takes them.

    The first component dies at probability 0.
    """
    pairs = pairs_of_batch(-logits, dimensions)
    essential = pairs.essential
    birth = expit(-pairs.birth)
    death = np.where(essential, 0.0, expit(-pairs.death))
    return PaddedDiagrams.of(pairs, len(logits), birth, death, np.where(essential, 2.0, birth - death), max_points)


def assignment_costs(points: PaddedDiagrams, betti: NDArray[np.int64]) -> NDArray[np.float64]:
    """Squared distance between the sorted persistences of every sample and every real mask.

    A real mask is a grey image of zeros and ones: its points are b times (1, 0), of persistence 1.

    Args:
        points: of B samples.
        betti: int [M, D], at most K.

    Returns:
        float [B, M].
    """
    persistence = points.persistence
    count = persistence.shape[-1]
    real = (np.arange(count) < betti[:, :, None]).astype(np.float64)
    costs: NDArray[np.float64] = cdist(
        persistence.reshape(len(persistence), -1), real.reshape(len(real), -1), "sqeuclidean"
    )
    return costs


def _tensor(array: NDArray[np.generic], like: Tensor) -> Tensor:
    return torch.from_numpy(array).to(like.device)


def _rank_loss(birth: Tensor, death: Tensor, points: PaddedDiagrams, wanted: NDArray[np.int64]) -> Tensor:
    """Binary cross-entropy on the logits of the critical pixels.

    The first ``wanted`` points go to (1, 0). The others go to the nearest point of the diagonal: the sum of the two
    Kullback-Leibler divergences from one common probability is least for that of the mean logit, where it is
    softplus(b) + softplus(d) − 2 softplus((b + d)/2), with gradients p(b) − p(mean) and p(d) − p(mean).
    """
    count = birth.shape[-1]
    kept = np.arange(count) < wanted[:, :, None]
    essential = points.essential
    # The essential class has no death pixel: kept, its birth goes to 1; not wanted (an empty mask), to 0.
    to_corner = softplus(-birth) + softplus(death).masked_fill(_tensor(essential, birth), 0.0)
    to_diagonal = softplus(birth) + (softplus(death) - 2.0 * softplus((birth + death) / 2.0)).masked_fill(
        _tensor(essential, birth), 0.0
    )
    per_point = torch.where(_tensor(kept, birth), to_corner, to_diagonal)
    return per_point.masked_fill(_tensor(~points.there, birth), 0.0).sum()


def _w2_loss(birth: Tensor, death: Tensor, points: PaddedDiagrams, wanted: NDArray[np.int64]) -> Tensor:
    """Squared 2-Wasserstein distance in probability, Euclidean ground cost, with the diagonal.

    All real points are (1, 0), so that the best matching takes the points which gain most by going there rather than
    to the diagonal; a real point that nothing gains from costs 1/2, which no gradient sees.
    """
    matched = _w2_matched(points, wanted)
    essential = _tensor(points.essential, birth)
    b = birth.sigmoid()
    d = death.sigmoid().masked_fill(essential, 0.0)
    to_corner = (1.0 - b).square() + d.square()
    to_diagonal = torch.where(essential, b.square(), (b - d).square() / 2.0)
    per_point = torch.where(_tensor(matched, birth), to_corner, to_diagonal)
    unmatched = wanted.sum() - matched.sum()
    return per_point.masked_fill(_tensor(~points.there, birth), 0.0).sum() + 0.5 * float(unmatched)


def _w2_matched(points: PaddedDiagrams, wanted: NDArray[np.int64]) -> NDArray[np.bool_]:
    """bool [B, D, K]: which points the best matching sends to (1, 0)."""
    b, d = points.birth, points.death
    gain = 0.5 + (b - d) ** 2 / 2.0 - (1.0 - b) ** 2 - d**2
    # Essential classes are matched with each other: a finite one cannot take their place.
    gain = np.where(points.essential, np.inf, np.where(points.there, gain, -np.inf))
    place = np.argsort(np.argsort(-gain, axis=-1, kind="stable"), axis=-1, kind="stable")
    return (gain > 0.0) & (place < wanted[:, :, None])
