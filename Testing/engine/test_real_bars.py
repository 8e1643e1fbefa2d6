"""Quantiles of the bars of real masks, and the outlines around most of their points."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.path import Path as Polygon

from topogan.homology import Diagram
from topogan.synthesis.real_bars import FEWEST, real_bars
from topogan_contract.real_bars import MOST_POINTS, RealBars, from_json, to_json

PIXEL = 2.0
NEVER = math.inf


def _hearts(masks: int) -> list[Diagram]:
    """A piece and a hole of radius 1, 2, … pixels; every fourth has a second piece, and all have noise."""
    pieces = [[[0, NEVER], [0, 3]] if mask % 4 == 0 else [[0, NEVER]] for mask in range(masks)]
    return [
        Diagram.from_points({0: pieces[mask], 1: [[5, 5.9], [0.5 * (mask % 2), mask + 2.0]]}) for mask in range(masks)
    ]


def test_quantiles_are_of_the_bars_of_one_rank_in_mm() -> None:
    (found,) = real_bars(_hearts(100), 1, 2, PIXEL)
    assert found is not None and found.masks == 100
    pieces, holes = found.dimensions
    assert [bar.percent for bar in pieces.bars] == [100, 25]
    assert pieces.bars[0].births == (0,) * 5 and pieces.bars[0].deaths == pieces.bars[0].lengths == (NEVER,) * 5
    assert pieces.bars[1].deaths == (6,) * 5
    (hole,) = holes.bars  # the noise is shorter than a pixel
    assert hole.births == (0, 0, 0, 1, 1)
    assert hole.deaths == (12, 52, 102, 152, 192), "of the 5th, 25th, 50th, 75th and 95th mask"
    assert from_json(to_json(found), 2).dimensions[1].bars == holes.bars


def test_each_region_has_its_own() -> None:
    other = [Diagram.from_points({0: [[0, NEVER]], 1: []}) for _ in range(30)]
    both = [diagram for pair in zip(_hearts(30), other, strict=True) for diagram in pair]
    first, second = real_bars(both, 2, 2, PIXEL)
    assert first is not None and second is not None
    assert [len(one.bars) for one in first.dimensions] == [2, 1]
    assert [len(one.bars) for one in second.dimensions] == [1, 0]
    assert first.dimensions[0].bars[1] == (pytest.approx(100 * 8 / 30), (), (), ()), "too few for quantiles"
    assert second.dimensions[0].half == second.dimensions[0].most == ()


def _inside(found: RealBars, share: str, points: np.ndarray) -> float:
    outlines = getattr(found.dimensions[1], share)
    return float(np.any([Polygon(line).contains_points(points, radius=1e-2) for line in outlines], axis=0).mean())


def test_outlines_hold_half_and_nine_tenths_of_the_points() -> None:
    rng = np.random.default_rng(0)
    # Two kinds of holes, one closed and one with a gap: nothing lies between them.
    births = np.concatenate([np.abs(rng.normal(0, 0.3, 300)), rng.normal(8, 0.5, 100)])
    points = np.stack([births, births + np.concatenate([rng.normal(15, 2, 300), rng.normal(4, 0.5, 100)])], axis=1)
    (found,) = real_bars([Diagram.from_points({1: [point]}) for point in points], 1, 2, 1.0)
    assert found is not None
    half, most = (_inside(found, share, points) for share in ("half", "most"))
    assert half == pytest.approx(0.5, abs=0.04)
    assert most == pytest.approx(0.9, abs=0.04)
    assert _inside(found, "most", np.array([[4.0, 12.0]])) == 0
    assert len(found.dimensions[1].most) == 2
    assert sum(len(line) for line in found.dimensions[1].most) < MOST_POINTS / 10
    assert min(value for line in found.dimensions[1].most for point in line for value in point) == 0


def test_points_at_one_place_have_an_outline() -> None:
    (found,) = real_bars([Diagram.from_points({1: [[0, 4]]})] * 40, 1, 2, 1.0)
    assert found is not None
    assert _inside(found, "half", np.array([[0.0, 4.0]])) == 1


@pytest.mark.parametrize(
    "reference",
    [
        [],
        _hearts(FEWEST - 1),
        _hearts(2 * FEWEST + 1),
        [Diagram.from_points({1: [[0, 1e300]]})] * 2 * FEWEST,
        [Diagram.from_points({1: [[-1, 2]]})] * 2 * FEWEST,
    ],
)
def test_of_few_masks_or_a_package_that_fits_nothing_there_are_none(reference: list[Diagram]) -> None:
    assert real_bars(reference, 2, 2, PIXEL) == [None, None]
