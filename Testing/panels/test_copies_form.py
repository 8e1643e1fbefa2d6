"""Possible copies of the training set are left out, by clicks, with an engine that tells what it was asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell
from synth_bench import generate, ready, writers
from volume_writers import write_volumes

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANLib.engine.process import Engine

OWN, OTHER = "a" * 64, "b" * 64
SAID = "2 possible copies of training masks were left out, and drawn again. The bar is that of 20 validation masks."


def write_set(folder: Path, content_hash: str) -> Path:
    folder.mkdir(parents=True)
    described = {"schema": "topogan.training-set/3", "content_hash": content_hash}
    (folder / "dataset.json").write_text(json.dumps(described))
    return folder


def trained(model: Path, run: Path) -> Path:
    """The model as a run has left it, which knows what it was trained on."""
    path = model / "configs" / "metadata.json"
    content = json.loads(path.read_text())
    content["training_set"]["content_hash"] = OWN
    path.write_text(json.dumps(content))
    run.mkdir(parents=True)
    return model.rename(run / "model")


def served(engine: Engine) -> dict[str, Any]:
    return json.loads((engine.parent / "topogan" / "served.json").read_text())


def answer_of(folder: Path) -> Path:
    """A synthesis whose summary says what was left out."""
    report = json.loads((folder / "report.json").read_text())
    (folder / "report.json").write_text(json.dumps({**report, "summary": SAID}))
    return folder


def test_copies_are_left_out(bench: Bench, model: Path, engine: Engine, tmp_path: Path) -> None:
    from bench import font_of

    own = write_set(tmp_path / "results" / "one" / "training-set", OWN)
    other = write_set(tmp_path / "other", OTHER)
    tell(engine, "serve", f"folder={answer_of(writers().write_synthesis(tmp_path / 'answer'))}")
    with font_of(12):
        widget = ready(bench)
        ui, line = widget.ui, widget.ui.copiesSetPathLineEdit
        widget.panel.choose_model(trained(model, own.parent / "run"))
        assert not line.visible
        generate(widget, "Finished: ")
        ui.statusLabel.text = ""
        assert "reject_copies" not in served(engine)
        ui.copiesCheckBox.click()
        assert (line.visible, line.currentPath, ui.generateButton.enabled) == (True, str(own), True)
        generate(widget, f"Finished: {SAID}")
        assert served(engine)["reject_copies"] == str(own)
        bench.picture("TopoGANSynth", "copies left out")
        for place, said in (
            ("", "Choose the training set of this model, or let possible copies stay."),
            (tmp_path, "There is no training set in the chosen folder: choose one that holds dataset.json."),
            (other, "This model has learned from another training set: choose that one, or let possible copies stay."),
        ):
            line.currentPath = str(place)
            assert (ui.reasonLabel.text, ui.generateButton.enabled) == (said, False)
        bench.picture("TopoGANSynth", "copies of another set")
    ui.copiesCheckBox.click()
    assert ui.generateButton.enabled


def test_of_volumes_and_with_the_scene(bench: Bench, model_of_volumes: Path, engine: Engine, tmp_path: Path) -> None:
    import slicer

    own = write_set(tmp_path / "results" / "one" / "training-set", OWN)
    tell(engine, "serve", f"folder={answer_of(write_volumes(tmp_path / 'answer'))}")
    widget = ready(bench)
    widget.panel.choose_model(trained(model_of_volumes, own.parent / "run"))
    widget.ui.copiesCheckBox.click()
    generate(widget, f"Finished: {SAID}")
    assert served(engine)["reject_copies"] == str(own)
    node = widget.logic.getParameterNode().parameterNode
    assert node.GetParameter("leaveCopiesOut") == "True"
    assert str(tmp_path) not in "".join(node.GetParameter(name) for name in node.GetParameterNames())
    (own / "dataset.json").unlink()
    widget.ui.generateButton.click()
    assert widget.ui.reasonLabel.text.startswith("There is no training set in the chosen folder")
    slicer.mrmlScene.Clear()
    assert not widget.ui.copiesCheckBox.checked
    assert not widget.ui.copiesSetPathLineEdit.visible


def test_a_training_set_that_is_known(
    bench: Bench, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the run found it, or, of a model that was given away, as it was named last."""
    from topogan_contract import schemas
    from topogan_contract.results import known_run
    from TopoGANLib.forms import user_settings

    for variable in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "user"))
    run, line = tmp_path / "run", ready(bench).ui.copiesSetPathLineEdit
    elsewhere, named = write_set(tmp_path / "elsewhere", OWN), write_set(tmp_path / "named", OWN)
    package, widget = trained(model, run), bench.open("TopoGANSynth")
    (run / "config.json").write_text(json.dumps({"schema": schemas.RUN, "id": "0" * 32}))
    known_run("0" * 32).parent.mkdir(parents=True)
    known_run("0" * 32).write_text(json.dumps({"schema": schemas.KNOWN_RUN, "dataset": str(elsewhere)}))
    widget.panel.choose_model(package)
    assert line.currentPath == str(elsewhere)
    (elsewhere / "dataset.json").unlink()
    user_settings.write(user_settings.MODELS_TRAINING_SET, str(named))
    widget.panel.choose_model(run)
    assert line.currentPath == str(named)
    (named / "dataset.json").write_text("{")
    widget.panel.choose_model(package)
    assert line.currentPath == ""
