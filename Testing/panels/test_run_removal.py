"""Deleting runs: ours alone, never one that works, never through a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from run_folders import add_training_set, make_run, write

from topogan_contract.lock import RunLock
from TopoGANTrainLib.runs.run_removal import own_training_set, remove_run


def test_a_run_goes_with_its_training_set(tmp_path: Path) -> None:
    run = make_run(tmp_path, "one")
    for file in ("log.txt", "events.jsonl", ".0123abcd.partial.json", "checkpoints/step-00000010.safetensors"):
        (run / file).touch()
    (run / "model").mkdir()
    training_set = add_training_set(run)
    assert own_training_set(run) == training_set
    remove_run(run)
    assert list(tmp_path.iterdir()) == []


def test_the_training_set_stays_beside_something_else(tmp_path: Path) -> None:
    run = make_run(tmp_path, "one")
    add_training_set(run)
    (run.parent / "samples").mkdir()
    assert own_training_set(run) is None
    remove_run(run)
    assert {path.name for path in run.parent.iterdir()} == {"samples", "training-set"}


def test_a_training_set_that_another_run_was_trained_from_stays(tmp_path: Path) -> None:
    run = make_run(tmp_path, "one")
    make_run(tmp_path, "two")
    add_training_set(run, content_hash="of two")
    assert own_training_set(run) is None
    remove_run(run)
    assert [path.name for path in run.parent.iterdir()] == ["training-set"]


@pytest.mark.parametrize("what", ["link", "a file of the user", "another schema", "nothing"])
def test_what_is_no_training_set_of_ours_stays(tmp_path: Path, what: str) -> None:
    run = make_run(tmp_path / "results", "one")
    folder = run.parent / "training-set"
    if what == "link":
        elsewhere = add_training_set(make_run(tmp_path / "elsewhere", "one"))
        folder.symlink_to(elsewhere, target_is_directory=True)
    elif what == "a file of the user":
        (add_training_set(run) / "notes.txt").touch()
    elif what == "another schema":
        write(add_training_set(run) / "dataset.json", "mine/1", content_hash="of one")
    assert own_training_set(run) is None
    remove_run(run)
    assert not run.exists()
    assert os.path.lexists(folder) == (what != "nothing")
    if what == "link":
        assert (elsewhere / "masks.npy").exists()


def test_one_that_works_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path, "one", state="running")
    lock = RunLock(run / "run.lock")
    assert lock.acquire()
    with pytest.raises(ValueError, match="one is being trained: stop it first"):
        remove_run(run)
    lock.release()
    remove_run(run)


def test_one_that_may_work_elsewhere_is_refused(tmp_path: Path) -> None:
    run = make_run(tmp_path, "one", state="running", machine="another")
    with pytest.raises(ValueError, match="may still work on another computer"):
        remove_run(run)
    assert run.exists()


def test_what_is_not_ours_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "run"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"schema": "mine/1"}')
    with pytest.raises(ValueError, match="does not say that it is a run"):
        remove_run(folder)
    run = make_run(tmp_path, "one")
    (run / "thesis.docx").touch()
    with pytest.raises(ValueError, match=r"holds thesis\.docx, which is no part of a run"):
        remove_run(run)
    assert run.exists() and folder.exists()


def test_a_damaged_run_can_be_removed(tmp_path: Path) -> None:
    run = make_run(tmp_path, "one")
    (run / "config.json").write_text("{")
    remove_run(run)
    assert not run.parent.exists()


def test_links_are_not_followed(tmp_path: Path) -> None:
    run = make_run(tmp_path / "elsewhere", "one")
    (tmp_path / "link").symlink_to(run.parent, target_is_directory=True)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "run").symlink_to(run, target_is_directory=True)
    for link in (tmp_path / "link" / "run", tmp_path / "two" / "run"):
        with pytest.raises(ValueError, match="a link to one"):
            remove_run(link)
    inside = make_run(tmp_path, "three")
    (inside / "model").symlink_to(run, target_is_directory=True)
    remove_run(inside)
    assert (run / "config.json").exists()


def test_what_a_killed_removal_leaves_is_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    from TopoGANTrainLib.runs.run_list import find_runs

    run = make_run(tmp_path, "one")
    monkeypatch.setattr(shutil, "rmtree", lambda path: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(OSError, match="Input/output error"):
        remove_run(run)
    assert find_runs(tmp_path) == []
    (left,) = run.parent.iterdir()
    assert left.name.endswith(".partial")
