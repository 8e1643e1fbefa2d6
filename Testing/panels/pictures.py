"""Takes the pictures of the panels for the documents: ``python Testing/panels/pictures.py [folder]``.

Both panels are worked through a whole session with the real engine on three simulated patients; takes a few minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / folder) for folder in ("TopoGANTrain", "TopoGANSynth", "Testing/panels")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import slicer  # noqa: E402
from standin import install  # noqa: E402

from TopoGANLib.headless.application import start_headless  # noqa: E402

_PATIENCE_SECONDS = 1800


def add_hearts() -> None:
    """Three simulated patients of four phases, as Sample Data brings them."""
    from bench import pump

    from TopoGANLib.engine.process import Engine
    from TopoGANTrainLib.sample_hearts import SampleHearts

    hearts = SampleHearts(lambda: Engine(Path(sys.executable)), print, print)
    hearts.make()
    pump(lambda: not hearts.busy, _PATIENCE_SECONDS)
    hearts.close()


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
    add_hearts()
    train = bench.open("TopoGANTrain")
    train.ui.addFittingButton.click()
    pump(lambda: train.ui.startButton.enabled, _PATIENCE_SECONDS)
    tick_segments(train, "lv_cavity", "myocardium")
    train.ui.unionsLineEdit.text = "lv_cavity + myocardium"
    train.ui.masksStepsSpinBox.value = 300
    train.ui.texturesStepsSpinBox.value = 100
    train.ui.previewEverySpinBox.value = 50
    bench.picture("TopoGANTrain", "ready")
    train.ui.estimateButton.click()
    pump(lambda: train.ui.estimateButton.enabled, _PATIENCE_SECONDS)
    train.ui.checkDataButton.click()
    pump(lambda: "enough" in train.ui.verdictLabel.text, _PATIENCE_SECONDS)
    bench.picture("TopoGANTrain", "checked")
    train.ui.checkCollapsibleButton.collapsed = True
    train.ui.inputsCollapsibleButton.collapsed = True
    train.ui.startButton.click()
    pump(lambda: train.logic.progress.step > 250 or not train.logic.isRunning, _PATIENCE_SECONDS)
    bench.picture("TopoGANTrain", "training")
    pump(lambda: not train.logic.isRunning, _PATIENCE_SECONDS)
    if train.logic.progress.state != "finished":
        raise RuntimeError(train.logic.progress.error)
    train.ui.trainingCollapsibleButton.collapsed = True
    train.ui.runsCollapsibleButton.collapsed = False
    pump(lambda: train.ui.runsTable.rowCount, _PATIENCE_SECONDS)
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
