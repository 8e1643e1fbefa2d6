"""Which pixels are changed so that a birth or a death moves."""

from __future__ import annotations

import numpy as np
import pytest

from topogan.homology import betti_numbers, cubical_persistence, distance_filtration
from topogan.losses.paper.pixel_targets import MeasuredMasks, pixel_targets


def targets_of(mask: np.ndarray, pixel: tuple[int, int], value: float, move: float) -> tuple[np.ndarray, bool]:
    """The mask after one move, and whether it grew."""
    number = np.array([[pixel[0] * mask.shape[1] + pixel[1]]])
    targets = pixel_targets(MeasuredMasks.of(mask[None]), np.array([[value]]), number, np.array([[move]]))
    assert targets.weight.sum() == pytest.approx(1.0)
    assert len(set(targets.pixel.tolist())) == len(targets.pixel)
    result = mask.copy().ravel()
    result[targets.pixel] = targets.grow
    return result.reshape(mask.shape), bool(targets.grow.all())


@pytest.mark.parametrize("gap", [1, 2, 3, 5])
def test_closing_a_gap_fills_a_line_across_it(draw, gap) -> None:
    mask = draw.ring(gap=gap)
    diagram = cubical_persistence(distance_filtration(mask)).of_dimension(1)
    closed, grew = targets_of(mask, tuple(diagram.birth_index[0]), diagram.birth[0], -diagram.birth[0])
    assert grew
    assert betti_numbers(closed) == (1, 1)
    assert (closed & ~mask).sum() == gap


@pytest.mark.parametrize("apart", [1, 2, 3, 4])
def test_joining_components_fills_a_line_between_them(draw, apart) -> None:
    mask = draw.two_blobs(apart=apart)
    diagram = cubical_persistence(distance_filtration(mask)).of_dimension(0)
    joined, grew = targets_of(mask, tuple(diagram.death_index[1]), diagram.death[1], -diagram.death[1])
    assert grew
    assert betti_numbers(joined) == (1, 0)
    assert (joined & ~mask).sum() == apart


def test_a_smaller_move_grows_only_as_far_as_wanted(draw) -> None:
    mask = draw.ring(gap=5)
    diagram = cubical_persistence(distance_filtration(mask)).of_dimension(1)
    assert diagram.birth[0] == 3.0
    grown, grew = targets_of(mask, tuple(diagram.birth_index[0]), 3.0, -1.0)
    assert grew
    assert distance_filtration(grown)[tuple(diagram.birth_index[0])] == 2.0


def test_opening_a_wall_cuts_through_it(draw) -> None:
    mask = draw.ring()
    opened, grew = targets_of(mask, (5, 10), 0.0, 2.0)
    assert not grew
    assert betti_numbers(opened) == (1, 0)
    assert (mask & ~opened).sum() == 3


def test_widening_a_gap_takes_from_both_of_its_sides(draw) -> None:
    mask = draw.ring(gap=3)
    diagram = cubical_persistence(distance_filtration(mask)).of_dimension(1)
    wider, grew = targets_of(mask, tuple(diagram.birth_index[0]), diagram.birth[0], 1.0)
    assert not grew
    taken = np.argwhere(mask & ~wider)
    assert len(taken) == 2
    assert taken[:, 0].tolist() == [8, 12]


def test_no_move_has_no_targets(draw) -> None:
    masks = MeasuredMasks.of(draw.ring()[None])
    targets = pixel_targets(masks, np.zeros((1, 3)), np.zeros((1, 3), dtype=int), np.zeros((1, 3)))
    assert len(targets.pixel) == len(targets.weight) == 0
