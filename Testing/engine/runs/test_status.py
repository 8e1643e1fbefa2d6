"""The status: a heartbeat while the engine lives, and an honest word when it does not."""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path

import pytest

from topogan.errors import InputError
from topogan.runs import status as module
from topogan.runs.status import StatusWriter, read_status
from topogan_contract.lock import RunLock
from topogan_contract.machine import machine_id


@pytest.fixture
def writer(tmp_path: Path) -> StatusWriter:
    return StatusWriter(tmp_path, total=100)


def beats(run: Path) -> int:
    """The heartbeat as it stands in the file."""
    return int(json.loads((run / "status.json").read_text())["heartbeat"])


def wait_for_beat(run: Path, beat: int) -> None:
    while beats(run) < beat:
        time.sleep(0.02)


def test_the_heart_beats_while_the_work_is_silent(tmp_path: Path, writer: StatusWriter) -> None:
    assert module._SECONDS_BETWEEN_BEATS <= 1.0, "readers are promised a beat a second"
    lock = RunLock(tmp_path / "run.lock")
    lock.acquire()
    writer.start()
    wait_for_beat(tmp_path, beats(tmp_path) + 2)
    writer.note(step=7, eta_seconds=3.5)
    wait_for_beat(tmp_path, beats(tmp_path) + 2)
    seen = read_status(tmp_path)
    assert (seen.step, seen.eta_seconds, seen.total, seen.state) == (7, 3.5, 100, "queued")
    writer.end("finished")
    assert read_status(tmp_path).state == "finished"
    assert read_status(tmp_path).eta_seconds is None
    lock.release()


def test_a_run_without_a_lock_is_dead(tmp_path: Path, writer: StatusWriter) -> None:
    writer.write(state="running", step=41)
    seen = read_status(tmp_path)
    assert seen.state == "failed"
    assert seen.error is not None and "step 41" in seen.error
    lock = RunLock(tmp_path / "run.lock")
    lock.acquire()
    assert read_status(tmp_path).state == "running"
    lock.release()


def test_a_run_on_another_computer_is_not_judged_by_the_lock(tmp_path: Path, writer: StatusWriter) -> None:
    writer.write(state="running", machine="elsewhere")
    assert read_status(tmp_path).state == "running"


@pytest.mark.parametrize(("host", "state"), [(socket.gethostname(), "failed"), ("elsewhere", "running")])
def test_a_status_of_the_first_version_names_its_host(tmp_path: Path, host: str, state: str) -> None:
    old = {"schema": "topogan.status/1", "state": "running", "step": 3, "pid": 7, "host": host}
    (tmp_path / "status.json").write_text(json.dumps(old))
    assert read_status(tmp_path).state == state


def test_neither_the_host_nor_the_process_is_in_the_file(tmp_path: Path, writer: StatusWriter) -> None:
    writer.write(state="running")
    content = json.loads((tmp_path / "status.json").read_text())
    assert content.keys().isdisjoint({"pid", "host"})
    assert socket.gethostname() not in str(content)
    assert content["machine"] == machine_id() != ""


@pytest.mark.parametrize(
    "content",
    [
        '{"schema": "topogan.status/1", "step": "many"}',
        '{"schema": "topogan.status/1", "state": "\x1b[2J"}',
        '{"schema": "topogan.status/1", "eta_seconds": NaN}',
        '{"schema": "topogan.status/1", "step": -1}',
        "{",
        '{"schema": "x/1"}',
    ],
)
def test_a_damaged_status_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "status.json").write_text(content)
    with pytest.raises(InputError, match=r"status\.json"):
        read_status(tmp_path)


def test_no_run_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is missing"):
        read_status(tmp_path / "nowhere")


def test_a_missed_beat_does_not_stop_the_heart(
    tmp_path: Path, writer: StatusWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.start()
    missed = threading.Event()

    def full_disk(*_: object) -> None:
        missed.set()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_json", full_disk)
        missed.wait()
    wait_for_beat(tmp_path, beats(tmp_path) + 1)
    writer.end("stopped")
