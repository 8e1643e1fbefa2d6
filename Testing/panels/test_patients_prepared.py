"""Patients of the scene, and files beside them, become the training set that was meant: with the real engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from previews import leave_out_previews
from scene_patients import add_patient, add_sequences, masks, scan


@pytest.fixture(autouse=True)
def no_previews(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_previews(monkeypatch)


def prepared(inputs: Any, out: Path) -> dict[str, Any]:
    """What the training set that the engine makes of the panel's request says of itself."""
    from topogan.dataset.request import prepare_as_requested
    from TopoGANLib.forms.settings import read_settings

    preparation = inputs.preparation(read_settings("prepare"), {})
    assert preparation.write() == ""
    prepare_as_requested(preparation.folder, out, None, lambda event: None)
    assert not preparation.folder.exists(), "what only the engine reads is gone"
    return json.loads((out / "check.json").read_text(encoding="utf-8"))


def test_three_patients_one_of_them_in_four_phases(application: Any, tmp_path: Path) -> None:
    from TopoGANTrainLib.data.patient_search import fitting_patients
    from TopoGANTrainLib.data.train_inputs import FromScene

    for name in ("one", "two"):
        add_patient(name)
    scans, _ = add_sequences("three", 4)
    patients = fitting_patients(scans.GetScene(), [])
    found = prepared(FromScene(patients, ["Blood", "Myocardium"], unions="Blood + Myocardium"), tmp_path / "set")
    assert [one["phases"] for one in found["patients"]] == [4, 1, 1]
    assert [region["name"] for region in found["regions"]] == ["Blood", "Myocardium", "Blood + Myocardium"]
    samples = sum(one[part] for one in found["patients"] for part in ("train", "validation", "test"))
    assert samples == 6 * 6
    topologies = [[row["topology"] for row in region["betti"]] for region in found["regions"]]
    assert topologies == [["1,0"], ["1,1"], ["1,0"]]


def test_scene_and_files(application: Any, tmp_path: Path) -> None:
    """The files' labels are others than the scene would have chosen."""
    import SimpleITK as sitk

    from TopoGANTrainLib.data.patients import ScenePatient
    from TopoGANTrainLib.data.train_inputs import FromFiles, FromScene

    (scans, hearts), (more_scans, more_hearts) = add_sequences("one", 4), add_sequences("two", 4)
    labels = sitk.GetImageFromArray(7 * masks()["Blood"] + 4 * masks()["Myocardium"])
    labels.SetSpacing((1.0, 1.0, 2.0))
    image = sitk.GetImageFromArray(scan())
    image.CopyInformation(labels)
    for folder, written in (("labelsTr/a.nii.gz", labels), ("imagesTr/a_0000.nii.gz", image)):
        (tmp_path / folder).parent.mkdir()
        sitk.WriteImage(written, str(tmp_path / folder))
    files = FromFiles(tmp_path, structures="Myocardium=4; Blood=7")
    rows = [ScenePatient(hearts, scans), ScenePatient(more_hearts, more_scans)]
    found = prepared(FromScene(rows, ["Blood", "Myocardium"], files=files), tmp_path / "set")
    assert [one["phases"] for one in found["patients"]] == [4, 4, 1]
    assert [region["name"] for region in found["regions"]] == ["Myocardium", "Blood"]
    assert [[row["topology"] for row in region["betti"]] for region in found["regions"]] == [["1,1"], ["1,0"]]
    sitk.WriteImage(labels, str(tmp_path / "again.nii.gz"))
    table = tmp_path / "cases.csv"
    table.write_text("image,label,patient,phase\n,labelsTr/a.nii.gz,x,1\n,again.nii.gz,x,2\n")
    files = FromFiles(table, structures="Myocardium=4; Blood=7")
    rows = [ScenePatient(hearts, phases="1-3"), ScenePatient(more_hearts)]
    found = prepared(FromScene(rows, ["Blood", "Myocardium"], files=files), tmp_path / "another")
    assert sorted(one["phases"] for one in found["patients"]) == [2, 3, 4]


def test_names_of_a_clinic_stay_in_the_scene(application: Any, tmp_path: Path) -> None:
    """What is handed to the engine names nobody; what it makes of a request that does, up to a model that is shared,
    Testing/engine/hostile/test_identity.py follows.
    """
    import shutil

    import slicer
    from leaks import leaks

    from TopoGANLib.forms.settings import read_settings
    from TopoGANTrainLib.data.patients import ScenePatient
    from TopoGANTrainLib.data.train_inputs import FromScene

    words = ["Zwetschgenbaum", "Przybylski", "PID-7731-XQ", "2.25.7731991234", "1958-03-07", "Kreiskrankenhaus"]
    rows = [ScenePatient(*reversed(add_patient(f"Przybylski^Zwetschgenbaum {number}"))) for number in range(2)]
    rows.append(ScenePatient(*reversed(add_sequences("PID-7731-XQ", 2))))
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    for row in rows:
        for node in row.nodes:
            node.SetDescription("Kreiskrankenhaus, 1958-03-07")
            node.SetAttribute("DICOM.instanceUIDs", "2.25.7731991234.1 2.25.7731991234.2")
            item = hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
            hierarchy.SetItemAttribute(item, "DICOM.PatientName", "Przybylski^Zwetschgenbaum")
            hierarchy.SetItemUID(item, "DICOM", "2.25.7731991234")
    inner = rows[0].segmentation.GetSegmentation()
    inner.GetSegment(inner.GetNthSegmentID(0)).SetTag("DICOM.Comment", "Zwetschgenbaum")
    slicer.mrmlScene.SetURL(str(tmp_path / "Przybylski.mrb"))
    preparation = FromScene(rows, ["Blood", "Myocardium"]).preparation(read_settings("prepare"), {})
    preparation.write()
    assert len(list(preparation.folder.glob("*.nrrd"))) == 8
    assert leaks(preparation.folder, words) == []
    shutil.rmtree(preparation.folder)
    slicer.mrmlScene.SetURL("")
