"""Several structures, and volumes, in the synthesis panel: each has a topology of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell
from synth_bench import choose, generate, ready, writers
from volume_writers import TOPOLOGIES, write_volumes

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine


def test_several_structures_are_shown_one_by_one(
    bench: Bench, model_of_several: Path, tmp_path: Path, engine: Engine
) -> None:
    tell(engine, "serve", f"folder={writers().write_structures(tmp_path / 'structures')}")
    widget = ready(bench)
    widget.panel.choose_model(model_of_several)
    assert widget.ui.modelLabel.text.startswith("cavity, myocardium, 64 × 64 pixels of 1.85 mm, with CT texture\n")
    example = "cavity=1,0; myocardium=1,1; cavity + myocardium=1,0"
    assert f"Most frequent pieces, holes: {example}\n" in widget.ui.modelLabel.text
    generate(widget, "Finished: In 83 % of 6 samples every structure has a topology")
    ui, nodes = widget.ui, widget.logic.nodes
    assert [ui.regionComboBox.itemText(n) for n in range(3)] == ["cavity", "myocardium", "cavity + myocardium"]
    assert ui.regionComboBox.visible
    ui.sampleSlider.value = 2.0
    lines = ui.sampleLabel.text.splitlines()
    assert lines == [
        "✓ cavity – 1 piece, no hole: as in 98 % of real slices",
        "✗ myocardium – open ring: as in no real slice",
        "✓ cavity + myocardium – 1 piece, no hole: as in 9 % of real slices",
    ]
    choose(ui.regionComboBox, "myocardium")
    assert nodes.barcode.GetTitle() == "Barcode of sample 2, myocardium (b0 = 1, b1 = 0)"
    ui.sampleSlider.value = 3.0
    assert nodes.barcode.GetTitle() == "Barcode of sample 3, myocardium (b0 = 1, b1 = 1)"
    bench.picture("TopoGANSynth", "finished with several structures")
    tell(engine, "serve", f"folder={writers().write_synthesis(tmp_path / 'one')}")
    ui.statusLabel.text = ""
    generate(widget)
    assert not ui.regionComboBox.visible
    assert ui.sampleLabel.text == "✓ 1 piece, 1 hole: valid"
    ui.synthesisComboBox.setCurrentIndex(0)
    assert ui.regionComboBox.currentText == "myocardium", "as it was left"
    assert ui.sampleSlider.value == 3


def test_topologies_of_several_structures_are_asked_for(
    bench: Bench, model_of_several: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from topogan.config import SynthesisSettings, validated
    from TopoGANLib.engine.serve_client import ServeClient

    asked: list[str] = []

    def ask(client: ServeClient, model: Path, settings: dict[str, Any]) -> str:
        asked.append(validated(SynthesisSettings, dict(settings)).betti)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ServeClient, "ask", ask)
    widget = ready(bench)
    widget.panel.choose_model(model_of_several)
    choose(widget.ui.topologyComboBox, "As real samples show")
    generate(widget, "It cannot start")
    choose(widget.ui.topologyComboBox, "Given pieces and holes")
    assert widget.ui.givenTopologies.visible
    assert not widget.ui.givenTopology.visible
    example = "cavity=1,0; myocardium=1,1; cavity + myocardium=1,0"
    assert widget.ui.topologiesLineEdit.placeholderText == example
    assert widget.ui.reasonLabel.text == f"Say which topology, such as {example}."
    assert not widget.ui.generateButton.enabled
    widget.ui.topologiesLineEdit.text = "aorta=1,1"
    assert widget.ui.reasonLabel.text == "'aorta' is none of cavity, myocardium, cavity + myocardium."
    bench.picture("TopoGANSynth", "wrong topologies")
    widget.ui.topologiesLineEdit.text = "cavity=1"
    assert widget.ui.reasonLabel.text == "Write pieces and holes of cavity as 1,0."
    widget.ui.topologiesLineEdit.text = " myocardium = 1, 1; cavity + myocardium=1,0;"
    assert not widget.ui.reasonLabel.text
    bench.picture("TopoGANSynth", "given topologies")
    widget.ui.generateButton.click()
    assert asked == ["real", "myocardium=1,1;cavity + myocardium=1,0"]


def test_volumes_are_shown_one_by_one(bench: Bench, model_of_volumes: Path, tmp_path: Path, engine: Engine) -> None:
    import slicer

    tell(engine, "serve", f"folder={write_volumes(tmp_path / 'volumes')}")
    widget = ready(bench)
    ui = widget.ui
    widget.panel.choose_model(model_of_volumes)
    assert ui.modelLabel.text.splitlines()[:2] == [
        "lv_cavity, myocardium, 32 × 32 × 32 voxels of 1.85 mm, with CT texture",
        "Most frequent pieces, tunnels, cavities: lv_cavity=1,0,0; myocardium=1,0,0",
    ]
    generate(widget, "Finished: In 40 % of 5 samples")
    nodes = widget.logic.nodes
    assert ui.sampleSlider.maximum == 4
    ui.sampleSlider.value = 2.0
    assert nodes.browser.GetSelectedItemNumber() == 2, "the slider is the browser"
    cavity, myocardium = ui.sampleLabel.text.splitlines()
    assert cavity.startswith("✓ lv_cavity – 1 piece, no tunnel, no cavity, ") and cavity.endswith(" ml: valid")
    assert myocardium.startswith("✗ myocardium – 2 pieces, no tunnel, no cavity, ")
    assert myocardium.endswith(f" ml: {TOPOLOGIES[2][3]}")
    assert nodes.segmentation.GetSegmentation().GetNthSegment(1).GetRepresentation("Closed surface") is not None
    choose(ui.regionComboBox, "myocardium")
    nodes.browser.SetSelectedItemNumber(3)  # as Slicer's own controls do
    assert ui.sampleSlider.value == 3
    assert nodes.barcode.GetTitle() == "Barcode of sample 3, myocardium (b0 = 1, b1 = 0, b2 = 1)"
    nodes.show_sample(1)
    assert ui.sampleSlider.value == 1
    assert ui.sampleLabel.text.splitlines()[1].endswith(TOPOLOGIES[1][3])
    bench.picture("TopoGANSynth", "finished with volumes")
    nodes.remove()
    widget.panel.enter()
    assert not ui.resultCollapsibleButton.visible
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSequenceNode") == 0


def test_topology_of_volumes_is_asked_for(
    bench: Bench, model_of_volumes: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from TopoGANLib.engine.serve_client import ServeClient

    asked: list[dict[str, Any]] = []

    def ask(client: ServeClient, model: Path, settings: dict[str, Any]) -> str:
        asked.append(settings)
        return original(client, model, settings)

    original = ServeClient.ask
    monkeypatch.setattr(ServeClient, "ask", ask)
    tell(engine, "serve", "error=No.")
    widget = ready(bench)
    ui = widget.ui
    widget.panel.choose_model(model_of_volumes)
    choose(ui.topologyComboBox, "Given pieces and holes")
    ui.topologiesLineEdit.text = "myocardium=1,0"
    assert ui.reasonLabel.text == "Write pieces, tunnels and cavities of myocardium as 1,0,0."
    ui.topologiesLineEdit.text = "myocardium=1,0,1"
    generate(widget, "No.")
    assert asked[-1]["betti"] == "myocardium=1,0,1"
    path = model_of_volumes / "configs" / "metadata.json"
    content = json.loads(path.read_text())
    content["table"]["structures"].pop()
    content["betti"]["modal"].pop()
    path.write_text(json.dumps(content))
    widget.panel.choose_model(model_of_volumes.parent)
    widget.panel.choose_model(model_of_volumes)
    assert ui.modelLabel.text.splitlines()[1] == "Most frequent real topology: pieces 1, tunnels 0, cavities 0"
    assert ui.holesSpinBoxLabel.text == "Tunnels:" and ui.cavitiesSpinBox.visible
    ui.cavitiesSpinBox.value = 1
    generate(widget, "No.")
    assert asked[-1]["betti"] == "1,0,1"
