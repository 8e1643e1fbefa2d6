"""Patients of the scene by clicks: found, listed, refused with a reason, handed on as files, kept in scenes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scene_patients import add_patient, add_sequences, masks
from train_bench import asked_for, choose, listed_patients, ready, status, tick_segments

if TYPE_CHECKING:
    from bench import Bench


def cells(widget: Any) -> list[list[str]]:
    table = widget.ui.patientsTable
    return [[table.item(row, column).text() for column in range(5)] for row in range(table.rowCount)]


def select(widget: Any, row: int) -> None:
    widget.ui.patientsTable.setCurrentCell(row, 0)


def reason(widget: Any) -> str:
    """Why Start is disabled, which the row that is chosen says, too."""
    assert not widget.ui.startButton.enabled
    return widget.ui.reasonLabel.text


def read_files(request: dict[str, Any]) -> list[dict[str, list[np.ndarray]]]:
    """Arrays of each source, as the engine reads them."""
    from topogan.volumes import open_volume

    return [
        {
            kind: [np.asarray(next(iter(open_volume(Path(path)).volumes())).array) for path in source[kind]]
            for kind in ("segmentations", "images")
        }
        for source in request["sources"]
        if "cases" not in source
    ]


def test_three_patients_one_of_them_in_four_phases(
    bench: Bench, application: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        add_patient(f"the patient {number} with a long name", value=number)
    add_sequences("the third", 4)
    widget = bench.open("TopoGANTrain")
    bench.picture("TopoGANTrain", "no patient")
    widget = ready(bench)
    widget.ui.removePatientButton.click()
    assert reason(widget) == "Add the patients to learn from: all that fit, or one by one."
    widget.ui.addFittingButton.click()
    assert [row[:1] + row[3:] for row in cells(widget)] == [["1", "4", "✓"], ["2", "1", "✓"], ["3", "1", "✓"]]
    assert widget.ui.patientsLabel.text == "Added: 3."
    tick_segments(widget, "Blood", "Myocardium")
    assert widget.ui.phasesLineEdit.visible
    widget.ui.phasesLineEdit.text = "2-3, 4"
    assert cells(widget)[0][3] == "3 of 4"
    bench.picture("TopoGANTrain", "table of patients")
    select(widget, 1)
    assert not widget.ui.phasesLineEdit.visible
    assert widget.ui.volumeSelector.currentNode().GetName() == "CT of the patient 1 with a long name"
    assert "Segments: Blood, Myocardium" in widget.ui.patientsTable.item(1, 0).toolTip()
    found: list[Any] = []
    request = asked_for(widget, monkeypatch, read=lambda one: found.extend(read_files(one)))
    assert [source["patient"] for source in request["sources"]] == ["p1", "p2", "p3"]
    assert [source["plane"] for source in request["sources"]] == ["axial"] * 3
    assert [[image.flat[0] for image in one["images"]] for one in found] == [[101, 102, 103], [1], [2]]
    labels = [(one["name"], one["labels"]) for one in request["table"]["structures"]]
    assert labels == [("Blood", [1]), ("Myocardium", [2])]
    for one, shifts in zip(found, ([1, 2, 3], [0], [0]), strict=True):
        for labelmap, shift in zip(one["segmentations"], shifts, strict=True):
            expected = masks(shift)["Blood"] + 2 * masks(shift)["Myocardium"]
            assert np.array_equal(np.unique(labelmap, return_counts=True)[1][1:], np.bincount(expected.flat)[1:])
    paths = [path for source in request["sources"] for path in (*source["segmentations"], *source["images"])]
    assert len({Path(path).name for path in paths}) == 10
    assert not any(Path(path).exists() for path in paths), "what only the engine reads is gone with the refusal"


@pytest.mark.parametrize("points", [9, 12])
def test_the_table_at_all_sizes_of_letters(bench: Bench, application: Any, points: int) -> None:
    from bench import font_of

    for name in ("one", "two", "one whose name is long in the scene", "four", "five"):
        add_patient(name)
    add_sequences("B", 4)
    with font_of(points):
        widget = ready(bench)
        widget.ui.addFittingButton.click()
        tick_segments(widget, "Blood", "Myocardium")
        select(widget, 1)
        bench.picture("TopoGANTrain", f"patients, a sequence, {points} points")
        inner = listed_patients(widget)[2].segmentation.GetSegmentation()
        inner.RemoveSegment(inner.GetSegmentIdBySegmentName("Myocardium"))
        select(widget, 2)
        bench.picture("TopoGANTrain", f"patients, one refused, {points} points")
        widget.ui.alsoFilesCheckBox.checked = True
        bench.picture("TopoGANTrain", f"patients and files, {points} points")
        header = widget.ui.patientsTable.horizontalHeader()
        assert header.length() <= widget.ui.patientsTable.viewport().width()
        cut = [one for one in range(5) if header.sectionSize(one) < header.sectionSizeHint(one)]
        assert not cut, "titles"


def test_names_order_and_colors_are_those_of_the_first(bench: Bench, application: Any, monkeypatch: Any) -> None:
    _, first = add_patient("one", order=("Myocardium", "Blood"))
    add_patient("two")
    first.GetSegmentation().GetNthSegment(0).SetColor(1.0, 0.5, 0.0)
    widget = ready(bench)
    widget.ui.addFittingButton.click()
    tick_segments(widget, "Blood", "Myocardium")
    assert widget.ui.structuresLabel.text == "Myocardium, Blood: where two overlap, the first wins."
    counts: list[Any] = []
    request = asked_for(widget, monkeypatch, read=lambda one: counts.extend(read_files(one)))
    structures = [(one["name"], one["labels"]) for one in request["table"]["structures"]]
    assert structures == [("Myocardium", [1]), ("Blood", [2])]
    assert request["table"]["structures"][0]["color"] == "#ff8000"
    sizes = [np.bincount(one["segmentations"][0].flat, minlength=3)[1:].tolist() for one in counts]
    assert sizes == [[int(masks()[name].sum()) for name in ("Myocardium", "Blood")]] * 2


def test_rows_of_one_patient(bench: Bench, application: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the subject hierarchy, or by hand."""
    import slicer

    scene = slicer.mrmlScene
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    person = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Somebody")
    for name in ("systole", "diastole"):
        for node in add_patient(name):
            hierarchy.CreateItem(person, node)
    add_patient("another")
    widget = ready(bench)
    widget.ui.addFittingButton.click()
    assert [row[0] for row in cells(widget)] == ["1", "1", "2"]
    select(widget, 2)
    widget.ui.patientSpinBox.value = 7
    request = asked_for(widget, monkeypatch)
    assert [(one["patient"], len(one["images"])) for one in request["sources"]] == [("p1", 2), ("p2", 1)]


@pytest.fixture
def second(bench: Bench, application: Any) -> tuple[Any, Any, Any]:
    """The panel with two patients, the second of which is chosen, and that one's CT and segmentation."""
    add_patient("one")
    pair = add_patient("two")
    widget = ready(bench)
    widget.ui.addFittingButton.click()
    tick_segments(widget, "Blood", "Myocardium")
    assert widget.ui.startButton.enabled
    select(widget, 1)
    return widget, *pair


def refused(widget: Any, words: str) -> None:
    assert reason(widget) == words
    assert widget.ui.patientsLabel.text == words and widget.ui.patientsLabel.visible
    assert cells(widget)[1][4] == "✗" and words in widget.ui.patientsTable.item(1, 4).toolTip()


def test_every_refused_row_says_why(second: tuple[Any, Any, Any]) -> None:
    import slicer

    scene, (widget, volume, segmentation) = slicer.mrmlScene, second
    ui = widget.ui
    ui.segmentationSelector.setCurrentNode(None)
    refused(widget, "Patient 2 has no segmentation: choose one, or remove the row.")
    ui.segmentationSelector.setCurrentNode(listed_patients(widget)[0].segmentation)
    refused(widget, "Patient 2: the segmentation is in a row above, too: choose another, or remove the row.")
    ui.segmentationSelector.setCurrentNode(segmentation)
    assert ui.startButton.enabled
    ui.volumeSelector.setCurrentNode(None)
    refused(widget, "Patient 2 has no CT, but others have: choose it, or none for all.")
    ui.volumeSelector.setCurrentNode(scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Nothing"))
    refused(widget, "Patient 2: The CT is empty: choose another volume.")
    ui.volumeSelector.setCurrentNode(volume)
    transform = scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    volume.SetAndObserveTransformNodeID(transform.GetID())
    refused(widget, "Patient 2: the CT is moved by a transform: harden it in the Data module.")
    volume.SetAndObserveTransformNodeID(None)
    assert ui.startButton.enabled


def test_every_refused_segment_says_why(second: tuple[Any, Any, Any]) -> None:
    widget, _, segmentation = second
    inner = segmentation.GetSegmentation()
    blood = inner.GetSegment(inner.GetSegmentIdBySegmentName("Blood"))
    blood.SetName("Cavity")
    refused(widget, "Patient 2 has no Blood: choose another segmentation, or remove the row.")
    blood.SetName("Myocardium")
    refused(widget, "Patient 2 has no Blood: choose another segmentation, or remove the row.")
    blood.SetName("Cavity")
    inner.AddEmptySegment("new", "Blood")
    refused(widget, "Patient 2: The segment Blood is empty: draw it first, or choose another.")
    blood.SetName("Blood")
    refused(widget, "Patient 2: two of the segments are named Blood: rename one.")
    inner.RemoveSegment("new")
    assert widget.ui.startButton.enabled


def test_every_refused_sequence_says_why(second: tuple[Any, Any, Any]) -> None:
    import slicer

    scene, widget = slicer.mrmlScene, second[0]
    ui = widget.ui
    scans, hearts = add_sequences("a third", 10)
    ui.volumeSelector.setCurrentNode(scans)
    words = "the segmentation 1: choose sequences of equal length, or the phases that are segmented."
    refused(widget, f"Patient 2: the CT has 10 phases, {words}")
    ui.phasesLineEdit.text = "3"
    assert ui.startButton.enabled, "the one that is segmented"
    ui.phasesLineEdit.text = "all"
    short = add_sequences("a fourth", 4)[1]
    ui.segmentationSelector.setCurrentNode(short)
    refused(widget, f"Patient 2: the CT has 10 phases, {words.replace('1:', '4:')}")
    ui.segmentationSelector.setCurrentNode(hearts)
    assert ui.startButton.enabled
    for text, why in {
        "1-4; 7": "'1-4; 7' is no number of a phase: write all, or numbers such as 1-4, 7.",
        "some": "'some' is no number of a phase: write all, or numbers such as 1-4, 7.",
        "0": "'0' is not within 1 to 10: choose among the phases that there are.",
        "4-11": "'4-11' is not within 1 to 10: choose among the phases that there are.",
        "4-2": "'4-2' is not within 1 to 10: choose among the phases that there are.",
        "9" * 5000: f"'{'9' * 5000}' is not within 1 to 10: choose among the phases that there are.",
        ",": "no phase is named: write all, or numbers such as 1-4, 7.",
    }.items():
        ui.phasesLineEdit.text = text
        refused(widget, f"Patient 2: Phases: {why}")
    ui.phasesLineEdit.text = " 2-4,9 "
    assert ui.startButton.enabled and cells(widget)[1][3] == "4 of 10"
    third = hearts.GetNthDataNode(2).GetSegmentation()
    third.RemoveSegment(third.GetSegmentIdBySegmentName("Myocardium"))
    widget.panel.refresh()
    refused(widget, "Patient 2, phase 3 has no Myocardium: choose another segmentation, or remove the row.")
    ui.phasesLineEdit.text = "1, 2"
    assert ui.startButton.enabled
    ui.segmentationSelector.setCurrentNode(scans)
    refused(widget, "Patient 2: what is chosen holds other data than segmentations: choose another.")
    ui.segmentationSelector.setCurrentNode(scene.AddNewNodeByClass("vtkMRMLSequenceNode"))
    refused(widget, "Patient 2: the sequence of segmentations is empty: choose another.")
    ui.removePatientButton.click()
    assert ui.startButton.enabled and len(cells(widget)) == 1
    ui.removePatientButton.click()
    assert reason(widget) == "Add the patients to learn from: all that fit, or one by one."


def test_what_only_the_voxels_say_is_told_of_the_phase(bench: Bench, application: Any) -> None:
    from vtk.util.numpy_support import vtk_to_numpy

    add_patient("one")
    _, hearts = add_sequences("two", 2)
    node = hearts.GetNthDataNode(1)
    inner = node.GetSegmentation()
    whole = inner.GetSegment(inner.GetSegmentIdBySegmentName("Myocardium"))
    image = whole.GetRepresentation("Binary labelmap")
    # In place: the labelmap keeps its extent.
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = 0
    widget = ready(bench)
    widget.ui.removePatientButton.click()
    widget.ui.addFittingButton.click()
    tick_segments(widget, "Myocardium")
    assert reason(widget) == "Patient 1, phase 2: The segment Myocardium is empty: draw it first, or choose another."
    widget.ui.phasesLineEdit.text = "1"
    assert widget.ui.startButton.enabled


def test_nodes_that_are_removed_while_listed(bench: Bench, application: Any) -> None:
    import slicer

    pairs = [add_patient(str(number)) for number in range(3)]
    widget = ready(bench)
    widget.ui.addFittingButton.click()
    select(widget, 0)
    slicer.mrmlScene.RemoveNode(pairs[0][1])
    assert reason(widget).startswith("Patient 1 has no segmentation")
    assert widget.ui.segmentationSelector.currentNode() is None
    assert [one.segmentation for one in listed_patients(widget)] == [None, pairs[1][1], pairs[2][1]]
    slicer.mrmlScene.RemoveNode(pairs[1][0])
    assert [one.volume for one in listed_patients(widget)] == [pairs[0][0], None, pairs[2][0]]
    select(widget, 1)
    assert widget.ui.patientsLabel.text == "Patient 2 has no CT, but others have: choose it, or none for all."
    for _row in range(2):
        select(widget, 0)
        widget.ui.removePatientButton.click()
    assert widget.ui.startButton.enabled
    slicer.mrmlScene.Clear(False)
    assert cells(widget) == []
    assert reason(widget) == "Add the patients to learn from: all that fit, or one by one."


def test_scene_and_files_together(
    bench: Bench, application: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_patient("one")
    widget = ready(bench)
    ui = widget.ui
    tick_segments(widget, "Blood", "Myocardium")
    assert not ui.fileInputs.visible
    ui.alsoFilesCheckBox.click()
    assert ui.fileInputs.visible
    assert reason(widget) == "Choose a segmentation file, a folder of them, or a table of cases."
    for name in ("imagesTr", "labelsTr"):
        (tmp_path / name).mkdir()
    ui.segmentationsPathLineEdit.currentPath = str(tmp_path)
    assert not ui.imagesPathLineEdit.enabled, "nnU-Net's folder brings them"

    def complaint() -> str:
        ui.startButton.click()
        return status(widget)

    assert complaint() == "Structures: say what the segments are in the files: Blood=label; Myocardium=label."
    ui.structuresLineEdit.text = "Myocardium=2,3"
    assert complaint() == "Structures: Blood of the scene is none of the files: write Blood=label."
    ui.structuresLineEdit.text = "Myocardium=2,3; Fat=5; Blood=1"
    assert complaint() == "Structures: Fat of the files is no chosen segment: choose it, or leave it out."
    ui.structuresLineEdit.text = "Myocardium=2,3; Blood"
    found: list[Any] = []
    request = asked_for(widget, monkeypatch, read=lambda one: found.extend(read_files({"sources": one["sources"][:1]})))
    structures = request["table"]["structures"]
    assert [(one["name"], one["labels"]) for one in structures] == [("Myocardium", [2, 3]), ("Blood", [1])]
    assert structures[1]["color"].startswith("#") and structures[1]["terminology"]
    sizes = np.bincount(found[0]["segmentations"][0].flat, minlength=4)
    assert sizes[1:].tolist() == [masks()["Blood"].sum(), masks()["Myocardium"].sum(), 0]
    assert request["sources"][1] == {
        "segmentations": [str(tmp_path / "labelsTr")],
        "images": [str(tmp_path / "imagesTr")],
        "patient": "",
        "plane": "axial",
    }
    table = tmp_path / "cases.csv"
    table.write_text("image,label,patient,phase\n")
    ui.segmentationsPathLineEdit.currentPath = str(table)
    assert asked_for(widget, monkeypatch)["sources"][1] == {"cases": str(table)}
    ui.segmentationsPathLineEdit.currentPath = str(tmp_path / "labelsTr")
    assert ui.imagesPathLineEdit.enabled
    assert complaint() == "The files have no CT, but the scene's patients have: choose it, or none for all."
    tick_segments(widget, "Blood")
    ui.structuresLineEdit.text = ""
    ui.labelsLineEdit.text = "7,8"
    ui.imagesPathLineEdit.currentPath = str(tmp_path / "imagesTr")
    (one,) = asked_for(widget, monkeypatch)["table"]["structures"]
    assert (one["name"], one["labels"]) == ("Blood", [7, 8])
    choose(ui.sourceComboBox, "Files or folders")
    assert len(asked_for(widget, monkeypatch)["sources"]) == 1


def test_from_python(application: Any, tmp_path: Path) -> None:

    from TopoGANLib.forms.settings import read_settings
    from TopoGANTrainLib.data.patients import ScenePatient
    from TopoGANTrainLib.data.train_inputs import FromScene

    volume, segmentation = add_patient("one")
    scans, hearts = add_sequences("two", 4)
    rows = [ScenePatient(segmentation, volume), ScenePatient(hearts, scans, "1, 4"), ScenePatient(segmentation)]
    inputs = FromScene(rows[:2], [segmentation.GetSegmentation().GetNthSegmentID(1), "Blood"])
    assert inputs.name == "Myocardium-Blood"
    preparation = inputs.preparation(read_settings("prepare"), {})
    request = preparation.request().content
    assert [(one["patient"], len(one["images"])) for one in request["sources"]] == [("p1", 1), ("p2", 2)]
    assert inputs.measure()() == (12.0, 1.0)
    assert (
        len(FromScene(hearts, "Blood", scans).preparation(read_settings("prepare"), {}).request().content["sources"])
        == 1
    )
    with pytest.raises(ValueError, match="Patient 3: the segmentation is in a row above, too"):
        FromScene(rows, "Blood").preparation(read_settings("prepare"), {})
    with pytest.raises(ValueError, match="There is no patient: add one"):
        FromScene([], "Blood").preparation(read_settings("prepare"), {})
