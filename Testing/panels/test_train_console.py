"""The runs from the console, blocking or not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import tell
from run_folders import make_run, write

from TopoGANLib.engine.process import Engine
from TopoGANLib.engine.run_monitor import RunMonitor

if TYPE_CHECKING:
    from bench import Bench

    from TopoGANTrainLib.data.train_inputs import FromTrainingSet


@pytest.fixture
def logic(bench: Bench) -> Any:
    import slicer

    return slicer.util.getModuleLogic("TopoGANTrain")


@pytest.fixture
def training_set(bench: Bench, tmp_path: Path) -> FromTrainingSet:
    from TopoGANTrainLib.data.train_inputs import FromTrainingSet

    folder = tmp_path / "set"
    folder.mkdir()
    write(folder / "dataset.json", "topogan.training-set/3")
    return FromTrainingSet(folder)


def test_runs_of_the_users_folder_and_of_another(logic: Any, tmp_path: Path) -> None:
    assert logic.runs() == []
    make_run(tmp_path / "results", "one")
    make_run(tmp_path / "elsewhere", "two")
    assert [entry.name for entry in logic.runs()] == ["one"]
    assert [entry.name for entry in logic.runs(str(tmp_path / "elsewhere"))] == ["two"]


def test_blocking(logic: Any, training_set: FromTrainingSet, engine: Engine, tmp_path: Path) -> None:
    """Train, stop, resume, list and delete, line by line."""
    tell(engine, "train", "steps=100000")
    model = logic.train(training_set, tmp_path / "results")
    run = model.parent
    logic.stop(wait=True)
    assert not logic.isRunning
    assert RunMonitor(run).poll().state == "stopped"
    assert [entry.state for entry in logic.runs()] == ["stopped"]
    (run / "status.json").write_text((run / "status.json").read_text().replace("100000", "10"))
    assert logic.resume(run, wait=True) == model
    assert [entry.state for entry in logic.runs()] == ["finished"]
    logic.delete(run)
    assert logic.runs() == []
    assert logic.session is None and logic.progress is None
    assert training_set.folder.is_dir(), "it was there before the run"


def test_not_blocking(logic: Any, training_set: FromTrainingSet, engine: Engine, tmp_path: Path) -> None:
    from bench import pump

    tell(engine, "train", "steps=20")
    model = logic.train(training_set, tmp_path / "results")
    pump(lambda: logic.progress.state == "finished")
    assert model.is_dir()


def test_attach(logic: Any, training_set: FromTrainingSet, engine: Engine, tmp_path: Path) -> None:
    """What was followed before goes on, is followed again as it was, and can be stopped then."""
    from bench import pump

    tell(engine, "train", "steps=100000")
    run = logic.train(training_set, tmp_path / "results").parent
    pump(lambda: logic.progress.step > 3)
    session = logic.session
    assert not logic.attach(tmp_path / "nowhere")
    assert logic.session is session
    other = make_run(tmp_path / "results", "other")
    assert logic.attach(str(other))
    assert (logic.progress.state, logic.progress.step) == ("stopped", 300)
    logic.stop()
    assert not (other / "stop").exists(), "nothing works there"
    assert logic.attach(run)
    assert logic.session is session
    logic.stop(wait=True)
    assert logic.progress.state == "stopped"


def test_refusals_are_sentences(logic: Any, training_set: FromTrainingSet, engine: Engine, tmp_path: Path) -> None:
    from bench import pump

    tell(engine, "train", "steps=100000")
    run = logic.train(training_set, tmp_path / "results").parent
    pump(lambda: logic.progress.step > 3)
    with pytest.raises(ValueError, match="set-1 is being trained: stop it first"):
        logic.delete(run)
    with pytest.raises(RuntimeError, match="running already"):
        logic.resume(run)
    logic.stop(wait=True)
    (run / "broken").touch()
    with pytest.raises(RuntimeError, match="The training set has moved"):
        logic.resume(run, wait=True)
    with pytest.raises(ValueError, match="holds broken"):
        logic.delete(run)
