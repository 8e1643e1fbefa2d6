"""The end of a training is told once, wherever the user is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell
from run_folders import make_run
from train_bench import ready, status

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine


def boxes() -> list[Any]:
    """The message boxes that are open."""
    from PySide6 import QtWidgets

    found = QtWidgets.QApplication.topLevelWidgets()
    return [one for one in found if isinstance(one, QtWidgets.QMessageBox) and QtWidgets.QWidget.isVisible(one)]


def press(box: Any, button: str) -> None:
    from PySide6 import QtWidgets

    kind = getattr(QtWidgets.QMessageBox.StandardButton, button)
    QtWidgets.QAbstractButton.click(QtWidgets.QMessageBox.button(box, kind))


def status_bar() -> str:
    import slicer
    from PySide6 import QtWidgets

    return QtWidgets.QStatusBar.currentMessage(slicer.util.mainWindow().statusBar())


@pytest.fixture(autouse=True)
def nothing_said(bench: Bench) -> None:
    """The main window outlives a test."""
    import slicer
    from PySide6 import QtWidgets

    QtWidgets.QStatusBar.clearMessage(slicer.util.mainWindow().statusBar())


@pytest.fixture
def waiting(bench: Bench, scene: Any, engine: Engine) -> Any:
    """The panel and a run that goes on when there is a file ``go``."""
    from bench import pump

    tell(engine, "train", "steps=8", "waits")
    widget = ready(bench)
    widget.ui.startButton.click()
    pump(lambda: "step 5 of 8" in status(widget))
    return widget


def go_on(widget: Any) -> None:
    from bench import pump

    (widget.logic.session.run / "go").touch()
    pump(lambda: not widget.logic.isRunning)


def test_the_panel_in_sight_says_it_itself(waiting: Any) -> None:
    go_on(waiting)
    assert "Finished" in status(waiting)
    assert not boxes()
    assert status_bar() == "The training Blood-1 has finished: the model is ready."


def test_another_module_is_shown(waiting: Any, bench: Bench) -> None:
    import slicer
    from bench import settle

    bench.open("TopoGANSynth")
    go_on(waiting)
    (box,) = boxes()
    assert box.text == "The training Blood-1 has finished: the model is ready."
    assert not box.modal, "nobody is kept from working"
    press(box, "Close")
    settle()
    assert not boxes()
    assert slicer.util.selectedModule() == "TopoGANSynth"


def test_the_box_leads_to_the_panel(waiting: Any, bench: Bench) -> None:
    import slicer
    from bench import settle

    bench.open("TopoGANSynth")
    go_on(waiting)
    press(boxes()[0], "Open")
    settle()
    assert not boxes()
    assert slicer.util.selectedModule() == "TopoGANTrain"
    assert "Finished" in status(waiting)


def test_the_module_panel_is_hidden(waiting: Any, bench: Bench) -> None:
    bench.modules["TopoGANTrain"].widgetRepresentation().hide()
    go_on(waiting)
    assert len(boxes()) == 1


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("failing", "The training Blood-1 has failed. The loss is not a number: lower the learning rate."),
        ("crash", "The training Blood-1 has failed. The engine ended without a word"),
    ],
)
def test_a_failure_is_told_with_its_cause(bench: Bench, scene: Any, engine: Engine, how: str, said: str) -> None:
    from bench import pump

    tell(engine, "train", how)
    widget = ready(bench)
    widget.ui.startButton.click()
    bench.open("TopoGANSynth")
    pump(lambda: not widget.logic.isRunning)
    (box,) = boxes()
    assert box.text.startswith(said)
    assert status_bar().startswith(said)
    # It goes on, and can end once more.
    bench.open("TopoGANTrain")
    widget.ui.resumeButton.click()
    bench.open("TopoGANSynth")
    pump(lambda: not widget.logic.isRunning)
    (box,) = boxes()
    assert "has finished" in box.text


def test_a_preparation_that_fails_is_told_too(bench: Bench, scene: Any, engine: Engine) -> None:
    from bench import pump

    tell(engine, "prepare", "fail")
    widget = ready(bench)
    widget.ui.startButton.click()
    bench.open("TopoGANSynth")
    pump(lambda: not widget.logic.isRunning)
    assert boxes()[0].text == "The training Blood-1 has failed. The segmentation is empty: choose another."


def test_it_is_told_once_only(waiting: Any, bench: Bench) -> None:
    """Neither looking again, nor a reload, nor another start of the application tells it again."""
    import slicer
    from bench import Bench, pump, settle

    bench.open("TopoGANSynth")
    go_on(waiting)
    press(boxes()[0], "Close")
    waiting.panel.refresh()
    slicer.util.reloadScriptedModule("TopoGANTrain")
    fresh = slicer.modules.TopoGANTrainWidget
    fresh.logic.attach(Path(waiting.logic.session.run if waiting.logic.session else run_of(bench)))
    settle()
    assert not boxes()
    bench.application.close_application()
    again = Bench(bench.application)
    again.open("TopoGANTrain")
    again.open("TopoGANSynth")
    widget = again.modules["TopoGANTrain"].widgetRepresentation().self()
    pump(lambda: widget.logic.progress is not None)
    widget.panel.refresh()
    assert not boxes()


def run_of(bench: Bench) -> str:
    from TopoGANLib.forms import user_settings

    return user_settings.read_text(user_settings.LAST_RUN)


def test_an_end_is_told_while_another_run_is_followed(waiting: Any, tmp_path: Path) -> None:
    """The panel shows another run, which the user attached to: its status line would not say it."""
    from bench import pump

    from TopoGANLib.forms import user_settings

    first = waiting.logic.session.run
    other = make_run(tmp_path / "results", "old")
    assert waiting.logic.attach(other)
    assert waiting.logic.isRunning and not waiting.logic.isStoppable
    assert user_settings.read_text(user_settings.LAST_RUN) == str(first), "the next session finds what was started here"
    (first / "go").touch()
    pump(lambda: not waiting.logic.isRunning)
    (box,) = boxes()
    assert box.text == "The training Blood-1 has finished: the model is ready."
    assert status(waiting).startswith("Stopped"), "of the run that is followed"
    assert waiting.ui.startButton.enabled
    waiting.logic.attach(first)
    waiting.panel.refresh()
    assert len(boxes()) == 1 and "Finished" in status(waiting)


def test_ends_while_the_application_was_closed(bench: Bench, tmp_path: Path) -> None:
    """Of all runs that were started here, in one box; who was told, or stopped one, hears nothing."""
    from TopoGANLib.forms import user_settings
    from TopoGANTrainLib.run.awaited import AwaitedRuns

    made = {
        name: make_run(tmp_path / "results", name, state, error="The disk is full: free some space.")
        for name, state in {"one": "finished", "two": "failed", "three": "stopped", "told": "finished"}.items()
    }
    awaited = AwaitedRuns()
    away = [tmp_path / disk / "away" / "run" for disk in ("disk that is not there now", "only its mount point")]
    away[1].parents[1].mkdir()
    for run in (*made.values(), tmp_path / "gone" / "run", *away):
        awaited.add(run)
    assert AwaitedRuns().take(made["told"])
    assert not awaited.take(made["told"]), "another application has told it"
    user_settings.write(user_settings.LAST_RUN, str(made["told"]))
    widget = ready(bench)
    assert widget.logic.session.run == made["told"]
    (box,) = boxes()
    words = ["The training one has finished: the model is ready."]
    words += ["The training two has failed. The disk is full: free some space."]
    assert box.text == "\n\n".join(words)
    assert AwaitedRuns().runs == away


def test_a_stop_is_no_news(waiting: Any, bench: Bench) -> None:
    from bench import pump

    waiting.ui.startButton.click()
    bench.open("TopoGANSynth")
    (waiting.logic.session.run / "go").touch()
    pump(lambda: not waiting.logic.isRunning)
    assert waiting.logic.progress.state == "stopped"
    assert not boxes()
    assert status_bar() == ""


def test_nothing_is_told_while_testing(waiting: Any, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.application.application, "_testing", True)
    bench.open("TopoGANSynth")
    go_on(waiting)
    assert not boxes()
    assert status_bar() == ""


def test_the_box_goes_with_the_panel(waiting: Any, bench: Bench) -> None:
    bench.open("TopoGANSynth")
    go_on(waiting)
    assert boxes()
    bench.application.close_application()
    assert not boxes()


def second_application(waiting: Any) -> Any:
    """The logic of another application of the user, which was open before the training began."""
    return type(waiting.logic)()


def test_a_second_application_leaves_the_training_of_the_first_alone(waiting: Any) -> None:
    """It neither stops it when it is closed, nor is kept from a training of its own; when the first has ended, it
    takes over, whether it was open before or looks at it already.
    """
    run = waiting.logic.session.run
    open_before, other = second_application(waiting), second_application(waiting)
    other.watch()
    assert not other.isRunning
    assert other.attach(run), "it may look at it"
    other.close(keepRunning=False)
    assert not (run / "stop").exists()
    open_before.attach(run)
    waiting.logic.close(keepRunning=True)
    open_before.watch()
    heir = second_application(waiting)
    heir.watch()
    assert not heir.others, "the first heir lives"
    open_before.close(keepRunning=True)
    heir.watch()
    assert heir.others == [run]
    heir.close(keepRunning=False)
    assert (run / "stop").exists()


def test_a_second_application_takes_nothing_from_the_first(waiting: Any, tmp_path: Path) -> None:
    """Neither by going on with its training, nor by removing what that learns from before it has a run."""
    run, training_set = waiting.logic.session.run, waiting.logic.session.training_set
    other = second_application(waiting)
    with pytest.raises(RuntimeError, match="Another Slicer of yours looks after the training Blood-1: resume it there"):
        other.resume(run)
    assert other.learnsFrom(training_set)
    with pytest.raises(ValueError, match="is being trained on"):
        other.delete(training_set)
    other.close(keepRunning=False)
    assert not (run / "stop").exists()
    go_on(waiting)
    assert not other.learnsFrom(training_set)


def test_a_run_that_is_left_can_be_taken_by_one_application(tmp_path: Path, bench: Bench) -> None:
    """Also by one that takes it in the moment in which it is left."""
    from TopoGANTrainLib.run import looked_after

    run, first, second = tmp_path / "run", looked_after.LookedAfter(), looked_after.LookedAfter()
    assert first.take(run)
    lock = first._locks[run]
    release = lock.release
    lock.release = lambda: (release(), second.take(run))
    first.leave(run)
    assert run in second
    assert not first.take(run), "the file of the second was not removed"
    second.close()
    assert first.take(run)
    first.close()


def test_a_run_that_has_ended_is_no_news_again(bench: Bench, tmp_path: Path) -> None:
    """It is looked at each second; the panel is made anew where something has changed."""
    run = make_run(tmp_path / "results", "one")
    widget = ready(bench)
    widget.logic.attach(run)
    seen = []
    widget.logic.onProgress = lambda: seen.append(widget.logic.progress.step)
    widget.logic._tick()
    assert seen == []
    (run / "status.json").write_text((run / "status.json").read_text().replace('"step": 300', '"step": 400'))
    widget.logic._tick()
    assert seen == [400]
