"""What a training will take, before it is started."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell_doctor
from train_bench import choose, ready, tick_segments

from TopoGANLib.engine.process import Engine

if TYPE_CHECKING:
    from bench import Bench


def answer(**estimate: Any) -> list[str]:
    return ["A warning", json.dumps({"schema": "topogan.doctor/1", "estimate": estimate})]


def test_an_estimate_is_read(application: Any) -> None:
    from TopoGANTrainLib.settings.estimate import Estimate, read_estimate

    found = read_estimate(answer(device="cuda", step_seconds={"masks": 0.5}, memory_bytes=1e9, disk_bytes=True))
    assert isinstance(found, Estimate)
    assert (found.device, found.memory_bytes, found.free_memory_bytes) == ("cuda", 1e9, 0.0)
    assert found.seconds({"masks": 100, "textures": 50}) == 50.0
    assert read_estimate(answer(error="There is no GPU: choose auto.")) == "There is no GPU: choose auto."
    for nothing in (["no answer"], answer(), answer(step_seconds={"masks": "x"}), answer(step_seconds=3)):
        assert read_estimate(nothing) == ""
    strange = read_estimate(answer(step_seconds={"masks": 1, "textures": -1}, memory_bytes=1e300))
    assert isinstance(strange, Estimate)
    assert strange.seconds({"masks": 2, "textures": 5}) == 2.0
    assert strange.memory_bytes == 0.0


def test_it_is_said_in_words(application: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from TopoGANTrainLib.settings.estimate import Estimate, in_words

    steps = {"masks": 3000, "textures": 1500}
    cpu = Estimate("cpu", {"masks": 0.2, "textures": 0.08}, 1.2e9, 18e9, 3e8)
    line = "About 12 min on this CPU; 1.2 GB of memory (18 GB free), 0.3 GB on disk."
    assert in_words(cpu, steps, tmp_path / "not there" / "yet") == line
    gpu = Estimate("cuda", {"masks": 0.02}, 30e9, 16e9, 1e7)
    assert in_words(gpu, steps, tmp_path).splitlines() == [
        "About 60 s on the GPU; 30 GB of memory (16 GB free), less than 0.1 GB on disk.",
        "The GPU has too little memory: choose a smaller size, smaller batches, or the device cpu.",
    ]
    small = Estimate("cpu", {"masks": 0.02}, 30e9, 16e9, 1e7)
    assert "There is too little memory: choose a smaller size or smaller batches." in in_words(small, steps, tmp_path)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=200_000_000))
    words = in_words(cpu, steps, tmp_path).splitlines()[1]
    assert words == f"There is too little room in {tmp_path}, where 0.2 GB are free: choose another folder for Results."


def test_steps_are_fitted_to_a_time(application: Any) -> None:
    from TopoGANTrainLib.settings.estimate import Estimate

    both = Estimate("cpu", {"masks": 0.2, "textures": 0.1}, 1, 1, 1)
    # 3000 of 0.2 s and 1500 of 0.1 s take 750 s.
    assert both.fitted({"masks": 3000, "textures": 1500}, 750 / 3600) == {"masks": 3000, "textures": 1500}
    assert both.fitted({"masks": 3000, "textures": 1500}, 2.0) == {"masks": 28000, "textures": 14000}
    assert both.fitted({"masks": 3000, "textures": 1500}, 0.001) == {"masks": 14, "textures": 7}
    alone = Estimate("cpu", {"masks": 0.2}, 1, 1, 1)
    assert alone.fitted({"masks": 1, "textures": 1500}, 1.0) == {"masks": 18000}


def test_a_click_estimates_and_fits(bench: Bench, scene: Any, engine: Engine) -> None:
    from bench import pump

    widget = ready(bench)
    ui = widget.ui
    assert not ui.estimateLabel.visible and not ui.budgetInputs.visible
    tick_segments(widget, "Blood", "Myocardium")
    choose(ui.sizeComboBox, "128")
    ui.masksStepsSpinBox.value = 6000
    ui.topologyRatioSpinBox.value = 3.0
    ui.estimateButton.click()
    assert not ui.estimateButton.enabled
    assert ui.estimateLabel.text == "Timing a few steps …"
    pump(lambda: ui.estimateButton.enabled)
    asked = json.loads((engine.parent / "topogan" / "asked.json").read_text(encoding="utf-8"))
    assert asked == {
        "schema": "topogan.estimate-request/1",
        "train": {"masks": {"steps": 6000}, "topology": {"ratio": 3.0}},
        "size": 128,
        "axes": 2,
        "structures": 2,
        "samples": 0,
        "training_samples": 0,
        "continued": False,
    }
    assert ui.estimateLabel.text == "About 15 min on this CPU; 1.2 GB of memory (18 GB free), 0.3 GB on disk."
    bench.picture("TopoGANTrain", "estimated")
    ui.masksStepsSpinBox.value = 3000
    assert ui.estimateLabel.text.startswith("About 10 min on this CPU"), "time goes with the steps"
    ui.budgetSpinBox.value = 2.0
    ui.fitStepsButton.click()
    assert (ui.masksStepsSpinBox.value, ui.texturesStepsSpinBox.value) == (36000, 18000)
    assert ui.estimateLabel.text.startswith("About 2 h 00 min")
    choose(ui.sizeComboBox, "256")
    assert ui.estimateLabel.text == "Other data or settings are chosen: estimate again."
    assert not ui.budgetInputs.visible
    choose(ui.sizeComboBox, "128")
    assert ui.budgetInputs.visible
    tick_segments(widget, "Blood")
    assert not ui.budgetInputs.visible


def test_a_model_that_is_fine_tuned_has_the_topological_loss_at_once(
    bench: Bench, scene: Any, engine: Engine, tmp_path: Path
) -> None:
    from bench import pump

    widget = ready(bench)
    ui = widget.ui
    choose(ui.startFromComboBox, "A model to fine-tune")
    ui.firstModelPathLineEdit.currentPath = str(tmp_path)
    for adapts, continued in ((False, True), (True, False)):
        ui.adaptStructuresCheckBox.checked = adapts
        ui.estimateButton.click()
        pump(lambda: ui.estimateButton.enabled)
        asked = json.loads((engine.parent / "topogan" / "asked.json").read_text(encoding="utf-8"))
        assert asked["continued"] is continued
    ui.adaptStructuresCheckBox.checked = False
    assert ui.estimateLabel.text == "Other data or settings are chosen: estimate again."


def test_a_check_leaves_an_estimate(bench: Bench, scene: Any) -> None:
    from bench import pump

    widget = ready(bench)
    ui = widget.ui
    ui.estimateButton.click()
    pump(lambda: ui.estimateButton.enabled)
    ui.checkDataButton.click()
    pump(lambda: not widget.panel._check.isRunning)
    assert ui.verdictLabel.text
    assert ui.estimateLabel.text.startswith("About 10 min")


def test_what_cannot_be_estimated(bench: Bench, scene: Any, engine: Engine, tmp_path: Path) -> None:
    from bench import pump

    sentence = "This size needs more memory than this computer has: choose a smaller one."
    tell_doctor(engine, estimate={"error": sentence})
    widget = ready(bench)
    ui = widget.ui
    ui.estimateButton.click()
    pump(lambda: ui.estimateLabel.text == sentence)
    assert not ui.budgetInputs.visible
    bench.picture("TopoGANTrain", "not estimated")
    tell_doctor(engine, estimate=None)
    ui.estimateButton.click()
    pump(lambda: "ended without a word" in ui.estimateLabel.text)
    ui.pythonPathLineEdit.currentPath = str(tmp_path / "no python")
    ui.estimateButton.click()
    assert ui.estimateLabel.text == "It cannot start: No such file or directory."


def test_of_a_training_set_its_own_form_is_asked(bench: Bench, engine: Engine, tmp_path: Path) -> None:
    from bench import pump

    widget = ready(bench)
    ui = widget.ui
    table = {"structures": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}
    content = {"axes": 3, "size": 48, "table": table, "counts": {"total": 12, "train": 9}}
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "dataset.json").write_text(json.dumps(content))
    choose(ui.sourceComboBox, "A training set made before")
    ui.trainingSetPathLineEdit.currentPath = str(tmp_path / "set")
    ui.estimateButton.click()
    pump(lambda: ui.estimateButton.enabled)
    asked = json.loads((engine.parent / "topogan" / "asked.json").read_text(encoding="utf-8"))
    assert (asked["size"], asked["axes"], asked["structures"]) == (48, 3, 3)
    assert (asked["samples"], asked["training_samples"]) == (12, 9)
