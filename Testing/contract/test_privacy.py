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
    ("closer", "copies", "said", "verdict"),
    [
        (97.0, 1.0, "in 97 % of the comparisons, possible copies 1 %", BEWARE),
        (99.96, 99.6, "in 100 % of the comparisons, possible copies 100 %", BEWARE),
        (60.4, 2.04, "in 60 % of the comparisons, possible copies 2 %", GOOD_MASKS),
        (9.0, 0.44, "in 9 % of the comparisons, possible copies 0.4 %", GOOD_MASKS),
    ],
)
def test_figures_count_as_they_are_shown(closer: float, copies: float, said: str, verdict: str) -> None:
    sentence = privacy_sentence(Privacy("slice", closer, 400, copies, 0.604))
    assert f"{said}, the nearest" in sentence
    assert sentence.endswith(f": {verdict}.")


def test_held_out_samples_of_the_same_patient_vouch_for_little() -> None:
    said = privacy_sentence(Privacy("slice", 50.0, 400, 0.0, 0.5, independent=False))
    assert said.endswith(
        f": {GOOD_MASKS}, but the held-out ones are of the same patient, so that copies can go unnoticed."
    )


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
    assert sentence_of_figures(older, "volume", textures=False, independent=True) == (
        "Of the model's raw samples: "
        "a random sample is closer to a training volume than a random held-out volume in 84 % of the comparisons: "
        "look at the copies before you share samples or model."
    )
    newer = read_figures({**FIGURES, "copies_percent": 17.0, "membership_auc": 0.714})
    assert newer is not None
    assert sentence_of_figures(newer, "slice", textures=True, independent=True) == (
        "Of the model's raw samples: "
        "a random sample is closer to a training slice than a random held-out slice in 84 % of the comparisons, "
        "possible copies 17 %, the nearest sample tells who was trained on with an AUC of 0.71 (0.50: not at all): "
        "look at the copies before you share samples or model; textures were not looked at."
    )


@pytest.mark.parametrize(("name", "value"), [("copies_percent", 101), ("membership_auc", 1.5), ("membership_auc", "1")])
def test_wrong_figures(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        read_figures({**FIGURES, name: value})
