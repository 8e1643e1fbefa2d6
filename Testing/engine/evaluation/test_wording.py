"""Sentences and words of the report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from topogan.evaluation.cases import all_cases, best, nearest_to_training, worst
from topogan.evaluation.copying_words import memorization_sentence, privacy_of
from topogan.evaluation.report import Metric, label, number
from topogan.evaluation.terms import TERMS
from topogan.evaluation.wording import comparison, intensity_sentence, sample_verdict
from topogan.metrics.closeness import Closeness
from topogan.metrics.membership import Membership
from topogan.metrics.memorization import MemorizationAudit
from topogan.verdict import verdict
from topogan_contract.privacy import BEWARE, privacy_sentence

NONE = np.zeros(0, dtype=np.int64)


def found(dice: list[float], reference_dice: list[float]) -> MemorizationAudit:
    close = Closeness(np.array(dice), np.arange(len(dice)), np.array(reference_dice))
    return MemorizationAudit(close, close, NONE, NONE)


@pytest.mark.parametrize(
    ("topology", "copy", "words"),
    [
        ("valid", False, "valid"),
        ("valid", True, "copies a training mask"),
        ("valid (no hole, as in 9 % of real slices)", True, "copies a training mask"),
        ("no hole", False, "no hole"),
        ("no hole", True, "no hole, copies a training mask"),
    ],
)
def test_verdict_of_a_sample(topology: str, copy: bool, words: str) -> None:
    assert sample_verdict(topology, copy) == words


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (Metric("", "", 0.02, 0.03, "", "lower"), "as real"),
        (Metric("", "", 0.031, 0.03, "", "lower"), "as real"),
        (Metric("", "", 0.06, 0.03, "", "lower"), "2 times real"),
        (Metric("", "", 0.06, -0.01, "", "lower"), "0.07 above real"),
        (Metric("", "", 0.0, 0.0, "", "lower"), "as real"),
        (Metric("", "", 0.4, 0.8, "", "higher"), "0.5 times real"),
        (Metric("", "", 96.0, 99.0, "%", "equal to real"), "as real"),
        (Metric("", "", 60.0, 99.0, "%", "equal to real"), "39 points below real"),
        (Metric("", "", 2.0, 0.0, "%", "lower"), "2 points above real"),
        (Metric("", "", 95.0, 100.0, "HU", "equal to real"), "as real"),
        (Metric("", "", -20.0, 100.0, "HU", "equal to real"), "120 HU below real"),
        (Metric("", "", 1.0, 0.0, "%", "lower"), "1 point above real"),
        (Metric("", "", 1.0, 0.02, "", "lower"), "50 times real"),
        (Metric("", "", 3.0, 0.02, "", "lower"), "over 100 times real"),
        (Metric("", "", 0.05, 0.03, "", "lower", real_by_seed={"0": 0.01, "1": 0.05}), "as real"),
        (Metric("", "", None, 1.0, "", "lower"), "–"),
    ],
)
def test_comparison_in_words(metric: Metric, words: str) -> None:
    assert comparison(metric) == words


def test_numbers_and_labels() -> None:
    assert [number(value) for value in (None, 0.0, 0.012345, 12.345, 1234.5)] == ["–", "0", "0.0123", "12.3", "1234"]
    assert label(Metric("", "W1", 0, 0, "", "lower", dimension=0)) == "W1 of pieces"


def test_copies_are_told_in_words() -> None:
    assert memorization_sentence(found([0.5, 0.6], [0.7])).endswith("no sign of copied masks.")
    assert memorization_sentence(found([0.8, 0.6], [0.7])).startswith("1 of 2 samples comes closer")
    assert memorization_sentence(found([1.0, 0.8], [0.7])).endswith("1 equals one pixel by pixel.")


def test_volumes_are_not_said_to_be_turned() -> None:
    copied = found([0.5, 0.6], [0.7])
    copied = replace(copied, changed=replace(copied.changed, value=np.array([0.9, 0.1])))
    assert "(1 of them when shifted, scaled, turned or mirrored)" in memorization_sentence(copied)
    assert "(1 of them when shifted, scaled or mirrored)" in memorization_sentence(copied, TERMS[3])


def test_copied_textures_are_no_good_sign_of_privacy() -> None:
    told = Membership(0.5, None, None, 3, 3, 1, 1)
    masks = found([0.5, 0.6], [0.7] * 300)
    copied = replace(masks, texture=Closeness(np.array([0.9, 0.8]), np.arange(2), np.full(300, 0.3)))
    assert privacy_sentence(privacy_of(masks, told, TERMS[2])).endswith(": no sign of copied masks.")
    said = privacy_sentence(privacy_of(copied, told, TERMS[2]))
    assert "possible copies of textures 100 %" in said
    assert said.endswith(f": {BEWARE}.")


def test_intensities_are_told_by_tissue() -> None:
    pool = Metric("texture", "Mean HU inside enclosed holes", 348.4, 351.0, "HU", "equal to real")
    around = Metric("texture", "Mean HU around the structure", -29.4, -50.0, "HU", "equal to real")
    distance = Metric("texture", "HU distance inside enclosed holes", 5.0, 3.0, "HU", "lower")
    expected = "Mean HU: inside enclosed holes 348 (real 351), around the structure −29 (real −50)."
    assert intensity_sentence([pool, distance, around]) == expected
    assert intensity_sentence([distance]) is None


def test_a_copied_texture_is_shown_beside_the_image_that_it_copies() -> None:
    texture = Closeness(np.array([0.9, 0.9, 0.1]), np.array([7, 8, 9]), np.array([0.3]))
    audit = replace(found([0.5, 0.9, 0.6], [0.7]), texture=texture)

    def rows(foreign: bool) -> list[int]:
        cases = all_cases(np.ones((3, 2), np.int64), list("abc"), ["valid"] * 3, audit, np.zeros(3), foreign)
        return [case.nearest_training_row for case in cases]

    assert rows(foreign=False) == [7, 1, 2], "the second copies a mask, too"
    assert rows(foreign=True) == [0, 1, 2]


def test_cases_are_ordered_by_what_matters() -> None:
    betti = np.array([[1, 1], [1, 1], [3, 0], [1, 0], [1, 1]])
    cases = all_cases(
        betti,
        ["a", "b", "c", "d", "e"],
        [verdict(tuple(found), (1, 1)) for found in betti.tolist()],
        found([0.9, 0.5, 0.4, 0.3, 0.6], [0.8]),
        np.array([0.99, 0.6, 0.5, 0.2, 0.7]),
    )
    assert [case.sample for case in best(cases)] == [4, 1]  # 0 is closest to real but copies
    assert [case.sample for case in worst(cases, np.ones((5, 2), np.int64), 2)] == [2, 3]
    assert [case.sample for case in nearest_to_training(cases, 2)] == [0, 4]
    assert cases[2].verdict == "3 pieces instead of 1, no hole"
