"""What version 0.1.0 has written is still read: a training set of two parts, a stopped run, a model, samples."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from topogan.config import Part, SynthesisSettings
from topogan.evaluation import evaluate
from topogan.files import read_json
from topogan.model import load_model
from topogan.runs import read_status
from topogan.synthesis import synthesize
from topogan.training import resume, train
from topogan.training_set import TrainingSet

ARCHIVE = Path(__file__).parent / "data" / "results_of_0.1.0.zip"


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The unpacked results; the user's own settings are left alone."""
    for name in ("XDG_CONFIG_HOME", "APPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def test_training_set(old: Path) -> None:
    found = TrainingSet.open(old / "training_set")
    assert (len(found.train), len(found.validation), len(found.test)) == (31, 0, 15)
    assert found.missing_parts == "No patient is left for validation: curves are measured on training slices."
    assert np.array_equal(found.validation_or_train, found.train)
    assert found.table.names == ("myocardium",)
    assert found.region_masks(found.test).any(axis=(1, 2)).all()
    assert len(found.diagrams()) == len(found.masks) == 46


def test_stopped_run_goes_on_to_its_end(old: Path) -> None:
    # It was stopped after 102 of 400 steps: a few are enough to see that it goes on.
    config = old / "run" / "config.json"
    content = json.loads(config.read_text(encoding="utf-8"))
    assert content["settings"]["masks"]["steps"] == 400
    content["settings"]["masks"]["steps"] = 112
    config.write_text(json.dumps(content), encoding="utf-8")
    run = resume(old / "run", dataset=old / "training_set")
    assert read_status(run).state == "finished"
    curves = read_json(run / "history.json", "topogan.history/1")["curves"]
    assert curves["masks/loss_generator"]["steps"] == list(range(1, 113)), "one curve from before and after"
    assert load_model(run / "model").sample(2).labels.shape == (2, 64, 64)


def test_model(old: Path) -> None:
    model = load_model(old / "model")
    assert model.metadata.betti.test == {"myocardium": {"1,1": 13, "3,0": 2}}
    assert model.metadata.betti.modal == ((1, 1),) and model.metadata.real.of_region(0)[1, 1] == 25
    assert (model.metadata.training_set.validation, model.metadata.training_set.test) == (0, 15)
    textures = model.settings.textures
    assert (textures.network, textures.draws, textures.decay, textures.gradient_penalty) == ("unet", 1, 0.0, 0.0)
    assert (model.settings.augmentation.masks, model.settings.augmentation.discriminator) == (0.0, "off")
    again = synthesize(model, old / "again", SynthesisSettings(count=4, seed=1), training_set=old / "training_set")
    seeds = [(folder / "samples.csv").read_text().split("\n")[1].split(",")[1] for folder in (again, old / "synthesis")]
    assert seeds[0] == seeds[1]


def test_model_is_a_start(old: Path) -> None:
    settings = load_model(old / "model").settings
    masks = settings.masks.model_copy(update={"steps": 2, "batch": 4})
    short = settings.model_copy(update={"masks": masks, "part": Part.MASKS})
    run = train(old / "training_set", old / "tuned", short, model=old / "model")
    assert read_status(run).state == "finished"


def test_samples_are_compared_with_the_old_held_out_slices(old: Path) -> None:
    report = evaluate(old / "synthesis", old / "training_set", report=old / "report.html")
    assert report.summary()
    assert "15" in (old / "report.html").read_text(encoding="utf-8")
