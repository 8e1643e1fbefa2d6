"""One bar and one sentence on privacy."""

from __future__ import annotations

import pytest

from topogan_contract.figures import read_figures
from topogan_contract.privacy import BEWARE, GOOD, is_good, privacy_sentence, sentence_of_figures

FIGURES = {
    "samples": 300,
    "held_out": 20,
    "part": "validation",
    "regions": [],
    "dice_to_training": 0.9,
    "real_dice_to_training": 0.8,
    "closer_percent": 84.0,
    "identical_percent": 0,
    "real_identical_percent": 0,
}


@pytest.mark.parametrize(
    ("copies", "auc", "good"),
    [
        (2.0, 0.60, True),
        (2.1, 0.5, False),
        (0.0, 0.61, False),
        (None, 0.7, False),
        (1.0, None, True),
        (None, None, None),
    ],
)
def test_the_bar(copies: float | None, auc: float | None, good: bool | None) -> None:
    assert is_good(copies, auc) is good
    said = privacy_sentence("slice", 50.0, copies, auc)
    assert said.endswith(BEWARE if good is False else GOOD)


def test_the_sentence_of_a_model_and_of_an_older_one() -> None:
    older = read_figures(FIGURES)
    assert older is not None and older.copies_percent is None
    assert sentence_of_figures(older, "volume") == (
        "84 % of the samples are closer to a training volume than a real volume of another patient is: look at the "
        "copies before you share samples or model."
    )
    newer = read_figures({**FIGURES, "copies_percent": 17.0, "membership_auc": 0.714})
    assert newer is not None
    assert sentence_of_figures(newer, "slice") == (
        "84 % of the samples are closer to a training slice than a real slice of another patient is, possible copies "
        "17 %, the nearest sample tells who was trained on with an AUC of 0.71 (0.50: not at all): look at the copies "
        "before you share samples or model."
    )


@pytest.mark.parametrize(("name", "value"), [("copies_percent", 101), ("membership_auc", 1.5), ("membership_auc", "1")])
def test_wrong_figures(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        read_figures({**FIGURES, name: value})
