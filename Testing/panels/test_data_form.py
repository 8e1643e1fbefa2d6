"""What the training panel learns from: the scene, files, training sets; with an engine that is quick."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fake_engine import tell, tell_doctor
from train_bench import (
    another_python,
    asked_for,
    choose,
    lines_for_paths,
    listed_patients,
    ready,
    sizes_offered,
    status,
    tick_segments,
    ticked_segments,
)

from TopoGANLib.engine.process import Engine

if TYPE_CHECKING:
    from bench import Bench


def test_an_empty_segment_is_refused(bench: Bench, scene: Any) -> None:
    import slicer

    widget = ready(bench)
    tick_segments(widget, "Blood")
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        np.zeros((20, 24, 24), np.uint8), scene[1], scene[1].GetSegmentation().GetNthSegmentID(0), scene[0]
    )
    assert not widget.ui.startButton.enabled
    assert "The segment Blood is empty" in widget.ui.reasonLabel.text


def test_a_moved_volume_is_refused(bench: Bench, scene: Any) -> None:
    import slicer

    widget = ready(bench)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    scene[1].SetAndObserveTransformNodeID(transform.GetID())
    assert not widget.ui.startButton.enabled
    assert (
        widget.ui.reasonLabel.text
        == "Patient 1: the segmentation is moved by a transform: harden it in the Data module."
    )


def test_files_in_place_of_the_scene(bench: Bench, tmp_path: Path, engine: Engine) -> None:
    from bench import pump

    tell(engine, "train", "steps=5")
    widget = ready(bench)
    choose(widget.ui.sourceComboBox, "Files or folders")
    assert not widget.ui.sceneInputs.visible
    assert widget.ui.reasonLabel.text == "Choose a segmentation file, a folder of them, or a table of cases."
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
    assert ui.reasonLabel.text == "Choose a segmentation file, a folder of them, or a table of cases."
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
    assert both == {"segmentations", "images", "firstModel"}
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
        "firstModel": [],
    }
    assert widget.ui.segmentationsPathLineEdit.currentPath == "", "offered, not chosen"


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
    tick_segments(widget, "Myocardium")
    ui.masksStepsSpinBox.value = 77
    for node, name in zip(scene, ("CT of the file", "Heart of the file"), strict=True):
        node.SetName(name)
    save_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    for node, name in zip(scene, ("CT", "Heart"), strict=True):
        node.SetName(name)
    tick_segments(widget, "Blood")
    ui.volumeSelector.setCurrentNode(None)
    ui.masksStepsSpinBox.value = 88
    import_scene(tmp_path / "scene.mrb", tmp_path)
    (patient,) = listed_patients(widget)
    assert patient.segmentation is not scene[1] and patient.volume is not scene[0]
    assert patient.segmentation.GetName() == "Heart of the file"
    assert patient.volume.GetName() == "CT of the file"
    assert ticked_segments(widget) == ["Myocardium"]
    assert ui.segmentationSelector.currentNode() is patient.segmentation
    assert ui.volumeSelector.currentNode() is patient.volume
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
    tick_segments(widget, "Myocardium")
    import_scene(tmp_path / "scene.mrb", tmp_path)
    (patient,) = listed_patients(widget)
    assert patient.segmentation is widget.ui.segmentationSelector.currentNode() is scene[1]
    assert patient.volume is widget.ui.volumeSelector.currentNode() is scene[0]
    assert ticked_segments(widget) == ["Myocardium"]


def test_what_a_script_chooses_is_shown(bench: Bench, scene: Any) -> None:
    import slicer

    from TopoGANTrainLib.data.patients import PatientList, ScenePatient

    widget = ready(bench)
    ui, chosen = widget.ui, PatientList(widget.logic.getParameterNode().parameterNode)
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Other")
    for identifier, name in (("a", "Aorta"), ("b", "Atrium")):
        other.GetSegmentation().AddEmptySegment(identifier, name)
    chosen.segments = ["Myocardium", "Blood"]
    assert ticked_segments(widget) == ["Blood", "Myocardium"]
    chosen.patients = [ScenePatient(other)]
    assert ui.segmentationSelector.currentNode() is other
    assert ui.volumeSelector.currentNode() is None
    assert not ui.startButton.enabled
    chosen.segments = ["Atrium"]
    assert ticked_segments(widget) == ["Atrium"]
    assert "The segment Atrium is empty" in ui.reasonLabel.text
    tick_segments(widget, "Aorta")
    assert chosen.segments == ["Aorta"]
    chosen.patients = []
    assert not ui.startButton.enabled
    assert ui.reasonLabel.text == "Add the patients to learn from: all that fit, or one by one."


def test_a_segment_that_is_gone(bench: Bench, scene: Any) -> None:
    widget = ready(bench)
    segmentation = scene[1].GetSegmentation()
    blood, myocardium = segmentation.GetSegmentIDs()
    tick_segments(widget, "Blood", "Myocardium")
    segmentation.GetSegment(blood).SetName("Cavity")
    assert not widget.ui.startButton.enabled
    gone = "Patient 1 has no Blood: choose another segmentation, or remove the row."
    assert widget.ui.reasonLabel.text == gone
    tick_segments(widget, "Cavity", "Myocardium")
    assert widget.ui.structuresLabel.text == "Cavity, Myocardium: where two overlap, the first wins."
    assert widget.ui.startButton.enabled
    segmentation.RemoveSegment(myocardium)
    assert widget.ui.reasonLabel.text == gone.replace("Blood", "Myocardium")
    tick_segments(widget, "Cavity")
    assert widget.ui.startButton.enabled
    segmentation.RemoveSegment(blood)
    assert not widget.ui.startButton.enabled


def test_several_segments(bench: Bench, scene: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer
    from bench import pump

    segmentation = scene[1].GetSegmentation()
    blood, myocardium = segmentation.GetSegmentIDs()
    array = np.zeros((20, 24, 24), np.uint8)
    array[2:10, 8:12, 8:12] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, scene[1], blood, scene[0])
    widget = ready(bench)
    assert ticked_segments(widget) == ["Blood"], "one is the usual case"
    assert not widget.ui.unionInputs.visible
    tick_segments(widget)
    assert widget.ui.reasonLabel.text == "Choose the segments to learn."
    tick_segments(widget, "Myocardium", "Blood")
    assert widget.ui.structuresLabel.text == "Blood, Myocardium: where two overlap, the first wins."
    assert not widget.ui.structureLineEdit.enabled, "the segments have names"
    bench.picture("TopoGANTrain", "several segments")
    widget.ui.unionsLineEdit.text = "Blood + Aorta"
    widget.ui.startButton.click()
    assert status(widget) == "Unions: Aorta is none of the structures Blood, Myocardium."
    widget.ui.unionsLineEdit.text = "Blood+ Myocardium ;"
    request = asked_for(widget, monkeypatch)
    (source,) = request["sources"]
    assert [Path(path).name for path in source["segmentations"]] == ["p1-001-segmentation.nrrd"]
    assert [Path(path).name for path in source["images"]] == ["p1-001-ct.nrrd"]
    assert (source["patient"], source["plane"]) == ("p1", "axial")
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
    widget.ui.volumeSelector.setCurrentNode(None)
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


def test_slices_or_volumes(bench: Bench, scene: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench import pump

    widget = ready(bench)
    ui, parameters = widget.ui, widget.logic.getParameterNode()
    assert sizes_offered(ui.sizeComboBox) == ["64", "128", "256", "512"]
    assert not ui.posesSpinBox.enabled and ui.tilingCheckBox.enabled and ui.minimumAreaSpinBox.enabled
    choose(ui.sizeComboBox, "256")
    ui.tilingCheckBox.click()
    ui.volumesCheckBox.click()
    assert not ui.centerComboBox.enabled
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
    array = np.zeros((20, 24, 24), np.uint8)
    array[2:10, 8:12, 8:12] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, scene[1], segmentation.GetNthSegmentID(0), scene[0])
    tell(engine, "train", "steps=60", "waits")
    widget = ready(bench)
    tick_segments(widget, "Blood", "Myocardium")
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
