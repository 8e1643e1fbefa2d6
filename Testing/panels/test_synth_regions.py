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
    assert widget.ui.modelLabel.text.startswith("cavity, myocardium: 64 × 64 pixels of 1.85 mm, 118 mm wide, with CT")
    assert widget.ui.modelTable.item(1, 0).toolTip() == "myocardium. Most frequent: pieces 1, holes 1."
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

    def ask(client: ServeClient, model: Path, settings: dict[str, Any], reject_copies: Path | None) -> str:
        asked.append(validated(SynthesisSettings, dict(settings)).betti)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ServeClient, "ask", ask)
    widget = ready(bench)
    widget.panel.choose_model(model_of_several)
    choose(widget.ui.topologyComboBox, "As real samples show")
    generate(widget, "It cannot start")
    assert not widget.ui.topologiesTable.visible
    choose(widget.ui.topologyComboBox, "Of each structure")
    assert widget.ui.topologiesTable.visible
    assert [widget.ui.topologiesTable.item(row, 0).text() for row in range(3)] == list(REGIONS)
    widget.ui.generateButton.click()
    wish, pieces, holes = row_of(widget, 1)
    assert (pieces.value, holes.value, pieces.enabled) == (1, 1, False), "what is usual is at hand"
    choose(wish, "Given")
    assert pieces.enabled
    holes.value = 2
    choose(row_of(widget, 0)[0], "As real")
    choose(row_of(widget, 2)[0], "Usual")
    bench.picture("TopoGANSynth", "topology of each structure")
    widget.ui.generateButton.click()
    assert widget.logic.getParameterNode().topologies == "cavity=real; myocardium=1,2; cavity + myocardium=modal"
    choose(wish, "Any")
    widget.ui.generateButton.click()
    assert asked == [
        "real",
        "any",
        "cavity=real;myocardium=1,2;cavity + myocardium=modal",
        "cavity=real;cavity + myocardium=modal",
    ]


def test_large_letters_are_read_whole(bench: Bench, model_of_several: Path) -> None:
    from bench import font_of, settle
    from PySide6 import QtCore, QtGui, QtWidgets

    with font_of(12):
        widget = ready(bench)
        widget.panel.choose_model(model_of_several)
        choose(widget.ui.topologyComboBox, "Of each structure")
        bench.picture("TopoGANSynth", "topology of each structure in large letters")
        settle()
        table = widget.ui.topologiesTable
        option = QtWidgets.QStyleOptionViewItem()
        option.initFrom(table)
        icon, margin = 22, 2 * (1 + table.style().pixelMetric(QtWidgets.QStyle.PixelMetric.PM_FocusFrameHMargin))
        for row in range(3):
            room = QtCore.QRect(0, 0, table.columnWidth(0) - icon - margin, table.rowHeight(row))
            text = QtGui.QFontMetrics(option.font).boundingRect(
                room, QtCore.Qt.TextFlag.TextWordWrap, table.item(row, 0).text()
            )
            assert room.width() >= text.width() and room.height() >= text.height(), table.item(row, 0).text()
        assert table.verticalScrollBar().maximum() == 0, "all rows are in sight"


def test_what_was_asked_comes_with_the_scene(bench: Bench, model_of_several: Path) -> None:
    """Also where the scene names structures that the model has not, or numbers that are none."""
    from TopoGANSynthLib.model.topology_form import Topology

    widget = ready(bench)
    widget.panel.choose_model(model_of_several)
    parameters = widget.logic.getParameterNode()
    parameters.topology = Topology.given
    parameters.topologies = "aorta=1,0; myocardium = 3, 1; cavity=1; cavity + myocardium=x"
    wish, pieces, holes = row_of(widget, 1)
    assert (wish.currentText, pieces.value, holes.value) == ("Given", 3, 1)
    assert [row_of(widget, row)[0].currentText for row in (0, 2)] == ["Any", "Any"]
    assert widget.panel._topology.betti == "myocardium=3,1"
    rename(model_of_several, names := ("left ventricular myocardium with papillary muscles", "a long name" * 5))
    assert widget.panel._model.read()
    widget.panel.refresh()
    parameters.topologies = " + ".join(names) + "=1,0"
    assert widget.panel._topology.betti == parameters.topologies, "asked for by its whole name"
    table = widget.ui.topologiesTable
    assert table.item(2, 0).text() == widget.ui.modelTable.item(2, 0).text() == " + ".join(names)[:79] + "…"


def rename(model: Path, names: tuple[str, ...]) -> None:
    """Let a model's structures have other names."""
    file = model / "configs" / "metadata.json"
    content = json.loads(file.read_text())
    for structure, name in zip(content["table"]["structures"], names, strict=True):
        structure["name"] = name
    content["table"]["unions"] = [names]
    file.write_text(json.dumps(content))


REGIONS = ("cavity", "myocardium", "cavity + myocardium")


def row_of(widget: Any, row: int) -> list[Any]:
    """The box and the numbers of a structure."""
    table = widget.ui.topologiesTable
    return [table.cellWidget(row, column) for column in range(1, table.columnCount)]


def test_volumes_are_shown_one_by_one(bench: Bench, model_of_volumes: Path, tmp_path: Path, engine: Engine) -> None:
    import slicer

    tell(engine, "serve", f"folder={write_volumes(tmp_path / 'volumes')}")
    widget = ready(bench)
    ui = widget.ui
    widget.panel.choose_model(model_of_volumes)
    said = "lv_cavity, myocardium: 32 × 32 × 32 voxels of 1.85 mm, 59 mm wide, with CT texture."
    assert ui.modelLabel.text.splitlines()[0] == said
    tip = "lv_cavity. Most frequent: pieces 1, tunnels 0, cavities 0."
    assert ui.modelTable.item(0, 0).toolTip() == tip
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

    def ask(client: ServeClient, model: Path, settings: dict[str, Any], reject_copies: Path | None) -> str:
        asked.append(settings)
        return original(client, model, settings)

    original = ServeClient.ask
    monkeypatch.setattr(ServeClient, "ask", ask)
    tell(engine, "serve", "error=No.")
    widget = ready(bench)
    ui = widget.ui
    widget.panel.choose_model(model_of_volumes)
    choose(ui.topologyComboBox, "Of each structure")
    wish, *numbers = row_of(widget, 1)
    assert len(numbers) == 3
    choose(wish, "Given")
    numbers[2].value = 1
    bench.picture("TopoGANSynth", "topology of volumes")
    generate(widget, "No.")
    assert asked[-1]["betti"] == "myocardium=1,0,1"
