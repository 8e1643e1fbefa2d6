"""The list of runs: what is found, what is read, and what is wrong with the rest."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from run_folders import add_curves, make_run, write

from topogan_contract import schemas
from topogan_contract.lock import RunLock
from TopoGANTrainLib.runs.run_list import DAMAGED, RunList, find_runs


def names(results: Path) -> list[str]:
    return [run.parent.name for run in find_runs(results)]


def test_what_is_no_run_is_not_found(tmp_path: Path) -> None:
    run = make_run(tmp_path, "one")
    (tmp_path / "photos" / "run").mkdir(parents=True)
    (tmp_path / "file").touch()
    make_run(tmp_path / "deeper", "two")
    (tmp_path / "link").symlink_to(run.parent, target_is_directory=True)
    (tmp_path / "three").mkdir()
    (tmp_path / "three" / "run").symlink_to(run, target_is_directory=True)
    assert names(tmp_path) == ["one"]
    assert names(tmp_path / "nowhere") == []
    assert names(tmp_path / "file") == []


def test_the_newest_comes_first(tmp_path: Path) -> None:
    for age, name in enumerate(("c", "a", "b")):
        os.utime(make_run(tmp_path, name) / "status.json", (1e9 - age, 1e9 - age))
    assert names(tmp_path) == ["c", "a", "b"]


def test_there_are_at_most_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from TopoGANTrainLib.run import folders

    monkeypatch.setattr(folders, "MOST_RUNS", 2)
    for name in "abc":
        make_run(tmp_path, name)
    assert len(RunList().read(tmp_path)) == 2


def test_what_is_said_of_a_run(tmp_path: Path) -> None:
    run = make_run(tmp_path, "Myocardium-1")
    add_curves(run, masks_quick_betti_error=[0.5, 0.1, 0.1, 0.3], masks_quick_valid=[20.0, 81.0, 90.0, 50.0])
    (entry,) = RunList().read(tmp_path)
    assert (entry.run, entry.name) == (run, "Myocardium-1")
    assert (entry.state, entry.step, entry.total, entry.part) == ("stopped", 300, 3000, "both")
    assert entry.structures == ("Myocardium", "Blood")
    assert (entry.size, entry.seed, entry.device) == (64, 7, "cpu")
    assert entry.resumable and not entry.alive and not entry.has_model and entry.here
    assert entry.has_curves
    assert (entry.best.betti_error, entry.best.valid, entry.best.step) == (0.1, 81.0, 200)
    assert np.isnan(entry.best.texture_error)


def test_the_best_textures(tmp_path: Path) -> None:
    add_curves(make_run(tmp_path, "one"), textures_quick_absolute_error=[70.0, float("nan"), 41.5])
    (entry,) = RunList().read(tmp_path)
    assert (entry.best.texture_error, entry.best.texture_step) == (41.5, 300)
    assert np.isnan(entry.best.betti_error)


def test_curves_are_read_again_when_they_have_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from TopoGANTrainLib.runs import run_list

    read: list[Path] = []
    monkeypatch.setattr(
        run_list, "read_history", lambda run, whole=run_list.read_history: read.append(run) or whole(run)
    )
    run = make_run(tmp_path, "one")
    runs = RunList()
    assert not runs.read(tmp_path)[0].has_curves
    add_curves(run, masks_quick_valid=[1.0])
    runs.read(tmp_path)
    runs.read(tmp_path)
    assert len(read) == 1
    add_curves(run, masks_quick_valid=[1.0, 2.0])
    runs.read(tmp_path)
    assert len(read) == 2


def test_states(tmp_path: Path) -> None:
    """A run that says it works does so only while its lock is held; one of another computer is believed for a while."""
    now = 0.0
    working = make_run(tmp_path, "working", state="running")
    make_run(tmp_path, "dead", state="running")
    make_run(tmp_path, "elsewhere", state="running", machine="another")
    make_run(tmp_path, "failed", state="failed", error="The disk is full: free some space.")
    (make_run(tmp_path, "finished", state="finished") / "model").mkdir()
    runs = RunList(clock=lambda: now)
    lock = RunLock(working / "run.lock")
    assert lock.acquire()
    found = {entry.name: entry for entry in runs.read(tmp_path)}
    lock.release()
    assert (found["working"].state, found["working"].alive) == ("running", True)
    assert found["dead"].state == "failed"
    assert "without a word at step 300" in found["dead"].error
    assert found["dead"].resumable
    assert (found["elsewhere"].state, found["elsewhere"].here) == ("running", False)
    assert found["failed"].error == "The disk is full: free some space."
    assert found["finished"].has_model and not found["finished"].resumable
    now = 61.0
    elsewhere = next(entry for entry in runs.read(tmp_path) if entry.name == "elsewhere")
    assert (elsewhere.state, elsewhere.alive, elsewhere.resumable) == ("silent", True, True)


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("config.json", None, "config.json is missing, damaged"),
        ("config.json", "{", "config.json is missing, damaged"),
        ("config.json", json.dumps({"schema": "topogan.run/99"}), "config.json is missing, damaged"),
        ("status.json", None, "status.json is missing, damaged"),
        ("status.json", "[]", "status.json is missing, damaged"),
    ],
)
def test_damaged_runs_are_listed_with_what_is_wrong(tmp_path: Path, file: str, text: str | None, said: str) -> None:
    run = make_run(tmp_path, "one")
    if text is None:
        (run / file).unlink()
    else:
        (run / file).write_text(text)
    (entry,) = RunList().read(tmp_path)
    assert (entry.state, entry.resumable, entry.alive) == (DAMAGED, False, False)
    assert entry.error.startswith(said)


@pytest.mark.parametrize("nonsense", [None, 3, "x" * 500, [1, {}], {"a": []}])
def test_nonsense_in_the_files_of_a_stranger(tmp_path: Path, nonsense: object) -> None:
    run = make_run(tmp_path, "one", step=nonsense, total=nonsense, stage=nonsense, error=nonsense)
    write(run / "config.json", schemas.RUN, settings=nonsense, training_set=nonsense, device=nonsense)
    write(run / "history.json", "topogan.history/1", curves=nonsense)
    (entry,) = RunList().read(tmp_path)
    assert entry.state == "stopped"
    write(
        run / "config.json",
        schemas.RUN,
        settings={"part": nonsense, "seed": nonsense},
        training_set={"structures": nonsense, "size": nonsense},
    )
    (entry,) = RunList().read(tmp_path)
    assert entry.state == "stopped"


def test_a_run_of_one_structure(tmp_path: Path) -> None:
    """As the first version described it."""
    run = make_run(tmp_path, "one")
    write(run / "config.json", schemas.RUN, settings={}, training_set={"structure": "atrium"})
    assert RunList().read(tmp_path)[0].structures == ("atrium",)


def test_a_clock_that_jumps_changes_no_state(tmp_path: Path) -> None:
    """States come from locks, heartbeats and the monotonic clock; the disk's clock only sorts."""
    run = make_run(tmp_path, "one", state="running", machine="another")
    runs = RunList(clock=lambda: 0.0)
    for wall in (0.0, 4e9, 1e9):
        os.utime(run / "status.json", (wall, wall))
        assert runs.read(tmp_path)[0].state == "running"
