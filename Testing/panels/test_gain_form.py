"""Whether samples help a segmentation network is tried by clicks, with an engine that finds the same every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell
from synth_bench import generate, to_compare

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine

FOUND = "With your 4 patients, synthetic slices raised Dice.\nOf one patient."
COST = "It trains 12 small networks: about 17 min on one core, less on more, or on a GPU."
_FITS = {
    "schema": "topogan.training-set/3",
    "size": 64,
    "pixel_size_mm": 1.5,
    "window": [-200, 600],
    "counts": {"test": 8},
    "table": {"structures": [{"name": "cavity"}, {"name": "myocardium"}]},
}


def write_set(folder: Path, **changes: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "dataset.json").write_text(json.dumps(_FITS | changes))
    return folder


@pytest.fixture
def made(bench: Bench, engine: Engine, model_of_several: Path, tmp_path: Path) -> Any:
    return to_compare(bench, engine, model_of_several, tmp_path)


def choose_set(widget: Any, folder: Path) -> None:
    widget.ui.compareSetPathLineEdit.currentPath = ""
    widget.ui.compareSetPathLineEdit.currentPath = str(folder)


def ends(widget: Any) -> str:
    from bench import pump

    widget.ui.gainButton.click()
    pump(lambda: not widget.panel._compare._gain._runner.isRunning)
    return str(widget.ui.gainStatusLabel.text)


def test_it_is_tried(bench: Bench, made: Any, engine: Engine, tmp_path: Path) -> None:
    import slicer
    from bench import font_of, pump

    from TopoGANLib.headless.application import load_scene, save_scene

    ui = made.ui
    assert not ui.gainButton.visible, "not before there is a training set"
    choose_set(made, write_set(tmp_path / "set"))
    assert (ui.gainButton.text, ui.gainStatusLabel.text) == ("Does it help segmentation?", COST)
    tell(engine, "downstream", "begin")
    ui.gainButton.click()
    pump(lambda: ui.gainStatusLabel.text == "Training the first network …")
    ui.gainButton.click()
    pump(lambda: ui.gainStatusLabel.text == COST)
    tell(engine, "downstream", "sleep")
    ui.gainButton.click()
    pump(lambda: ui.gainStatusLabel.text.startswith("3 of 12 networks trained, about "))
    assert (ui.gainProgressBar.value, ui.gainProgressBar.maximum, ui.gainButton.text) == (3, 12, "Cancel")
    with font_of(12):
        bench.picture("TopoGANSynth", "segmentation tried")
    ui.gainButton.click()
    pump(lambda: not made.panel._compare._gain._runner.isRunning)
    tell(engine, "downstream", "fail")
    assert ends(made) == "The samples show the liver and the training set the heart."
    tell(engine, "downstream", "nonsense")
    assert ends(made) == "The result cannot be read: look whether the disk is full, and try again."
    tell(engine, "downstream")
    assert ends(made) == FOUND
    with font_of(12):
        bench.picture("TopoGANSynth", "segmentation found")
    work = Path(bench.application.application.temporaryPath)
    assert not list(work.glob("TopoGAN/downstream*"))
    save_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    slicer.mrmlScene.Clear(False)
    load_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    made.panel.enter()
    assert (ui.gainButton.visible, ui.gainStatusLabel.text) == (True, FOUND)
    ui.compareSetPathLineEdit.currentPath = ""
    assert ui.gainReasonLabel.text == "Choose a training set above to try it again."


def test_what_cannot_be_tried_is_said_before(made: Any, tmp_path: Path) -> None:
    ui = made.ui
    for changes, said in (
        ({"window": None}, "This training set holds masks without images: choose one with the CT of the patients."),
        ({"counts": {"test": 0}}, "This training set keeps no patient for the test: prepare it with more patients."),
        ({"size": 128}, "The training set has slices of 128 pixels and the samples 64: choose the model's own."),
        ({"axes": 3}, "This training set holds volumes and the samples are slices: choose the model's own."),
        (
            {"pixel_size_mm": 9.0},
            "The training set has pixels of 9.0 mm and the samples of 1.5 mm: choose the model's own.",
        ),
        (
            {"intensity": "arbitrary"},
            "One of training set and samples has Hounsfield units, the other has not: choose the model's own.",
        ),
        (
            {"table": {"structures": [{"name": "liver"}]}},
            "The training set shows liver and the samples cavity, myocardium: choose the model's own.",
        ),
    ):
        choose_set(made, write_set(tmp_path / "set", **changes))
        assert (ui.gainReasonLabel.text, ui.gainButton.enabled) == (said, False)
        assert not ui.gainStatusLabel.visible
    choose_set(made, write_set(tmp_path / "set"))
    assert ui.gainButton.enabled
    write_set(tmp_path / "set", window=None)
    ui.gainButton.click()
    assert ui.gainReasonLabel.text.startswith("This training set holds masks without images")


@pytest.mark.parametrize(
    ("changes", "said"), [({"axes": 3}, "takes slices alone"), ({"window": None}, "no CT texture")]
)
def test_samples_that_cannot_be_segmented(application: Any, changes: dict[str, Any], said: str) -> None:
    from TopoGANSynthLib.compare.compare_request import SampleForm
    from TopoGANSynthLib.compare.gaining import why_not

    names = ({"name": "cavity"}, {"name": "myocardium"})
    form = {"structures": names, "unions": (), "axes": 2, "size": 64, "pixel_size": 1.5, "window": (-200.0, 600.0)}
    assert why_not(SampleForm(**form, intensity="HU"), _FITS) == ""
    assert said in why_not(SampleForm(**form | changes, intensity="HU"), _FITS)
    assert "do not say what they are made of" in why_not(None, _FITS)
    assert "damaged" in why_not(SampleForm(**form, intensity="HU"), {})


def test_the_engine_trains_as_many_networks_as_it_is_said(application: Any) -> None:
    from topogan.config import DownstreamSettings
    from TopoGANSynthLib.compare import gaining

    settings = DownstreamSettings()
    # Real slices and samples, without and with augmentation.
    assert (4 * settings.seeds, settings.steps) == (gaining.NETWORKS, gaining.STEPS)


def test_samples_that_leave_meanwhile(made: Any, engine: Engine, tmp_path: Path) -> None:
    """What took hours is said all the same, but not of others."""
    from bench import pump

    ui = made.ui
    choose_set(made, write_set(tmp_path / "set"))
    tell(engine, "downstream", "sleep")
    ui.gainButton.click()
    made.panel._result.chosen().remove()
    made.panel.enter()
    assert (ui.TopoGANSynthCompare.visible, ui.gainButton.visible, ui.gainButton.text) == (True, True, "Cancel")
    ui.gainButton.click()
    pump(lambda: not made.panel._compare._gain._runner.isRunning)
    generate(made, "Finished: ")
    tell(engine, "downstream")
    ui.gainButton.click()
    made.panel._result.chosen().remove()
    pump(lambda: not made.panel._compare._gain._runner.isRunning)
    assert ui.TopoGANSynthCompare.visible
    assert ui.gainStatusLabel.text == f"Of samples that are no longer in the scene: {FOUND}"
    generate(made, "Finished: ")
    assert ui.gainStatusLabel.text == COST


def test_a_failure_is_not_said_of_other_samples(made: Any, engine: Engine, tmp_path: Path) -> None:
    choose_set(made, write_set(tmp_path / "set"))
    tell(engine, "downstream", "fail")
    assert ends(made) == "The samples show the liver and the training set the heart."
    choose_set(made, write_set(tmp_path / "other"))
    assert made.ui.gainStatusLabel.text == COST
