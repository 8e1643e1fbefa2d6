"""Distances between diagrams of masks, against POT and by hand."""

from __future__ import annotations

import numpy as np
import ot
import pytest

from topogan.metrics.diagrams import diagrams_of, w1_birth_matrix, w1_matrix, w1_within

SIZE = 32


def disc_with_hole(radius: float, gap: int = 0) -> np.ndarray:
    """A ring of inner radius ``radius`` and wall 4, with a gap of so many columns below."""
    rows, columns = np.indices((SIZE, SIZE)) - 15
    distance = np.hypot(rows, columns)
    mask = (distance > radius) & (distance < radius + 4)
    left = gap // 2
    return mask & ~((columns >= -left) & (columns < gap - left) & (rows > 0))


def two_squares(gap: int) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), dtype=bool)
    mask[10:16, 4:10] = mask[10:16, 10 + gap : 16 + gap] = True
    return mask


def test_diagrams_of_a_ring_hold_its_hole() -> None:
    (diagram,) = diagrams_of(disc_with_hole(7)[None])
    assert diagram.finite_points(0).shape == (0, 2)
    births, deaths = diagram.finite_points(1).T
    assert births[deaths > 5].tolist() == [0.0]


def test_w1_of_two_rings_is_the_difference_of_their_radii() -> None:
    small, large = diagrams_of(np.stack([disc_with_hole(5), disc_with_hole(8)]))
    radii = [float(diagram.finite_points(1)[:, 1].max()) for diagram in (small, large)]
    assert w1_matrix([small], [large], 1, SIZE)[0, 0] == pytest.approx((radii[1] - radii[0]) / SIZE)


def test_w1_of_a_ring_and_a_disc_is_half_the_hole() -> None:
    ring, disc = diagrams_of(np.stack([disc_with_hole(6), disc_with_hole(-1)]))
    radius = float(ring.finite_points(1)[:, 1].max())
    assert w1_matrix([ring], [disc], 1, SIZE)[0, 0] == pytest.approx(radius / 2 / SIZE)


def test_birth_distance_sees_the_gap_in_a_wall() -> None:
    closed, narrow, wide = diagrams_of(np.stack([disc_with_hole(7, gap) for gap in (0, 2, 4)]))
    to_narrow, to_wide = (w1_birth_matrix([closed], [other], 1, SIZE)[0, 0] for other in (narrow, wide))
    assert to_narrow == pytest.approx(1.0 / SIZE)  # a gap of 2 pixels closes at distance ceil(2/2)
    assert to_wide > to_narrow


def test_component_distances_see_the_gap_between_them() -> None:
    near, far = diagrams_of(np.stack([two_squares(3), two_squares(9)]))
    deaths = [float(diagram.finite_points(0)[0, 1]) for diagram in (near, far)]
    assert w1_birth_matrix([near], [far], 0, SIZE)[0, 0] == pytest.approx((deaths[1] - deaths[0]) / SIZE)


def random_diagrams(count: int, seed: int) -> list:
    rng = np.random.default_rng(seed)
    return diagrams_of(rng.random((count, 14, 14)) < 0.35)


def test_w1_against_pot() -> None:
    first, second = random_diagrams(5, 0), random_diagrams(6, 1)
    for dimension in (0, 1):
        found = w1_matrix(first, second, dimension, 14) * 14
        for row, a in enumerate(first):
            for column, b in enumerate(second):
                expected = _pot_w1(a.finite_points(dimension), b.finite_points(dimension))
                assert found[row, column] == pytest.approx(expected, abs=1e-9)


def _pot_w1(a: np.ndarray, b: np.ndarray) -> float:
    """Transport with one place for the diagonal on either side, which takes as many points as it must."""
    if not len(a) and not len(b):
        return 0.0
    direct = np.abs(a[:, None] - b[None]).max(axis=-1) if len(a) and len(b) else np.zeros((len(a), len(b)))
    costs = np.zeros((len(a) + 1, len(b) + 1))
    costs[:-1, :-1] = direct
    costs[:-1, -1] = (a[:, 1] - a[:, 0]) / 2
    costs[-1, :-1] = (b[:, 1] - b[:, 0]) / 2
    supply, demand = np.append(np.ones(len(a)), len(b)), np.append(np.ones(len(b)), len(a))
    return float(ot.emd2(supply, demand, costs))


@pytest.mark.parametrize("count", [3, 64, 65, 150])
def test_w1_within_is_the_full_matrix(count: int) -> None:
    diagrams = random_diagrams(count, 2)
    full = w1_matrix(diagrams, diagrams, 1, 14)
    np.testing.assert_allclose(w1_within(diagrams, 1, 14), full, atol=1e-12)


def test_empty_masks_have_a_diagram() -> None:
    diagrams = diagrams_of(np.zeros((2, 8, 8), dtype=bool))
    assert w1_matrix(diagrams, diagrams, 0, 8).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_distances_of_volumes_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell has a cavity, which dies at its radius; a torus has a tunnel, which dies at the radius of its opening."""
    offset = np.indices((24, 24, 24)) - 11
    distance = np.linalg.norm(offset, axis=0)
    shell, ball = (distance > 5) & (distance < 8), distance < 8
    torus = np.hypot(np.hypot(offset[1], offset[2]) - 7, offset[0]) < 2
    diagrams = diagrams_of(np.stack([shell, ball, torus]))
    # Of both the voxel nearest to the middle is 0, 1 and 5 voxels away.
    death = np.sqrt(26)
    assert [[one.finite_points(dimension).tolist() for dimension in range(3)] for one in diagrams] == [
        [[], [], [[0.0, pytest.approx(death)]]],
        [[], [], []],
        [[], [[0.0, pytest.approx(death)]], []],
    ]
    to_ball, to_torus = w1_matrix(diagrams[:1], diagrams[1:], 2, 24)[0]
    assert to_ball == to_torus == pytest.approx(death / 2 / 24)
    assert w1_birth_matrix(diagrams[:1], diagrams[1:2], 2, 24)[0, 0] == pytest.approx(death / 24)
    monkeypatch.setattr("topogan.metrics.diagrams._BLOCK_VOXELS", 1)
    assert [len(one) for one in diagrams_of(np.stack([shell, ball, torus]))] == [len(one) for one in diagrams]
