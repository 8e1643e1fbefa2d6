"""Persistence of shapes that one can work out on squared paper, in pixels and in mm."""

from __future__ import annotations

import math

import numpy as np
import pytest

from topogan.homology import Diagram, betti_numbers, cubical_persistence, distance_filtration

SIZES = [1.0, 0.7, (0.5, 0.8), (2.0, 0.9)]


def diagram_of(mask: np.ndarray, pixel_size: object, border: bool = False) -> Diagram:
    return cubical_persistence(distance_filtration(mask, pixel_size, border))


def points(diagram: Diagram, dimension: int) -> list[tuple[float, float]]:
    return sorted(map(tuple, np.round(diagram.points(dimension), 9).tolist()))


def rounded(*found: tuple[float, float]) -> list[tuple[float, float]]:
    return sorted((round(birth, 9), round(death, 9)) for birth, death in found)


@pytest.mark.parametrize("pixel_size", SIZES)
def test_a_disc_is_one_component_that_never_dies(draw, pixel_size) -> None:
    mask = draw.disc()
    diagram = diagram_of(mask, pixel_size)
    assert betti_numbers(mask) == (1, 0)
    assert points(diagram, 0) == [(0.0, math.inf)]
    assert len(diagram.of_dimension(1).longer_than(max(np.broadcast_to(pixel_size, 2)))) == 0


@pytest.mark.parametrize("pixel_size", SIZES)
def test_a_ring_has_a_hole_from_the_start_that_dies_at_its_center(draw, pixel_size) -> None:
    # The hole is 7 pixels wide: its center lies 4 pixels from the wall, along the axis with the smaller pixels.
    mask = draw.ring()
    diagram = diagram_of(mask, pixel_size)
    assert betti_numbers(mask) == (1, 1)
    assert points(diagram, 0) == [(0.0, math.inf)]
    assert points(diagram, 1) == rounded((0.0, 4 * min(np.broadcast_to(pixel_size, 2))))
    if np.ndim(pixel_size) == 0:
        assert diagram.death_index[diagram.dimension == 1].tolist() == [[10, 10]]


@pytest.mark.parametrize("pixel_size", SIZES)
@pytest.mark.parametrize("gap", [1, 2, 3])
def test_a_gap_of_g_pixels_closes_at_half_its_width(draw, gap, pixel_size) -> None:
    # g rows are missing: their middle is ceil(g/2) pixel heights away from the wall on both sides.
    mask = draw.ring(gap=gap)
    height, width = np.broadcast_to(pixel_size, 2)
    birth = math.ceil(gap / 2) * height
    (found,) = points(diagram_of(mask, pixel_size), 1)
    assert betti_numbers(mask) == (1, 0)
    assert found[0] == pytest.approx(birth)
    # Through a gap of 3 rows the center is no longer the pixel that lies farthest from the wall.
    assert found[1] >= 4 * min(height, width) - 1e-9
    if gap < 3:
        assert found[1] == pytest.approx(4 * min(height, width))


@pytest.mark.parametrize("pixel_size", SIZES)
def test_two_rings_of_different_size(draw, pixel_size) -> None:
    height, width = np.broadcast_to(pixel_size, 2)
    smaller = min(height, width)
    diagram = diagram_of(draw.two_rings(), pixel_size)
    assert betti_numbers(draw.two_rings()) == (2, 2)
    # 5 columns lie between them: they meet after 3.
    assert points(diagram, 0) == [(0.0, round(3 * width, 9)), (0.0, math.inf)]
    assert points(diagram.longer_than(1.5 * smaller), 1) == rounded((0.0, 5 * smaller), (0.0, 3 * smaller))


@pytest.mark.parametrize("pixel_size", SIZES)
def test_a_figure_eight_has_two_holes(draw, pixel_size) -> None:
    # Holes of 5 × 5 and of 3 rows × 5 columns.
    height, width = np.broadcast_to(pixel_size, 2)
    diagram = diagram_of(draw.figure_eight(), pixel_size)
    assert betti_numbers(draw.figure_eight()) == (1, 2)
    assert points(diagram, 1) == rounded((0.0, 3 * min(height, width)), (0.0, min(2 * height, 3 * width)))


@pytest.mark.parametrize("pixel_size", SIZES)
def test_a_comb_has_holes_only_with_a_border(draw, pixel_size) -> None:
    mask = draw.comb()
    height, width = np.broadcast_to(pixel_size, 2)
    assert betti_numbers(mask) == (1, 0)
    assert points(diagram_of(mask, pixel_size), 1) == []
    bordered = diagram_of(mask, pixel_size, border=True)
    assert bordered.betti_numbers(0.0) == (1, 3)
    # Between the teeth 3 rows × 8 columns; below the comb 3 rows × 10 columns, which go on around it one pixel wide.
    between, below = (0.0, min(2 * height, 4 * width)), (0.0, min(2 * height, 5 * width))
    assert points(bordered[bordered.birth == 0.0], 1) == rounded(between, between, below)
    # The pixels are those of the mask as it was given: the border shifts nothing.
    image = distance_filtration(mask, pixel_size, border=True)
    np.testing.assert_array_equal(image[tuple(bordered.birth_index.T)], bordered.birth)


def test_births_and_deaths_scale_with_the_pixel(draw) -> None:
    mask = draw.ring(gap=3)
    in_pixels, in_mm = diagram_of(mask, 1.0), diagram_of(mask, 0.35)
    np.testing.assert_array_equal(in_mm.birth, in_pixels.birth * 0.35)
    np.testing.assert_array_equal(in_mm.death_index, in_pixels.death_index)
