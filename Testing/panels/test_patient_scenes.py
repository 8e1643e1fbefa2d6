"""The list of patients in scenes: saved, loaded, imported, of before, damaged; and what is found by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scene_patients import add_patient, add_sequences
from train_bench import listed_patients, ready, tick_segments, ticked_segments

if TYPE_CHECKING:
    from bench import Bench


def names(widget: Any) -> list[tuple[Any, ...]]:
    """Number, names of the nodes, and phases of each row."""
    return [
        (one.number, *(node and node.GetName() for node in (one.volume, one.segmentation)), one.phases)
        for one in listed_patients(widget)
    ]


def test_a_loaded_and_an_imported_scene_bring_their_patients(bench: Bench, application: Any, tmp_path: Path) -> None:
    """Also where the nodes get other IDs, because theirs are taken."""
    import slicer
    from bench import import_scene

    from TopoGANLib.headless.application import load_scene, save_scene

    scene = slicer.mrmlScene
    add_patient("one")
    add_sequences("two", 3)
    widget = ready(bench)
    widget.ui.removePatientButton.click()
    widget.ui.addFittingButton.click()
    tick_segments(widget, "Blood", "Myocardium")
    widget.ui.patientsTable.setCurrentCell(0, 0)
    widget.ui.phasesLineEdit.text = "1-2"
    widget.ui.patientSpinBox.value = 5
    expected = [
        (5, "CT phases of two", "Heart phases of two", "1-2"),
        (2, "CT of one", "Heart of one", "all"),
    ]
    assert names(widget) == expected
    save_scene(scene, tmp_path / "scene.mrb")
    scene.Clear(False)
    assert names(widget) == []
    load_scene(scene, tmp_path / "scene.mrb")
    assert names(widget) == expected
    assert ticked_segments(widget) == ["Blood", "Myocardium"]
    assert widget.ui.startButton.enabled

    scene.Clear(False)
    others = [add_patient(f"another {number}") for number in range(3)]
    widget.ui.addFittingButton.click()
    tick_segments(widget, "Myocardium")
    assert len(names(widget)) == 3
    import_scene(tmp_path / "scene.mrb", tmp_path)
    assert names(widget) == expected
    assert ticked_segments(widget) == ["Blood", "Myocardium"]
    taken = {node.GetID() for pair in others for node in pair}
    assert not taken & {node.GetID() for one in listed_patients(widget) for node in one.nodes}
    assert widget.ui.startButton.enabled, widget.ui.reasonLabel.text
    assert all(node.GetScene() is scene for one in listed_patients(widget) for node in one.nodes)


@pytest.mark.parametrize("version", ["one segment", "several segments"])
def test_a_scene_that_knew_one_patient(bench: Bench, scene: Any, tmp_path: Path, version: str) -> None:
    import slicer

    from TopoGANLib.headless.application import load_scene, save_scene

    widget = bench.open("TopoGANTrain")
    node = widget.logic.getParameterNode().parameterNode
    blood, myocardium = scene[1].GetSegmentation().GetSegmentIDs()
    for name in ("patients", "segments"):
        node.UnsetParameter(name)
    node.SetNodeReferenceID("volume", scene[0].GetID())
    node.SetNodeReferenceID("segmentation", scene[1].GetID())
    if version == "one segment":
        node.SetParameter("segmentId", myocardium)
    else:
        node.SetParameter("segmentIds", json.dumps([myocardium, blood]))
    save_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    slicer.mrmlScene.Clear(False)
    load_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    widget = ready(bench)
    assert names(widget) == [(1, "CT", "Heart", "all")]
    segments = ["Myocardium"] if version == "one segment" else ["Blood", "Myocardium"]
    assert ticked_segments(widget) == segments
    widget.ui.addPatientButton.click()
    assert names(widget) == [(1, "CT", "Heart", "all"), (2, None, None, "all")]
    assert ticked_segments(widget) == segments
    assert node.GetNodeReference("segmentation") is None
    widget.ui.removePatientButton.click()
    widget.ui.removePatientButton.click()
    assert names(widget) == [], "nothing of before comes back"


@pytest.mark.parametrize("text", ["{", "5", "[1, {}]", '[{"number": "x", "phases": 3}]', "[" * 100_000, "[-1]"])
def test_a_scene_of_strange_patients(bench: Bench, scene: Any, text: str) -> None:
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    node.SetSingletonTag("TopoGANTrain")
    node.SetParameter("patients", text)
    node.SetParameter("segments", text)
    slicer.mrmlScene.RemoveNode(node)
    slicer.mrmlScene.AddNode(node)
    widget = bench.open("TopoGANTrain")
    assert not widget.ui.startButton.enabled
    widget.ui.addPatientButton.click()
    assert names(widget)[-1][1:] == ("CT", "Heart", "all")


def test_what_fits_is_found(application: Any) -> None:
    """By the volume that it was drawn on, by study and patient, by the grid; nothing is guessed."""
    import slicer

    from TopoGANTrainLib.data.patient_search import fitting_patients

    scene = slicer.mrmlScene
    drawn = add_patient("drawn on it")
    role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
    studied, lost = add_patient("of a study"), add_patient("of nothing")
    for pair in (studied, lost):
        pair[1].SetNodeReferenceID(role, None)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    person = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Somebody")
    study = hierarchy.CreateStudyItem(person, "Study")
    for node in studied:
        hierarchy.CreateItem(study, node)
    found = fitting_patients(scene, [])
    assert [(one.volume, one.segmentation) for one in found] == [drawn, studied], "three are on the grid of the third"
    assert fitting_patients(scene, found) == []
    for node in (*drawn, studied[0]):
        scene.RemoveNode(node)
    assert [(one.volume, one.segmentation) for one in fitting_patients(scene, [])] == [(lost[0], studied[1])]


def test_sequences_that_fit_are_found(application: Any) -> None:
    import slicer

    from TopoGANTrainLib.data.patient_search import fitting_patients

    scene = slicer.mrmlScene
    percent = ["0", "25", "50", "75"]
    one, two, three = add_sequences("1", 4), add_sequences("2", 4, values=percent), add_sequences("3", 3)
    assert [(row.volume, row.segmentation) for row in fitting_patients(scene, [])] == [one, two, three]
    same = add_sequences("4", 4, values=percent)
    listed = fitting_patients(scene, [])
    assert [(row.volume, row.segmentation) for row in listed] == [one, three], "of two with the same phases none"
    browser = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode")
    for sequence in same:
        browser.AddSynchronizedSequenceNode(sequence)
    more = fitting_patients(scene, listed)
    assert [(row.volume, row.segmentation, row.number) for row in more] == [(*same, 3)]
    assert not [row for row in more if row.segmentation.IsA("vtkMRMLSegmentationNode")], "proxies are no patients"


def test_a_painted_picture_is_no_patients_ct(application: Any) -> None:
    """Not where its segmentation has lost the CT, not when it is chosen, nor a clone of it."""
    import slicer

    from TopoGANLib.scene.grid import Grid
    from TopoGANLib.scene.painted import add_painted
    from TopoGANTrainLib.data.patient_search import first_unlisted, fitting_patients
    from TopoGANTrainLib.data.patient_verdicts import Verdicts
    from TopoGANTrainLib.data.patients import ScenePatient

    scene = slicer.mrmlScene
    volume, segmentation = add_patient("Jane")
    grid = slicer.util.arrayFromVolume(volume).copy(), np.diag([1.0, 1.0, 2.0, 1.0])
    painted = add_painted(scene, "Jane", Grid(*grid), (-200, 800), "synthetic")
    clone = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    clone.Copy(painted)
    scene.RemoveNode(volume)
    assert fitting_patients(scene, []) == []
    assert first_unlisted(scene, []).volume is None
    for node in (painted, clone):
        (said,) = Verdicts().of([ScenePatient(segmentation, node)], ["Blood"])
        assert said.startswith("Patient 1: Jane painted (synthetic) is no patient's but came of a model")
