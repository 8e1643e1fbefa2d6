"""A check is true as long as the files are that it was made of; what another check has replaced goes."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell
from run_folders import add_training_set, make_run
from test_data_check import checked, confirmed, files_below, results
from train_bench import choose, ready

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine

STALE = "Data or settings have changed since this check: check again, or Start prepares them anew."


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A table of cases, with what it names."""
    folder = tmp_path / "clinic"
    (folder / "series").mkdir(parents=True)
    for name in ("series/1.dcm", "a.nii.gz", "b.nii.gz", "c.nii.gz"):
        (folder / name).write_text(name)
    lines = ["image;label;patient", "series;a.nii.gz;1", "b.nii.gz;c.nii.gz;2"]
    (folder / "cases.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def change(path: Path, how: str) -> None:
    if how == "removed":
        path.unlink()
    elif how == "new":
        path.with_name("2.dcm").touch()
    elif how == "older":
        os.utime(path, (0, 0))
    else:
        path.write_text("other")


@pytest.mark.parametrize(
    ("path", "how"),
    [("c.nii.gz", "older"), ("b.nii.gz", "removed"), ("series/1.dcm", "new"), ("cases.csv", "written")],
)
def test_files_of_a_table(stand_in: Any, files: Path, path: str, how: str) -> None:
    from TopoGANTrainLib.check.file_stamp import paths_in, stamp
    from TopoGANTrainLib.data.train_inputs import FromFiles, FromScene

    paths = paths_in(FromScene([], [], files=FromFiles(files / "cases.csv")))
    assert paths == (files / "cases.csv",)
    before = stamp(paths)
    assert stamp(paths) == before
    change(files / path, how)
    assert stamp(paths) != before


@pytest.mark.parametrize("text", ["", "image,label\ncases.csv,cases.csv", 'image,label\n\0,"', "\xff"])
def test_a_table_of_nonsense_is_a_file(stand_in: Any, tmp_path: Path, text: str) -> None:
    from TopoGANTrainLib.check.file_stamp import stamp

    table = tmp_path / "cases.csv"
    table.write_bytes(text.encode("latin-1"))
    assert stamp([table]) == stamp([table]) != stamp([tmp_path / "none.csv"])


def test_changed_files_are_prepared_again(bench: Bench, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the disk is: nothing waits on the application's thread, and Start goes on by itself."""
    from bench import pump

    from TopoGANTrainLib.check import check_order

    widget = ready(bench)
    ui = widget.ui
    choose(ui.sourceComboBox, "Files or folders")
    ui.segmentationsPathLineEdit.currentPath = str(files / "cases.csv")
    checked(bench, widget)
    assert confirmed(widget) == results(widget) / "training-1" / "training-set"
    change(files / "c.nii.gz", "written")
    real, disk, threads = check_order.stamp, threading.Event(), list[threading.Thread]()

    def slow(paths: Any) -> str:
        threads.append(threading.current_thread())
        disk.wait()
        return real(paths)

    monkeypatch.setattr(check_order, "stamp", slow)
    ui.startButton.click()
    assert ui.reasonLabel.text == ui.checkStatusLabel.text == "Looking whether the files have changed …"
    assert not ui.startButton.enabled and not ui.checkDataButton.enabled
    assert widget.logic.session is None
    bench.picture("TopoGANTrain", "looking at files")
    disk.set()
    pump(lambda: widget.logic.session is not None)
    assert threading.main_thread() not in threads
    assert widget.logic.session.training_set == results(widget) / "training-2" / "training-set"
    assert ui.checkStatusLabel.text == STALE


def test_another_check_takes_the_place_of_the_one_before(bench: Bench, scene: Any, engine: Engine) -> None:
    """But for one that a training learns from which the panel knows nothing of."""
    from bench import pump

    from TopoGANTrainLib.run.looked_after import LookedAfter

    widget = ready(bench)
    ui = checked(bench, widget)
    tell(engine, "prepare", "fail")
    checked(bench, widget)
    assert (results(widget) / "Blood-1" / "training-set").is_dir(), "there is no other yet"
    tell(engine, "prepare")
    checked(bench, widget)
    pump(lambda: [path.name for path in results(widget).iterdir()] == ["Blood-2"])
    another_application = LookedAfter()
    assert another_application.take(results(widget) / "Blood-2" / "training-set"), "as long as a training needs it"
    checked(bench, widget)
    another_application.close()
    pump(widget.panel._check._removing.done)
    assert sorted(path.name for path in results(widget).iterdir()) == ["Blood-1", "Blood-2"]
    choose(ui.sourceComboBox, "A training set made before")
    ui.trainingSetPathLineEdit.currentPath = str(results(widget) / "Blood-1" / "training-set")
    ui.checkDataButton.click()
    assert widget.panel._check._loose is None, "the user has chosen it: it is not ours to remove"


def test_a_set_without_a_run_is_listed_and_deleted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench import pump
    from test_runs_view import answer, offered, open_list, rows
    from test_runs_view import choose as choose_run

    folder = results_of(bench)
    add_training_set(make_run(folder, "trained"))
    add_training_set(folder / "Blood-1" / "run", counts={"total": 48})
    widget = open_list(bench)
    assert rows(widget)[1:] == [["Blood-1", "unused", "", ""]]
    choose_run(widget, "Blood-1")
    assert offered(widget) == ["open", "delete"]
    assert widget.ui.runsLabel.text.startswith("A training set of 48 samples that no run here was trained on")
    bench.picture("TopoGANTrain", "unused training set")
    asked = answer(monkeypatch, True)
    widget.ui.deleteRunsButton.click()
    pump(lambda: len(rows(widget)) == 1)
    assert "the training set of Blood-1, which no run in this folder uses (unused)" in asked[0]
    assert not (folder / "Blood-1").exists()


def results_of(bench: Bench) -> Path:
    from TopoGANLib.forms import user_settings

    return user_settings.results_folder()


@pytest.mark.parametrize("what", ["a run beside it", "a run that learned from it", "a file of the user", "a link"])
def test_a_set_that_is_needed_stays(tmp_path: Path, what: str) -> None:
    from TopoGANTrainLib.run.training_sets import remove_training_set, unused_sets

    run = make_run(tmp_path, "one")
    folder = add_training_set(run)
    if what == "a run that learned from it":
        run.parent.rename(tmp_path / "two")
        folder = add_training_set(tmp_path / "one" / "run", content_hash="of one")
    elif what == "a link":
        (tmp_path / "link").mkdir()
        (tmp_path / "link" / "training-set").symlink_to(folder, target_is_directory=True)
        folder = tmp_path / "link" / "training-set"
    elif what == "a file of the user":
        folder = add_training_set(tmp_path / "two" / "run")
        (folder / "thesis.docx").touch()
        assert [found for found, _words in unused_sets(tmp_path)] == [folder]
    before = files_below(tmp_path)
    with pytest.raises(ValueError, match=r"delete the runs that need it first|holds thesis|or a link to one"):
        remove_training_set(folder)
    assert files_below(tmp_path) == before


def test_a_set_stays_that_a_run_of_long_ago_or_elsewhere_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of runs ends at the newest 500, and at the folder of the results; what is deleted is asked of all."""
    from topogan_contract.results import mark_used
    from TopoGANTrainLib.run import folders
    from TopoGANTrainLib.run.training_sets import own_training_set, remove_training_set, unused_sets

    make_run(tmp_path / "A", "old")
    run = make_run(tmp_path / "A", "new")
    beside = add_training_set(run)
    of_old = add_training_set(tmp_path / "A" / "set" / "run", content_hash="of old")
    elsewhere = make_run(tmp_path / "B", "heart")
    of_heart = add_training_set(tmp_path / "A" / "checked" / "run", content_hash="of heart")
    monkeypatch.setattr(folders, "MOST_RUNS", 1)
    assert [found for found, _words in unused_sets(tmp_path / "A")] == [of_heart]
    mark_used(of_heart, run, "a" * 32)
    mark_used(of_heart.parent, elsewhere, "a" * 32)
    assert unused_sets(tmp_path / "A"), "nobody needs it yet"
    mark_used(of_heart, tmp_path / "A" / "heart" / "by hand", "a" * 32)
    mark_used(beside, run, "a" * 32)
    assert unused_sets(tmp_path / "A") == []
    for folder, words in {of_old: "has been trained on: delete", of_heart: "in another folder of results"}.items():
        with pytest.raises(ValueError, match=words):
            remove_training_set(folder)
    assert own_training_set(run) == beside
    mark_used(beside, elsewhere, "a" * 32)
    assert own_training_set(run) is None
