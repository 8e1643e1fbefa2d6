"""The choice of a model in the synthesis panel, and what is said of it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell
from synth_bench import generate, ready

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine


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
