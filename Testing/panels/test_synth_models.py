"""The choice of a model in the synthesis panel, and what is said of it."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell
from synth_bench import generate, ready

if TYPE_CHECKING:
    from bench import Bench
    from standin import StandIn

    from TopoGANLib.engine.process import Engine


def test_a_model_comes_with_the_panel(bench: Bench) -> None:
    import qt
    from bench import font_of

    widget = ready(bench)
    assert widget.ui.generateButton.enabled
    assert widget.ui.modelLabel.text.splitlines() == [
        "lv_cavity, myocardium: 64 × 64 pixels of 1.66 mm, 106 mm wide, with CT texture.",
        "8 patients: 1030 slices for training, 224 for validation, 398 for the test.",
        "The demo model: it has learned simulated hearts, no patients.",
    ]
    table = widget.ui.modelTable
    rows = [[table.item(row, column).text() for column in range(5)] for row in range(table.rowCount)]
    assert [row[0] for row in rows] == ["lv_cavity", "myocardium", "lv_cavity + myocardium"]
    assert all(re.fullmatch(r"\d+ % \d+ % [01]\.\d\d [01]\.\d\d", " ".join(row[1:])) for row in rows)
    assert table.item(0, 0).data(qt.Qt.DecorationRole) == qt.QColor("#e69f00")
    assert table.item(1, 0).toolTip() == "myocardium. Most frequent: pieces 1, holes 1."
    said = "300 raw samples beside 224 real slices (validation).\nDice with the nearest training sample: 0."
    assert widget.ui.modelLimitsLabel.text.startswith(said)
    bench.picture("TopoGANSynth", "first opening")
    low, height = table.rowHeight(0), table.height
    with font_of(12):
        bench.picture("TopoGANSynth", "first opening, 12 points")
        assert table.rowHeight(0) > low and table.height > height, "the letters have grown"


def test_a_model_is_needed(bench: Bench, model: Path, tmp_path: Path) -> None:
    widget = ready(bench)
    widget.ui.modelPathLineEdit.currentPath = ""
    assert widget.ui.reasonLabel.text == "Choose a model."
    assert not widget.ui.generateButton.enabled
    bench.picture("TopoGANSynth", "empty")
    widget.ui.modelPathLineEdit.currentPath = str(tmp_path / "results")
    assert widget.ui.modelLabel.text == f"There is nothing at {tmp_path / 'results'}: choose the model again."
    (tmp_path / "results").mkdir()
    widget.ui.modelPathLineEdit.currentPath = ""
    widget.ui.modelPathLineEdit.currentPath = str(tmp_path / "results")
    assert widget.ui.modelLabel.text == "This is no model package: choose its folder, or its .zip."
    widget.ui.modelPathLineEdit.currentPath = str(model)
    assert widget.ui.modelLabel.text.startswith("myocardium: 64 × 64 pixels of 1.85 mm, 118 mm wide, with CT texture.")
    assert widget.ui.modelLimitsLabel.text.splitlines()[:2] == [
        "How good its samples are was not measured.",
        "Trained and evaluated on the same patient: its figures are not independent.",
    ]
    assert widget.ui.modelTable.isColumnHidden(1)
    assert widget.ui.generateButton.enabled
    bench.picture("TopoGANSynth", "ready")


def test_one_is_not_said_in_the_plural(application: StandIn) -> None:
    from TopoGANSynthLib.model import card_words
    from TopoGANSynthLib.model.model_card import read_model_card
    from TopoGANSynthLib.model.model_form import DEMO_MODEL

    card = read_model_card(DEMO_MODEL)
    assert card.figures is not None
    few = replace(card, patients=1, parts=(1, 1, 2), figures=replace(card.figures, samples=1, held_out=1))
    said = card_words.facts(few, simulated=False).splitlines()[1]
    assert said == "1 patient: 1 slice for training, 1 for validation, 2 for the test."
    assert card_words.limits(few).startswith("1 raw sample beside 1 real slice (validation).\n")


def test_a_run_is_chosen_in_place_of_its_model(bench: Bench, model: Path) -> None:
    widget = ready(bench)
    widget.ui.modelPathLineEdit.currentPath = str(model.parent)
    assert widget.ui.generateButton.enabled
    assert widget.panel._model.path == model


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
    widget.panel.choose_model(answer)
    widget.ui.modelPathLineEdit.currentPath = "~/other"
    generate(widget)
    widget.ui.modelPathLineEdit.currentPath = str(model)
    assert not widget.ui.statusLabel.visible, "it was of the other model"
    widget.ui.modelPathLineEdit.currentPath = "~/other"
    bench.application.close_application()
    widget = Bench(bench.application).open("TopoGANSynth")
    box = widget.ui.modelPathLineEdit.comboBox()
    assert [box.itemText(row) for row in range(box.count)] == ["~/other", str(model)]
    assert widget.ui.modelPathLineEdit.currentPath == str(other)


def test_a_zipped_model(bench: Bench, model: Path, tmp_path: Path) -> None:
    from TopoGANSynthLib.model.model_card import ModelRefused, read_model_card

    for prefix in ("", "model/"):
        path = tmp_path / "model.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(model / "configs" / "metadata.json", f"{prefix}configs/metadata.json")
        assert read_model_card(path) == read_model_card(model)
    (tmp_path / "broken.zip").write_bytes(b"PK nonsense")
    for damaged in (tmp_path / "broken.zip", cut(path)):
        with pytest.raises(ModelRefused, match="This model is damaged: copy it again"):
            read_model_card(damaged)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other.txt", "x")
    with pytest.raises(ModelRefused, match="This is no model package"):
        read_model_card(path)


def cut(path: Path) -> Path:
    """The same with a byte of its content changed, which its checksum tells."""
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    return path


DAMAGED = "The model's description (configs/metadata.json) is damaged: ask whoever made it for a whole one."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"schema": "topogan.model/2"}', DAMAGED),
        ('{"schema": "topogan.model/1"}', DAMAGED),
        (
            '{"schema": "topogan.model/3"}',
            "This model was made by a newer TopoGAN (topogan.model/3): update the extension.",
        ),
        ('{"schema": "topogan.run/1"}', "This is no model package: choose its folder, or its .zip."),
        ("[1]", "This is no model package: choose its folder, or its .zip."),
        ("{", "This model is damaged: copy it again, or ask whoever made it for a whole one."),
        ("[" * 100000, "This model is damaged: copy it again, or ask whoever made it for a whole one."),
    ],
)
def test_metadata_that_cannot_be_read(bench: Bench, model: Path, content: str, said: str) -> None:
    from TopoGANSynthLib.model.model_card import ModelRefused, read_model_card

    (model / "configs" / "metadata.json").write_text(content)
    with pytest.raises(ModelRefused) as refusal:
        read_model_card(model)
    assert str(refusal.value) == said


@pytest.mark.parametrize("change", [{"figures": "good"}, {"figures": {"regions": []}}, {"files": [1]}, {"window": [1]}])
def test_entries_of_strangers(bench: Bench, model: Path, change: dict[str, Any]) -> None:
    from TopoGANSynthLib.model.model_card import ModelRefused, read_model_card

    path = model / "configs" / "metadata.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelRefused, match="is damaged"):
        read_model_card(model)


def test_a_file_that_was_changed_is_named(bench: Bench, model: Path) -> None:
    """The hashes are compared in the background; the card is there at once."""
    from bench import pump

    path = model / "configs" / "metadata.json"
    (model / "weights").write_bytes(b"as they were")
    right = {"weights": hashlib.sha256(b"as they were").hexdigest()}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"files": right}))
    widget = ready(bench)
    widget.panel.choose_model(model)
    form = widget.panel._model
    pump(lambda: form._check is None)
    assert widget.ui.generateButton.enabled
    (model / "weights").write_bytes(b"as they are not")
    widget.panel.choose_model(model.parent)
    assert widget.ui.generateButton.enabled
    pump(lambda: form._check is None)
    said = "weights of this model is missing, damaged or changed: ask whoever made it for a whole one."
    assert widget.ui.modelLabel.text == said
    assert not widget.ui.generateButton.enabled
    assert not widget.ui.modelTable.visible
    bench.picture("TopoGANSynth", "model refused")
