"""The ablation: its runs are whole trainings, are not repeated, and are paired seed by seed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"

TINY = ["--run", "--set", "phantom", "--variant", "rank", "--seed", "0"]
TINY_PROTOCOL = ["--steps", "8", "--width", "4", "--warm-up", "0.5", "--samples", "20", "--batch", "8"]


@pytest.fixture(autouse=True)
def benchmarks_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ring_training_set: Path):
    """The command line, with rings in the place of the phantom."""
    import runpy

    monkeypatch.setenv("TOPOGAN_ABLATION_CACHE", str(tmp_path / "cache"))
    shutil.copytree(ring_training_set, tmp_path / "cache" / "sets" / "phantom")
    main = runpy.run_path(str(BENCHMARKS / "ablation.py"))["main"]
    places = ["--results", str(tmp_path / "results"), "--page", str(tmp_path / "page.md")]
    return lambda arguments: main([*arguments, *places])


def fake_result(variant: str, seed: int, error: float, dice: float) -> dict:
    """What one run writes, with one Betti error and one Dice to training of our choice."""
    from ablation.tables import SECTIONS

    shown = {column.name for columns in SECTIONS.values() for column in columns}
    names = shown | {"Area distance", "Mean area", "Valid", "Valid (cleaned)"}
    figures = {name: {"value": 1.0, "real": 1.0, "unit": ""} for name in names}
    figures["Betti error"]["value"], figures["Dice to training"]["value"] = error, dice
    curve = [{"step": step, "valid": 90.0, "betti_error": error, "area_ratio": 1.0} for step in (5, 10)]
    return {
        "set": "phantom",
        "variant": variant,
        "ratio": None if variant == "none" else 2.0,
        "seed": seed,
        "steps": 10,
        "warm_up_steps": 5,
        "samples": 100,
        "settings": {"masks": {"steps": 10, "width": 4, "batch": 8}, "topology": {"warm_up": 0.6}},
        "training_set": {
            "content_hash": "c" * 64,
            "train": 3,
            "held_out": 2,
            "independent": True,
            "modal_betti": [1, 1],
        },
        "lambda": 0.05,
        "step_ms": {} if variant == "none" else {"with": 60.0, "without": 50.0},
        "curve": curve,
        "figures": figures,
    }


def test_summary_pairs_the_seeds_and_names_a_broken_guard(command, tmp_path: Path, capsys) -> None:
    from ablation.results import add_run

    values = [("none", 0, 0.4, 0.80), ("none", 1, 0.6, 0.80), ("rank", 0, 0.1, 0.83), ("rank", 1, 0.2, 0.83)]
    # A seed without its pair must not move the differences.
    for variant, seed, error, dice in [*values, ("rank", 2, 0.9, 0.83)]:
        content = fake_result(variant, seed, error, dice)
        add_run(tmp_path / "results" / "phantom.json", f"{variant}-{seed}", content)
    assert command(["--summary"]) == 0
    printed = capsys.readouterr().out
    assert "-0.35 ± 0.071 (-0.4 to -0.3)" in printed
    assert "+0.03 ± 0 (+0.03 to +0.03) **guard broken**" in printed
    assert "÷3.33" in printed
    assert "| rank, ρ 2 | 60.0 | 50.0 | +20 % | 0.05 |" in printed
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert printed.splitlines()[0] in page
    assert (tmp_path / "page" / "1_phantom.png").stat().st_size > 0


def test_summary_keeps_the_text_around_the_tables(command, tmp_path: Path) -> None:
    from ablation.page import BEGIN, END
    from ablation.results import add_run

    add_run(tmp_path / "results" / "phantom.json", "none-0", fake_result("none", 0, 0.4, 0.8))
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    assert command(["--summary"]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text


def test_summary_without_results_says_what_to_do(command, capsys) -> None:
    assert command(["--summary"]) == 2
    assert "--run" in capsys.readouterr().err


def test_runs_are_whole_and_not_repeated(command, tmp_path: Path, capsys) -> None:
    assert command([*TINY, *TINY_PROTOCOL]) == 0
    result = tmp_path / "results" / "phantom.json"
    text = result.read_text(encoding="utf-8")
    (content,) = json.loads(text)["runs"].values()
    assert (content["variant"], content["steps"], content["warm_up_steps"]) == ("rank", 8, 4)
    assert set(content["step_ms"]) == {"with", "without"}
    assert str(tmp_path) not in text

    before = result.stat().st_mtime_ns
    capsys.readouterr()
    assert command([*TINY, *TINY_PROTOCOL]) == 0
    assert result.stat().st_mtime_ns == before
    assert capsys.readouterr().out == ""


def test_runs_that_end_together_are_all_kept(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from ablation.results import add_run, read_runs

    names = [f"none-seed{seed}" for seed in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: add_run(tmp_path / "phantom.json", name, {"name": name}), names))
    assert read_runs(tmp_path / "phantom.json") == {name: {"name": name} for name in names}


def test_a_shared_warm_up_gives_the_bits_of_a_whole_training(command, tmp_path: Path) -> None:
    import torch
    from ablation.one_run import draw_labels, train_variant
    from ablation.sets import open_set
    from ablation.variants import Job, Protocol

    from topogan.device import exact_numerics
    from topogan.training.mask_trainer import MaskTrainer

    # Long enough for λ to be measured and to act.
    job = Job("phantom", "rank", 2.0, 0, Protocol(steps=72, width=4, warm_up=0.1, samples=20, batch=4))
    training_set = open_set("phantom")
    with exact_numerics(1, torch.device("cpu")):
        shared, _, values = train_variant(job, training_set)
        whole = MaskTrainer(training_set, job.settings, torch.device("cpu"))
        for _ in range(job.last_step):
            whole.train_step()
    assert values["lambda"] > 0
    drawn, again = (draw_labels(trainer, job, training_set, 20)[0] for trainer in (shared, whole))
    assert np.array_equal(drawn, again)
    pairs = zip(shared.exact.pack()[0].items(), whole.exact.pack()[0].items(), strict=True)
    assert all(name == other and torch.equal(mine, theirs) for (name, mine), (other, theirs) in pairs)


def test_frames_close_every_tile() -> None:
    from ablation.sets import with_frames

    from topogan.homology import betti_numbers

    tiles = with_frames(np.zeros((128, 128), dtype=bool))
    assert {betti_numbers(tiles[row : row + 64, column : column + 64]) for row in (0, 64) for column in (0, 64)} == {
        (1, 1)
    }


def test_unknown_names_are_refused(command, capsys) -> None:
    assert command(["--run", "--set", "phantoms"]) == 2
    assert "phantoms" in capsys.readouterr().err
    assert command(["--run", "--set", "phantom", "--variant", "ranks"]) == 2
    assert "ranks" in capsys.readouterr().err


def test_the_tables_of_structures_come_from_the_stored_runs(tmp_path: Path) -> None:
    import runpy

    runpy.run_path(str(BENCHMARKS / "structures.py"))  # puts the packages beside it on the path
    from structures.page import summary

    said = summary(BENCHMARKS / "results" / "structures")
    page = Path(BENCHMARKS.parents[1] / "Resources" / "Docs" / "structures.md").read_text(encoding="utf-8")
    assert said.count("## six_") == 5 and said in page
    assert summary(tmp_path) == "No results yet: say --run."
