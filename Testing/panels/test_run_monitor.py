"""Watching a run, with the engine's own lock, status and events written by a process that can be killed."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_engine import KILLED, wait_until
from run_folders import make_run

from topogan_contract.lock import RunLock, is_locked
from TopoGANLib.engine.run_monitor import RunMonitor

# What a training does to its folder, by the engine's own code, without the training.
_RUN = """
import sys, time
from pathlib import Path
from topogan.runs.recorder import Position, Recorder
from topogan.runs.folder import RunFolder
from topogan.runs.status import StatusWriter
folder = RunFolder.create(Path(sys.argv[1]), False, {"id": "0" * 32, "settings": {}})
status = StatusWriter(folder.path, total=10)
status.start()
recorder = Recorder(folder, 0, None)
for step in range(1, int(sys.argv[2]) + 1):
    recorder.step(Position("masks", step, 10), {"loss_discriminator": step / 10})
    status.write(state="running", step=step, stage="masks", eta_seconds=float(10 - step))
recorder.message("The last word.")
print("there", flush=True)
while sys.argv[3] == "wait":
    if folder.stop_requested():
        folder.forget_stop()
        status.end("stopped")
        folder.close()
        sys.exit()
    time.sleep(0.01)
status.end(sys.argv[3], error="Out of disk." if sys.argv[3] == "failed" else None)
folder.close()
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


class Trainings:
    """Starts processes and ends those that a test has left."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[str]] = []

    def start(self, run: Path, steps: int, end: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", _RUN, str(run), str(steps), end]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self._started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        return process

    def close(self) -> None:
        for process in self._started:
            process.kill()
            process.communicate()


@pytest.fixture
def trainings() -> Iterator[Trainings]:
    made = Trainings()
    yield made
    made.close()


def test_no_run_yet(run: Path) -> None:
    monitor = RunMonitor(run)
    assert monitor.poll() is None
    assert monitor.log() == []
    assert monitor.latest_preview() is None
    monitor.request_stop()
    monitor.kill()
    assert not run.exists(), "a reader makes no folder"


def test_a_living_run(run: Path, trainings: Trainings) -> None:
    process = trainings.start(run, 4, "wait")
    monitor = RunMonitor(run)
    report = monitor.poll()
    assert report is not None
    assert (report.state, report.step, report.total, report.stage) == ("running", 4, 10, "masks")
    assert report.fraction == 0.4
    assert report.eta_seconds == 6.0
    assert report.pid == process.pid
    assert report.here
    assert monitor.log() == ["The last word."]


def test_a_request_to_stop_is_answered(run: Path, trainings: Trainings) -> None:
    process = trainings.start(run, 3, "wait")
    monitor = RunMonitor(run)
    monitor.request_stop()
    assert process.wait(10) == 0
    report = monitor.poll()
    assert report is not None
    assert report.state == "stopped"
    assert not (run / "stop").exists()


@pytest.mark.parametrize(("end", "error"), [("finished", ""), ("failed", "Out of disk.")])
def test_what_the_engine_said_last_is_true(run: Path, trainings: Trainings, end: str, error: str) -> None:
    trainings.start(run, 10, end).wait(10)
    report = RunMonitor(run).poll()
    assert report is not None
    assert (report.state, report.error, report.step) == (end, error, 10)


def test_a_killed_engine_is_seen_at_once(run: Path, trainings: Trainings) -> None:
    process = trainings.start(run, 3, "wait")
    monitor = RunMonitor(run)
    assert monitor.poll().state == "running"
    process.kill()
    process.wait(10)
    report = monitor.poll()
    assert report.state == "failed"
    assert report.error == "The engine ended without a word at step 3: Resume goes on from its last checkpoint."
    assert report.eta_seconds is None
    assert json.loads((run / "status.json").read_text())["state"] == "running", "the panel only reads"


def test_force_ends_what_the_engine_wrote(run: Path, trainings: Trainings) -> None:
    process = trainings.start(run, 3, "wait")
    monitor = RunMonitor(run)
    monitor.kill()
    assert process.wait(10) == KILLED
    monitor.kill()  # its number may belong to another process by now: nothing happens


def test_force_spares_a_process_that_has_inherited_the_number(run: Path, trainings: Trainings) -> None:
    trainings.start(run, 3, "wait").kill()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        wait_until(lambda: not is_locked(run / "run.lock"))
        (run / "run.lock").write_bytes(b"\n%d\n" % bystander.pid)
        RunMonitor(run).kill()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_the_same_judgement_as_the_engine(run: Path, trainings: Trainings) -> None:
    from topogan.runs.status import read_status

    process = trainings.start(run, 3, "wait")
    assert read_status(run).state == RunMonitor(run).poll().state == "running"
    process.kill()
    process.wait()
    assert read_status(run).state == RunMonitor(run).poll().state == "failed"


def test_another_computer_is_judged_by_its_heartbeat_and_never_killed(run: Path, trainings: Trainings) -> None:
    process = trainings.start(run, 3, "wait")
    now = [0.0]
    monitor = RunMonitor(run, clock=lambda: now[0], machine="elsewhere")
    assert monitor.poll().state == "running"
    assert not monitor.poll().here
    monitor.kill()
    assert process.poll() is None
    process.kill()  # the heart stands still, and nobody here can look at the lock
    process.wait(10)
    monitor.poll()
    now[0] = 59.0
    assert monitor.poll().state == "running"
    now[0] = 61.0
    report = monitor.poll()
    assert report.state == "silent"
    assert "No sign of life from " in report.error
    status = json.loads((run / "status.json").read_text())
    (run / "status.json").write_text(json.dumps({**status, "heartbeat": status["heartbeat"] + 1}))
    assert monitor.poll().state == "running"


def test_a_status_that_cannot_be_read_changes_nothing(run: Path, trainings: Trainings) -> None:
    trainings.start(run, 3, "finished").wait(10)
    monitor = RunMonitor(run)
    first = monitor.poll()
    for nonsense in ("", "{", "[]", '{"schema": "topogan.status/2"}', "[" * 100000):
        (run / "status.json").write_text(nonsense)
        assert monitor.poll() == first
    for values in (
        '"step": "x", "total": null, "eta_seconds": []',
        f'"step": 1{"0" * 400}, "total": 1{"0" * 400}, "eta_seconds": 1{"0" * 400}',
        '"step": -1, "total": -1, "eta_seconds": NaN, "heartbeat": {}, "state": [], "machine": 7',
    ):
        (run / "status.json").write_text(f'{{"schema": "topogan.status/1", {values}}}')
        report = monitor.poll()
        assert (report.step, report.fraction, report.eta_seconds) == (0, 0.0, None)


def test_a_disk_that_is_away_is_no_end(tmp_path: Path) -> None:
    run, now = make_run(tmp_path / "share" / "results", "one", "running"), [0.0]
    lock = RunLock(run / "run.lock")
    assert lock.acquire()
    monitor = RunMonitor(run, clock=lambda: now[0])
    said = [monitor.poll().state]
    (tmp_path / "share").rename(tmp_path / "away")
    for now[0] in (1.0, 3.0, 90.0):
        said.append(monitor.poll().state)
    assert monitor.poll().error == f"The folder {run.parent.parent} is out of reach: connect its disk again."
    (tmp_path / "away").rename(tmp_path / "share")
    assert [*said, monitor.poll().state] == ["running", "running", "silent", "silent", "running"]
    run.rename(tmp_path / "elsewhere")
    now[0] = 93.0
    assert monitor.poll().state == "failed", "removed, from a disk that is there"
    lock.release()


def test_what_a_stranger_wrote_is_shown_as_one_short_line(run: Path) -> None:
    run.mkdir()
    content = {"schema": "topogan.status/1", "state": "failed", "stage": "\x1b[2J", "error": "\x1b]0;\u202e\n" * 9999}
    (run / "status.json").write_text(json.dumps(content))
    report = RunMonitor(run).poll()
    assert report is not None
    assert (report.stage + report.error).isprintable()
    assert len(report.error) < 5000


def test_a_status_of_the_first_version_names_its_host(run: Path) -> None:
    run.mkdir()
    old = {"schema": "topogan.status/1", "state": "running", "step": 3, "pid": 1, "heartbeat": 1}
    for host, state in ((socket.gethostname(), "failed"), ("elsewhere", "running")):
        (run / "status.json").write_text(json.dumps({**old, "host": host}))
        report = RunMonitor(run).poll()
        assert report is not None
        assert (report.state, report.pid) == (state, 0)


def test_the_newest_preview(run: Path) -> None:
    previews = run / "previews"
    previews.mkdir(parents=True)
    monitor = RunMonitor(run)
    for name in ("masks-00000250.png", "masks-00001000.png"):
        (previews / name).touch()
    assert monitor.latest_preview() == previews / "masks-00001000.png"
    (previews / "textures-00000010.png").touch()
    assert monitor.latest_preview() == previews / "textures-00000010.png"
