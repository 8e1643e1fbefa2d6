"""The synthesis panel, worked as a user works it, with an engine that answers what it is told to."""

from __future__ import annotations

import importlib.util
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import lives, tell, wait_until
from volume_writers import TOPOLOGIES, write_volumes

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine

_WRITERS = Path(__file__).resolve().parents[1] / "mrml" / "conftest.py"


def writers() -> Any:
    """The module that writes synthesis folders."""
    spec = importlib.util.spec_from_file_location("synthesis_writers", _WRITERS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def answer(tmp_path: Path) -> Path:
    """A synthesis folder of six rings."""
    return writers().write_synthesis(tmp_path / "answer")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """As much of a model package as the panel reads."""
    folder = tmp_path / "model"
    (folder / "configs").mkdir(parents=True)
    content = {
        "schema": "topogan.model/1",
        "structure": "myocardium",
        "size": 64,
        "pixel_size_mm": 1.85,
        "betti": {"modal": [1, 1]},
        "network_data_format": {"outputs": {"mask": {}, "image": {}}},
        "training_set": {"independent": False},
    }
    (folder / "configs" / "metadata.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def model_of_several(model: Path) -> Path:
    """The same for a model of two structures and their union."""
    path = model / "configs" / "metadata.json"
    content = json.loads(path.read_text())
    del content["structure"]
    structures = [{"name": "cavity", "labels": [1]}, {"name": "myocardium", "labels": [2]}]
    content |= {
        "schema": "topogan.model/2",
        "table": {"structures": structures, "unions": [["cavity", "myocardium"]]},
        "betti": {"modal": [[1, 0], [1, 1], [1, 0]]},
    }
    path.write_text(json.dumps(content))
    return model


def ready(bench: Bench) -> Any:
    from bench import pump

    widget = bench.open("TopoGANSynth")
    pump(lambda: "Ready" in widget.ui.engineStatusLabel.text)
    return widget


def choose(box: Any, text: str) -> None:
    index = box.findText(text)
    assert index >= 0, [box.itemText(i) for i in range(box.count)]
    box.setCurrentIndex(index)


def generate(widget: Any, until: str = "Finished.") -> None:
    from bench import pump

    widget.ui.generateButton.click()
    pump(lambda: until in widget.ui.statusLabel.text)


def test_a_model_comes_with_the_panel(bench: Bench) -> None:
    widget = ready(bench)
    assert widget.ui.generateButton.enabled
    assert widget.ui.modelLabel.text.startswith("lv_cavity, myocardium, 64 × 64 pixels of 1.64 mm, with CT texture\n")
    assert "simulated hearts, no patients" in widget.ui.modelLabel.text
    bench.picture("TopoGANSynth", "first opening")


def test_a_model_is_needed(bench: Bench, model: Path, tmp_path: Path) -> None:
    widget = ready(bench)
    widget.ui.modelPathLineEdit.currentPath = ""
    assert widget.ui.reasonLabel.text == "Choose a model."
    assert not widget.ui.generateButton.enabled
    bench.picture("TopoGANSynth", "empty")
    widget.ui.modelPathLineEdit.currentPath = str(tmp_path)
    assert widget.ui.modelLabel.text == "This is no model package: choose its folder, or its .zip."
    widget.ui.modelPathLineEdit.currentPath = str(model)
    assert widget.ui.modelLabel.text.startswith("myocardium, 64 × 64 pixels of 1.85 mm, with CT texture\n")
    assert "pieces 1, holes 1" in widget.ui.modelLabel.text
    assert "not independent" in widget.ui.modelLabel.text
    assert widget.ui.generateButton.enabled
    bench.picture("TopoGANSynth", "ready")


def test_an_emptied_model_is_none(bench: Bench, model: Path) -> None:
    widget = ready(bench)
    widget.ui.modelPathLineEdit.currentPath = str(model)
    assert widget.ui.generateButton.enabled
    widget.ui.modelPathLineEdit.currentPath = ""
    assert not widget.ui.generateButton.enabled
    assert widget.ui.reasonLabel.text == "Choose a model."
    assert widget.ui.modelLabel.text == ""


def test_a_model_is_a_file_or_a_folder(bench: Bench, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import qt
    from bench import menu_of

    asked: list[str] = []

    def choose_file(parent: Any, caption: str, directory: str, filter: str) -> str:
        asked.append(filter)
        return "/model.zip"

    monkeypatch.setattr(qt.QFileDialog, "getExistingDirectory", lambda *arguments: str(model))
    monkeypatch.setattr(qt.QFileDialog, "getOpenFileName", choose_file)
    widget = ready(bench)
    menu = menu_of(widget.ui.modelPathLineEdit)
    menu["Folder…"].trigger()
    assert widget.ui.generateButton.enabled
    menu["File…"].trigger()
    assert widget.ui.modelPathLineEdit.currentPath == "/model.zip"
    assert asked == ["Model packages (*.zip)"]


def test_models_that_were_used_are_offered_again(
    bench: Bench, model: Path, answer: Path, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from bench import Bench

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    tell(engine, "serve", f"folder={answer}")
    other = Path(shutil.copytree(model, tmp_path / "other"))
    widget = ready(bench)
    widget.panel.choose_model(model)
    widget.panel.choose_model(tmp_path)
    widget.ui.modelPathLineEdit.currentPath = "~/other"
    generate(widget)
    bench.application.close_application()
    widget = Bench(bench.application).open("TopoGANSynth")
    box = widget.ui.modelPathLineEdit.comboBox()
    assert [box.itemText(row) for row in range(box.count)] == ["~/other", str(model)]
    assert widget.ui.modelPathLineEdit.currentPath == str(other)


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
        choose(widget.ui.topologyComboBox, "Given pieces and holes")
        bench.picture("TopoGANSynth", f"everything, {points} points")


def test_a_zipped_model(bench: Bench, model: Path, tmp_path: Path) -> None:
    from TopoGANSynthLib.model_card import read_model_card

    for prefix in ("", "model/"):
        path = tmp_path / "model.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(model / "configs" / "metadata.json", f"{prefix}configs/metadata.json")
        assert read_model_card(path) == read_model_card(model)
    (tmp_path / "broken.zip").write_bytes(b"PK nonsense")
    assert read_model_card(tmp_path / "broken.zip") is None
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.txt", "x")
    assert read_model_card(path) is None


@pytest.mark.parametrize(
    "content", ['{"schema": "topogan.model/2"}', '{"schema": "topogan.model/1"}', "[1]", "{", '"x"', "[" * 100000]
)
def test_metadata_that_cannot_be_read(bench: Bench, model: Path, content: str) -> None:
    from TopoGANSynthLib.model_card import read_model_card

    (model / "configs" / "metadata.json").write_text(content)
    assert read_model_card(model) is None


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
        assert not widget.ui.samplesCollapsibleButton.enabled
        bench.picture("TopoGANSynth", "starting")
        pump(lambda: widget.ui.statusLabel.text == "Sample 3 of 6")
        assert widget.ui.progressBar.value == 500
        bench.picture("TopoGANSynth", "running")
        tell(engine, "serve", f"folder={answer}")
        pump(lambda: widget.ui.statusLabel.text == "Finished.")
    nodes = widget.logic.nodes
    assert nodes.segmentation.GetSegmentation().GetNthSegment(0).GetName() == "myocardium"
    assert slicer.util.arrayFromVolume(nodes.image).shape == (6, 64, 64)
    assert widget.ui.sampleSlider.maximum == 5
    assert widget.ui.sampleLabel.text == "sample 0 (b0 = 1, b1 = 1)"
    widget.ui.sampleSlider.value = 4.0
    assert widget.ui.sampleLabel.text == "sample 4 (b0 = 1, b1 = 1)"
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

    def ask(client: ServeClient, model: Path, settings: dict[str, Any]) -> str:
        asked.append(json.loads(json.dumps(settings)))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ServeClient, "ask", ask)
    widget = ready(bench)
    widget.panel.choose_model(model)
    generate(widget, "It cannot start: No space left on device.")
    assert validated(SynthesisSettings, asked[-1]) == SynthesisSettings()
    choose(widget.ui.topologyComboBox, "The most frequent real one")
    assert not widget.ui.givenTopology.visible
    choose(widget.ui.topologyComboBox, "Given pieces and holes")
    assert widget.ui.givenTopology.visible
    widget.ui.holesSpinBox.value = 2
    widget.ui.countSpinBox.value = 7
    widget.ui.seedSpinBox.value = 9
    choose(widget.ui.deviceComboBox, "cpu")
    bench.picture("TopoGANSynth", "given topology")
    widget.ui.samplesAdvancedCollapsibleButton.collapsed = False
    bench.picture("TopoGANSynth", "advanced")
    widget.ui.generateButton.click()
    found = validated(SynthesisSettings, asked[-1])
    assert (found.betti, found.count, found.seed, found.device.value) == ("1,2", 7, 9, "cpu")


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
    widget.ui.sampleSlider.value = 2.0
    save_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    slicer.mrmlScene.Clear(False)
    assert not widget.ui.resultCollapsibleButton.visible
    load_scene(slicer.mrmlScene, tmp_path / "scene.mrb")
    assert widget.ui.resultCollapsibleButton.visible
    assert widget.ui.sampleSlider.value == 2
    assert str(model).encode() not in (tmp_path / "scene.mrb").read_bytes()


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
    assert lines[:2] == ["cavity (1, 0): valid", "myocardium (1, 0): no hole"]
    choose(ui.regionComboBox, "myocardium")
    assert nodes.barcode.GetTitle() == "Barcode of sample 2, myocardium (b0 = 1, b1 = 0)"
    ui.sampleSlider.value = 3.0
    assert nodes.barcode.GetTitle() == "Barcode of sample 3, myocardium (b0 = 1, b1 = 1)"
    bench.picture("TopoGANSynth", "finished with several structures")
    tell(engine, "serve", f"folder={writers().write_synthesis(tmp_path / 'one')}")
    ui.statusLabel.text = ""
    generate(widget)
    assert not ui.regionComboBox.visible
    assert ui.sampleLabel.text == "sample 0 (b0 = 1, b1 = 1)"
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


@pytest.fixture
def model_of_volumes(model: Path) -> Path:
    """The same for a model of volumes of two structures."""
    path = model / "configs" / "metadata.json"
    content = json.loads(path.read_text())
    del content["structure"]
    structures = [{"name": "lv_cavity", "labels": [1]}, {"name": "myocardium", "labels": [2]}]
    content |= {"schema": "topogan.model/2", "axes": 3, "size": 32, "table": {"structures": structures, "unions": []}}
    content["betti"] = {"modal": [[1, 0, 0], [1, 0, 0]]}
    path.write_text(json.dumps(content))
    return model


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
    assert cavity.startswith("lv_cavity (1, 0, 0), ") and cavity.endswith(" ml: valid")
    assert myocardium.startswith("myocardium (2, 0, 0), ") and myocardium.endswith(f" ml: {TOPOLOGIES[2][3]}")
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
