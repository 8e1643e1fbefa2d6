"""The figures of a model, as a stranger's file may give them."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from topogan_contract.figures import read_figures

ROW = {"valid_percent": 90, "real_valid_percent": 98.5, "betti_error": 0.1, "real_betti_error": 0.04}
GOOD = {
    "samples": 300,
    "held_out": 20,
    "part": "validation",
    "regions": [ROW],
    "dice_to_training": 0.9,
    "real_dice_to_training": 0.8,
    "closer_percent": 60.0,
    "identical_percent": 0,
    "real_identical_percent": 0,
    "of_a_later_version": "passed over",
}


def test_good_ones() -> None:
    found = read_figures(GOOD)
    assert found is not None
    assert (found.samples, found.part, found.regions[0].real_valid_percent) == (300, "validation", 98.5)
    assert read_figures(None) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("samples", 0), ("samples", True), ("samples", 1.5), ("held_out", 10**12), ("part", "training"), ("part", []),
        ("regions", None), ("regions", [1]), ("regions", [{}]), ("regions", [{**ROW, "betti_error": 1.5}]),
        ("closer_percent", float("nan")), ("closer_percent", "60"), ("identical_percent", -1),
        ("dice_to_training", 10**400), ("real_dice_to_training", None),
    ],
)  # fmt: skip
def test_wrong_ones(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"figures"):
        read_figures({**copy.deepcopy(GOOD), name: value})


@pytest.mark.parametrize("content", [[], "x", 1, True])
def test_no_table(content: Any) -> None:
    with pytest.raises(ValueError, match="no table"):
        read_figures(content)
