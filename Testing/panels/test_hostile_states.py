"""A training whose folder, clock, computer or panel fails: what the panel then says, and what it never does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import lives, tell, wait_until
from run_folders import make_run
from train_bench import ready, status

from topogan_contract.lock import is_locked
from TopoGANLib.engine import run_monitor
from TopoGANLib.engine.process import Engine
from TopoGANLib.engine.run_monitor import RunMonitor

if TYPE_CHECKING:
    from bench import Bench


def started(bench: Bench) -> Any:
    """The panel, with a training that works."""
    from bench import pump

    widget = ready(bench)
    widget.ui.startButton.click()
    pump(lambda: "Training masks, step" in status(widget))
    return widget


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("full", "The disk is full: free some space and resume the run; its checkpoint of step 5 is whole."),
        ("readonly", "The run folder cannot be written any more (Permission denied)"),
    ],
)
def test_a_folder_that_takes_no_more(bench: Bench, scene: Any, engine: Engine, how: str, said: str) -> None:
    """Its status cannot be written either: what the engine said last is still told, and Resume offered."""
    from bench import pump

    tell(engine, "train", how)
    widget = ready(bench)
    widget.ui.startButton.click()
    pump(lambda: said in status(widget))
    assert not widget.logic.isRunning
    assert widget.ui.resumeButton.visible
    bench.picture("TopoGANTrain", f"failed {how}")
    run = widget.logic.session.run
    widget.ui.runsCollapsibleButton.collapsed = False
    pump(lambda: widget.ui.runsTable.rowCount == 1)
    assert "without a word at step 5" in RunMonitor(run).poll().error, "who was not there knows only that"


def test_the_folder_is_removed(bench: Bench, scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from bench import pump

    monkeypatch.setattr(run_monitor, "UNREADABLE_SECONDS", 0.1)
    widget = started(bench)
    run = widget.logic.session.run
    os.replace(run, run.with_name("moved"))  # in one step: the engine would fill what is being removed
    pump(lambda: not widget.logic.isRunning)
    assert status(widget)
    assert not widget.ui.resumeButton.visible, "there is nothing to go on with"
    assert not run.exists()
    bench.picture("TopoGANTrain", "folder removed")
    shutil.rmtree(run.with_name("moved"))


def test_the_folder_of_somebody_elses_run_is_removed(
    bench: Bench, scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Be it one that has ended: its figures and its model are gone."""
    from bench import pump

    monkeypatch.setattr(run_monitor, "UNREADABLE_SECONDS", 0.1)
    run = make_run(tmp_path / "results", "one", "running", machine="another")
    widget = ready(bench)
    widget.logic.attach(run)
    assert "Training masks" in status(widget)
    shutil.rmtree(run)
    pump(lambda: "The folder of the run was removed or renamed" in status(widget))
    assert not widget.ui.resumeButton.visible
    assert widget.ui.startButton.text == "Start training"


def test_two_panels_on_one_run(bench: Bench, scene: Any) -> None:
    """Both see the true state, whoever stops it or goes on with it."""
    from bench import pump

    first = started(bench)
    second = bench.modules["TopoGANTrain"].createNewWidgetRepresentation()
    second.enter()
    other = second.self()
    pump(lambda: "Training masks, step" in status(other))
    assert other.logic is not first.logic
    pump(lambda: other.ui.startButton.enabled)
    other.ui.startButton.click()
    pump(lambda: "Stopped" in status(first) and "Stopped" in status(other))
    first.ui.resumeButton.click()
    pump(lambda: "Finished" in status(first) and "Finished" in status(other))
    second.exit()
    other.cleanup()
    second._close()


def test_one_that_has_stopped_a_run_does_not_end_it_when_another_goes_on(bench: Bench, scene: Any) -> None:
    """A request to stop, and the force behind it, are for the engine that worked then."""
    from bench import pump

    from TopoGANLib.forms import user_settings
    from TopoGANTrainLib.run.training_session import TrainingSession

    widget = started(bench)
    widget.ui.startButton.click()
    pump(lambda: "Stopped" in status(widget))
    session = widget.logic.session
    step = session.tick().step
    (session.run / "status.json").write_text((session.run / "status.json").read_text().replace("1000", "100000"))
    other = TrainingSession(widget.logic.engine(), session.run, user_settings.new_work_folder("other"))
    other.resume()
    pump(lambda: session.tick().step > step or session.tick().state == "finished")
    assert session.tick().state in ("running", "finished"), "not stopping"


def test_a_clock_that_jumps(bench: Bench, scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from bench import pump

    widget = started(bench)
    run = widget.logic.session.run
    for wall in (0.0, 4e9):
        monkeypatch.setattr(time, "time", lambda wall=wall: wall)
        os.utime(run / "status.json", (wall, wall))
        step = widget.logic.progress.step
        pump(lambda step=step: widget.logic.progress.step > step)
        assert "Training masks, step" in status(widget)
    widget.ui.startButton.click()
    pump(lambda: "Stopped" in status(widget))


def test_a_number_that_another_process_has_inherited(bench: Bench, tmp_path: Path) -> None:
    """Nobody holds the lock: the run is dead, whatever number it names, and nobody is killed for it."""
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        run = make_run(tmp_path / "results", "one", "running")
        (run / "run.lock").write_bytes(b"\n%d\n" % bystander.pid)
        widget = ready(bench)
        widget.logic.attach(run)
        assert "ended without a word at step 300" in status(widget)
        assert widget.ui.resumeButton.visible
        widget.logic.stop()
        widget.logic.session._force()
        assert bystander.poll() is None
        bench.picture("TopoGANTrain", "engine gone")
    finally:
        bystander.kill()
        bystander.wait()


def test_a_run_of_another_computer(bench: Bench, tmp_path: Path) -> None:
    """It is judged by its heartbeat and stopped by the file; force is refused, even after half a minute."""
    now = 0.0
    run = make_run(tmp_path / "results", "one", "running", machine="another")
    (run / "run.lock").write_bytes(b"\n%d\n" % os.getpid())
    widget = ready(bench)
    widget.logic.attach(run)
    widget.logic.session._clock = widget.logic.session._monitor._clock = lambda: now
    widget.logic.session._monitor._heard = 0.0
    assert "Training masks, step 300 of 3000" in status(widget)
    widget.ui.startButton.click()
    assert (run / "stop").exists()
    assert "Stopping" in status(widget)
    now = 40.0
    widget.logic._tick()
    assert widget.logic.session._end.forced
    assert "Stopping" in status(widget), "it is still waited for, and this process lives"
    now = 101.0
    widget.logic._tick()
    assert "No sign of life from another computer for 101 s" in status(widget)
    assert widget.ui.startButton.text == "Start training", "nothing here waits for it"
    bench.picture("TopoGANTrain", "silent")


def test_a_silent_run_is_resumed_here(
    bench: Bench, tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its computer is gone, or is this one under another name: who knows that it works nowhere can go on with it."""
    import slicer
    from bench import pump
    from run_folders import add_training_set

    run = make_run(tmp_path / "results", "one", "running", machine="another", step=3)
    training_set = add_training_set(make_run(tmp_path / "results", "two"), content_hash="of one")
    widget = ready(bench)
    widget.logic.attach(run)
    monitor = widget.logic.session._monitor
    monitor._clock = lambda: monitor._heard + 61.0
    widget.logic.stop()
    assert "resume it here" in status(widget)
    assert not widget.ui.progressBar.visible, "nobody knows whether anything moves"
    asked: list[str] = []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda text, title: asked.append(text) or len(asked) > 1)
    widget.ui.resumeButton.click()
    assert "one says that it works on another computer" in asked[0]
    assert widget.logic.progress.state == "silent", "the user is not sure"
    widget.ui.resumeButton.click()
    pump(lambda: "Finished" in status(widget))
    told = json.loads((engine.parent / "topogan" / "resumed.json").read_text(encoding="utf-8"))
    assert told == ["--dataset", str(training_set)], "another computer does not know where it is"


_PANEL = """
import sys
from pathlib import Path
sys.path[:0] = [str(Path(sys.argv[1]) / folder) for folder in ("TopoGANTrain", "TopoGANSynth", "Testing/panels")]
from standin import install
from TopoGANLib.headless.application import start_headless
application = install(start_headless().application_logic, Path(sys.argv[2]))
from bench import Bench, pump
from TopoGANLib.engine.process import Engine
from TopoGANTrainLib.data.train_inputs import FromTrainingSet
widget = Bench(application).open("TopoGANTrain")
engine = Engine(Path(sys.executable), parent=Path(sys.argv[3]))
widget.logic.train(FromTrainingSet(Path(sys.argv[4])), Path(sys.argv[5]), engine=engine)
pump(lambda: "Training masks, step" in widget.ui.statusLabel.text)
print(widget.logic.session.run, flush=True)
pump(lambda: False, 600)
"""


def test_the_panel_is_killed(bench: Bench, engine: Engine, tmp_path: Path) -> None:
    """A new one attaches, tells the truth, has the curves of before, and can stop the run."""
    from bench import REPOSITORY, pump
    from run_folders import add_curves, write

    from TopoGANLib.forms import user_settings

    tell(engine, "train", "steps=100000")
    (tmp_path / "set").mkdir()
    write(tmp_path / "set" / "dataset.json", "topogan.training-set/3")
    (tmp_path / "slicer").mkdir()
    words = [REPOSITORY, tmp_path / "slicer", engine.parent, tmp_path / "set", tmp_path / "results"]
    command = [sys.executable, "-c", _PANEL, *map(str, words)]
    panel = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert panel.stdout is not None
    run = Path(panel.stdout.readline().strip())
    try:
        os.kill(panel.pid, signal.SIGKILL)
    finally:
        panel.communicate()
    pid = RunMonitor(run).poll().pid
    assert lives(pid), "the engine goes on"
    add_curves(run, masks_quick_valid=[50.0])
    user_settings.write(user_settings.LAST_RUN, str(run))
    widget = ready(bench)
    pump(lambda: "Training masks, step" in status(widget))
    step = widget.logic.progress.step
    pump(lambda: widget.logic.progress.step > step)
    pump(lambda: widget.ui.plotsSection.visible)
    widget.ui.startButton.click()
    pump(lambda: "Stopped" in status(widget))
    wait_until(lambda: not lives(pid))
    assert not is_locked(run / "run.lock")
    assert widget.ui.resumeButton.visible
