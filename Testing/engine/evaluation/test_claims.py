"""Differences over seeds, paired."""

from __future__ import annotations

from pathlib import Path

import pytest

from topogan.errors import InputError
from topogan.evaluation.claims import paired_differences
from topogan.evaluation.report import SCHEMA
from topogan.files import write_json


def reports(folder: Path, name: str, values: list[float], training_set: str = "a") -> list[Path]:
    paths = []
    for seed, value in enumerate(values):
        metrics = [
            {"name": "W1", "dimension": 1, "value": value},
            {"name": "Betti error", "value": 0.5},
            {"name": "KID", "value": None},
        ]
        paths.append(folder / f"{name}{seed}.json")
        write_json(paths[-1], {"training_set_hash": training_set, "metrics": metrics}, SCHEMA)
    return paths


def test_differences_are_taken_pair_by_pair(tmp_path: Path) -> None:
    found = paired_differences(reports(tmp_path, "a", [1.0, 2.0, 4.0]), reports(tmp_path, "b", [2.0, 2.5, 6.0]))
    assert [(one.name, one.dimension) for one in found] == [("W1", 1), ("Betti error", None)]
    assert found[0].differences == [-1.0, -0.5, -2.0]
    assert found[0].mean == pytest.approx(-3.5 / 3)
    assert found[0].consistent
    assert not found[1].consistent


def test_a_report_of_before_meets_one_of_now(tmp_path: Path) -> None:
    old, new = reports(tmp_path, "a", [50.0, 51.0]), reports(tmp_path, "b", [60.0, 61.0])
    for paths, part in ((old, "held-out"), (new, "test")):
        for path in paths:
            path.write_text(path.read_text().replace('"W1"', f'"Closer to training than a {part} slice"'))
    found = paired_differences(new, old)
    assert (found[0].name, found[0].mean) == ("Closer to training than a test slice", 10.0)


@pytest.mark.parametrize(("seeds", "supports"), [(2, "nothing"), (3, "claim"), (5, "headline")])
def test_seeds_decide_what_may_be_claimed(tmp_path: Path, seeds: int, supports: str) -> None:
    values = [float(seed) for seed in range(seeds)]
    found = paired_differences(reports(tmp_path, "a", values), reports(tmp_path, "b", values))
    assert found[0].supports == supports


def test_reports_that_cannot_be_paired_are_refused(tmp_path: Path) -> None:
    three = reports(tmp_path, "a", [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="3 with the change and 2 without"):
        paired_differences(three, three[:2])
    with pytest.raises(InputError, match="different training sets"):
        paired_differences(three, reports(tmp_path, "b", [1.0, 2.0, 3.0], training_set="other"))
    with pytest.raises(InputError, match="is missing"):
        paired_differences(three, [tmp_path / "none.json"] * 3)
