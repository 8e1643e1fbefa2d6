"""Samples that are possible copies of the training set are left out, and the result says how many."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from topogan.config import SynthesisSettings
from topogan.errors import Cancelled, InputError, WorkError
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.metrics.copy_check import CopyCheck
from topogan.model import Model, load_model
from topogan.model.asking import SamplingRequest
from topogan.model.sampling import sample_chunks
from topogan.possible_copies import copies_of_report
from topogan.synthesis import synthesize
from topogan.training_set import TrainingSet

SETTINGS = SynthesisSettings(count=8, seed=1)


def stopping() -> None:
    raise Cancelled("Stop.")


@pytest.fixture(scope="module")
def model(ring_model: Path) -> Model:
    return load_model(ring_model, discriminators=False)


@pytest.fixture(scope="module")
def real(ring_training_set: Path, model: Model) -> TrainingSet:
    """The training set of the model with two of its samples in it, one of them shifted and mirrored."""
    found = TrainingSet.open(ring_training_set)
    masks = found.masks[np.arange(len(found.patients))]
    samples = model.sample(8, seed=1).labels
    first, second = found.train[:2]
    masks[first], masks[second] = samples[2], np.roll(samples[5][::-1], 2, 0)
    return replace(found, masks=masks)


def test_they_are_drawn_again_and_counted(tmp_path: Path, model: Model, real: TrainingSet) -> None:
    plain = model.sample(8, seed=1)
    out = synthesize(model, tmp_path / "out", SETTINGS, reject_copies=real, picture=False)
    written = SyntheticSet.open(out)
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    left_out = report["copies_left_out"]
    assert written.copies_left_out == left_out >= 2
    assert report["tries"] == 8 + left_out and report["accepted_percent"] == 100.0
    assert f"{left_out} possible copies of training masks were left out" in report["summary"]
    assert report["copies_bar"] == {"part": "validation", "held_out": 3}
    assert written.copies_said in report["summary"]
    assert "The bar is that of 3 validation masks: by chance up to 50 % are called copies." in written.copies_said
    held_out = real.validation if len(real.validation) else real.test
    check = CopyCheck(real.masks.__getitem__, real.train, held_out)
    assert not check(written.labels).any()
    # Only what was a copy is another one now.
    copied = check(plain.labels)
    assert copied[[2, 5]].all()
    kept = np.flatnonzero(~copied)
    np.testing.assert_array_equal(written.labels[kept], plain.labels[kept])
    assert np.array(written.seeds)[kept].tolist() == plain.seeds[kept].astype(str).tolist()


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ({}, ""),
        ({"copies_left_out": 0}, "No possible copies of training masks were found."),
        ({"copies_left_out": 1}, "1 possible copy of a training mask was left out, and drawn again."),
        (
            {"copies_left_out": 0, "copies_bar": {"part": "test", "held_out": 200}},
            "No possible copies of training masks were found. The bar is that of 200 test masks.",
        ),
        (
            {"copies_left_out": 0, "copies_bar": {"part": "<b>", "held_out": 200}},
            "No possible copies of training masks were found.",
        ),
    ],
)
def test_what_a_report_says_of_them(report: dict[str, object], said: str) -> None:
    assert copies_of_report(report) == said


def test_too_many_copies_are_said_in_words(model: Model) -> None:
    request = SamplingRequest(4, attempts=2)
    with pytest.raises(WorkError, match=r"Only 0 of 8 tries were no possible copies of training masks .* \(8 were\)"):
        list(sample_chunks(model, request, lambda accepted, tries: None, lambda labels: np.ones(len(labels), bool)))


def test_it_is_cancelled_while_the_bars_are_measured(tmp_path: Path, model: Model, real: TrainingSet) -> None:
    events: list[dict[str, object]] = []
    with pytest.raises(Cancelled):
        synthesize(
            model, tmp_path / "out", SETTINGS, reject_copies=real, on_event=events.append, cancelled=lambda: True
        )
    with pytest.raises(Cancelled):
        CopyCheck(real.masks.__getitem__, real.train, real.validation, tick=stopping)
    assert not events and not (tmp_path / "out").exists()


def test_another_set_is_refused(tmp_path: Path, model: Model, heart_training_set: Path) -> None:
    with pytest.raises(InputError, match="is not the training set of this model"):
        synthesize(model, tmp_path / "out", SETTINGS, reject_copies=heart_training_set)


def test_a_set_that_holds_nothing_out_is_refused(real: TrainingSet) -> None:
    with pytest.raises(InputError, match="holds out no patient"):
        CopyCheck(real.masks.__getitem__, real.train, np.zeros(0, dtype=np.int64))
