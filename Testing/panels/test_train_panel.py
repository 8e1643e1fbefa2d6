"""The training panel, worked as a user works it, with an engine that is quick and misbehaves on command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import lives, tell, tell_doctor, wait_until
from train_bench import another_python, choose, listed_patients, ready, status, tick_segments

from TopoGANLib.engine.process import Engine
from TopoGANLib.engine.run_monitor import RunMonitor

if TYPE_CHECKING:
    from bench import Bench
    from standin import StandIn


def test_nothing_is_chosen(bench: Bench) -> None:
    widget = bench.open("TopoGANTrain")
    assert widget.ui.reasonLabel.text == "The engine is not ready: see Engine above."
    widget = ready(bench)
    assert widget.ui.engineCollapsibleButton.collapsed
    assert not widget.ui.startButton.enabled
    assert widget.ui.reasonLabel.text == "Add the patients to learn from: all that fit, or one by one."
    assert widget.ui.startButton.toolTip == widget.ui.reasonLabel.text
    bench.picture("TopoGANTrain", "empty")


def test_packages_are_missing(bench: Bench, engine: Engine, scene: Any) -> None:
    from bench import pump

    tell_doctor(engine, packages={"torch": "", "gudhi": ""}, devices=[], problems=["torch is not installed."])
    widget = bench.open("TopoGANTrain")
    pump(lambda: "Not installed" in widget.ui.engineStatusLabel.text)
    assert widget.ui.engineStatusLabel.text.startswith("Not installed in this Python: torch, gudhi.\nPress Install")
    assert not widget.ui.engineCollapsibleButton.collapsed
    assert widget.ui.installEngineButton.visible
    assert not widget.ui.startButton.enabled
    bench.picture("TopoGANTrain", "packages missing")
    widget.ui.pythonPathLineEdit.currentPath = "/other/python"
    widget.ui.checkEngineButton.click()
    pump(lambda: "cannot be started" in widget.ui.engineStatusLabel.text)
    assert not widget.ui.installEngineButton.visible


def test_another_python_that_lacks_packages(bench: Bench, engine: Engine, tmp_path: Path) -> None:
    from bench import pump

    tell_doctor(engine, packages={"torch": ""}, devices=[], problems=["torch is not installed."])
    other = tmp_path / "other python"
    other.symlink_to(sys.executable)
    widget = bench.open("TopoGANTrain")
    widget.ui.pythonPathLineEdit.currentPath = str(other)
    widget.ui.checkEngineButton.click()
    pump(lambda: "In a terminal" in widget.ui.engineStatusLabel.text)
    assert f"'{other}' -m pip install \"torch>=2.2\" -r " in widget.ui.engineStatusLabel.text


def copies(bench: Bench) -> list[Path]:
    """Folders with copies of the scene's data; tests that killed a panel have left some."""
    return list(Path(bench.application.application.temporaryPath).glob("TopoGAN/input-*"))


def test_the_whole_way(bench: Bench, scene: Any, engine: Engine, tmp_path: Path) -> None:
    from bench import pump, watched

    before = set(copies(bench))
    tell(engine, "train", "steps=60", "waits")
    widget = ready(bench)
    assert widget.ui.segmentationSelector.currentNode() is scene[1]
    assert widget.ui.volumeSelector.currentNode() is scene[0]
    tick_segments(widget, "Myocardium")
    assert widget.ui.startButton.enabled
    bench.picture("TopoGANTrain", "ready")
    with watched("training with a quick engine"):
        widget.ui.startButton.click()
        assert widget.ui.startButton.text == "Stop"
        assert not widget.ui.patientsTable.enabled and not widget.ui.masksStepsSpinBox.enabled
        for section in (widget.ui.inputsCollapsibleButton, widget.ui.trainAdvancedCollapsibleButton):
            assert section.enabled, "to be folded"
        assert not widget.ui.seedSpinBox.enabled
        pump(lambda: "Training masks, step 5" in status(widget))
        bench.picture("TopoGANTrain", "training")
        pump(lambda: widget.ui.progressBar.value > 0)
        (tmp_path / "results" / "Myocardium-1" / "run" / "go").touch()
        pump(lambda: "Finished" in status(widget))
    assert widget.ui.modelPathEdit.text == str(tmp_path / "results" / "Myocardium-1" / "run" / "model")
    assert not widget.ui.progressBar.visible
    assert widget.ui.startButton.text == "Start training"
    assert set(copies(bench)) == before, "no copy is left"
    bench.picture("TopoGANTrain", "finished")


def test_stop_and_resume(bench: Bench, scene: Any) -> None:
    from bench import pump

    widget = ready(bench)
    widget.ui.startButton.click()
    pump(lambda: "step" in status(widget))
    widget.ui.startButton.click()
    assert not widget.ui.startButton.enabled
    pump(lambda: "Stopped" in status(widget))
    assert "Resume goes on from here" in status(widget)
    assert widget.ui.resumeButton.visible
    bench.picture("TopoGANTrain", "stopped")
    widget.ui.resumeButton.click()
    pump(lambda: "Finished" in status(widget))
    assert not widget.ui.resumeButton.visible


@pytest.mark.parametrize(
    ("verb", "how", "said"),
    [
        ("prepare", "fail", "The segmentation is empty: choose another."),
        ("train", "failing", "The loss is not a number: lower the learning rate."),
        ("train", "crash", "ended without a word"),
    ],
)
def test_failures_are_said_in_the_engines_words(
    bench: Bench, scene: Any, engine: Engine, verb: str, how: str, said: str
) -> None:
    from bench import pump

    tell(engine, verb, how)
    widget = ready(bench)
    widget.ui.startButton.click()
    pump(lambda: said in status(widget) and not widget.logic.isRunning)
    assert widget.ui.logCollapsibleButton.visible
    assert widget.ui.resumeButton.visible == (verb == "train")
    assert widget.ui.startButton.enabled, "one can try again"
    widget.ui.logCollapsibleButton.collapsed = False
    bench.picture("TopoGANTrain", f"failed {how}")


def test_preparing_is_shown_and_can_be_stopped(bench: Bench, scene: Any, engine: Engine) -> None:
    from bench import pump

    tell(engine, "prepare", "sleep")
    widget = ready(bench)
    widget.ui.startButton.click()
    pump(lambda: "asleep" in status(widget))
    assert status(widget).startswith("Preparing the training set")
    assert widget.ui.progressBar.maximum == 0, "nobody knows how far it is"
    bench.picture("TopoGANTrain", "preparing")
    widget.ui.startButton.click()
    bench.picture("TopoGANTrain", "stopping")
    pump(lambda: status(widget) == "Stopped.")
    assert not widget.ui.resumeButton.visible


def test_the_engine_stays_ready_while_its_path_is_remembered(bench: Bench, engine: Engine, tmp_path: Path) -> None:
    """CTK shows another path for a moment, which nobody has chosen."""
    from bench import pump

    from TopoGANLib.forms import user_settings

    other = another_python(tmp_path)
    widget = ready(bench)
    box = widget.ui.pythonPathLineEdit.comboBox()
    for path in (str(other), sys.executable):
        widget.ui.pythonPathLineEdit.currentPath = path
        assert widget.panel._engine.report is None
        widget.ui.checkEngineButton.click()
        pump(lambda: widget.panel._engine.report is not None)
    box.setCurrentIndex(1)
    assert widget.ui.pythonPathLineEdit.currentPath == str(other)
    widget.ui.checkEngineButton.click()
    pump(lambda: widget.panel._engine.report is not None)
    assert [box.itemText(row) for row in range(box.count)] == [str(other), sys.executable]
    assert "Ready" in widget.ui.engineStatusLabel.text
    assert user_settings.read_text(user_settings.ENGINE_PYTHON) == str(other)


@pytest.mark.parametrize("keep", [True, False])
def test_closing_the_application_during_a_run(bench: Bench, scene: Any, keep: bool) -> None:
    from bench import Bench, pump

    widget = ready(bench)
    widget.ui.keepRunningCheckBox.checked = keep
    widget.ui.startButton.click()
    pump(lambda: "step" in status(widget))
    run = widget.logic.session.run
    pid = RunMonitor(run).poll().pid
    bench.application.close_application()
    if not keep:
        wait_until(lambda: not lives(pid))
        assert RunMonitor(run).poll().state == "stopped"
        return
    step = RunMonitor(run).poll().step
    wait_until(lambda: RunMonitor(run).poll().step > step)
    again = Bench(bench.application).open("TopoGANTrain")
    assert "Training masks, step" in status(again), "a new panel finds it"
    pump(lambda: again.ui.startButton.enabled)
    again.ui.startButton.click()
    pump(lambda: "Stopped" in status(again))


def test_leaving_and_entering_the_panel(bench: Bench, scene: Any) -> None:
    from bench import pump

    widget = ready(bench)
    widget.ui.startButton.click()
    pump(lambda: "step" in status(widget))
    bench.open("TopoGANSynth")
    assert widget.logic.isRunning
    bench.open("TopoGANTrain")
    pump(lambda: "step" in status(widget))
    assert widget.ui.startButton.text == "Stop"


def test_the_scene_is_closed_during_a_run(bench: Bench, scene: Any) -> None:
    import slicer
    from bench import pump

    widget = ready(bench)
    widget.ui.masksStepsSpinBox.value = 77
    widget.ui.startButton.click()
    pump(lambda: "step" in status(widget))
    slicer.mrmlScene.Clear(False)
    step = widget.logic.progress.step
    pump(lambda: widget.logic.progress.step > step)
    assert widget.ui.masksStepsSpinBox.value == 3000, "the new scene starts with the defaults"
    assert not listed_patients(widget)
    widget.ui.startButton.click()
    pump(lambda: "Stopped" in status(widget))
    assert widget.ui.reasonLabel.text == "Add the patients to learn from: all that fit, or one by one."


def test_a_scene_keeps_the_choices_but_no_path(bench: Bench, scene: Any, tmp_path: Path) -> None:
    import slicer

    widget = ready(bench)
    widget.ui.volumeSelector.setCurrentNode(scene[0])
    tick_segments(widget, "Myocardium")
    widget.ui.masksStepsSpinBox.value = 77
    choose(widget.ui.deviceComboBox, "cpu")
    choose(widget.ui.sourceComboBox, "Files or folders")
    widget.ui.segmentationsPathLineEdit.currentPath = "/secret/patient"
    choose(widget.ui.sourceComboBox, "This scene")
    path = tmp_path / "scene.mrml"
    slicer.mrmlScene.SetURL(str(path))
    slicer.mrmlScene.SetSaveToXMLString(0)
    assert slicer.mrmlScene.Commit()
    text = path.read_text()
    assert "train_masks_steps" in text
    assert "/secret" not in text
    assert "results" not in text
    slicer.mrmlScene.Clear(False)
    assert widget.ui.masksStepsSpinBox.value == 3000
    slicer.mrmlScene.Import()
    assert widget.ui.masksStepsSpinBox.value == 77
    assert widget.ui.deviceComboBox.currentText == "cpu"


def test_a_scene_of_another_version(bench: Bench) -> None:
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    node.SetSingletonTag("TopoGANTrain")
    node.SetParameter("train_device", "quantum")
    slicer.mrmlScene.RemoveNode(node)
    slicer.mrmlScene.AddNode(node)
    widget = bench.open("TopoGANTrain")
    assert widget.ui.deviceComboBox.currentText == "auto"


def test_reload(bench: Bench, scene: Any) -> None:
    """Developers reload a module; a training goes on and is found again."""
    import slicer
    from bench import pump

    widget = ready(bench)
    widget.ui.startButton.click()
    pump(lambda: "step" in status(widget))
    slicer.util.reloadScriptedModule("TopoGANTrain")
    fresh = slicer.modules.TopoGANTrainWidget
    assert fresh is not widget
    assert fresh.ui.engineStatusLabel.text.startswith("Asking this Python"), "nobody enters the panel anew"
    assert not fresh.ui.installEngineButton.visible
    pump(lambda: "step" in status(fresh))
    pump(lambda: fresh.ui.startButton.enabled)
    fresh.ui.startButton.click()
    pump(lambda: "Stopped" in status(fresh))


@pytest.fixture
def libraries(application: StandIn) -> Iterator[tuple[str, ...]]:
    """Their names; a test may load them anew, and the tests after it find them as they were."""
    names = ("TopoGANLib", "TopoGANTrainLib", "TopoGANSynthLib", "topogan_contract")
    before = modules_of(*names)
    yield names
    application.close_application()
    for name in modules_of(*names):
        del sys.modules[name]
    sys.modules.update(before)


def modules_of(*packages: str) -> dict[str, Any]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in packages}


@pytest.mark.parametrize("name", ["TopoGANTrain", "TopoGANSynth"])
def test_reload_is_of_the_libraries_too(libraries: tuple[str, ...], bench: Bench, name: str) -> None:
    """All behavior is there: a developer who presses Reload sees what has changed in any file."""
    import slicer

    own = ("TopoGANLib", f"{name}Lib", "topogan_contract")
    assert set(own) <= set(libraries)
    widget = bench.modules[name].widgetRepresentation().self()
    before, panel = modules_of(*own), type(widget.panel)
    widget.onReload()
    after = modules_of(*own)
    assert after
    assert not [each for each in after if after[each] is before.get(each)]
    fresh = type(getattr(slicer.modules, f"{name}Widget").panel)
    assert fresh is not panel
    assert fresh is getattr(after[panel.__module__], panel.__name__)


def test_two_panels_of_one_module(bench: Bench, scene: Any) -> None:
    from bench import pump

    first = ready(bench)
    second = bench.modules["TopoGANTrain"].createNewWidgetRepresentation()
    second.enter()
    first.ui.masksStepsSpinBox.value = 77
    assert second.self().ui.masksStepsSpinBox.value == 77, "one parameter node"
    first.ui.startButton.click()
    pump(lambda: "step" in status(first))
    second.exit()
    second.self().cleanup()
    second._close()
    assert first.logic.isRunning
    first.ui.startButton.click()
    pump(lambda: "Stopped" in status(first))


def test_nothing_is_left_behind(bench: Bench, scene: Any) -> None:
    """Neither observers, nor timers, nor the panel itself."""
    import gc
    import weakref

    import slicer
    from bench import pump

    gc.collect()

    def observers() -> int:
        node = slicer.mrmlScene.GetSingletonNode("TopoGANTrain", "vtkMRMLScriptedModuleNode")
        things = [slicer.mrmlScene, *([node] if node else [])]
        return sum(str(thing).count("vtkObserver (") for thing in things)

    before = observers()
    timers = count_timers()
    widget = ready(bench)
    widget.ui.startButton.click()
    pump(lambda: "step" in status(widget))
    widget.ui.startButton.click()
    pump(lambda: "Stopped" in status(widget))
    gone = [weakref.ref(thing) for thing in (widget, widget.panel, widget.logic)]
    widget = None
    bench.application.close_application()
    bench.modules.clear()
    gc.collect()
    assert [reference() for reference in gone] == [None, None, None]
    assert count_timers() == timers
    assert observers() == before


def count_timers() -> int:
    import gc

    from PySide6 import QtCore
    from shiboken6 import isValid

    timers = [thing for thing in gc.get_objects() if issubclass(type(thing), QtCore.QTimer)]
    return sum(isValid(timer) and timer.isActive() for timer in timers)


def test_from_python(bench: Bench, scene: Any, engine: Engine, tmp_path: Path) -> None:
    """The same from the console, blocking or not."""
    import slicer

    from TopoGANTrainLib.data.train_inputs import FromScene

    logic = slicer.util.getModuleLogic("TopoGANTrain")
    tell(engine, "train", "steps=10")
    segment = scene[1].GetSegmentation().GetNthSegmentID(0)
    model = logic.train(FromScene(scene[1], segment, scene[0]), tmp_path / "x", {"train_masks_steps": 10}, wait=True)
    assert model == tmp_path / "x" / "Blood-1" / "run" / "model"
    assert model.is_dir()
    with pytest.raises(RuntimeError, match="There is no setting nonsense"):
        logic.train(FromScene(scene[1], segment), tmp_path / "x", {"nonsense": 1})
    tell(engine, "train", "failing")
    with pytest.raises(RuntimeError, match="The loss is not a number"):
        logic.train(FromScene(scene[1], segment), tmp_path / "x", wait=True)
    tell(engine, "train", "steps=10000")
    logic.train(FromScene(scene[1], segment), tmp_path / "x")
    with pytest.raises(RuntimeError, match="running already"):
        logic.train(FromScene(scene[1], segment), tmp_path / "x")
    logic.stop()


def test_the_modules_own_tests(bench: Bench) -> None:
    import unittest

    suite = unittest.TestSuite()
    for name in ("TopoGANTrain", "TopoGANSynth"):
        case = getattr(sys.modules[name], f"{name}Test")
        names = [method for method in dir(case) if method.startswith("test_")]
        assert names
        suite.addTests(case(method) for method in names)
    result = unittest.TestResult()
    suite.run(result)
    assert result.testsRun >= 4
    assert not result.errors + result.failures, result


def test_what_the_application_lists(bench: Bench) -> None:
    for name, module in bench.modules.items():
        assert module.title
        assert module.categories == ("Cardiac",)
        assert "not a medical device" in module.helpText
        assert "ECCV 2020" in module.acknowledgementText
        assert module.contributors
        assert not module.icon.isNull(), name
