"""The synthesis panel, worked as a user works it, with an engine that answers what it is told to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import lives, tell, wait_until
from synth_bench import choose, generate, ready, writers

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine


@pytest.mark.parametrize("points", [9, 12])
def test_everything_is_unfolded(
    bench: Bench, model_of_several: Path, tmp_path: Path, engine: Engine, points: int
) -> None:
    from bench import font_of

    tell(engine, "serve", f"folder={writers().write_structures(tmp_path / 'structures')}")
    with font_of(points):
        widget = ready(bench)
        widget.panel.choose_model(model_of_several)
        generate(widget, "Finished: In 83 % of 6 samples every structure has a topology")
        for section in ("engine", "samplesAdvanced"):
            getattr(widget.ui, f"{section}CollapsibleButton").collapsed = False
        choose(widget.ui.topologyComboBox, "Of each structure")
        bench.picture("TopoGANSynth", f"everything, {points} points")


def test_samples_come_into_the_scene(bench: Bench, model: Path, answer: Path, engine: Engine) -> None:
    import slicer
    from bench import pump, watched

    widget = ready(bench)
    widget.panel.choose_model(model)
    tell(engine, "serve", "step=3")
    widget.ui.countSpinBox.value = 6
    with watched("synthesis with a quick engine"):
        widget.ui.generateButton.click()
        assert widget.ui.generateButton.text == "Cancel"
        assert not widget.ui.countSpinBox.enabled and not widget.ui.modelPathLineEdit.enabled
        assert widget.ui.samplesCollapsibleButton.enabled, "to be folded"
        bench.picture("TopoGANSynth", "starting")
        pump(lambda: widget.ui.statusLabel.text == "Sample 3 of 6")
        assert (widget.ui.progressBar.value, widget.ui.progressBar.maximum) == (3, 6)
        bench.picture("TopoGANSynth", "running")
        tell(engine, "serve", f"folder={answer}")
        pump(lambda: widget.ui.statusLabel.text == "Finished.")
    nodes = widget.logic.nodes
    assert nodes.segmentation.GetSegmentation().GetNthSegment(0).GetName() == "myocardium"
    assert slicer.util.arrayFromVolume(nodes.image).shape == (6, 64, 64)
    assert widget.ui.sampleSlider.maximum == 5
    assert widget.ui.sampleLabel.text == "✓ 1 piece, 1 hole: valid"
    widget.ui.sampleSlider.value = 4.0
    assert nodes.shown_sample == 4
    assert nodes.barcode.GetTitle() == "Barcode of sample 4 (b0 = 1, b1 = 1)"
    red = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")
    if red is not None:
        assert red.GetSliceOffset() == pytest.approx(nodes.sample_offset(4))
    assert not list(Path(bench.application.application.temporaryPath).glob("TopoGAN/serve-*/results/*/masks.nrrd"))
    bench.picture("TopoGANSynth", "finished")


def test_what_is_asked_for(bench: Bench, model: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from topogan.config import SynthesisSettings, validated
    from TopoGANLib.engine.serve_client import ServeClient

    asked: list[dict[str, Any]] = []

    def ask(client: ServeClient, model: Path, settings: dict[str, Any], reject_copies: Path | None) -> str:
        asked.append(json.loads(json.dumps(settings)))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ServeClient, "ask", ask)
    widget = ready(bench)
    widget.panel.choose_model(model)
    generate(widget, "It cannot start: No space left on device.")
    assert validated(SynthesisSettings, asked[-1]) == SynthesisSettings()
    choose(widget.ui.topologyComboBox, "The most frequent real one")
    assert not widget.ui.topologiesTable.visible
    choose(widget.ui.topologyComboBox, "Of each structure")
    wish, _pieces, holes = (widget.ui.topologiesTable.cellWidget(0, column) for column in (1, 2, 3))
    choose(wish, "Given")
    holes.value = 2
    widget.ui.countSpinBox.value = 7
    widget.ui.seedSpinBox.value = 9
    choose(widget.ui.deviceComboBox, "cpu")
    bench.picture("TopoGANSynth", "given topology")
    widget.ui.samplesAdvancedCollapsibleButton.collapsed = False
    bench.picture("TopoGANSynth", "advanced")
    widget.ui.generateButton.click()
    found = validated(SynthesisSettings, asked[-1])
    assert (found.betti, found.count, found.seed, found.device.value) == ("myocardium=1,2", 7, 9, "cpu")


def test_cancelling(bench: Bench, model: Path) -> None:
    from bench import pump

    widget = ready(bench)
    widget.panel.choose_model(model)
    widget.ui.generateButton.click()
    pump(widget.logic._client.log.exists)
    widget.ui.generateButton.click()
    pump(lambda: widget.ui.statusLabel.text == "Cancelled.")
    assert widget.ui.generateButton.text == "Generate"


def test_failures_are_said_in_the_engines_words(
    bench: Bench, model: Path, engine: Engine, answer: Path, tmp_path: Path
) -> None:
    tell(engine, "serve", "error=No_sample_has_9_holes:_ask_for_fewer.")
    widget = ready(bench)
    widget.panel.choose_model(model)
    generate(widget, "No sample has 9 holes: ask for fewer.")
    bench.picture("TopoGANSynth", "failed")
    (answer / "diagrams.npz").write_bytes(b"nonsense")
    tell(engine, "serve", f"folder={answer}")
    generate(widget, "diagrams.npz")
    widget.ui.modelPathLineEdit.currentPath = str(model.rename(tmp_path / "crash"))
    generate(widget, "ended without a word")
    assert "out of memory" in widget.ui.logTextEdit.plainText


def test_two_syntheses_stand_beside_each_other(bench: Bench, model: Path, answer: Path, engine: Engine) -> None:
    import slicer

    tell(engine, "serve", f"folder={answer}")
    widget = ready(bench)
    widget.panel.choose_model(model)
    for _ in range(2):
        generate(widget)
        widget.ui.statusLabel.text = ""
    box = widget.ui.synthesisComboBox
    assert box.count == 2
    assert box.currentIndex == 1
    assert box.itemText(0) != box.itemText(1)
    widget.ui.sampleSlider.value = 3.0
    box.setCurrentIndex(0)
    assert widget.ui.sampleSlider.value == 0
    box.setCurrentIndex(1)
    assert widget.ui.sampleSlider.value == 3
    widget.logic.nodes.remove()
    widget.ui.showButton.click()
    assert widget.ui.sampleLabel.text == "This synthesis is no longer in the scene."
    assert box.count == 1
    widget.ui.showButton.click()
    chart = slicer.app.applicationLogic().GetSelectionNode().GetActivePlotChartID()
    assert slicer.mrmlScene.GetNodeByID(chart) is not None


def test_a_saved_scene_is_looked_at_again(
    bench: Bench, model: Path, answer: Path, engine: Engine, tmp_path: Path
) -> None:
    import slicer

    from TopoGANLib.headless.application import load_scene, save_scene

    tell(engine, "serve", f"folder={answer}")
    widget = ready(bench)
    widget.panel.choose_model(model)
    generate(widget)
    choose(widget.ui.viewComboBox, "Single sample")
    widget.ui.sampleSlider.value = 2.0
    layout = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    single = layout.GetViewArrangement()
    save_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    slicer.mrmlScene.Clear(False)
    assert not widget.ui.resultCollapsibleButton.visible
    assert layout.GetViewArrangement() != single
    load_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    assert widget.ui.resultCollapsibleButton.visible
    assert widget.ui.sampleSlider.value == 2
    assert (widget.ui.viewComboBox.currentText, layout.GetViewArrangement()) == ("Single sample", single)
    assert str(model).encode() not in (tmp_path / "scene.mrb").read_bytes()


def test_a_panel_that_opens_later_keeps_its_parts_folded(bench: Bench, answer: Path) -> None:
    """The scene holds a synthesis before the panel is there, or its window is."""
    import slicer

    from TopoGANLib.scene.build import build_scene
    from TopoGANLib.scene.synthesis_folder import read_synthesis_folder

    build_scene(slicer.mrmlScene, read_synthesis_folder(answer))
    slicer.util.selectModule("TopoGANSynth")
    ui = slicer.modules.TopoGANSynthWidget.ui
    bench.picture("TopoGANSynth", "folded")
    assert ui.compareCollapsibleButton.visible and ui.compareCollapsibleButton.collapsed
    assert not ui.compareReasonLabel.visible


def test_the_engine_ends_with_the_panel(bench: Bench, model: Path) -> None:
    from bench import pump

    widget = ready(bench)
    widget.panel.choose_model(model)
    widget.ui.generateButton.click()
    pump(widget.logic._client.log.exists)
    pid = widget.logic._client.process.pid
    folder = widget.logic._client.log.parent
    bench.application.close_application()
    wait_until(lambda: not lives(pid))
    assert not folder.exists()


def test_nothing_is_left_behind(bench: Bench, model: Path, answer: Path, engine: Engine) -> None:
    import gc
    import weakref

    import slicer

    tell(engine, "serve", f"folder={answer}")
    gc.collect()
    before = str(slicer.mrmlScene).count("vtkObserver (")
    widget = ready(bench)
    widget.panel.choose_model(model)
    generate(widget)
    gone = [weakref.ref(thing) for thing in (widget, widget.panel, widget.logic)]
    widget = None
    bench.application.close_application()
    bench.modules.clear()
    gc.collect()
    assert [reference() for reference in gone] == [None, None, None]
    assert str(slicer.mrmlScene).count("vtkObserver (") == before


def test_from_python(bench: Bench, model: Path, answer: Path, engine: Engine) -> None:
    """The same from the console, blocking or not."""
    import slicer

    tell(engine, "serve", f"folder={answer}")
    logic = slicer.util.getModuleLogic("TopoGANSynth")
    nodes = logic.synthesize(model, {"count": 6}, wait=True)
    assert nodes.count == 6
    tell(engine, "serve", "error=No.")
    with pytest.raises(RuntimeError, match=r"No\."):
        logic.synthesize(model, wait=True)
    tell(engine, "serve")
    assert logic.synthesize(model) is None
    with pytest.raises(RuntimeError, match="being made already"):
        logic.synthesize(model)
    logic.cancel()
