"""The whole job with the real engine: from a volume and a segment of the scene to samples in the scene, by clicks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from TopoGANLib.engine.run_monitor import RunMonitor

if TYPE_CHECKING:
    from bench import Bench
    from standin import StandIn

_LONGEST_HOLD_UP = 0.05


def heart() -> tuple[np.ndarray, np.ndarray]:
    """int16 CT [72, 48, 48] in HU and its myocardium: a ring that changes along the slices."""
    row, column = np.mgrid[:48, :48]
    level = np.arange(72)[:, None, None]
    radius = np.hypot(row - 24 - 3 * np.sin(level / 9), column - 24)
    inner = 7 + 2 * np.sin(level / 5)
    ring = (radius >= inner) & (radius < inner + 6)
    blood = radius < inner
    image = np.where(ring, 120, np.where(blood, 350, 20)) + np.random.default_rng(0).normal(0, 20, ring.shape)
    return image.astype(np.int16), ring.astype(np.uint8)


@pytest.fixture
def scene(application: StandIn) -> None:
    import slicer

    image, mask = heart()
    volume = slicer.util.addVolumeFromArray(image, np.diag([-1.5, -1.5, 2.0, 1.0]), "Secret^Patient")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Secret^Segmentation")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    identifier = segmentation.GetSegmentation().AddEmptySegment("", "Myocardium")
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, identifier, volume)


@pytest.fixture
def bench(application: StandIn, tmp_path: Path) -> Bench:
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
    from bench import Watch, pump

    train = bench.open("TopoGANTrain")
    assert not train.ui.startButton.enabled
    with Watch() as watch:
        pump(lambda: train.ui.startButton.enabled, seconds=120)
    assert watch.longest < _LONGEST_HOLD_UP, watch.where
    set_up_training(train)
    with Watch() as watch:
        train.ui.startButton.click()
        pump(lambda: train.ui.previewLabel.visible, seconds=240)
        bench.picture("TopoGANTrain", "training with preview")
        pump(lambda: not train.logic.isRunning, seconds=240)
    assert train.ui.statusLabel.text == "Finished: the model is ready.", train.ui.logTextEdit.plainText
    assert watch.longest < _LONGEST_HOLD_UP, f"{watch.longest:.3f} s in\n{watch.where}"
    bench.picture("TopoGANTrain", "finished with preview")

    results = tmp_path / "my results" / "Myocardium-1"
    described = json.loads((results / "training-set" / "dataset.json").read_text())
    assert described["structure"] == "Myocardium"
    assert described["intensity"] == "HU"
    assert described["independent"] is False
    check_no_names(results)

    train.ui.useModelButton.click()
    synth = slicer.modules.TopoGANSynthWidget
    assert slicer.util.selectedModule() == "TopoGANSynth"
    assert "Myocardium, 64 × 64 pixels" in synth.ui.modelLabel.text
    with Watch() as watch:
        pump(lambda: synth.ui.generateButton.enabled, seconds=120)
        synth.ui.countSpinBox.value = 5
        synth.ui.generateButton.click()
        pump(lambda: not synth.logic.isRunning, seconds=240)
    status = synth.ui.statusLabel.text
    assert status.startswith("Finished: "), status + synth.ui.logTextEdit.plainText
    assert status.endswith(" % of 5 samples have pieces 1, holes 1.")
    assert watch.longest < _LONGEST_HOLD_UP, f"{watch.longest:.3f} s in\n{watch.where}"
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
    pump(lambda: not synth.logic.isRunning, seconds=60)
    assert synth.logic._client.process is process
    assert synth.ui.synthesisComboBox.count == 2


def check_no_names(results: Path) -> None:
    """What is in the results, packed or not, names neither the scene's nodes nor the user's folders."""
    from leaks import leaks

    assert not leaks(results, ["Secret", "my results"])


@pytest.mark.timeout(600)
def test_stop_resume_and_a_killed_engine(bench: Bench, scene: None) -> None:
    import os
    import signal

    from bench import pump

    widget = bench.open("TopoGANTrain")
    pump(lambda: widget.ui.startButton.enabled, seconds=120)
    set_up_training(widget)
    widget.ui.volumeSelector.setCurrentNode(None)
    widget.ui.partComboBox.setCurrentIndex(widget.ui.partComboBox.findText("masks"))
    widget.ui.masksStepsSpinBox.value = 2000
    widget.ui.startButton.click()
    pump(lambda: widget.logic.progress.step > 10, seconds=240)
    widget.ui.startButton.click()
    pump(lambda: not widget.logic.isRunning, seconds=60)
    assert "Resume goes on from here" in widget.ui.statusLabel.text
    stopped_at = widget.logic.progress.step
    widget.ui.resumeButton.click()
    pump(lambda: widget.logic.progress.step > stopped_at + 10, seconds=240)
    os.killpg(RunMonitor(widget.logic.session.run).poll().pid, signal.SIGKILL)
    pump(lambda: not widget.logic.isRunning, seconds=30)
    assert "ended without a word at step" in widget.ui.statusLabel.text
    assert widget.ui.resumeButton.visible
    widget.ui.resumeButton.click()
    pump(lambda: widget.logic.progress.state == "running", seconds=240)
    widget.ui.startButton.click()
    pump(lambda: not widget.logic.isRunning, seconds=60)
    assert widget.logic.progress.state == "stopped"
