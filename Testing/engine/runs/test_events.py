"""Events and curves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from topogan.errors import DiskFull
from topogan.runs import events
from topogan.runs.events import MAX_POINTS, Curve, EventLog
from topogan.runs.folder import RunFolder
from topogan.runs.recorder import Recorder


def event(step: int) -> dict:
    return {"kind": "step", "stage": "masks", "step": step, "total": 9999, "values": {"loss": step / 2}}


def test_a_curve_is_thinned_evenly() -> None:
    curve = Curve()
    for step in range(1, 9001):
        curve.add(step, step * 10.0)
    assert MAX_POINTS / 2 <= len(curve.steps) <= MAX_POINTS
    gaps = {after - before for before, after in zip(curve.steps, curve.steps[1:], strict=False)}
    assert gaps == {8}
    assert curve.values == [step * 10.0 for step in curve.steps]
    assert curve.steps[0] == 1


def test_a_reopened_log_is_as_if_it_had_never_been_closed(tmp_path: Path) -> None:
    once, twice = tmp_path / "once", tmp_path / "twice"
    once.mkdir()
    twice.mkdir()
    log = EventLog(once)
    for step in range(1, 5001):
        log.append(event(step))
    log.settle()
    log.close()

    log = EventLog(twice)
    for step in range(1, 3001):
        log.append(event(step))
    true_bytes = log.settle()
    for step in range(3001, 3100):
        log.append(event(step))
    log.close()
    with (twice / "events.jsonl").open("a") as file:
        file.write('{"kind": "step", "sta')  # killed in the middle of a line
    log = EventLog(twice, true_bytes)
    for step in range(3001, 5001):
        log.append(event(step))
    log.settle()
    log.close()

    for name in ("events.jsonl", "history.json"):
        assert (once / name).read_bytes() == (twice / name).read_bytes()
    curves = json.loads((once / "history.json").read_text())["curves"]
    assert len(curves["masks/loss"]["steps"]) <= MAX_POINTS


def test_the_log_is_closed_on_a_full_disk_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open file would keep Windows from bringing the older run back."""

    def full(*_: object, **__: object) -> None:
        raise DiskFull(tmp_path)

    recorder = Recorder(RunFolder(tmp_path, "0" * 32), 0, None)
    monkeypatch.setattr(events, "write_json", full)
    with pytest.raises(DiskFull):
        recorder.close()
    assert recorder._log._file.closed
