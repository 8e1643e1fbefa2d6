"""Loss ``paper``: equations 3 to 5 of Wang et al., ECCV 2020, on the distance filtration of the binary output.

Births of holes and deaths of components are matched with those of real masks and moved toward them; nothing else moves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import softplus

from topogan.config import TopologySettings
from topogan.homology.matching import ABSENT, alignment_costs, assign, match_points
from topogan.homology.persistence import pairs_of_batch
from topogan.losses.paper.pixel_targets import MeasuredMasks, pixel_targets

# The grid makes points of less persistence than a pixel, and cannot make moves of less than half of one.
_SMALLEST_PERSISTENCE = 1.0
_SMALLEST_MOVE = 0.5
# Masks that are measured together, so that memory does not grow with their number.
_BLOCK = 128


class Projections(NamedTuple):
    """The numbers that equation 3 compares, of N masks; arrays [N, D, K].

    For dimension 1 the births of holes and almost-holes, for dimension 0 the deaths of components (all are born at
    0), in pixels, of the K most persistent points, in rising order.
    """

    value: NDArray[np.float64]
    """The birth or death; ``ABSENT`` where there is no point."""
    removal: NDArray[np.float64]
    """The price of moving a point to the diagonal, which is its persistence: only one coordinate moves. The printed
    equation measures it by births alone and makes it 0, so that no diagram would differ from an empty one."""
    pixel: NDArray[np.int64]
    """The critical pixel: where the hole is born, or where the component dies."""

    def present(self, image: int, slot: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The values and removal prices of one mask in one dimension, without the filling."""
        count = int(np.searchsorted(self.value[image, slot], ABSENT))
        return self.value[image, slot, :count], self.removal[image, slot, :count]


def measure(masks: NDArray[np.generic], settings: TopologySettings) -> Projections:
    """Measure masks [N, H, W] (structure where not 0) in the dimensions of ``settings``."""
    starts = range(0, max(len(masks), 1), _BLOCK)
    blocks = [MeasuredMasks.of(masks[start : start + _BLOCK] != 0) for start in starts]
    found = [_projections(block, settings.dimensions.numbers(2), settings.max_points) for block in blocks]
    return Projections(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)))


def loss(
    logits: Tensor,
    targets: tuple[NDArray[Any], ...],
    settings: TopologySettings,
    apart: NDArray[np.float64] | None = None,
) -> Tensor:
    """Match samples with real masks, points with points, and push pixels so that births and deaths move.

    The gradient of equation 4 with respect to a birth or death is the sign of its move. What moves it in the image is
    a line of pixels (:mod:`topogan.losses.paper.pixel_targets`) that is to become structure or background: the binary
    cross-entropy of these pixels, averaged over the line, so that each point pulls with the same force.

    Args:
        logits: float [B, H, W]; structure where ≥ 0.
        targets: of B real masks, as :func:`measure` gives them.
        settings: the ``dimensions``, and ``max_points``, the most persistent points of each that take part.
        apart: float [B, B], what it costs besides to match a sample with a real mask.

    Returns:
        A scalar: sum over the moved points, divided by B.
    """
    dimensions = settings.dimensions.numbers(2)
    masks = MeasuredMasks.of(logits.detach().cpu().numpy() >= 0)
    fake = _projections(masks, dimensions, settings.max_points)
    lines = pixel_targets(masks, fake.value, fake.pixel, _moves(fake, Projections(*targets), dimensions, apart))
    index, weight, grow = (
        torch.from_numpy(array).to(logits.device) for array in (lines.pixel, lines.weight, lines.grow)
    )
    value = logits.flatten()[index]
    # Binary cross-entropy with a target of 1 or 0 is the softplus of the logit turned around or not.
    return (weight.to(logits.dtype) * softplus(torch.where(grow, -value, value))).sum() / len(logits)


def _projections(masks: MeasuredMasks, dimensions: tuple[int, ...], max_points: int) -> Projections:
    pairs = pairs_of_batch(masks.signed_squares, dimensions)
    # Clipping the signed distance at 0 gives the diagram of the one-sided distance. Of the equally early pixels of a
    # hole that is there from the start, it points at the thinnest place of the wall, where opening is cheapest.
    birth, death = np.sqrt(np.maximum(pairs.values, 0.0)).T
    persistence = death - birth
    kept = np.flatnonzero(~pairs.essential & (persistence >= _SMALLEST_PERSISTENCE))
    kept = kept[np.lexsort((-persistence[kept], pairs.group[kept]))]
    kept = kept[_place(pairs.group[kept]) < max_points]
    holes = pairs.dimension == 1
    value = np.where(holes, birth, death)
    pixel = np.where(holes, pairs.birth_pixel, pairs.death_pixel)
    kept = kept[np.lexsort((value[kept], pairs.group[kept]))]
    where = (*np.divmod(pairs.group[kept], len(dimensions)), _place(pairs.group[kept]))
    shape = (len(masks.structure), len(dimensions), max_points)
    result = Projections(np.full(shape, ABSENT), np.zeros(shape), np.zeros(shape, dtype=np.int64))
    result.value[where] = value[kept]
    result.removal[where] = persistence[kept]
    result.pixel[where] = pixel[kept]
    return result


def _place(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of each entry in its run of equal, sorted ``group`` numbers."""
    return np.arange(len(group)) - np.searchsorted(group, group, side="left")


def _moves(
    fake: Projections, real: Projections, dimensions: tuple[int, ...], apart: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """float [B, D, K]: how far each birth or death is to move, in pixels; 0 where it is not."""
    slots = range(len(dimensions))
    costs = [
        alignment_costs(fake.value[:, slot], fake.removal[:, slot], real.value[:, slot], real.removal[:, slot])
        for slot in slots
    ]
    partner = assign(np.sum(costs, axis=0) + (0.0 if apart is None else apart))
    moves = np.zeros_like(fake.value)
    for image, slot in np.ndindex(moves.shape[:2]):
        value, removal = fake.present(image, slot)
        if not len(value):
            continue
        other, other_removal = real.present(int(partner[image]), slot)
        match = match_points(value, removal, other, other_removal)
        # Without a partner a point goes to the diagonal: a birth rises to its death, a death falls to its birth.
        to_diagonal = removal if dimensions[slot] == 1 else -removal
        moves[image, slot, : len(value)] = np.where(match < 0, to_diagonal, np.append(other, 0.0)[match] - value)
    moves[np.abs(moves) < _SMALLEST_MOVE] = 0.0
    return moves
