"""Generating and painting where something is taken away or is nonsense: a sentence, and a panel that works on."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell
from synth_bench import generate, ready
from test_paint_form import DEMO, heart, paint, work_folders

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine

KILLED = "The engine was killed, perhaps because memory ran out: close other programs, and try again."


def kill(pid: int) -> None:
    """End the engine as the system does when memory runs out."""
    if os.name == "nt":
        pytest.skip("Windows tells no signals")
    os.killpg(pid, signal.SIGKILL)


def test_the_engine_is_killed_while_it_generates(bench: Bench, model: Path, engine: Engine, answer: Path) -> None:
    from bench import pump

    tell(engine, "serve", "step=3")
    widget = ready(bench)
    widget.panel.choose_model(model)
    generate(widget, "Sample 3 of 64")
    kill(widget.logic._client.process.pid)
    pump(lambda: widget.ui.statusLabel.text == KILLED)
    assert widget.ui.logTextEdit.plainText == "serving"
    assert not widget.ui.progressBar.visible
    bench.picture("TopoGANSynth", "engine killed")
    tell(engine, "serve", f"folder={answer}")
    generate(widget)


def test_the_engine_is_killed_while_it_paints(bench: Bench, engine: Engine) -> None:
    from bench import pump

    tell(engine, "paint", "sleep")
    widget = ready(bench)
    widget.ui.paintCollapsibleButton.collapsed = False
    widget.ui.paintSegmentationSelector.setCurrentNode(heart(*DEMO))
    paint(widget, "Slice 3 of 12")
    kill(widget.panel._paint._runner.job._process.pid)
    pump(lambda: widget.ui.paintStatusLabel.text == KILLED)
    assert work_folders(bench, "paint") == []
    bench.picture("TopoGANSynth", "engine killed while painting")
    tell(engine, "paint", "")
    paint(widget, "Painted: ")


def test_the_model_is_removed(bench: Bench, model: Path, engine: Engine, answer: Path, tmp_path: Path) -> None:
    """Before the first request, and between two."""
    tell(engine, "serve", f"folder={answer}")
    kept = Path(shutil.copytree(model, tmp_path / "kept"))
    widget = ready(bench)
    ui = widget.ui
    for _ in range(2):
        widget.panel.choose_model(model)
        shutil.rmtree(model)
        ui.generateButton.click()
        assert ui.modelLabel.text == f"There is nothing at {model}: choose the model again."
        assert (ui.generateButton.enabled, ui.reasonLabel.text) == (False, "Choose a model.")
        assert not widget.logic.isRunning
        shutil.copytree(kept, model)
        ui.modelPathLineEdit.currentPath = str(kept)
        ui.statusLabel.text = ""
        generate(widget)
    bench.picture("TopoGANSynth", "after a removed model")


@pytest.mark.parametrize(
    "settings", [{"count": object()}, {"count": float("nan")}, {"betti": {1, 2}}, ["count"], {"a": {"b": {b"c": 1}}}]
)
def test_settings_that_are_nonsense(bench: Bench, model: Path, engine: Engine, answer: Path, settings: Any) -> None:
    import slicer

    tell(engine, "serve", f"folder={answer}")
    logic = slicer.util.getModuleLogic("TopoGANSynth")
    with pytest.raises(ValueError, match="settings are numbers and words by name"):
        logic.synthesize(model, settings)
    assert not logic.isRunning
    if settings == ["count"]:
        assert logic.synthesize(model, {"count": 6}, wait=True).count == 6


@pytest.mark.parametrize("lost", ["report.json", "masks.nrrd", "samples.csv"])
def test_results_that_cannot_be_read(bench: Bench, model: Path, engine: Engine, answer: Path, lost: str) -> None:
    broken = Path(shutil.copytree(answer, answer.with_name("broken")))
    (broken / lost).unlink()
    tell(engine, "serve", f"folder={broken}")
    widget = ready(bench)
    widget.panel.choose_model(model)
    generate(widget, lost)
    assert widget.ui.statusLabel.text.endswith(".")
    assert "Errno" not in widget.ui.statusLabel.text
    tell(engine, "serve", f"folder={answer}")
    generate(widget)


def test_the_disk_of_the_engine_is_full(bench: Bench, model: Path, engine: Engine, answer: Path) -> None:
    said = "The disk of /tmp/x is full: free some space and run it again."
    tell(engine, "serve", f"error={said.replace(' ', '_')}")
    widget = ready(bench)
    widget.panel.choose_model(model)
    generate(widget, said)
    assert widget.ui.generateButton.enabled
    tell(engine, "serve", f"folder={answer}")
    generate(widget)


def test_the_scene_takes_no_samples(
    bench: Bench, model: Path, engine: Engine, answer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from TopoGANLib.scene import build

    def too_much(*args: object) -> None:
        raise MemoryError("Unable to allocate 9.00 GiB")

    tell(engine, "serve", f"folder={answer}")
    widget = ready(bench)
    widget.panel.choose_model(model)
    with monkeypatch.context() as patch:
        patch.setattr(build, "build_scene", too_much)
        generate(widget, "The samples cannot be put into the scene (Unable to allocate 9.00 GiB): close other data")
        assert widget.ui.generateButton.enabled and not widget.ui.progressBar.visible
        with pytest.raises(RuntimeError, match="cannot be put into the scene"):
            widget.logic.synthesize(model, wait=True)
    generate(widget)
