"""One bar and one sentence on privacy."""

from __future__ import annotations

import pytest

from topogan_contract.figures import read_figures
from topogan_contract.privacy import (
    BEWARE,
    GOOD,
    GOOD_MASKS,
    UNSEEN,
    UNSURE,
    Privacy,
    privacy_sentence,
    sentence_of_figures,
)

FIGURES = {
    "samples": 300,
    "held_out": 200,
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
    [(2.0, 0.60, True), (2.1, 0.5, False), (0.0, 0.61, False), (None, 0.7, False), (1.0, None, True)],
)
def test_the_bar(copies: float | None, auc: float | None, good: bool) -> None:
    found = Privacy("slice", 50.0, 400, copies, auc)
    assert found.good is good
    assert privacy_sentence(found).endswith(f": {GOOD_MASKS if good else BEWARE}.")


@pytest.mark.parametrize(
    ("held_out", "copies", "auc", "verdict"),
    [
        (2, 57.0, 0.7, UNSURE),
        (8, 22.0, 0.5, UNSURE),
        (20, 7.0, 0.68, UNSURE),
        (20, 7.0, 0.75, BEWARE),
        (20, 60.0, 0.5, BEWARE),
        (400, 3.0, 0.5, BEWARE),
        (3, 0.0, 0.5, GOOD_MASKS),
    ],
)
def test_what_chance_gives_with_few_held_out_is_no_accusation(
    held_out: int, copies: float, auc: float, verdict: str
) -> None:
    assert privacy_sentence(Privacy("slice", 50.0, held_out, copies, auc)).endswith(f": {verdict}.")


@pytest.mark.parametrize(
    ("textures", "share", "verdict"),
    [
        (False, None, GOOD_MASKS),
        (True, None, GOOD_MASKS + UNSEEN),
        (True, 0.0, GOOD),
        (True, 100.0, BEWARE),
    ],
)
def test_textures_count_and_are_not_vouched_for_unseen(textures: bool, share: float | None, verdict: str) -> None:
    said = privacy_sentence(Privacy("slice", 50.0, 400, 0.0, 0.5, textures, share))
    assert said.endswith(f": {verdict}.")
    assert ("copies of textures" in said) is (share is not None)


def test_the_sentence_of_a_model_and_of_an_older_one() -> None:
    older = read_figures(FIGURES)
    assert older is not None and older.copies_percent is None
    assert sentence_of_figures(older, "volume", textures=False) == (
        "84 % of the samples are closer to a training volume than a real volume of another patient is: look at the "
        "copies before you share samples or model."
    )
    newer = read_figures({**FIGURES, "copies_percent": 17.0, "membership_auc": 0.714})
    assert newer is not None
    assert sentence_of_figures(newer, "slice", textures=True) == (
        "84 % of the samples are closer to a training slice than a real slice of another patient is, possible copies "
        "17 %, the nearest sample tells who was trained on with an AUC of 0.71 (0.50: not at all): look at the copies "
        "before you share samples or model; textures were not looked at."
    )


@pytest.mark.parametrize(("name", "value"), [("copies_percent", 101), ("membership_auc", 1.5), ("membership_auc", "1")])
def test_wrong_figures(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        read_figures({**FIGURES, name: value})
