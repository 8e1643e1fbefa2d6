"""A training from its preparation to its end, with an engine that is quick and misbehaves on command."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_engine import lives, make_engine, tell, wait_until
from run_folders import add_training_set, make_run

from topogan_contract.run import ENDED
from TopoGANLib.engine.process import Engine, kill_tree
from TopoGANLib.engine.run_monitor import RunMonitor
from TopoGANTrainLib.run import set_search
from TopoGANTrainLib.run.preparation import Preparation, Request
from TopoGANTrainLib.run.progress import Progress
from TopoGANTrainLib.run.training_session import TrainingSession


class Bench:
    """A results folder, an engine, and the sessions that a test has opened."""

    def __init__(self, folder: Path) -> None:
        self.engine = make_engine(folder)
        self.results = folder / "results" / "one"
        self.run = self.results / "run"
        self.temporary = folder / "temporary"
        self.work = folder / "work"
        self.now = 0.0
        self._sessions: list[TrainingSession] = []

    def session(self, engine: Engine | None = None) -> TrainingSession:
        made = TrainingSession(engine or self.engine, self.run, self.work, clock=lambda: self.now)
        self._sessions.append(made)
        return made

    def preparation(self, *how: str, write: Callable[[], object] = lambda: None) -> Preparation:
        tell(self.engine, "prepare", *how)

        def request() -> Request:
            write()
            (self.temporary / "ct.nrrd").touch()
            paths = [str(self.temporary / "ct.nrrd")]
            source = {"segmentations": paths, "images": [], "plane": "axial"}
            return Request({"sources": [source], "settings": {}}, "Overlaps.")

        return Preparation(self.temporary, request)

    def train(self, *how: str) -> list[str | Path]:
        return [self.results / "set", self.run, *how]

    def close(self) -> None:
        for session in self._sessions:
            session.leave(keep_running=False)
        RunMonitor(self.run).kill()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def follow(session: TrainingSession, until: Callable[[Progress], bool]) -> list[Progress]:
    """Tick until something holds; return what was seen, once each."""
    seen: list[Progress] = []

    def holds() -> bool:
        progress = session.tick()
        if not seen or seen[-1] != progress:
            seen.append(progress)
        return until(progress)

    wait_until(holds)
    return seen


def states(seen: list[Progress]) -> list[str]:
    return list(dict.fromkeys(progress.state for progress in seen))


def ended(progress: Progress) -> bool:
    return progress.state in ENDED


def test_from_the_scene_to_a_model(bench: Bench) -> None:
    session = bench.session()
    session.start(bench.train("steps=20"), bench.preparation())
    seen = follow(session, ended)
    assert states(seen) in (["preparing", "running", "finished"], ["preparing", "starting", "running", "finished"])
    fractions = [progress.fraction for progress in seen if progress.state == "running"]
    assert fractions == sorted(fractions)
    assert seen[-1].fraction == 1.0
    assert session.model.is_dir()
    assert not bench.temporary.exists()
    assert {path.name for path in bench.results.iterdir()} == {"set", "run"}


def test_a_training_set_that_is_there(bench: Bench) -> None:
    session = bench.session()
    session.start(bench.train("steps=5"))
    assert states(follow(session, ended))[-1] == "finished"


def test_stop_and_resume(bench: Bench) -> None:
    session = bench.session()
    session.start(bench.train())
    follow(session, lambda progress: progress.step > 3)
    session.stop()
    session.stop()  # a second click changes nothing
    seen = follow(session, ended)
    assert states(seen) in (["stopping", "stopped"], ["stopped"])
    assert seen[-1].resumable
    session.resume()
    seen = follow(session, ended)
    assert states(seen)[0] in ("looking", "starting")
    assert states(seen)[-1] == "finished"


def test_the_training_set_of_a_run_is_looked_for_on_a_thread(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of thousands of results, on a slow disk."""
    asked, go_on = [], threading.Event()

    def slow(run: Path, dropped: Callable[[], bool]) -> Path | None:
        while not go_on.wait(0.01) and not dropped():
            pass
        asked.append((threading.current_thread() is threading.main_thread(), dropped()))
        return None

    monkeypatch.setattr(set_search, "training_set_elsewhere", slow)
    make_run(bench.results.parent, "one")
    (bench.run / "broken").touch()
    session = bench.session()
    session.resume()
    assert session.tick().state == "looking"
    session.stop()
    progress = session.tick()
    assert (progress.state, progress.resumable) == ("stopped", True), "as it was"
    wait_until(lambda: asked == [(False, True)])
    go_on.set()
    session.resume()
    progress = follow(session, ended)[-1]
    place = bench.results / "training-set"
    assert progress.error == (
        "The training set has moved: say where it is.\n"
        f"No training set of this run lies in {bench.results.parent}: move it to {place}, and resume again."
    )
    assert asked[-1] == (False, False)
    add_training_set(bench.run)
    session.resume()
    follow(session, ended)
    assert len(asked) == 2, "beside the run nothing is looked for"
    told = json.loads((bench.engine.parent / "topogan" / "resumed.json").read_text(encoding="utf-8"))
    assert told == ["--dataset", str(place)]


def test_a_stop_that_is_not_answered_becomes_force(bench: Bench) -> None:
    session = bench.session()
    session.start(bench.train("deaf"))
    follow(session, lambda progress: progress.step > 3)
    session.stop()
    bench.now = 29.0
    assert session.tick().state == "stopping"
    bench.now = 31.0
    seen = follow(session, ended)
    assert seen[-1].state == "failed"
    assert "ended without a word" in seen[-1].error
    assert seen[-1].resumable


@pytest.mark.parametrize("patience", [0.0, 31.0], ids=["answers", "is deaf"])
def test_stop_while_it_prepares(bench: Bench, patience: float) -> None:
    session = bench.session()
    session.start(bench.train(), bench.preparation("deaf" if patience else "sleep"))
    follow(session, lambda progress: progress.note == "asleep")
    session.stop()
    assert session.tick().state in ("stopping", "stopped")
    bench.now = patience
    assert states(follow(session, ended))[-1] == "stopped"
    assert not bench.temporary.exists()
    assert not bench.results.exists(), "nothing half written, and no empty folder"


def test_stop_while_the_input_is_written(bench: Bench) -> None:
    session = bench.session()

    session.start(bench.train(), bench.preparation(write=lambda: time.sleep(0.2)))
    session.stop()
    assert states(follow(session, ended)) == ["stopping", "stopped"]
    assert not bench.temporary.exists()


def test_input_that_cannot_be_written(bench: Bench) -> None:
    def fail() -> None:
        raise ValueError("The segment is empty: draw it first.")

    session = bench.session()
    session.start(bench.train(), bench.preparation(write=fail))
    progress = follow(session, ended)[-1]
    assert (progress.state, progress.error) == ("failed", "The segment is empty: draw it first.")
    assert session.tick() == progress
    assert not bench.results.exists()


@pytest.mark.parametrize(
    ("prepare", "train", "error"),
    [
        (["fail"], [], "The segmentation is empty: choose another."),
        ([], ["fail"], "There are too few slices: 16 are needed."),
        ([], ["failing"], "The loss is not a number: lower the learning rate."),
        ([], ["crash"], "The engine ended without a word at step 5: Resume goes on from its last checkpoint."),
    ],
)
def test_what_goes_wrong_is_said(bench: Bench, prepare: list[str], train: list[str], error: str) -> None:
    session = bench.session()
    session.start(bench.train(*train), bench.preparation(*prepare))
    progress = follow(session, ended)[-1]
    assert (progress.state, progress.error) == ("failed", error)
    assert progress.log
    assert progress.resumable == (train in (["failing"], ["crash"]))
    assert not bench.temporary.exists()


def test_a_python_that_is_not_there(bench: Bench) -> None:
    session = bench.session(Engine(Path("/no/such/python")))
    session.start(bench.train(), bench.preparation())
    progress = follow(session, ended)[-1]
    assert progress.error == "The engine cannot be started (No such file or directory): choose another Python."
    with pytest.raises(OSError, match="No such file"):
        session.start(bench.train())


def test_a_resume_that_fails_says_why(bench: Bench) -> None:
    session = bench.session()
    session.start(bench.train())
    follow(session, lambda progress: progress.step > 3)
    session.stop()
    follow(session, ended)
    (bench.run / "broken").touch()
    session.resume()
    progress = follow(session, ended)[-1]
    assert progress.state == "failed" and progress.resumable
    assert progress.error.startswith("The training set has moved: say where it is.\n")


def test_a_killed_engine(bench: Bench) -> None:
    session = bench.session()
    session.start(bench.train())
    follow(session, lambda progress: progress.step > 3)
    kill_tree(RunMonitor(bench.run).poll().pid)
    progress = follow(session, ended)[-1]
    assert (progress.state, progress.resumable) == ("failed", True)


def test_a_training_outlives_its_session_and_is_found(bench: Bench) -> None:
    session = bench.session()
    session.start(bench.train("steps=100"), bench.preparation())
    follow(session, lambda progress: progress.step > 3)
    session.leave(keep_running=True)
    other = bench.session()
    seen = follow(other, ended)
    assert states(seen) == ["running", "finished"]


def test_a_found_training_is_left_running_too(bench: Bench) -> None:
    bench.session().start(bench.train())
    found = bench.session()
    follow(found, lambda progress: progress.step > 3)
    found.leave(keep_running=True)
    step = found.tick().step
    follow(found, lambda progress: progress.step > step)
    found.stop()
    assert follow(found, ended)[-1].state == "stopped"


def test_leaving_while_it_prepares_lets_it_go_on(bench: Bench) -> None:
    session = bench.session()
    session.start(bench.train("steps=5"), bench.preparation())
    follow(session, lambda progress: bench.work.exists() and bench.temporary.exists() is False)
    session.leave(keep_running=True)
    wait_until((bench.run / "model").is_dir)


@pytest.mark.parametrize("how", [[], ["deaf"]], ids=["answers", "is deaf"])
def test_leaving_can_end_the_training(bench: Bench, how: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from TopoGANTrainLib.run import training_session

    start = training_session.start_stopper
    monkeypatch.setattr(training_session, "start_stopper", lambda *what: start(*what, patience=2.0))
    session = bench.session()
    session.start(bench.train(*how))
    follow(session, lambda progress: progress.step > 3)
    pid = RunMonitor(bench.run).poll().pid
    session.leave(keep_running=False)
    assert lives(pid) or not how, "Slicer does not wait for an engine that is given time"
    wait_until(lambda: not lives(pid))
    assert RunMonitor(bench.run).poll().state == ("failed" if how else "stopped")


@pytest.mark.parametrize("wait_for", ["asleep", ""], ids=["engine", "writing"])
def test_leaving_can_end_the_preparation(bench: Bench, wait_for: str) -> None:
    session = bench.session()
    session.start(bench.train(), bench.preparation("sleep"))
    if wait_for:
        follow(session, lambda progress: progress.note == wait_for)
    session.leave(keep_running=False)
    assert not bench.temporary.exists()
    assert not bench.results.exists()


def test_no_run(bench: Bench) -> None:
    progress = bench.session().tick()
    assert progress.state == "failed"
    assert "There is no run" in progress.error


def test_a_silent_run_is_looked_at_now_and_then(bench: Bench) -> None:
    """Not ten times a second for the rest of the session; and heard when it works again."""
    make_run(bench.results.parent, bench.results.name, "running", machine="another")
    session = bench.session()
    said = [session.tick().state]
    bench.now = 61.0
    said.append(session.tick().state)
    status = bench.run / "status.json"
    status.write_text(status.read_text().replace('"heartbeat": 5', '"heartbeat": 6'))
    for bench.now in (65.0, 66.5):
        said.append(session.tick().state)
    assert said == ["running", "silent", "silent", "running"]


def test_leaving_while_a_training_set_is_looked_for_stops_nothing(bench: Bench) -> None:
    """No engine of ours works yet on the run: what it says is of the other computer, and so would a stop be."""
    make_run(bench.results.parent, bench.results.name, "running", machine="another")
    session = bench.session()
    session.resume()
    session.leave(keep_running=False)
    assert not (bench.run / "stop").exists()


def test_a_silent_run_that_the_engine_refuses_does_not_count_as_running(bench: Bench) -> None:
    """Its old status says that it works on the other computer, and goes on saying so."""
    make_run(bench.results.parent, bench.results.name, "running", machine="another")
    add_training_set(bench.run)
    (bench.run / "broken").touch()
    session = bench.session()
    session.resume()
    refused = follow(session, ended)
    assert "running" not in states(refused)
    assert (refused[-1].error, refused[-1].resumable) == ("The training set has moved: say where it is.", True)
    bench.now = 61.0
    assert session.tick() == refused[-1], "and not that there is no sign of life"
