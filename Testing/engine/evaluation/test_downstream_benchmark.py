"""The benchmark of a downstream segmentation: patients of its own for each seed, pairs by seed, each run once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from simulated import painted, simulated_masks
from training_sets import write_training_set

from topogan.training_set import TrainingSet

Runs = dict[str, dict]


def fake_run(arm: str, seed: int, dice: float, patients: int = 1) -> dict:
    scores = {"dice": dice, "hd95": 2.0, "missed": 0.0, "betti_error": 1 - dice}
    return {"patients": patients, "seed": seed, "arm": arm, "test": scores, "validation": scores}


@pytest.fixture
def runs() -> Runs:
    from downstream_runs.arms import OWN, RIVAL

    found = [fake_run(RIVAL, 0, 0.5), fake_run(RIVAL, 1, 0.7), fake_run(OWN, 0, 0.6), fake_run(OWN, 1, 0.78)]
    return {f"{one['arm']}{one['seed']}": one for one in found}


def test_arms_are_compared_seed_by_seed(runs: Runs) -> None:
    from downstream_runs.page import tables

    rival, own = (line for line in tables("phantom", runs, {}).splitlines() if "augmentation | 0." in line)
    assert "| 0.600 ± 0.141 |" in rival
    # Patients differ more than what is compared: .1 and .08 are the differences.
    assert "| **+0.090 ± 0.014** | **−0.090 ± 0.014** | 2 |" in own


def test_what_is_told_is_compared_with_what_is_not(runs: Runs) -> None:
    from downstream_runs.arms import OWN
    from downstream_runs.page import tables

    less = {"one": fake_run(OWN, 0, 0.55), "two": fake_run(OWN, 1, 0.74)}
    assert f"told over not told, {OWN}: Dice **+0.045 ± 0.007**" in tables("phantom", runs, less)


def test_runs_without_samples_are_those_of_the_same_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    import downstream
    from downstream_runs.arms import OWN, RIVAL

    files = {
        "phantom": {"rival": fake_run(RIVAL, 0, 0.5), "own": fake_run(OWN, 0, 0.6)},
        "phantom_structures": {"own": fake_run(OWN, 0, 0.7)},
    }
    monkeypatch.setattr(downstream, "read_runs", files.__getitem__)
    known = downstream.known_runs("phantom_structures")
    assert {name: one["test"]["dice"] for name, one in known.items()} == {"rival": 0.5, "own": 0.7}


def test_the_curves_are_drawn(runs: Runs, tmp_path: Path) -> None:
    from downstream_runs.page import draw

    draw(runs, tmp_path / "new" / "curves.png")
    assert (tmp_path / "new" / "curves.png").stat().st_size > 1000


def test_each_seed_has_patients_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from downstream_runs.sets import open_patients

    masks = simulated_masks(200, 64, np.random.default_rng(0))
    folder = tmp_path / "sets" / "downstream-phantom"
    write_training_set(folder, masks, painted(masks, 0), 200, diagrams=False)
    whole = replace(TrainingSet.open(folder), patients=[f"patient_{row // 10:02d}" for row in range(200)])
    monkeypatch.setattr(TrainingSet, "open", lambda _: whole)
    monkeypatch.setenv("TOPOGAN_ABLATION_CACHE", str(tmp_path))
    seen = {}
    for seed in range(3):
        few, more = (open_patients("phantom", patients, seed) for patients in (1, 4))
        assert set(few.train) < set(more.train)
        seen[seed] = {few.patients[row] for row in more.train}
        held_out = {few.patients[row] for row in (*few.validation, *few.test)}
        assert len(held_out) == 8
        assert not held_out & seen[seed]
    assert len(set.union(*seen.values())) == 12


def test_a_table_takes_the_place_of_the_older_one(tmp_path: Path) -> None:
    from downstream_runs.page import write

    page = tmp_path / "page.md"
    page.write_text("one\n<!-- tables: begin -->\nold\n<!-- tables: end -->\ntwo\n", encoding="utf-8")
    for text in ("older", "new"):
        write(page, "tables", text)
    assert page.read_text(encoding="utf-8") == "one\n<!-- tables: begin -->\n\nnew\n\n<!-- tables: end -->\ntwo\n"
