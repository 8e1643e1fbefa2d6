"""The training panel, worked as a user works it, with an engine that is quick and misbehaves on command."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fake_engine import lives, tell, tell_doctor, wait_until

from TopoGANLib.engine.process import Engine
from TopoGANLib.engine.run_monitor import RunMonitor

if TYPE_CHECKING:
    from bench import Bench
    from standin import StandIn


@pytest.fixture
def scene(application: StandIn) -> tuple[Any, Any]:
    """A volume and a segmentation with two segments."""
    import slicer

    array = np.zeros((20, 24, 24), np.int16)
    volume = slicer.util.addVolumeFromArray(array, np.diag([1.0, 1.0, 2.0, 1.0]), "CT")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Heart")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    array[2:18, 5:20, 5:20] = 1
    for name in ("Blood", "Myocardium"):
        identifier = segmentation.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(array.astype(np.uint8), segmentation, identifier, volume)
    return volume, segmentation


def ready(bench: Bench) -> Any:
    """Open the panel and wait for the engine's answer."""
    from bench import pump

    widget = bench.open("TopoGANTrain")
    pump(lambda: "Ready" in widget.ui.engineStatusLabel.text)
    return widget


def choose(box: Any, text: str) -> None:
    index = box.findText(text)
    assert index >= 0, [box.itemText(i) for i in range(box.count)]
    box.setCurrentIndex(index)
    box.activated.emit(index)


def status(widget: Any) -> str:
    return widget.ui.statusLabel.text


def test_nothing_is_chosen(bench: Bench) -> None:
    widget = bench.open("TopoGANTrain")
    assert widget.ui.reasonLabel.text == "The engine is not ready: see Engine above."
    widget = ready(bench)
    assert widget.ui.engineCollapsibleButton.collapsed
    assert not widget.ui.startButton.enabled
    assert widget.ui.reasonLabel.text == "Choose a segmentation and the segments to learn."
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


def test_the_whole_way(bench: Bench, scene: Any, engine: Engine, tmp_path: Path) -> None:
    from bench import pump, watched

    tell(engine, "train", "steps=60", "waits")
    widget = ready(bench)
    assert widget.ui.segmentSelector.currentNode() is scene[1]
    widget.ui.volumeSelector.setCurrentNode(scene[0])
    widget.ui.segmentSelector.setSelectedSegmentIDs([scene[1].GetSegmentation().GetNthSegmentID(1)])
    assert widget.ui.startButton.enabled
    bench.picture("TopoGANTrain", "ready")
    with watched("training with a quick engine"):
        widget.ui.startButton.click()
        assert widget.ui.startButton.text == "Stop"
        assert not widget.ui.inputsCollapsibleButton.enabled
        pump(lambda: "Training masks, step 5" in status(widget))
        bench.picture("TopoGANTrain", "training")
        pump(lambda: widget.ui.progressBar.value > 0)
        (tmp_path / "results" / "Myocardium-1" / "run" / "go").touch()
        pump(lambda: "Finished" in status(widget))
    assert widget.ui.modelPathEdit.text == str(tmp_path / "results" / "Myocardium-1" / "run" / "model")
    assert not widget.ui.progressBar.visible
    assert widget.ui.startButton.text == "Start training"
    assert not list(Path(bench.application.application.temporaryPath).glob("TopoGAN/input-*")), "no copy is left"
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


def test_an_empty_segment_is_refused(bench: Bench, scene: Any) -> None:
    from bench import pump

    widget = ready(bench)
    scene[1].GetSegmentation().AddEmptySegment("new", "New")
    widget.ui.segmentSelector.setSelectedSegmentIDs(["new"])
    widget.ui.startButton.click()
    pump(lambda: "The segment New is empty" in status(widget))


def test_a_moved_volume_is_refused(bench: Bench, scene: Any) -> None:
    import slicer

    widget = ready(bench)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    scene[1].SetAndObserveTransformNodeID(transform.GetID())
    widget.ui.startButton.click()
    assert "harden the transform" in status(widget)


def test_files_in_place_of_the_scene(bench: Bench, tmp_path: Path, engine: Engine) -> None:
    from bench import pump

    tell(engine, "train", "steps=5")
    widget = ready(bench)
    choose(widget.ui.sourceComboBox, "Files or folders")
    assert not widget.ui.sceneInputs.visible
    assert widget.ui.reasonLabel.text == "Choose a segmentation file, or a folder of them."
    bench.picture("TopoGANTrain", "files")
    widget.ui.segmentationsPathLineEdit.currentPath = str(tmp_path / "nothing")
    widget.ui.startButton.click()
    assert status(widget) == f"{tmp_path / 'nothing'} does not exist: choose another file or folder."
    widget.ui.segmentationsPathLineEdit.currentPath = str(tmp_path)
    widget.ui.structureLineEdit.text = "left 'atrium'"
    widget.ui.startButton.click()
    pump(lambda: "Finished" in status(widget))
    assert (tmp_path / "results" / "left--atrium-1" / "run" / "model").is_dir()


def test_a_training_set_made_before(bench: Bench, tmp_path: Path, engine: Engine) -> None:
    from bench import pump

    tell(engine, "train", "steps=5")
    widget = ready(bench)
    choose(widget.ui.sourceComboBox, "A training set made before")
    widget.ui.trainingSetPathLineEdit.currentPath = str(tmp_path)
    bench.picture("TopoGANTrain", "training set")
    widget.ui.startButton.click()
    assert "is no training set" in status(widget)
    (tmp_path / "dataset.json").touch()
    widget.ui.startButton.click()
    pump(lambda: "Finished" in status(widget))


def lines_for_paths(ui: Any) -> dict[str, Any]:
    return {name.removesuffix("PathLineEdit"): line for name, line in vars(ui).items() if name.endswith("PathLineEdit")}


def another_python(folder: Path) -> Path:
    """A program of its own name that can run the engine."""
    path = folder / "python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return path


def test_emptied_paths_are_no_paths(bench: Bench, scene: Any, engine: Engine, tmp_path: Path) -> None:
    widget = ready(bench)
    ui, lines = widget.ui, lines_for_paths(widget.ui)
    assert ui.startButton.enabled
    for path in ("", "   "):
        lines["results"].currentPath = path
        assert not ui.startButton.enabled
        assert ui.reasonLabel.text == ui.startButton.toolTip == "Choose a folder for the results."
        lines["results"].currentPath = str(tmp_path / "results")
        assert ui.startButton.enabled
    choose(ui.sourceComboBox, "Files or folders")
    lines["segmentations"].currentPath = str(tmp_path)
    lines["table"].currentPath = "/table.txt"
    assert ui.startButton.enabled
    assert not ui.structuresLineEdit.enabled
    lines["table"].currentPath = ""
    assert ui.structuresLineEdit.enabled, "though its name filters refuse both texts"
    lines["segmentations"].currentPath = ""
    assert not ui.startButton.enabled
    assert ui.reasonLabel.text == "Choose a segmentation file, or a folder of them."
    choose(ui.sourceComboBox, "A training set made before")
    lines["trainingSet"].currentPath = str(tmp_path)
    assert ui.startButton.enabled
    lines["trainingSet"].currentPath = ""
    assert ui.reasonLabel.text == "Choose the folder of a training set."
    lines["python"].currentPath = ""
    assert ui.reasonLabel.text == "The engine is not ready: see Engine above."
    assert ui.engineStatusLabel.text == f"Choose the Python that runs the engine: Slicer's own is {sys.executable}."
    assert not ui.checkEngineButton.enabled
    ui.engineCollapsibleButton.collapsed = False
    bench.picture("TopoGANTrain", "no python")


def test_a_file_or_a_folder(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where either will do, the button by a path offers both; where one will, CTK's own dialog is for it."""
    import ctk
    import qt
    from bench import menu_of

    widget = ready(bench)
    choose(widget.ui.sourceComboBox, "Files or folders")
    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", lambda *arguments: "/folder")
    monkeypatch.setattr(qt.QFileDialog, "getOpenFileName", lambda *arguments: "/file.nii.gz")
    kinds = ctk.ctkPathLineEdit
    both = set()
    for name, line in lines_for_paths(widget.ui).items():
        if line.filters & kinds.Dirs and line.filters & kinds.Files:
            both.add(name)
            assert not line.showBrowseButton
            menu = menu_of(line)
            assert list(menu) == ["Folder…", "File…"]
            for text, path in (("Folder…", "/folder"), ("File…", "/file.nii.gz")):
                menu[text].trigger()
                assert line.currentPath == path
        else:
            assert line.showBrowseButton
    assert both == {"segmentations", "images"}
    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", lambda *arguments: "")
    menu_of(widget.ui.imagesPathLineEdit)["Folder…"].trigger()
    assert widget.ui.imagesPathLineEdit.currentPath == "/file.nii.gz", "the dialog was cancelled"
    bench.picture("TopoGANTrain", "files chosen")


def test_paths_that_were_used_are_offered_again(bench: Bench, engine: Engine, tmp_path: Path) -> None:
    from bench import Bench, pump

    tell(engine, "train", "steps=5")
    widget = ready(bench)
    choose(widget.ui.sourceComboBox, "Files or folders")
    lines = lines_for_paths(widget.ui)
    lines["segmentations"].currentPath = str(tmp_path / "nothing")
    widget.ui.startButton.click()
    lines["segmentations"].currentPath = str(tmp_path)
    widget.ui.startButton.click()
    pump(lambda: "Finished" in status(widget))
    bench.application.close_application()
    widget = Bench(bench.application).open("TopoGANTrain")
    offered = {
        name: [line.comboBox().itemText(row) for row in range(line.comboBox().count)]
        for name, line in lines_for_paths(widget.ui).items()
    }
    assert offered == {
        "python": [sys.executable],
        "results": [str(tmp_path / "results")],
        "segmentations": [str(tmp_path)],
        "images": [],
        "table": [],
        "trainingSet": [],
    }
    assert widget.ui.segmentationsPathLineEdit.currentPath == "", "offered, not chosen"


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


def test_the_users_folder_is_known(
    bench: Bench, scene: Any, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench import pump

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    tell(engine, "train", "steps=5")
    another_python(tmp_path)
    widget = ready(bench)
    widget.ui.pythonPathLineEdit.currentPath = "~/python"
    widget.ui.checkEngineButton.click()
    pump(lambda: "Ready" in widget.ui.engineStatusLabel.text)
    widget.ui.resultsPathLineEdit.currentPath = "~/results"
    widget.ui.startButton.click()
    pump(lambda: "Finished" in status(widget))
    assert (tmp_path / "results" / "Blood-1" / "run" / "model").is_dir()
    assert widget.logic.engine().python == tmp_path / "python"


def test_an_imported_scene_brings_its_choices(bench: Bench, scene: Any, tmp_path: Path) -> None:
    """Though the selectors are empty for a moment while the panel is open."""
    import slicer
    from bench import import_scene

    from TopoGANLib.headless.application import save_scene

    widget = ready(bench)
    ui = widget.ui
    blood, myocardium = scene[1].GetSegmentation().GetSegmentIDs()
    ui.volumeSelector.setCurrentNode(scene[0])
    ui.segmentSelector.setSelectedSegmentIDs([myocardium])
    ui.masksStepsSpinBox.value = 77
    for node, name in zip(scene, ("CT of the file", "Heart of the file"), strict=True):
        node.SetName(name)
    save_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    for node, name in zip(scene, ("CT", "Heart"), strict=True):
        node.SetName(name)
    ui.segmentSelector.setSelectedSegmentIDs([blood])
    ui.volumeSelector.setCurrentNode(None)
    ui.masksStepsSpinBox.value = 88
    import_scene(tmp_path / "scene.mrb", tmp_path)
    parameters = widget.logic.getParameterNode()
    assert parameters.segmentation is not scene[1] and parameters.volume is not scene[0]
    assert parameters.segmentation.GetName() == "Heart of the file"
    assert parameters.volume.GetName() == "CT of the file"
    assert json.loads(parameters.segmentIds) == [myocardium]
    assert ui.segmentSelector.currentNode() is parameters.segmentation
    assert ui.segmentSelector.selectedSegmentIDs() == (myocardium,)
    assert ui.volumeSelector.currentNode() is parameters.volume
    assert ui.masksStepsSpinBox.value == 77
    assert ui.startButton.enabled


def test_an_imported_scene_without_choices_leaves_them(bench: Bench, scene: Any, tmp_path: Path) -> None:
    import slicer
    from bench import import_scene

    from TopoGANLib.headless.application import save_scene

    node = slicer.mrmlScene.GetSingletonNode("TopoGANTrain", "vtkMRMLScriptedModuleNode")
    if node is not None:  # closing a scene leaves it
        slicer.mrmlScene.RemoveNode(node)
    save_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    widget = ready(bench)
    myocardium = scene[1].GetSegmentation().GetNthSegmentID(1)
    widget.ui.volumeSelector.setCurrentNode(scene[0])
    widget.ui.segmentSelector.setSelectedSegmentIDs([myocardium])
    import_scene(tmp_path / "scene.mrb", tmp_path)
    parameters = widget.logic.getParameterNode()
    assert parameters.segmentation is widget.ui.segmentSelector.currentNode() is scene[1]
    assert parameters.volume is widget.ui.volumeSelector.currentNode() is scene[0]
    assert widget.ui.segmentSelector.selectedSegmentIDs() == (myocardium,)


def test_what_a_script_chooses_is_shown(bench: Bench, scene: Any) -> None:
    import slicer

    widget = ready(bench)
    ui, parameters = widget.ui, widget.logic.getParameterNode()
    blood, myocardium = scene[1].GetSegmentation().GetSegmentIDs()
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Other")
    for identifier, name in (("a", "Aorta"), ("b", "Atrium")):
        other.GetSegmentation().AddEmptySegment(identifier, name)
    parameters.segmentIds = json.dumps([myocardium, blood])
    assert ui.segmentSelector.selectedSegmentIDs() == (blood, myocardium)
    parameters.segmentation = other
    assert ui.segmentSelector.currentNode() is other
    assert not ui.startButton.enabled
    parameters.segmentIds = json.dumps(["b"])
    assert ui.segmentSelector.selectedSegmentIDs() == ("b",)
    assert ui.startButton.enabled
    ui.segmentSelector.setSelectedSegmentIDs(["a"])
    assert json.loads(parameters.segmentIds) == ["a"]
    parameters.segmentation = None
    assert not ui.startButton.enabled
    assert ui.reasonLabel.text == "Choose a segmentation and the segments to learn."


def test_a_segment_that_is_gone(bench: Bench, scene: Any) -> None:
    widget = ready(bench)
    segmentation = scene[1].GetSegmentation()
    blood, myocardium = segmentation.GetSegmentIDs()
    widget.ui.segmentSelector.setSelectedSegmentIDs([blood, myocardium])
    segmentation.GetSegment(blood).SetName("Cavity")
    assert widget.ui.structuresLabel.text == "Cavity, Myocardium: where two overlap, the first wins."
    segmentation.RemoveSegment(blood)
    assert widget.ui.segmentSelector.selectedSegmentIDs() == (myocardium,)
    assert widget.ui.startButton.enabled
    segmentation.RemoveSegment(myocardium)
    assert not widget.ui.startButton.enabled
    assert widget.ui.reasonLabel.text == "Choose a segmentation and the segments to learn."


def test_presets_leave_the_users_data_and_nothing_else(bench: Bench) -> None:
    widget = ready(bench)
    ui, parameters = widget.ui, widget.logic.getParameterNode()
    parameters.prepare_structure, parameters.prepare_labels, parameters.structures = "wall", "7", "fat=1"
    parameters.prepare_slice_spacing, parameters.prepare_minimum_area = 3.0, 55.0
    parameters.prepare_window_low, parameters.prepare_pixel_size = -350.0, 0.8
    everything = [setting.attribute for setting in widget.logic.settings]
    titles = [ui.presetComboBox.itemText(row) for row in range(1, ui.presetComboBox.count)]
    assert len(titles) >= 5

    def after(*chosen: str) -> dict[str, Any]:
        for title in chosen:
            choose(ui.presetComboBox, title)
        return {name: getattr(parameters, name) for name in everything}

    alone = {title: after(title) for title in titles}
    for title in titles:
        for before in titles:
            assert after(before, title) == alone[title], f"{title} after {before}"
        assert alone[title]["prepare_structure"] == "wall" and alone[title]["prepare_labels"] == "7"
        assert alone[title]["prepare_slice_spacing"] == 3.0 and alone[title]["prepare_minimum_area"] == 55.0
        assert alone[title]["prepare_window_low"] == -350.0 and alone[title]["prepare_pixel_size"] == 0.8
    assert parameters.structures == "fat=1"
    assert alone["Volumes (32 voxels, CPU)"]["prepare_volumes"]
    assert not alone["Demo"]["prepare_volumes"]


@pytest.mark.parametrize("points", [9, 12])
def test_everything_is_unfolded(bench: Bench, scene: Any, points: int) -> None:
    from bench import font_of

    with font_of(points):
        widget = ready(bench)
        widget.ui.segmentSelector.setSelectedSegmentIDs(list(scene[1].GetSegmentation().GetSegmentIDs()))
        bench.picture("TopoGANTrain", f"ready, {points} points")
        for section in ("engine", "prepareAdvanced", "trainAdvanced"):
            getattr(widget.ui, f"{section}CollapsibleButton").collapsed = False
        for source in ("This scene", "Files or folders", "A training set made before"):
            choose(widget.ui.sourceComboBox, source)
            bench.picture("TopoGANTrain", f"everything, {source.lower()}, {points} points")


def test_settings_reach_the_engine(bench: Bench, scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the widgets show is what the engine is told, presets included; what nobody has changed is its own choice."""
    import slicer
    from bench import pump

    commands: list[list[str]] = []
    requests: list[dict[str, Any]] = []

    def refuse(engine: Engine, arguments: list[str | Path], log: Path) -> None:
        commands.append([*map(str, arguments)])
        folder = Path(arguments[arguments.index("--prepare") + 1])
        requests.append(json.loads((folder / "request.json").read_text(encoding="utf-8")))
        raise FileNotFoundError(2, "not today")

    widget = ready(bench)
    red = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    monkeypatch.setattr(type(widget.panel), "_red", lambda panel: red)
    choose(widget.ui.presetComboBox, "As in the paper")
    assert widget.ui.masksObjectiveComboBox.currentText == "log"
    assert widget.ui.presetComboBox.currentIndex == 0
    widget.ui.masksStepsSpinBox.value = 77
    widget.ui.topologyRatioSpinBox.value = 3.5
    widget.ui.windowLowSpinBox.value = -350.0
    choose(widget.ui.planeComboBox, "As the Red view")
    monkeypatch.setattr(Engine, "start", refuse)
    widget.ui.startButton.click()
    pump(lambda: "cannot be started (not today)" in status(widget))
    command, request = commands[0], requests[0]
    assert command[0] == "train"
    told = {"--masks-objective=log", "--masks-steps=77", "--topology-ratio=3.5", "--topology-mode=paper"}
    assert told <= set(command)
    assert not [word for word in command if word.startswith("--threads")], "the engine may adapt a default"
    assert request["schema"] == "topogan.prepare-request/1"
    assert [Path(path).name for path in request["segmentations"]] == ["segmentation.nrrd"]
    assert np.shape(request["plane"]) == (4, 4)
    assert request["settings"] == {"window_low": -350.0, "resample": True}
    segment = scene[1].GetSegmentation().GetNthSegment(0)
    (blood,) = request["table"]["structures"]
    color = [int(blood["color"][start : start + 2], 16) / 255 for start in (1, 3, 5)]
    assert (blood["name"], blood["labels"], blood["terminology"]) == ("Blood", [1], segment.GetTerminology())
    assert np.allclose(color, segment.GetColor(), atol=1 / 255)


def asked_for(widget: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Press Start; return what the engine is asked to prepare, which then does not start."""
    from bench import pump

    requests: list[dict[str, Any]] = []

    def refuse(engine: Engine, arguments: list[str | Path], log: Path) -> None:
        folder = Path(arguments[arguments.index("--prepare") + 1])
        requests.append(json.loads((folder / "request.json").read_text(encoding="utf-8")))
        raise FileNotFoundError(2, "not today")

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "start", refuse)
        widget.ui.statusLabel.text = ""
        widget.ui.startButton.click()
        pump(lambda: "cannot be started (not today)" in status(widget))
    return requests[0]


def test_several_segments(bench: Bench, scene: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer
    from bench import pump

    segmentation = scene[1].GetSegmentation()
    blood, myocardium = segmentation.GetSegmentIDs()
    array = np.zeros((20, 24, 24), np.uint8)
    array[2:10, 8:12, 8:12] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, scene[1], blood, scene[0])
    widget = ready(bench)
    assert widget.ui.segmentSelector.selectedSegmentIDs() == (blood,), "one is the usual case"
    assert not widget.ui.unionInputs.visible
    widget.ui.segmentSelector.setSelectedSegmentIDs([])
    assert widget.ui.reasonLabel.text == "Choose a segmentation and the segments to learn."
    widget.ui.segmentSelector.setSelectedSegmentIDs([myocardium, blood])
    assert widget.ui.structuresLabel.text == "Blood, Myocardium: where two overlap, the first wins."
    assert not widget.ui.structureLineEdit.enabled, "the segments have names"
    bench.picture("TopoGANTrain", "several segments")
    widget.ui.unionsLineEdit.text = "Blood + Aorta"
    widget.ui.startButton.click()
    assert status(widget) == "Unions: Aorta is none of the structures Blood, Myocardium."
    widget.ui.unionsLineEdit.text = "Blood+ Myocardium ;"
    request = asked_for(widget, monkeypatch)
    assert [Path(path).name for path in request["segmentations"]] == ["segmentation.nrrd"]
    assert request["settings"] == {"resample": True}
    table = request["table"]
    assert [(one["name"], one["labels"]) for one in table["structures"]] == [("Blood", [1]), ("Myocardium", [2])]
    assert table["unions"] == [["Blood", "Myocardium"]]
    segmentation.SetSegmentIndex(myocardium, 0)
    widget.ui.startButton.click()
    pump(lambda: "Blood lies wholly under segments above it: move it up, or leave it out." in status(widget))
    array[0, 0, 0] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, scene[1], blood, scene[0])
    assert [one["name"] for one in asked_for(widget, monkeypatch)["table"]["structures"]] == ["Myocardium", "Blood"]


def test_what_each_size_means(bench: Bench, scene: Any, engine: Engine) -> None:
    from bench import pump

    widget = ready(bench)
    assert not widget.ui.sizesLabel.visible
    widget.ui.sizesButton.click()
    assert not widget.ui.sizesButton.enabled
    pump(lambda: widget.ui.sizesButton.enabled)
    assert widget.ui.sizesLabel.text.splitlines()[0] == "64 pixels: 0.32 mm: about 2 min.", "the images are unknown"
    widget.ui.volumeSelector.setCurrentNode(scene[0])
    widget.ui.sizesButton.click()
    pump(lambda: widget.ui.sizesButton.enabled)
    lines = widget.ui.sizesLabel.text.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("64 pixels: 0.63 mm, finer than the images (1 mm)")
    assert lines[0].endswith(": about 2 min.")
    bench.picture("TopoGANTrain", "sizes")
    choose(widget.ui.sourceComboBox, "Files or folders")
    widget.ui.sizesButton.click()
    pump(lambda: widget.ui.sizesButton.enabled)
    assert widget.ui.sizesLabel.text.splitlines()[3] == "512 pixels: about 16 min."
    tell_doctor(engine, timings=[])
    widget.ui.sizesButton.click()
    pump(lambda: widget.ui.sizesButton.enabled)
    assert "ended without a word" in widget.ui.sizesLabel.text


def sizes_offered(box: Any) -> list[str]:
    """Entries that the user sees, and that wheel and keys stop at."""
    from PySide6 import QtCore

    rows = range(box.count)
    enabled = [row for row in rows if box.model().flags(box.model().index(row, 0)) & QtCore.Qt.ItemIsEnabled]
    assert enabled == [row for row in rows if not box.view().isRowHidden(row)]
    return [box.itemText(row) for row in enabled]


def test_slices_or_volumes(bench: Bench, scene: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench import pump

    widget = ready(bench)
    ui, parameters = widget.ui, widget.logic.getParameterNode()
    assert sizes_offered(ui.sizeComboBox) == ["64", "128", "256", "512"]
    assert not ui.posesSpinBox.enabled and ui.tilingCheckBox.enabled and ui.minimumAreaSpinBox.enabled
    choose(ui.sizeComboBox, "256")
    ui.tilingCheckBox.click()
    ui.volumesCheckBox.click()
    assert not parameters.prepare_tiling, "the engine refuses tiles of volumes, and the box is out of reach"
    assert sizes_offered(ui.sizeComboBox) == ["32", "48", "64", "96", "128"]
    assert ui.sizeComboBox.currentText == "64" and parameters.prepare_size.name == "64", "256 voxels are none"
    assert ui.posesSpinBox.enabled and not ui.tilingCheckBox.enabled and not ui.sliceSpacingSpinBox.enabled
    bench.picture("TopoGANTrain", "volumes")
    ui.volumeSelector.setCurrentNode(scene[0])
    ui.sizesButton.click()
    pump(lambda: ui.sizesButton.enabled)
    lines = ui.sizesLabel.text.splitlines()
    assert [line.partition(":")[0] for line in lines] == [f"{size} voxels" for size in (32, 48, 64, 96, 128)]
    assert lines[1].startswith("48 voxels: 1.3 mm, as the images")
    assert lines[2].startswith("64 voxels: 1.3 mm, as the images"), "32 mm are the longest edge, more than 3/8 of it"
    assert lines[0].endswith(": about 4 min.")
    choose(ui.sizeComboBox, "32")
    ui.posesSpinBox.value = 6
    settings = asked_for(widget, monkeypatch)["settings"]
    assert settings["volumes"] is True and (settings["size"], settings["poses"]) == (32, 6)
    ui.volumesCheckBox.click()
    assert ui.sizeComboBox.currentText == "64", "of 32 pixels there are no slices"
    assert sizes_offered(ui.sizeComboBox) == ["64", "128", "256", "512"]


def test_overlaps_are_told(bench: Bench, scene: Any, engine: Engine, tmp_path: Path) -> None:
    import slicer
    from bench import pump

    segmentation = scene[1].GetSegmentation()
    blood, myocardium = segmentation.GetSegmentIDs()
    array = np.zeros((20, 24, 24), np.uint8)
    array[2:10, 8:12, 8:12] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, scene[1], blood, scene[0])
    tell(engine, "train", "steps=60", "waits")
    widget = ready(bench)
    widget.ui.segmentSelector.setSelectedSegmentIDs([blood, myocardium])
    widget.ui.startButton.click()
    pump(lambda: "Training masks, step 5" in status(widget))
    assert status(widget).endswith("\nVoxels that fall to a structure above it: Myocardium 128.")
    bench.picture("TopoGANTrain", "training with overlaps")
    (tmp_path / "results" / "Blood-Myocardium-1" / "run" / "go").touch()
    pump(lambda: "Finished" in status(widget))


def test_structures_of_files(bench: Bench, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    widget = ready(bench)
    choose(widget.ui.sourceComboBox, "Files or folders")
    widget.ui.segmentationsPathLineEdit.currentPath = str(tmp_path)
    widget.ui.labelsLineEdit.text = "7"
    assert not widget.ui.unionInputs.visible
    widget.ui.structuresLineEdit.text = "cavity"
    assert not widget.ui.labelsLineEdit.enabled
    widget.ui.structuresLineEdit.text = "cavity=1; wall=two"
    widget.ui.startButton.click()
    assert status(widget).startswith("Structures: 'wall=two' is not of the form name=label")
    widget.ui.structuresLineEdit.text = "cavity = 1; wall=2,3; fat; bone=#ff0000"
    widget.ui.unionsLineEdit.text = "cavity"
    widget.ui.startButton.click()
    assert status(widget) == "Unions: cavity needs two different structures: write one + other."
    widget.ui.unionsLineEdit.text = "cavity + wall"
    bench.picture("TopoGANTrain", "files with structures")
    request = asked_for(widget, monkeypatch)
    assert request["settings"] == {}, "the label of a single structure is not meant"
    structures = [(one["name"], one["labels"], one["png_colors"]) for one in request["table"]["structures"]]
    assert structures == [("cavity", [1], []), ("wall", [2, 3], []), ("fat", [], []), ("bone", [], ["#ff0000"])]
    assert request["table"]["unions"] == [["cavity", "wall"]]
    path = tmp_path / "table.json"
    widget.ui.tablePathLineEdit.currentPath = str(path)
    widget.ui.startButton.click()
    assert status(widget) == f"{path} does not exist: choose another file or folder."
    path.write_text("[]")
    widget.ui.startButton.click()
    assert status(widget) == f"{path} is no table of structures (topogan.structures/1): choose another."
    path.write_text('{"schema": "topogan.structures/1", "structures": [{"name": "wall", "labels": [2]}]}')
    assert not widget.ui.structuresLineEdit.enabled
    assert not widget.ui.unionInputs.visible
    assert asked_for(widget, monkeypatch)["table"] == {"structures": [{"name": "wall", "labels": [2]}]}


def test_a_scene_of_the_version_that_knew_one_segment(bench: Bench, scene: Any, tmp_path: Path) -> None:
    import slicer

    from TopoGANLib.headless.application import load_scene, save_scene

    widget = ready(bench)
    myocardium = scene[1].GetSegmentation().GetNthSegmentID(1)
    node = widget.logic.getParameterNode().parameterNode
    node.SetParameter("segmentId", myocardium)
    node.UnsetParameter("segmentIds")
    save_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    slicer.mrmlScene.Clear(False)
    load_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    assert widget.ui.segmentSelector.selectedSegmentIDs() == (myocardium,)
    assert json.loads(widget.logic.getParameterNode().segmentIds) == [myocardium]


@pytest.mark.parametrize("text", ["{", "5", "[1, {}]", '["Segment_9"]', "[" * 100_000])
def test_a_scene_of_strange_segments(bench: Bench, scene: Any, text: str) -> None:
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    node.SetSingletonTag("TopoGANTrain")
    node.SetParameter("segmentIds", text)
    slicer.mrmlScene.RemoveNode(node)
    slicer.mrmlScene.AddNode(node)
    widget = bench.open("TopoGANTrain")
    assert len(widget.ui.segmentSelector.selectedSegmentIDs()) == 1


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
    assert widget.ui.segmentSelector.currentNode() is None
    widget.ui.startButton.click()
    pump(lambda: "Stopped" in status(widget))
    assert widget.ui.reasonLabel.text == "Choose a segmentation and the segments to learn."


def test_a_scene_keeps_the_choices_but_no_path(bench: Bench, scene: Any, tmp_path: Path) -> None:
    import slicer

    widget = ready(bench)
    widget.ui.volumeSelector.setCurrentNode(scene[0])
    identifier = scene[1].GetSegmentation().GetNthSegmentID(1)
    widget.ui.segmentSelector.setSelectedSegmentIDs([identifier])
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

    from TopoGANTrainLib.train_inputs import FromScene

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
        assert module.categories == ["Cardiac"]
        assert "not a medical device" in module.helpText
        assert "ECCV 2020" in module.acknowledgementText
        assert module.contributors
        assert not module.icon.isNull(), name
