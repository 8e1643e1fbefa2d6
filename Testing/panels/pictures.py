"""Takes the pictures of the panels for the documents: ``python Testing/panels/pictures.py [folder]``.

Both panels are worked through a whole session with the real engine on a simulated heart; takes a few minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / folder) for folder in ("TopoGANTrain", "TopoGANSynth", "Testing/panels")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np  # noqa: E402
import slicer  # noqa: E402
from standin import install  # noqa: E402

from TopoGANLib.headless.application import start_headless  # noqa: E402

_PATIENCE_SECONDS = 1800


def add_heart() -> None:
    """A simulated CT with its myocardium and the blood in it, in the scene."""
    from test_whole_job import heart

    image, *masks = heart()
    volume = slicer.util.addVolumeFromArray(image, np.diag([-1.5, -1.5, 2.0, 1.0]), "CTACardio")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for name, mask in zip(("Myocardium", "Blood"), masks, strict=True):
        identifier = segmentation.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, segmentation, identifier, volume)


def take(folder: Path) -> None:
    """Work through a session and save a picture of each of its stages.

    Args:
        folder: where the pictures go.
    """
    os.environ["PANEL_PICTURES"] = str(folder)
    results = Path(tempfile.mkdtemp()) / "TopoGAN"
    headless = start_headless()
    application = install(headless.application_logic, Path(tempfile.mkdtemp()))
    from bench import Bench, pump
    from train_bench import tick_segments

    from TopoGANLib.forms import user_settings

    user_settings.write(user_settings.RESULTS_FOLDER, str(results))
    bench = Bench(application)
    add_heart()
    train = bench.open("TopoGANTrain")
    train.ui.addFittingButton.click()
    pump(lambda: train.ui.startButton.enabled, _PATIENCE_SECONDS)
    tick_segments(train, "Myocardium", "Blood")
    train.ui.unionsLineEdit.text = "Myocardium + Blood"
    train.ui.masksStepsSpinBox.value = 300
    train.ui.texturesStepsSpinBox.value = 100
    train.ui.previewEverySpinBox.value = 50
    bench.picture("TopoGANTrain", "ready")
    train.ui.startButton.click()
    pump(lambda: train.logic.progress.step > 250 or not train.logic.isRunning, _PATIENCE_SECONDS)
    bench.picture("TopoGANTrain", "training")
    pump(lambda: not train.logic.isRunning, _PATIENCE_SECONDS)
    if train.logic.progress.state != "finished":
        raise RuntimeError(train.logic.progress.error)
    bench.picture("TopoGANTrain", "finished")
    train.ui.useModelButton.click()
    synth = slicer.modules.TopoGANSynthWidget
    pump(lambda: synth.ui.generateButton.enabled, _PATIENCE_SECONDS)
    synth.ui.generateButton.click()
    pump(lambda: not synth.logic.isRunning, _PATIENCE_SECONDS)
    synth.ui.sampleSlider.value = 12.0
    bench.picture("TopoGANSynth", "finished")
    application.uninstall()


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "Resources" / "Screenshots")
