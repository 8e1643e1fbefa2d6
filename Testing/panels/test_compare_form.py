"""Comparing samples with real ones, by clicks, with an engine that finds the same every time."""

from __future__ import annotations

import json
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fake_engine import lives, tell, wait_until
from synth_bench import choose, generate, ready, to_compare
from volume_writers import write_volumes

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine


@pytest.fixture
def training_set(tmp_path: Path) -> Path:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "dataset.json").write_text("{}")
    return tmp_path / "set"


@pytest.fixture
def made(bench: Bench, engine: Engine, model_of_several: Path, tmp_path: Path) -> Any:
    return to_compare(bench, engine, model_of_several, tmp_path)


def compare(widget: Any, until: str = "Compared.") -> None:
    from bench import pump

    widget.ui.compareButton.click()
    pump(lambda: until in widget.ui.compareStatusLabel.text or not widget.panel._compare._runner.isRunning)
    assert until in widget.ui.compareStatusLabel.text, widget.ui.compareStatusLabel.text


def work_folders(bench: Bench) -> list[Path]:
    return list(Path(bench.application.application.temporaryPath).glob("TopoGAN/compar*"))


def cells(table: Any) -> list[list[str]]:
    return [
        [table.item(row, column).text() for column in range(3) if table.item(row, column) is not None]
        for row in range(table.rowCount)
    ]


@pytest.mark.parametrize(("points", "dark"), [(9, False), (12, True)])
def test_samples_are_compared(
    bench: Bench, engine: Engine, model_of_several: Path, tmp_path: Path, training_set: Path, points: int, dark: bool
) -> None:
    from bench import dark_theme, font_of

    with font_of(points), dark_theme() if dark else nullcontext():
        made = to_compare(bench, engine, model_of_several, tmp_path)
        ui = made.ui
        assert ui.compareReasonLabel.text == "Choose a training set, best the one that the model has learned from."
        ui.compareSetPathLineEdit.currentPath = str(training_set.parent)
        assert ui.compareReasonLabel.text == "This is no training set: choose a folder that holds dataset.json."
        bench.picture("TopoGANSynth", f"compare, no training set, {points} points")
        ui.compareSetPathLineEdit.currentPath = str(training_set)
        tell(engine, "evaluate", "copies")
        compare(made)
        bench.picture("TopoGANSynth", f"compared, {points} points")
    assert ui.compareConclusionLabel.text == "6 samples were compared."
    assert ui.compareWarningLabel.text == "⚠ 3 of 6 samples look like copies of training masks."
    rows = cells(ui.compareTable)
    assert rows[:3] == [["cavity", "", ""], ["Betti error", "0.25", "0.1"], ["Mean area", "762 mm2", "–"]]
    tip = "How much the shares differ.\nLower is better.\nSamples: 2.5 times real."
    assert ui.compareTable.item(1, 0).toolTip() == tip


def test_ranks_nearest_images_and_charts(made: Any, training_set: Path) -> None:
    made.ui.compareSetPathLineEdit.currentPath = str(training_set)
    compare(made)
    nodes = count_of("vtkMRMLNode")
    check_ranks(made.ui)
    check_nearest(made.ui, made.panel._result.chosen())
    check_charts(made.ui)
    assert count_of("vtkMRMLNode") == nodes, "filled in place"
    compare(made)
    assert count_of("vtkMRMLNode") == nodes, "a second one takes the place of the first"
    check_text(made)


def test_a_comparison_that_the_scene_does_not_take_leaves_nothing(
    made: Any, bench: Bench, training_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from TopoGANSynthLib.compare import compare_nodes

    def full(*arguments: object) -> None:
        raise MemoryError("Unable to allocate 9.00 GiB")

    made.ui.compareSetPathLineEdit.currentPath = str(training_set)
    nodes = count_of("vtkMRMLNode")
    with monkeypatch.context() as patch:
        patch.setattr(compare_nodes, "add_charts", full)
        compare(made, "cannot be put into the scene (Unable to allocate 9.00 GiB): close other data")
    assert count_of("vtkMRMLNode") == nodes
    assert work_folders(bench) == []
    compare(made)


def test_the_rest_stays_where_the_real_images_are_removed(made: Any, training_set: Path) -> None:
    """As the image's own text asks for before sharing."""
    import slicer

    from TopoGANLib.scene.own import remove_nodes

    ui, panel = made.ui, made.panel
    ui.compareSetPathLineEdit.currentPath = str(training_set)
    compare(made)
    compared = count_of("vtkMRMLNode")
    remove_nodes([nearest_image()])
    panel.refresh()
    assert ui.compareResults.visible
    assert not ui.compareNearestButton.visible
    ui.mostRealButton.click()
    (text,) = slicer.util.getNodesByClass("vtkMRMLTextNode")
    remove_nodes([text.GetNodeReference("TopoGAN.comparison.sizes")])
    panel.refresh()
    assert not ui.compareResults.visible
    compare(made)
    assert ui.compareNearestButton.visible
    assert count_of("vtkMRMLNode") == compared, "nothing is left of the first"
    panel._result.chosen().remove()
    assert count_of("vtkMRMLTextNode") == count_of("vtkMRMLScalarVolumeNode") == 0


def test_a_comparison_that_the_scene_does_not_take_leaves_the_older_one(
    bench: Bench, made: Any, training_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the new one stays either: nobody would know of the patients' images in it."""
    ui = made.ui
    ui.compareSetPathLineEdit.currentPath = str(training_set)
    compare(made)
    before = node_names()
    said = "The comparison cannot be put into the scene (MemoryError): close other data, and compare again."
    with monkeypatch.context() as patch:
        # The last step of adding.
        patch.setattr("TopoGANSynthLib.compare.compare_nodes.ComparisonNodes.show", run_out_of_memory)
        compare(made, said)
        assert ui.compareButton.text == "Compare"
    assert node_names() == before
    assert len(work_folders(bench)) == 1, "the page of the older one"
    made.panel.refresh()
    assert (ui.compareStatusLabel.text, ui.compareResults.visible) == (said, True)
    compare(made)
    assert len(node_names()) == len(before)


def test_a_comparison_of_what_is_gone_is_dropped(bench: Bench, made: Any, training_set: Path) -> None:
    """Also of what is there in part, as after the segmentation alone was removed in the Data module."""
    import slicer
    from bench import pump

    made.ui.compareSetPathLineEdit.currentPath = str(training_set)
    made.ui.compareButton.click()
    slicer.mrmlScene.RemoveNode(made.panel._result.chosen().segmentation)
    pump(lambda: not made.panel._compare._runner.isRunning)
    said = "The samples are no longer in the scene: the comparison was dropped."
    assert made.ui.compareStatusLabel.text == said
    assert made.ui.compareReasonLabel.text == "There is no synthesis in this scene."
    assert not [name for name in node_names() if "nearest" in name or "comparison" in name]
    assert work_folders(bench) == []


def run_out_of_memory(*arguments: Any) -> None:
    raise MemoryError


def node_names() -> list[str]:
    import slicer

    return sorted(node.GetName() or "" for node in slicer.util.getNodesByClass("vtkMRMLNode"))


def nearest_image() -> Any:
    import slicer

    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    (found,) = [node for node in volumes if "nearest training" in node.GetName()]
    return found


def count_of(kind: str) -> int:
    import slicer

    return slicer.mrmlScene.GetNumberOfNodesByClass(kind)


def check_ranks(ui: Any) -> None:
    """The order is stepped through, and begins anew once the user has gone elsewhere."""
    said = "Rank 6 of 6: valid. Dice to the nearest training slice 0.87 (held-out slices: 0.79 ± 0.04)."
    assert ui.compareNearestLabel.text == said
    shown = []
    for button in (ui.mostRealButton, ui.mostRealButton, ui.leastRealButton, ui.leastRealButton, ui.mostRealButton):
        button.click()
        shown.append(round(ui.sampleSlider.value))
    assert shown == [5, 4, 0, 1, 5]
    ui.sampleSlider.value = 3.0
    assert ui.compareNearestLabel.text.startswith("Rank 3 of 6: ")
    ui.mostRealButton.click()
    assert ui.sampleSlider.value == 5.0


def check_nearest(ui: Any, nodes: Any) -> None:
    """The nearest image lies right of its sample in an axial view, at the same slice, in the same folder."""
    import slicer

    nearest = nearest_image()
    bounds, own = [0.0] * 6, [0.0] * 6
    nearest.GetRASBounds(bounds)
    nodes.image.GetRASBounds(own)
    assert bounds[1] < own[0], "to the patient's left"
    assert bounds[2:] == own[2:]
    assert "training patients" in nearest.GetDescription()
    views = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    views = [view for view in views if view.GetBackgroundVolumeID() == nodes.image.GetID()]
    assert views
    ui.compareNearestButton.click()
    assert {view.GetForegroundVolumeID() for view in views} == {nearest.GetID()}
    # Showing the samples anew clears the foreground; it comes back with the next sample.
    ui.showButton.click()
    ui.sampleSlider.value = 2.0
    assert {view.GetForegroundVolumeID() for view in views} == {nearest.GetID()}
    ui.compareNearestButton.click()
    assert {view.GetForegroundVolumeID() for view in views} == {None}
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    parents = {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) for node in (nearest, nodes.image)}
    assert len(parents) == 1


def check_charts(ui: Any) -> None:
    """They follow the chosen region, and are shown on a click."""
    import slicer

    charts = {node.GetName(): node for node in slicer.util.getNodesByClass("vtkMRMLPlotChartNode")}
    (topology,) = [node for name, node in charts.items() if "topologies" in name]
    (sizes,) = [node for name, node in charts.items() if "sizes" in name]
    assert topology.GetTitle() == "Topology of cavity"
    assert topology.GetXAxisTitle() == "Pieces, holes: 0 = 1,1; 1 = 9,1"
    choose(ui.regionComboBox, "myocardium")
    assert (topology.GetTitle(), sizes.GetTitle()) == ("Topology of myocardium", "Area of myocardium")
    ui.compareTopologyButton.click()
    selection = slicer.app.applicationLogic().GetSelectionNode()
    assert selection.GetActivePlotChartID() == topology.GetID()
    ui.compareSizesButton.click()
    assert selection.GetActivePlotChartID() == sizes.GetID()


def check_text(made: Any) -> None:
    """Names that are cut in it are no other ones, and a scene of another session has no report."""
    import slicer

    (text,) = slicer.util.getNodesByClass("vtkMRMLTextNode")
    content = json.loads(text.GetText())
    names = [*(row[0] for row in content["regions"][:2]), "a long name " * 9]
    content["regions"][2][0] = names[2]
    text.SetText(json.dumps(content))
    made.panel._result.chosen().set_attribute("TopoGAN.regions", json.dumps(names))
    made.panel.refresh()
    assert made.ui.compareResults.visible
    assert made.ui.compareReportButton.visible
    text.SetAttribute("TopoGAN.comparison.page", "comparison-0.html")
    made.panel.refresh()
    assert not made.ui.compareReportButton.visible


def heart(*names: str) -> tuple[Any, Any]:
    """A segmentation on a volume [20, 24, 24], each segment a square inside the one before."""
    import slicer

    volume = slicer.util.addVolumeFromArray(np.zeros((20, 24, 24), np.int16), np.diag([-1.5, -1.5, 2.0, 1.0]), "CT")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Heart")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for number, name in enumerate(names):
        mask = np.zeros((20, 24, 24), np.uint8)
        mask[:, 2 + 4 * number : 22 - 4 * number, 2:22] = 1
        identifier = segmentation.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, identifier, volume)
    return segmentation, volume


def test_a_segmentation_of_the_scene_is_the_reference(bench: Bench, made: Any, engine: Engine) -> None:
    import slicer

    ui = made.ui
    choose(ui.compareWithComboBox, "Segmentation of the scene")
    assert ui.compareReasonLabel.text == "Choose a segmentation of a real patient."
    ui.compareSegmentationSelector.setCurrentNode(made.panel._result.chosen().segmentation)
    assert ui.compareReasonLabel.text.startswith("This is no patient")
    segmentation, volume = heart("MYOCARDIUM", "Liver")
    ui.compareSegmentationSelector.setCurrentNode(segmentation)
    assert ui.compareReasonLabel.text == "Heart does not show cavity: name segments so."
    bench.picture("TopoGANSynth", "compare, missing structure")
    segmentation.GetSegmentation().GetNthSegment(1).SetName("Cavity")
    ui.compareVolumeSelector.setCurrentNode(volume)
    made.panel.refresh()
    slicer.util.arrayFromVolume(volume)[:] = 100
    compare(made, "CT has no value below 0, so that it is no CT: choose the CT, or None to compare masks alone.")
    assert work_folders(bench) == []
    slicer.util.arrayFromVolume(volume)[0] = -1000
    compare(made)
    asked = json.loads((engine.parent / "topogan" / "prepared.json").read_text())
    assert [(one["name"], one["labels"]) for one in asked["table"]["structures"]] == [
        ("cavity", [1]),
        ("myocardium", [2]),
    ]
    assert asked["table"]["unions"] == [["cavity", "myocardium"]]
    (source,) = asked["sources"]
    assert (len(source["images"]), source["plane"], asked["temporary"]) == (1, "axial", True)
    assert asked["settings"]["pixel_size"] > 0
    assert work_folders(bench) == list(made.panel._compare._view._pages.values()), "the page alone is left"
    said = "Rank 6 of 6: valid. Dice to the nearest real slice 0.87."
    assert ui.compareNearestLabel.text == said, "nobody was trained on"
    assert not [name for name in node_names() if "training" in name]
    check_own_nodes(made, [volume, segmentation])
    bench.application.close_application()
    assert work_folders(bench) == []


def check_own_nodes(made: Any, patient: list[Any]) -> None:
    """Nothing but the patient is taken for one: neither here, nor where models learn from."""
    import slicer

    from TopoGANTrainLib.data.patient_search import first_unlisted, fitting_patients

    scene, nodes = slicer.mrmlScene, made.panel._result.chosen()
    (text,) = slicer.util.getNodesByClass("vtkMRMLTextNode")
    nearest = text.GetNodeReference("TopoGAN.comparison.segmentation")
    for node in (nearest, nodes.companion("gallery segmentation")):
        made.ui.compareSegmentationSelector.setCurrentNode(node)
        assert made.ui.compareReasonLabel.text.startswith("This is no patient")
    made.ui.compareSegmentationSelector.setCurrentNode(patient[1])
    made.ui.compareVolumeSelector.setCurrentNode(nodes.image)
    assert made.ui.compareReasonLabel.text.startswith("The CT came of a model")
    assert [one.nodes for one in fitting_patients(scene, [])] == [patient]
    assert first_unlisted(scene, []).nodes == patient
    scene.RemoveNode(text)
    assert [one.nodes for one in fitting_patients(scene, [])] == [patient], "with nothing that refers to the nearest"


def test_what_goes_wrong_is_said_in_a_sentence(
    bench: Bench, made: Any, engine: Engine, training_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ui = made.ui
    ui.compareSetPathLineEdit.currentPath = str(training_set)
    tell(engine, "evaluate", "fail")
    compare(made, "The samples are 64 pixels wide and the training set 128: evaluate against another.")
    bench.picture("TopoGANSynth", "compare failed")
    tell(engine, "evaluate", "crash")
    compare(made, "The engine ended without a word (exit code")
    tell(engine, "evaluate", "")
    monkeypatch.setattr("TopoGANSynthLib.compare.comparing.read_comparison", _refuse)
    compare(made, "The comparison cannot be read: look whether the disk is full, and compare again.")
    assert not ui.compareResults.visible
    made.logic._sources.clear()
    made.panel.refresh()
    said = "Generate these samples again to compare them: their files are kept for one session only."
    assert ui.compareReasonLabel.text == said
    assert work_folders(bench) == []


def _refuse(folder: Path) -> None:
    raise ValueError("something is missing")


def test_a_comparison_is_cancelled_and_closing_ends_another(
    bench: Bench, made: Any, engine: Engine, training_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bench import pump

    from TopoGANSynthLib.compare import comparing

    tell(engine, "evaluate", "sleep")
    made.ui.compareSetPathLineEdit.currentPath = str(training_set)
    compare(made, "Comparing: step 3 of 8")
    assert made.ui.compareButton.text == "Cancel"
    bench.picture("TopoGANSynth", "comparing")
    made.ui.compareButton.click()
    pump(lambda: made.ui.compareStatusLabel.text == "Cancelled.")
    read, go_on = comparing._read, threading.Event()
    monkeypatch.setattr(comparing, "_read", lambda *folders: read(*folders) if go_on.wait(60) else None)
    tell(engine, "evaluate", "")
    compare(made, "Reading the result …")
    made.ui.compareButton.click()
    go_on.set()
    pump(lambda: made.ui.compareStatusLabel.text == "Cancelled.")
    assert work_folders(bench) == [], "nor the report that was read already"
    tell(engine, "evaluate", "sleep")
    compare(made, "Comparing: step 3 of 8")
    pid = made.panel._compare._runner.job._process.pid
    bench.application.close_application()
    wait_until(lambda: not lives(pid))
    assert work_folders(bench) == []


def test_volumes_stand_beside_volumes(
    bench: Bench, engine: Engine, model_of_volumes: Path, tmp_path: Path, training_set: Path
) -> None:
    import slicer

    tell(engine, "serve", f"folder={write_volumes(tmp_path / 'volumes')}")
    widget = ready(bench)
    widget.panel.choose_model(model_of_volumes)
    generate(widget, "Finished")
    ui = widget.ui
    choose(ui.compareWithComboBox, "Segmentation of the scene")
    assert "choose a training set" in ui.compareReasonLabel.text
    choose(ui.compareWithComboBox, "Training set")
    ui.compareSetPathLineEdit.currentPath = str(training_set)
    compare(widget)
    nodes = widget.panel._result.chosen()
    browsers = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
    (nearest,) = [browser for browser in browsers if browser is not nodes.browser]
    ui.mostRealButton.click()
    assert nearest.GetSelectedItemNumber() == nodes.browser.GetSelectedItemNumber() == nodes.count - 1
    assert "nearest training volume" in ui.compareNearestLabel.text
    from TopoGANTrainLib.data.patient_search import fitting_patients

    assert fitting_patients(slicer.mrmlScene, []) == []
    ui.compareNearestButton.click()
    assert ui.compareNearestButton.checked
