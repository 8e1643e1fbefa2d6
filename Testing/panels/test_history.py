"""The curves of a run: what the engine writes is read, and nothing else does any harm."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from topogan.runs.events import MAX_POINTS, EventLog
from topogan_contract.run import HISTORY_FILE
from TopoGANLib.engine.history import read_history

SCHEMA = "topogan.history/1"
POINTS = {"steps": [1, 2], "values": [0.5, 0.25]}


def write(run: Path, content: Any) -> None:
    (run / HISTORY_FILE).write_text(json.dumps(content), encoding="utf-8")


def test_what_the_engine_writes(tmp_path: Path) -> None:
    log = EventLog(tmp_path)
    for step in range(1, 2 * MAX_POINTS):
        values = {"loss_generator": 1 / step}
        log.append({"kind": "step", "stage": "masks", "step": step, "total": 1, "values": values})
    log.write_history()
    log.close()
    history = read_history(tmp_path)
    assert history is not None
    curve = history.curves["masks/loss_generator"]
    assert curve.steps.dtype == curve.values.dtype == np.float64
    assert len(curve.steps) == len(curve.values) <= MAX_POINTS
    assert np.allclose(curve.values, 1 / curve.steps, rtol=1e-5)
    assert history.last("masks/loss_generator") == curve.values[-1]
    assert math.isnan(history.last("masks/nothing"))


def test_there_is_none(tmp_path: Path) -> None:
    assert read_history(tmp_path) is None
    assert read_history(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    "content",
    [
        {"schema": "topogan.history/2", "curves": {"masks/loss": POINTS}},
        {"curves": {"masks/loss": POINTS}},
        {"schema": SCHEMA},
        {"schema": SCHEMA, "curves": [POINTS]},
        {"schema": SCHEMA, "curves": "masks"},
        [SCHEMA],
        None,
    ],
)
def test_another_kind_of_file_is_none(tmp_path: Path, content: Any) -> None:
    write(tmp_path, content)
    assert read_history(tmp_path) is None


@pytest.mark.parametrize(
    "points",
    [
        {"steps": [1, 2, 3], "values": [1.0]},
        {"steps": [], "values": [1.0]},
        {"steps": [1, 2]},
        {"steps": ["1"], "values": ["1"]},
        {"steps": [1, None], "values": [1, 2]},
        {"steps": [[1], [2, 3]], "values": [1, 2]},
        {"steps": [[1, 2]], "values": [[1, 2]]},
        {"steps": 1, "values": 1},
        {"steps": [1, float("nan")], "values": [1.0, 2.0]},
        {"steps": [1, float("inf")], "values": [1.0, 2.0]},
        {"steps": [10**400], "values": [1.0]},
        {"steps": [True, False], "values": [True, False]},
        {"steps": list(range(100_000)), "values": [0.0] * 100_000},
        None,
        7,
        "points",
    ],
    ids=str,
)
def test_a_curve_that_makes_no_sense_is_left_out(tmp_path: Path, points: Any) -> None:
    write(tmp_path, {"schema": SCHEMA, "curves": {"masks/damaged": points, "masks/loss": POINTS}})
    history = read_history(tmp_path)
    assert history is not None
    assert list(history.curves) == ["masks/loss"]


def test_what_is_no_number_breaks_the_line(tmp_path: Path) -> None:
    values = [1.0, float("nan"), float("-inf"), 2.0]
    write(tmp_path, {"schema": SCHEMA, "curves": {"masks/loss": {"steps": [1, 2, 3, 4], "values": values}}})
    history = read_history(tmp_path)
    assert history is not None
    assert np.array_equal(history.curves["masks/loss"].values, [1, np.nan, np.nan, 2], equal_nan=True)
    assert history.last("masks/loss") == 2


def test_a_file_that_is_cut_off_anywhere(tmp_path: Path) -> None:
    whole = json.dumps({"schema": SCHEMA, "curves": {"masks/loss": POINTS}}).encode()
    for length in range(len(whole)):
        (tmp_path / HISTORY_FILE).write_bytes(whole[:length])
        assert read_history(tmp_path) is None


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfe\x00", b"[" * 100_000, b'{"schema": "topogan.history/1", "curves": {}}' + b" " * (16 << 20)],
    ids=["no text", "nested", "huge"],
)
def test_no_json_of_ours(tmp_path: Path, data: bytes) -> None:
    (tmp_path / HISTORY_FILE).write_bytes(data)
    assert read_history(tmp_path) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such pipes")
def test_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / HISTORY_FILE)
    assert read_history(tmp_path) is None


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / HISTORY_FILE).mkdir()
    assert read_history(tmp_path) is None
