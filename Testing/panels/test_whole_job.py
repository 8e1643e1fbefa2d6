"""The whole job with the real engine: from a volume and a segment of the scene to samples in the scene, by clicks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from train_bench import tick_segments

from TopoGANLib.engine.process import kill_tree
from TopoGANLib.engine.run_monitor import RunMonitor

if TYPE_CHECKING:
    from bench import Bench
    from standin import StandIn


def heart() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """int16 CT [72, 48, 48] in HU, its myocardium, a ring that changes along the slices, and the blood in it."""
    row, column = np.mgrid[:48, :48]
    level = np.arange(72)[:, None, None]
    radius = np.hypot(row - 24 - 3 * np.sin(level / 9), column - 24)
    inner = 7 + 2 * np.sin(level / 5)
    ring = (radius >= inner) & (radius < inner + 6)
    blood = radius < inner
    image = np.where(ring, 120, np.where(blood, 350, 20)) + np.random.default_rng(0).normal(0, 20, ring.shape)
    return image.astype(np.int16), ring.astype(np.uint8), blood.astype(np.uint8)


@pytest.fixture
def scene(application: StandIn) -> None:
    import slicer

    image, mask, _ = heart()
    volume = slicer.util.addVolumeFromArray(image, np.diag([-1.5, -1.5, 2.0, 1.0]), "Secret^Patient")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Secret^Segmentation")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    identifier = segmentation.GetSegmentation().AddEmptySegment("", "Myocardium")
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, identifier, volume)


@pytest.fixture
def bench(application: StandIn, real_engine: None, tmp_path: Path) -> Bench:
    from bench import Bench

    from TopoGANLib.forms import user_settings

    user_settings.write(user_settings.RESULTS_FOLDER, str(tmp_path / "my results"))
    return Bench(application)


def set_up_training(widget: Any) -> None:
    """Small networks and few steps."""
    import slicer

    ui = widget.ui
    ui.volumeSelector.setCurrentNode(slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode"))
    for box, value in {
        ui.masksStepsSpinBox: 24,
        ui.texturesStepsSpinBox: 4,
        ui.masksWidthSpinBox: 4,
        ui.masksBatchSpinBox: 8,
        ui.texturesWidthSpinBox: 4,
        ui.texturesBatchSpinBox: 2,
        ui.previewEverySpinBox: 4,
        ui.checkpointEverySpinBox: 4,
        ui.threadsSpinBox: 1,
    }.items():
        box.value = value


@pytest.mark.timeout(600)
def test_from_a_segment_to_samples(bench: Bench, scene: None, tmp_path: Path) -> None:
    import slicer
    from bench import pump, watched

    train = bench.open("TopoGANTrain")
    assert not train.ui.startButton.enabled
    train.ui.addFittingButton.click()
    with watched("checking the engine"):
        pump(lambda: train.ui.startButton.enabled)
    set_up_training(train)
    with watched("training"):
        train.ui.startButton.click()
        pump(lambda: train.ui.previewLabel.visible, seconds=240)
        bench.picture("TopoGANTrain", "training with preview")
        pump(lambda: not train.logic.isRunning, seconds=240)
    assert train.ui.statusLabel.text == "Finished: the model is ready.", train.ui.logTextEdit.plainText
    bench.picture("TopoGANTrain", "finished with preview")

    results = tmp_path / "my results" / "Myocardium-1"
    described = json.loads((results / "training-set" / "dataset.json").read_text())
    assert [one["name"] for one in described["table"]["structures"]] == ["Myocardium"]
    assert described["intensity"] == "HU"
    assert described["independent"] is False
    check_no_names(results)

    train.ui.useModelButton.click()
    synth = slicer.modules.TopoGANSynthWidget
    assert slicer.util.selectedModule() == "TopoGANSynth"
    assert "Myocardium: 64 × 64 pixels" in synth.ui.modelLabel.text
    with watched("synthesis"):
        pump(lambda: synth.ui.generateButton.enabled)
        synth.ui.countSpinBox.value = 5
        synth.ui.generateButton.click()
        pump(lambda: not synth.logic.isRunning, seconds=240)
    status = synth.ui.statusLabel.text
    assert status.startswith("Finished: "), status + synth.ui.logTextEdit.plainText
    assert re.search(r"[0-5] of 5 samples ha(s|ve) 1 piece and 1 hole\.$", status)
    nodes = synth.logic.nodes
    assert slicer.util.arrayFromVolume(nodes.image).shape == (5, 64, 64)
    assert nodes.segmentation.GetSegmentation().GetNthSegment(0).GetName() == "Myocardium"
    assert nodes.barcode.GetTitle().startswith("Barcode of sample 0")
    synth.ui.sampleSlider.value = 3.0
    assert nodes.shown_sample == 3
    bench.picture("TopoGANSynth", "finished with the real engine")

    # The second request costs no start: the engine is there, with the model in its memory.
    process = synth.logic._client.process
    synth.ui.generateButton.click()
    pump(lambda: not synth.logic.isRunning)
    assert synth.logic._client.process is process
    assert synth.ui.synthesisComboBox.count == 2


@pytest.mark.timeout(900)
def test_from_two_segments_to_samples(bench: Bench, scene: None, tmp_path: Path) -> None:
    import slicer
    from bench import pump

    segmentation = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode")
    volume = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
    # Blood that reaches into the muscle.
    blood = np.maximum(heart()[2], np.roll(heart()[2], 1, axis=2))
    inner = segmentation.GetSegmentation()
    inner.AddEmptySegment("blood", "Blood", (0.8, 0.2, 0.4))
    slicer.util.updateSegmentBinaryLabelmapFromArray(blood, segmentation, "blood", volume)
    train = bench.open("TopoGANTrain")
    train.ui.addPatientButton.click()
    tick_segments(train, "Myocardium", "Blood")
    train.ui.unionsLineEdit.text = "Myocardium + Blood"
    pump(lambda: train.ui.startButton.enabled)
    set_up_training(train)
    train.ui.startButton.click()
    pump(lambda: not train.logic.isRunning, seconds=300)
    status = train.ui.statusLabel.text
    assert status.startswith("Finished: the model is ready."), train.ui.logTextEdit.plainText or status
    assert "\nVoxels that fall to a structure above it: Blood " in status
    bench.picture("TopoGANTrain", "finished with two structures")
    results = tmp_path / "my results" / "Myocardium-Blood-1"
    described = json.loads((results / "training-set" / "dataset.json").read_text())
    table = described["table"]
    assert [one["name"] for one in table["structures"]] == ["Myocardium", "Blood"]
    assert table["structures"][1]["color"] == "#cc3366"
    assert table["unions"] == [["Myocardium", "Blood"]]
    check_no_names(results)

    train.ui.useModelButton.click()
    synth = slicer.modules.TopoGANSynthWidget
    usual = [synth.ui.modelTable.item(row, 0).toolTip() for row in range(3)]
    pieces, both = "Most frequent: pieces 1, holes", "Myocardium + Blood"
    assert usual == [f"Myocardium. {pieces} 1.", f"Blood. {pieces} 0.", f"{both}. {pieces} 0."]
    pump(lambda: synth.ui.generateButton.enabled)
    synth.ui.countSpinBox.value = 4
    synth.ui.generateButton.click()
    pump(lambda: not synth.logic.isRunning, seconds=240)
    status = synth.ui.statusLabel.text
    assert status.startswith("Finished: In "), status + synth.ui.logTextEdit.plainText
    nodes = synth.logic.nodes
    assert nodes.regions == ("Myocardium", "Blood", "Myocardium + Blood")
    made = nodes.segmentation.GetSegmentation()
    assert [made.GetNthSegment(number).GetName() for number in range(2)] == ["Myocardium", "Blood"]
    assert np.allclose(made.GetNthSegment(1).GetColor(), (0.8, 0.2, 0.4), atol=1 / 255)
    assert made.GetNthSegment(1).GetTerminology() == inner.GetSegment("blood").GetTerminology()
    synth.ui.regionComboBox.setCurrentIndex(2)
    assert nodes.barcode.GetTitle().startswith("Barcode of sample 0, Myocardium + Blood (b0 = ")
    assert len(synth.ui.sampleLabel.text.splitlines()) == 3
    bench.picture("TopoGANSynth", "finished with two structures")


def check_no_names(results: Path) -> None:
    """What is in the results, packed or not, names neither the scene's nodes nor the user's folders."""
    from leaks import leaks

    assert not leaks(results, ["Secret", "my results"])


@pytest.mark.timeout(600)
def test_stop_resume_and_a_killed_engine(bench: Bench, scene: None) -> None:
    from bench import pump

    widget = bench.open("TopoGANTrain")
    widget.ui.addPatientButton.click()
    pump(lambda: widget.ui.startButton.enabled)
    set_up_training(widget)
    widget.ui.volumeSelector.setCurrentNode(None)
    widget.ui.partComboBox.setCurrentIndex(widget.ui.partComboBox.findText("masks"))
    widget.ui.masksStepsSpinBox.value = 2000
    widget.ui.startButton.click()
    pump(lambda: widget.logic.progress.step > 10, seconds=240)
    widget.ui.startButton.click()
    pump(lambda: not widget.logic.isRunning)
    assert "Resume goes on from here" in widget.ui.statusLabel.text
    stopped_at = widget.logic.progress.step
    widget.ui.resumeButton.click()
    pump(lambda: widget.logic.progress.step > stopped_at + 10, seconds=240)
    kill_tree(RunMonitor(widget.logic.session.run).poll().pid)
    pump(lambda: not widget.logic.isRunning)
    assert "ended without a word at step" in widget.ui.statusLabel.text
    assert widget.ui.resumeButton.visible
    widget.ui.resumeButton.click()
    pump(lambda: widget.logic.progress.state == "running", seconds=240)
    widget.ui.startButton.click()
    pump(lambda: not widget.logic.isRunning)
    assert widget.logic.progress.state == "stopped"
