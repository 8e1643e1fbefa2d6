"""Painting on a segmentation of the scene, by clicks, with an engine that paints each structure in one gray."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fake_engine import lives, tell, wait_until

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine

DEMO = ("lv_cavity", "myocardium")
TWO = ("cavity", "myocardium")


def heart(*names: str, array: np.ndarray | None = None) -> Any:
    """A segmentation on a volume [20, 24, 24]: shells around each other, the innermost first."""
    import slicer

    volume = slicer.util.addVolumeFromArray(np.zeros((20, 24, 24), np.int16), np.diag([-1.5, -1.5, 2.0, 1.0]), "CT")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Heart")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    row, column = np.mgrid[:24, :24]
    radius = np.broadcast_to(np.hypot(row - 10, column - 12), (20, 24, 24)).copy()
    radius[:4] = radius[16:] = 99
    for number, name in enumerate(names):
        mask = (radius >= 3 * number) & (radius < 3 * number + 3) if array is None else array
        identifier = segmentation.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), segmentation, identifier, volume)
    slicer.mrmlScene.RemoveNode(volume)
    return segmentation


def ready(bench: Bench) -> Any:
    from bench import pump

    widget = bench.open("TopoGANSynth")
    pump(lambda: "Ready" in widget.ui.engineStatusLabel.text)
    widget.ui.paintCollapsibleButton.collapsed = False
    return widget


def paint(widget: Any, until: str) -> None:
    from bench import pump

    widget.ui.paintButton.click()
    pump(lambda: until in widget.ui.paintStatusLabel.text)


def asked(engine: Engine) -> dict[str, Any]:
    return json.loads((engine.parent / "topogan" / "painted.json").read_text())


def work_folders(bench: Bench, kind: str) -> list[Path]:
    return list(Path(bench.application.application.temporaryPath).glob(f"TopoGAN/{kind}-*"))


def painted_nodes() -> list[Any]:
    import slicer

    return slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")


def test_a_heart_is_painted(bench: Bench, engine: Engine) -> None:
    import slicer
    from bench import watched

    segmentation = heart("LV cavity", "Myocardium", "Aorta")
    widget = ready(bench)
    assert widget.ui.paintReasonLabel.text == "Choose a segmentation to paint on."
    bench.picture("TopoGANSynth", "paint, nothing chosen")
    widget.ui.paintSegmentationSelector.setCurrentNode(segmentation)
    said = "Painted on LV cavity (lv_cavity), Myocardium (myocardium). Unknown to the model: Aorta."
    assert widget.ui.paintMatchLabel.text == said
    widget.ui.paintSeedSpinBox.value = 7
    with watched("painting with a quick engine"):
        paint(widget, "Painted: Heart painted (synthetic).")
    told = asked(engine)
    structures = [{"name": name, "labels": [label]} for label, name in enumerate(DEMO, start=1)]
    assert (told["structures"], told["plane"], told["seed"]) == (structures, "axial", 7)
    assert told["model"].endswith("phantom.zip")
    (volume,) = painted_nodes()
    assert volume.GetName() == "Heart painted (synthetic)"
    assert volume.GetDescription() == ("Synthetic picture, not of a patient: TopoGAN, model abcdefabcdefabcd, seed 7.")
    display = volume.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (-200, 600)
    values = slicer.util.arrayFromVolume(volume)
    assert values.shape == (20, 24, 24), "the grid that the segments were drawn on"
    assert [values[10, 10, column] for column in (12, 16, 19)] == [100, 200, -1000]
    matrix = slicer.vtkMRMLScalarVolumeNode.GetIJKToRASMatrix
    spot = slicer.util.arrayFromVTKMatrix(_matrix_of(volume, matrix))
    assert np.allclose(spot, np.diag([-1.5, -1.5, 2.0, 1.0]))
    assert slicer.app.applicationLogic().GetSelectionNode().GetActiveVolumeID() == volume.GetID()
    assert work_folders(bench, "paint") == []
    bench.picture("TopoGANSynth", "painted")
    widget.ui.paintButton.click()
    from bench import pump

    pump(lambda: len(painted_nodes()) == 2)
    assert painted_nodes()[0].GetName() != painted_nodes()[1].GetName()


def test_no_neighbor_takes_the_place_of_a_removed_node(bench: Bench) -> None:
    import slicer

    chosen, other = heart("Myocardium"), heart("Myocardium")
    volumes = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode") for _ in range(2)]
    ui = ready(bench).ui
    selectors = (ui.paintSegmentationSelector, ui.compareSegmentationSelector, ui.compareVolumeSelector)
    for selector, node in zip(selectors, (chosen, chosen, volumes[0]), strict=True):
        selector.setCurrentNode(node)
    for node in (chosen, volumes[0]):
        slicer.mrmlScene.RemoveNode(node)
    assert [selector.currentNode() for selector in selectors] == [None, None, None]
    assert ui.paintReasonLabel.text == "Choose a segmentation to paint on."
    ui.paintSegmentationSelector.setCurrentNode(other)
    assert ui.paintReasonLabel.text == ""


def _matrix_of(volume: Any, get: Any) -> Any:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    get(volume, matrix)
    return matrix


def test_a_part_of_the_structures_and_the_red_plane(bench: Bench, engine: Engine) -> None:
    import slicer

    from TopoGANSynthLib.paint.paint_form import PaintPlane

    segmentation = heart("MYO_CARDIUM")
    red = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")
    if red is None:
        red = slicer.vtkMRMLSliceNode()
        red.SetSingletonTag("Red")
        red.SetLayoutName("Red")
        red = slicer.mrmlScene.AddNode(red)
    red.SetOrientationToCoronal()
    widget = ready(bench)
    widget.ui.paintSegmentationSelector.setCurrentNode(segmentation)
    said = "Painted on MYO_CARDIUM (myocardium). Missing: lv_cavity."
    assert widget.ui.paintMatchLabel.text == said
    widget.logic.getParameterNode().paintPlane = PaintPlane.red
    assert widget.ui.paintPlaneComboBox.currentText == "As the Red view"
    paint(widget, "Painted: ")
    plane = asked(engine)["plane"]
    assert np.allclose(plane, slicer.util.arrayFromVTKMatrix(red.GetSliceToRAS()))
    assert asked(engine)["structures"] == [{"name": "myocardium", "labels": [1]}]


def test_of_two_segments_the_one_that_is_written_alike(bench: Bench) -> None:
    from TopoGANSynthLib.paint.painting import match

    segmentation = heart("Myocardium", "myocardium", "Lv Cavity", "pig")
    found = match(("lv_cavity", "myocardium", "aorta"), segmentation)
    inner = segmentation.GetSegmentation()
    names = [(structure, inner.GetSegment(one).GetName()) for structure, one in found.segments]
    assert names == [("lv_cavity", "Lv Cavity"), ("myocardium", "myocardium")]
    assert found.missing == ("aorta",)
    assert found.others == ("Myocardium", "pig")


def test_context_is_painted_on_and_not_missed(bench: Bench, model_of_several: Path) -> None:
    path = model_of_several / "configs" / "metadata.json"
    content = json.loads(path.read_text())
    content["table"]["structures"] += [{"name": name, "context": True} for name in ("lungs", "body")]
    path.write_text(json.dumps(content))
    widget, segmentation = ready(bench), heart("Lungs")
    widget.panel.choose_model(model_of_several)
    widget.ui.paintSegmentationSelector.setCurrentNode(segmentation)
    reason = "Heart has no segment that the model knows: name one cavity or myocardium."
    assert widget.ui.paintReasonLabel.text == reason, "context does not say where to paint"
    segmentation.GetSegmentation().AddEmptySegment("", "cavity")
    widget.panel.refresh()
    assert widget.ui.paintReasonLabel.text == ""
    assert widget.ui.paintMatchLabel.text == "Painted on cavity, Lungs (lungs). Missing: myocardium."
    assert [widget.ui.modelTable.item(row, 0).text() for row in range(3)] == [*TWO, " + ".join(TWO)]


def test_what_cannot_be_painted_is_said_in_a_sentence(bench: Bench, engine: Engine, tmp_path: Path) -> None:
    import slicer

    widget = ready(bench)
    segmentation = heart("Liver")
    widget.ui.paintSegmentationSelector.setCurrentNode(segmentation)
    reason = "Heart has no segment that the model knows: name one lv_cavity or myocardium."
    assert widget.ui.paintReasonLabel.text == reason
    assert not widget.ui.paintButton.enabled
    bench.picture("TopoGANSynth", "paint, no common structure")
    segmentation.GetSegmentation().GetNthSegment(0).SetName("myocardium")
    widget.panel.refresh()
    assert widget.ui.paintButton.enabled
    tell(engine, "paint", "fail")
    paint(widget, "The model is damaged: choose another.")
    bench.picture("TopoGANSynth", "paint failed")
    tell(engine, "paint", "short")
    paint(widget, "The picture cannot be read: look whether the disk is full, and paint again.")
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    segmentation.SetAndObserveTransformNodeID(transform.GetID())
    paint(widget, "moved by a transform: harden the transform")
    assert painted_nodes() == []
    assert work_folders(bench, "paint") == []
    widget.ui.modelPathLineEdit.currentPath = ""
    assert widget.ui.paintReasonLabel.text == "Choose a model."


def test_an_empty_segment_is_refused(bench: Bench) -> None:
    widget = ready(bench)
    segmentation = heart("lv cavity")
    segmentation.GetSegmentation().AddEmptySegment("", "Myocardium")
    widget.ui.paintSegmentationSelector.setCurrentNode(segmentation)
    paint(widget, "The segment Myocardium is empty: draw it first, or choose another.")
    assert widget.ui.paintButton.text == "Paint"


def test_a_model_of_masks_alone(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "model" / "configs").mkdir(parents=True)
    content = {
        "schema": "topogan.model/1",
        "structure": "myocardium",
        "size": 64,
        "pixel_size_mm": 1.85,
        "betti": {"modal": [1, 1]},
        "network_data_format": {"outputs": {"mask": {}}},
        "training_set": {"independent": False, "patients": 1, "train": 30, "test": 8},
    }
    (tmp_path / "model" / "configs" / "metadata.json").write_text(json.dumps(content))
    widget = ready(bench)
    widget.ui.paintSegmentationSelector.setCurrentNode(heart("myocardium"))
    widget.ui.modelPathLineEdit.currentPath = str(tmp_path / "model")
    reason = "The model makes masks alone: choose one that was trained with images."
    assert widget.ui.paintReasonLabel.text == reason
    assert not widget.ui.paintMatchLabel.visible


def test_painting_is_cancelled(bench: Bench, engine: Engine) -> None:
    from bench import pump

    tell(engine, "paint", "sleep")
    widget = ready(bench)
    widget.ui.paintSegmentationSelector.setCurrentNode(heart(*DEMO))
    paint(widget, "Slice 3 of 12")
    assert widget.ui.paintButton.text == "Cancel"
    assert not widget.ui.paintSegmentationSelector.enabled
    assert widget.ui.paintProgressBar.value == 3
    bench.picture("TopoGANSynth", "painting")
    pid = widget.panel._paint._runner.job._process.pid
    widget.ui.paintButton.click()
    pump(lambda: widget.ui.paintStatusLabel.text == "Cancelled.")
    wait_until(lambda: not lives(pid))
    assert painted_nodes() == []
    assert work_folders(bench, "paint") == []


def test_closing_ends_the_painting(bench: Bench, engine: Engine) -> None:
    tell(engine, "paint", "sleep")
    widget = ready(bench)
    widget.ui.paintSegmentationSelector.setCurrentNode(heart(*DEMO))
    paint(widget, "Slice 3 of 12")
    pid = widget.panel._paint._runner.job._process.pid
    bench.application.close_application()
    wait_until(lambda: not lives(pid))
    assert work_folders(bench, "paint") == []


def test_a_scene_that_is_closed_meanwhile_gets_no_picture(bench: Bench, engine: Engine) -> None:
    import slicer
    from bench import pump

    widget = ready(bench)
    widget.ui.paintSegmentationSelector.setCurrentNode(heart(*DEMO))
    widget.ui.paintButton.click()
    slicer.mrmlScene.Clear(False)
    pump(lambda: "no longer in the scene" in widget.ui.paintStatusLabel.text)
    assert painted_nodes() == []


def test_a_picture_that_the_scene_does_not_take(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer

    def run_out_of_memory(*arguments: Any) -> None:
        raise MemoryError

    widget = ready(bench)
    widget.ui.paintSegmentationSelector.setCurrentNode(heart(*DEMO))
    paint(widget, "Painted: ")
    # The application has one from its start.
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    count = slicer.mrmlScene.GetNumberOfNodes()
    monkeypatch.setattr(slicer.util, "updateVolumeFromArray", run_out_of_memory)
    paint(widget, "The picture cannot be put into the scene (MemoryError): close other data, and paint again.")
    assert (slicer.mrmlScene.GetNumberOfNodes(), widget.ui.paintButton.text) == (count, "Paint")


def test_an_engine_that_cannot_be_started(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from TopoGANLib.engine.process import Engine

    def refuse(*arguments: Any) -> None:
        raise FileNotFoundError(2, "No such file")

    widget = ready(bench)
    widget.ui.paintSegmentationSelector.setCurrentNode(heart(*DEMO))
    monkeypatch.setattr(Engine, "start", refuse)
    paint(widget, "The engine cannot be started (No such file): choose another Python.")


@pytest.mark.parametrize("points", [9, 12])
def test_everything_fits(bench: Bench, points: int) -> None:
    from bench import font_of

    with font_of(points):
        widget = ready(bench)
        segmentation = heart("LV Cavity", "pulmonary artery", "right ventricle cavity")
        widget.ui.paintSegmentationSelector.setCurrentNode(segmentation)
        paint(widget, "Painted: ")
        bench.picture("TopoGANSynth", f"painted, {points} points")


def test_the_disk_is_full(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from TopoGANLib.scene import grid

    def refuse(*arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    widget = ready(bench)
    widget.ui.paintSegmentationSelector.setCurrentNode(heart(*DEMO))
    monkeypatch.setattr(grid, "write_nrrd", refuse)
    paint(widget, "A file cannot be written (No space left on device): look at the disk and the permissions.")
