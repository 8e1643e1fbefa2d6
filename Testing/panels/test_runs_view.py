"""The list of runs in the panel, worked as a user works it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell
from run_folders import add_curves, add_training_set, make_run
from train_bench import ready, status

from topogan_contract.lock import RunLock
from TopoGANLib.engine.process import Engine

if TYPE_CHECKING:
    from bench import Bench

BUTTONS = ("attach", "resume", "compare", "open", "use", "delete")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Where the panel looks for runs."""
    return tmp_path / "results"


def open_list(bench: Bench) -> Any:
    """Open the panel and, in it, the list; wait until it has been read."""
    from bench import pump

    widget = ready(bench)
    widget.ui.runsCollapsibleButton.collapsed = False
    pump(lambda: widget.panel._runs._work is None)
    return widget


def rows(widget: Any) -> list[list[str]]:
    """What the table shows."""
    table = widget.ui.runsTable
    return [[table.item(row, column).text() for column in range(4)] for row in range(table.rowCount)]


def choose(widget: Any, *names: str) -> None:
    """Choose rows with the mouse, with Ctrl from the second on."""
    table = widget.ui.runsTable
    table.clearSelection()
    for row, (name, *_) in enumerate(rows(widget)):
        for column in range(4):
            table.item(row, column).setSelected(name in names)


def offered(widget: Any) -> list[str]:
    """What can be done now."""
    buttons = vars(widget.ui)
    return [name for name in BUTTONS for suffix in ("Run", "Runs") if _enabled(buttons.get(f"{name}{suffix}Button"))]


def _enabled(button: Any) -> bool:
    return button is not None and button.enabled


def answer(monkeypatch: pytest.MonkeyPatch, agrees: bool) -> list[str]:
    """Answer the question before something is deleted; return what was asked."""
    import slicer

    asked: list[str] = []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, title: asked.append(text) or agrees)
    return asked


def test_no_run_yet(bench: Bench) -> None:
    widget = open_list(bench)
    assert rows(widget) == []
    assert widget.ui.runsLabel.text == "There is no run in the folder of the results yet."
    assert offered(widget) == []
    bench.picture("TopoGANTrain", "no runs")


def test_nothing_is_read_before_the_list_is_opened(bench: Bench, results: Path) -> None:
    make_run(results, "one")
    widget = ready(bench)
    assert widget.panel._runs._work is None
    assert rows(widget) == []


@pytest.mark.parametrize("points", [9, 12])
def test_the_list(bench: Bench, scene: Any, results: Path, points: int) -> None:
    from bench import font_of

    finished = make_run(results, "Myocardium-12", "finished", step=3000)
    (finished / "model").mkdir()
    add_curves(finished, masks_quick_betti_error=[0.4, 0.12], masks_quick_valid=[31.0, 83.0])
    add_curves(make_run(results, "Left ventricle-Myocardium-1"), textures_quick_absolute_error=[41.4])
    make_run(results, "Atrium-1", "failed", error="The disk is full: free some space and resume the run.")
    (make_run(results, "Atrium-2") / "config.json").unlink()
    make_run(results, "Atrium-3", "running", machine="another")
    widget = open_list(bench)
    with font_of(points):
        assert sorted(rows(widget)) == [
            ["Atrium-1", "failed", "300", ""],
            ["Atrium-2", "damaged", "", ""],
            ["Atrium-3", "running", "300", ""],
            ["Left ventricle-Myocardium-1", "stopped", "300", "±41.4"],
            ["Myocardium-12", "finished", "3000", "83 %"],
        ]
        choose(widget, "Atrium-1")
        assert widget.ui.runsLabel.text == "The disk is full: free some space and resume the run."
        bench.picture("TopoGANTrain", f"runs {points} points")
        choose(widget, "Atrium-2")
        assert widget.ui.runsLabel.text.startswith("config.json is missing, damaged")
        bench.picture("TopoGANTrain", f"run damaged {points} points")
        choose(widget, "Myocardium-12")
        assert widget.ui.runsLabel.text == ("Best masks at step 200: Betti error 0.120, 83 % with the right topology.")
        bench.picture("TopoGANTrain", f"run finished {points} points")


def test_what_can_be_done_with_which(bench: Bench, results: Path) -> None:
    (make_run(results, "finished", "finished") / "model").mkdir()
    for name in ("stopped", "other"):
        add_curves(make_run(results, name), masks_quick_valid=[1.0])
    (make_run(results, "damaged") / "status.json").unlink()
    make_run(results, "elsewhere", "running", machine="another")
    widget = open_list(bench)
    for names, expected in {
        ("finished",): ["attach", "open", "use", "delete"],
        ("stopped",): ["attach", "resume", "open", "delete"],
        ("damaged",): ["open", "delete"],
        ("elsewhere",): ["attach", "open"],
        ("stopped", "other"): ["compare", "delete"],
        ("stopped", "finished"): ["delete"],
        ("stopped", "elsewhere"): [],
    }.items():
        choose(widget, *names)
        assert offered(widget) == expected, names


def test_the_tool_tip_says_the_rest_and_is_no_mark_up_of_a_stranger(bench: Bench, results: Path) -> None:
    run = make_run(results, "<b>one", "failed", error="<img src='http://nowhere/x.png'>")
    widget = open_list(bench)
    tip = widget.ui.runsTable.item(0, 0).toolTip()
    for part in ("&lt;b&gt;one", "Myocardium, Blood", "Masks and textures, 64 pixels, seed 7, on cpu."):
        assert part in tip
    assert "<img" not in tip
    assert str(run.name) in tip


def test_attaching_while_another_is_followed(bench: Bench, scene: Any, results: Path, engine: Engine) -> None:
    """The one before goes on by itself, and is found again."""
    from bench import pump

    tell(engine, "train", "steps=100000")
    make_run(results, "old")
    widget = open_list(bench)
    widget.ui.startButton.click()
    pump(lambda: "step" in status(widget))
    first = widget.logic.session
    pump(lambda: len(rows(widget)) == 2)
    choose(widget, "old")
    widget.ui.attachRunButton.click()
    assert status(widget).startswith("Stopped (step 300 of 3000)")
    assert widget.ui.startButton.text == "Start training"
    assert not widget.ui.startButton.enabled and not widget.ui.resumeButton.enabled
    assert (
        widget.ui.reasonLabel.text == "Blood-1 is being trained: attach to it in Runs to stop it, or wait for its end."
    )
    step = first.tick().step
    pump(lambda: first.tick().step > step)
    choose(widget, first.run.parent.name)
    widget.ui.runsTable.itemActivated.emit(widget.ui.runsTable.currentItem())
    assert widget.logic.session is first
    assert widget.ui.startButton.text == "Stop"
    widget.ui.startButton.click()
    pump(lambda: "Stopped" in status(widget))


def test_resume(bench: Bench, scene: Any, results: Path) -> None:
    from bench import pump

    make_run(results, "old", step=3)
    widget = open_list(bench)
    choose(widget, "old")
    widget.ui.resumeRunButton.click()
    pump(lambda: "Finished" in status(widget))
    pump(lambda: rows(widget)[0][1] == "finished"), "read anew after a run has ended"
    choose(widget, "old")
    assert offered(widget) == ["attach", "open", "use", "delete"]


def test_compare(bench: Bench, results: Path) -> None:
    import slicer
    from bench import pump

    for name, values in {"a": [10.0, 20.0], "b": [30.0, 40.0]}.items():
        add_curves(make_run(results, name), masks_quick_valid=values)
    widget = open_list(bench)
    choose(widget, "a", "b")
    widget.ui.compareRunsButton.click()
    pump(lambda: any("a" in title and "b" in title for title in chart_titles(slicer)))


def chart_titles(slicer: Any) -> list[str]:
    return [node.GetTitle() for node in slicer.util.getNodesByClass("vtkMRMLPlotChartNode")]


def test_folder_and_model(bench: Bench, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(results, "one", "finished")
    (run / "model").mkdir()
    opened: list[str] = []
    desktop = sys.modules["qt"].QDesktopServices
    monkeypatch.setattr(desktop, "openUrl", lambda url: opened.append(url.toLocalFile()) or len(opened) == 1)
    widget = open_list(bench)
    choose(widget, "one")
    widget.ui.openRunButton.click()
    assert [Path(path) for path in opened] == [run]
    widget.ui.openRunButton.click()
    assert widget.ui.runsLabel.text.startswith("The system cannot show a folder")
    used: list[Path] = []
    monkeypatch.setattr(widget.panel._runs, "_use_model", used.append)
    widget.ui.useRunButton.click()
    assert used == [run / "model"]


@pytest.mark.parametrize("agrees", [True, False])
def test_delete_asks_once(bench: Bench, results: Path, monkeypatch: pytest.MonkeyPatch, agrees: bool) -> None:
    from bench import pump

    for name in ("one", "two", "three"):
        run = make_run(results, name)
    add_training_set(results / "one" / "run")
    asked = answer(monkeypatch, agrees)
    widget = open_list(bench)
    widget.logic.attach(results / "one" / "run")
    choose(widget, "one", "two")
    widget.panel._runs._delete_key.activated.emit()
    pump(lambda: asked and widget.panel._runs._work is None)
    (question,) = asked
    assert "one with its training set (stopped, 300/3000)" in question
    assert "two (stopped, 300/3000)" in question
    assert run.parent.name not in question
    assert {path.name for path in results.iterdir()} == ({"three"} if agrees else {"one", "two", "three"})
    assert len(rows(widget)) == (1 if agrees else 3)
    assert (widget.logic.session is None) == agrees
    assert widget.ui.statusLabel.visible != agrees


def test_one_that_has_begun_meanwhile_is_not_deleted(
    bench: Bench, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench import pump

    run = make_run(results, "one")
    widget = open_list(bench)
    answer(monkeypatch, True)
    choose(widget, "one")
    lock = RunLock(run / "run.lock")
    assert lock.acquire()
    widget.ui.deleteRunsButton.click()
    pump(lambda: "one is being trained: stop it first." in widget.ui.runsLabel.text)
    pump(lambda: widget.panel._runs._work is None)
    assert widget.ui.runsLabel.text == "one is being trained: stop it first.", "not lost when the list is read again"
    lock.release()
    assert run.exists()


@pytest.mark.parametrize("begins", ["before", "while it is asked", "in the console"])
def test_a_set_that_another_training_has_begun_to_learn_from_stays(
    bench: Bench, results: Path, monkeypatch: pytest.MonkeyPatch, begins: str
) -> None:
    """That training has no run yet, which would say that it needs the set."""
    import slicer
    from bench import pump

    from TopoGANTrainLib.run.looked_after import LookedAfter

    run, other, asked = make_run(results, "one"), LookedAfter(), []
    training_set = add_training_set(run)
    monkeypatch.setattr(
        slicer.util,
        "confirmOkCancelDisplay",
        lambda text, title: asked.append(text) or other.take(training_set),
    )
    if begins != "while it is asked":
        other.take(training_set)
    widget = open_list(bench)
    if begins == "in the console":
        widget.logic.delete(run)
    else:
        choose(widget, "one")
        widget.ui.deleteRunsButton.click()
        pump(lambda: asked and widget.panel._runs._work is None)
        assert ("with its training set" in asked[0]) == (begins == "while it is asked")
    assert run.exists() == (begins == "while it is asked")
    if run.exists():
        assert widget.ui.runsLabel.text == "one is being trained on: stop that first."
    assert (training_set / "masks.npy").exists()
    other.close()


def test_a_failed_run_that_is_followed(bench: Bench, scene: Any, engine: Engine) -> None:
    from bench import pump

    tell(engine, "train", "failing")
    widget = open_list(bench)
    widget.ui.startButton.click()
    pump(lambda: "The loss is not a number" in status(widget))
    pump(lambda: [row[1] for row in rows(widget)] == ["failed"])
    bench.picture("TopoGANTrain", "failed with runs")


def test_a_choice_survives_another_reading(bench: Bench, results: Path) -> None:
    from bench import pump

    make_run(results, "one")
    widget = open_list(bench)
    choose(widget, "one")
    make_run(results, "zwei")
    widget.ui.refreshRunsButton.click()
    pump(lambda: len(rows(widget)) == 2)
    assert [entry.name for entry in widget.panel._runs._chosen()] == ["one"]
    assert offered(widget) == ["attach", "resume", "open", "delete"]
