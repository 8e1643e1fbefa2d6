"""What is said of a sample's topology beside that of real slices of its level."""

from __future__ import annotations

import pytest

from topogan.verdict import RealTopologies, is_valid, plural, topology_in_words, verdict

RING, OPEN, DISC, NONE = (1, 1), (1, 0), (1, 0), (0, 0)
# Two regions, a wall and a vessel: rings in the middle with a vessel, which is missing below and above.
REAL = RealTopologies(
    [
        (0, (DISC, NONE), 40),
        (4, (RING, DISC), 88),
        (5, (OPEN, DISC), 9),
        (5, (RING, NONE), 3),
        (9, (DISC, NONE), 60),
    ]
)


@pytest.mark.parametrize(
    ("betti", "share", "said"),
    [
        (RING, 0.0, "valid"),
        (OPEN, 0.0, "no hole"),
        (OPEN, 0.5, "valid"),
        (OPEN, 0.09, "valid (no hole, as in 9 % of real slices)"),
        (NONE, 0.004, "valid (empty, as in less than 1 % of real slices)"),
        (NONE, 0.0, "empty"),
    ],
)
def test_what_some_real_slices_have_is_valid(betti: tuple[int, int], share: float, said: str) -> None:
    assert verdict(betti, RING, share) == said
    assert is_valid(said) == (share > 0 or betti == RING)


@pytest.mark.parametrize(
    ("betti", "expected", "share", "said"),
    [
        ((1, 0, 0), (1, 0, 0), 0.0, "valid"),
        ((1, 1, 0), (1, 0, 0), 0.0, "1 tunnel instead of none"),
        ((2, 0, 0), (1, 0, 1), 0.0, "2 pieces instead of 1, no cavity"),
        ((1, 0, 3), (1, 2, 0), 0.0, "no tunnel instead of 2, 3 cavities instead of none"),
        ((1, 2, 0), (1, 0, 0), 0.09, "valid (2 tunnels instead of none, as in 9 % of real volumes)"),
        ((0, 0, 0), (1, 0, 0), 0.0, "empty"),
    ],
)
def test_volumes_have_tunnels_and_cavities(
    betti: tuple[int, ...], expected: tuple[int, ...], share: float, said: str
) -> None:
    assert verdict(betti, expected, share) == said


def test_words_of_each_dimension() -> None:
    assert [plural(dimension) for dimension in range(2)] == ["pieces", "holes"]
    assert [plural(dimension, 3) for dimension in range(3)] == ["pieces", "tunnels", "cavities"]
    assert topology_in_words((1, 0, 0)) == "1 piece, no tunnel and no cavity"


@pytest.mark.parametrize(
    ("betti", "region", "level", "said"),
    [
        (RING, 0, 0.45, "valid"),
        (OPEN, 0, 0.45, "valid (no hole, as in 9 % of real slices)"),
        ((2, 1), 0, 0.45, "2 pieces instead of 1"),
        (DISC, 0, 0.05, "valid"),
        (RING, 0, 0.05, "1 hole instead of none"),
        (DISC, 1, 0.45, "valid"),
        (NONE, 1, 0.55, "valid (empty, as in 3 % of real slices)"),
        (NONE, 1, 1.0, "valid"),
        (DISC, 1, 1.0, "1 piece instead of none"),
    ],
)
def test_each_level_has_its_own_topologies(betti: tuple[int, int], region: int, level: float, said: str) -> None:
    assert REAL.verdict(betti, region, level) == said


def test_neighboring_tenths_count_and_others_do_not() -> None:
    assert REAL.joint(0.35)[RING, DISC] == 88
    assert REAL.joint(0.1)[DISC, NONE] == 40
    assert REAL.joint(0.25) == {}
    # Where no real slice is near, all of them are what there is to compare with.
    assert REAL.verdict((2, 0), 0, 0.25) == REAL.verdict((2, 0), 0) == "2 pieces instead of 1"


def test_single_slices_are_counted() -> None:
    found = RealTopologies.of([0.41, 0.43, 1.0], [[[1, 1]], [[1, 1]], [[2, 0]]])
    assert found.joint(0.4) == {((1, 1),): 2} and found.joint(0.95) == {((2, 0),): 1}
