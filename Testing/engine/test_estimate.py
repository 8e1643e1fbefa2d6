"""``topogan doctor --estimate``: what a training takes; no real clock, but for one run of the command."""

from __future__ import annotations

import ctypes
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from topogan import free_memory as memory
from topogan.cli import run
from topogan.config import TrainSettings
from topogan.estimate import estimate
from topogan.training.timing import StageTiming

CPU = {"device": "cpu"}


class Steps:
    """Timed steps that take as long as they have pixels."""

    def __init__(self, seconds_per_pixel: float = 0.0, too_large: int = 1 << 30) -> None:
        self.now, self.sizes = 0.0, list[int]()
        self._seconds, self._too_large = seconds_per_pixel, too_large

    def __call__(
        self, settings: TrainSettings, size: int, device: torch.device, structures: int, axes: int
    ) -> list[StageTiming]:
        self.sizes.append(size)
        self.now += self._seconds * size**axes
        if size >= self._too_large:
            raise torch.OutOfMemoryError
        self.settings = settings
        return [StageTiming("masks", settings.masks.steps, 0.001 * size**axes, 10 * size**axes, 500)]

    def clock(self) -> float:
        return self.now


def ask(folder: Path, **content: Any) -> Path:
    path = folder / "ask.json"
    path.write_text(json.dumps({"schema": "topogan.estimate-request/1", "train": CPU, **content}))
    return path


def test_sizes_double_up_to_the_one_that_is_asked_for(tmp_path: Path) -> None:
    steps = Steps()
    found = estimate(ask(tmp_path, size=256, samples=100, train={**CPU, "masks": {"steps": 7}}), steps, steps.clock)
    assert steps.sizes == [64, 128, 256]
    assert found["device"] == "cpu"
    assert found["step_seconds"] == {"masks": pytest.approx(65.536)}
    assert found["seconds"] == pytest.approx(7 * 65.536)
    assert found["memory_bytes"] == 655_360 + 600_000_000, "the layers, and the libraries"
    assert found["disk_bytes"] == 4 * 500 + 100 * 256**2 * 3
    assert found["free_memory_bytes"] > 0


def test_a_model_that_goes_on_has_the_topological_loss_from_the_first_step(tmp_path: Path) -> None:
    for continued, warm_up in ((False, 0.6), (True, 0.0)):
        steps = Steps()
        estimate(ask(tmp_path, continued=continued), steps, steps.clock)
        assert steps.settings.topology.warm_up == warm_up


@pytest.mark.parametrize("axes", [2, 3])
def test_what_would_take_too_long_is_reckoned(tmp_path: Path, axes: int) -> None:
    """The first two sizes take 5 s together; the third would take more than what is left."""
    first, last = (64, 256) if axes == 2 else (32, 128)
    steps = Steps(5.0 / (first**axes + (2 * first) ** axes))
    found = estimate(ask(tmp_path, size=last, axes=axes), steps, steps.clock)
    assert steps.sizes == [first, 2 * first]
    assert found["step_seconds"]["masks"] == pytest.approx(0.001 * last**axes)


def test_a_size_that_is_too_much_for_the_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("topogan.estimate.free_memory", lambda device: 1 << 40)
    steps = Steps(too_large=128)
    found = estimate(ask(tmp_path, size=256), steps, steps.clock)
    assert steps.sizes == [64, 128]
    assert found["memory_bytes"] == (1 << 40) + 1, "more than is free"
    steps = Steps(too_large=32)
    assert "not enough memory" in estimate(ask(tmp_path, size=96, axes=3), steps, steps.clock)["error"]
    assert steps.sizes == [48]


def test_batches_fit_the_samples(tmp_path: Path) -> None:
    steps = Steps()
    estimate(ask(tmp_path, samples=20), steps, steps.clock)
    assert steps.settings.masks.batch == 20
    found = estimate(ask(tmp_path, samples=200, training_samples=18), steps, steps.clock)
    assert steps.settings.masks.batch == 18, "as the training does, which never sees the others"
    assert found["disk_bytes"] == 4 * 500 + 200 * 64**2 * 3, "all of them are kept"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"schema": "topogan.settings/1"}, "another kind of file"),
        ({"size": 63}, "size cannot be 63"),
        ({"size": 512, "axes": 3}, "512"),
        ({"axes": 4}, "axes cannot be 4"),
        ({"structures": 25}, "structures cannot be 25"),
        ({"samples": -1}, "samples cannot be -1"),
        ({"train": []}, "train cannot be"),
        ({"train": {"masks": {"steps": 0}}}, r"masks\.steps"),
        ({"train": {"masks": 7}}, "masks"),
        ({"train": {"device": "abacus"}}, "device"),
        ({"train": {"masks": {"batch": 64}}, "samples": 20}, r"masks\.batch is 64"),
        ({"train": {"topology": {"dimensions": "h2"}}}, "Slices have no cavities"),
        ({"more": 1}, "more does not exist"),
    ],
)
def test_a_wrong_request_is_an_answer_of_one_sentence(tmp_path: Path, content: dict[str, Any], said: str) -> None:
    import re

    steps = Steps()
    found = estimate(ask(tmp_path, **content), steps, steps.clock)
    assert list(found) == ["error"]
    assert re.search(said, found["error"]), found
    assert steps.sizes == []


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small = {"masks": {"width": 4, "batch": 4}, "textures": {"width": 4}, "threads": 1, **CPU}
    assert run(["doctor", "--json", "--estimate", str(ask(tmp_path, size=64, train=small))]) == 0
    found = json.loads(capsys.readouterr().out)["estimate"]
    assert set(found["step_seconds"]) == {"masks", "textures"}
    assert min(found["seconds"], found["memory_bytes"], found["disk_bytes"]) > 0
    assert run(["doctor", "--estimate", str(tmp_path / "nothing.json")]) == 0
    assert "nothing.json is missing" in capsys.readouterr().out


def test_free_memory_of_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory.sys, "platform", "linux")
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    5 kB\n")
    assert memory.free_memory(torch.device("cpu")) == 5 * 1024
    (tmp_path / "meminfo").write_text("nonsense\n")
    monkeypatch.setattr(memory.os, "sysconf", {"SC_AVPHYS_PAGES": 3, "SC_PAGE_SIZE": 7}.__getitem__)
    assert memory.free_memory(torch.device("cpu")) == 21
    (tmp_path / "meminfo").unlink()
    assert memory.free_memory(torch.device("cpu")) == 0


def test_free_memory_of_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {b"hw.memsize": 16_000_000_000, b"kern.memorystatus_level": 40}

    def sysctlbyname(name: bytes, value: Any, size: Any, *rest: Any) -> int:
        if name not in values:
            return -1
        value._obj.value = values[name]
        return 0

    monkeypatch.setattr(memory.sys, "platform", "darwin")
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda *how, **more: SimpleNamespace(sysctlbyname=sysctlbyname))
    assert memory.free_memory(torch.device("mps")) == 6_400_000_000
    del values[b"hw.memsize"]
    assert memory.free_memory(torch.device("cpu")) == 0


def test_free_memory_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    def status(reference: Any) -> int:
        assert reference._obj.length == ctypes.sizeof(reference._obj) == 64
        reference._obj.available = 123
        return 1

    monkeypatch.setattr(memory.sys, "platform", "win32")
    library = SimpleNamespace(GlobalMemoryStatusEx=status)
    monkeypatch.setattr(memory.ctypes, "WinDLL", lambda name: library, raising=False)
    assert memory.free_memory(torch.device("cpu")) == 123
    monkeypatch.setattr(library, "GlobalMemoryStatusEx", lambda reference: 0)
    assert memory.free_memory(torch.device("cpu")) == 0
