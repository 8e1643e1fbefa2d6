"""What the panel says of an engine, for every way in which one can be wrong."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from fake_engine import make_engine, wait_until

from TopoGANLib.engine.process import Engine

if TYPE_CHECKING:
    from TopoGANLib.engine.check import EngineCheck, EngineReport


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return make_engine(tmp_path)


@pytest.fixture
def checks(application: Any) -> ModuleType:
    """What is tested; its sentences are translated by the application."""
    from TopoGANLib.engine import check

    return check


def doctor(engine: Engine, **changes: object) -> list[str]:
    content = {
        "schema": "topogan.doctor/1",
        "topogan": "1.2.3",
        "path": str(engine.parent / "topogan"),
        "packages": {"torch": "2.9", "gudhi": "3.11"},
        "devices": ["cuda", "cpu"],
        "problems": [],
    }
    return ["A warning of some package", json.dumps({**content, **changes})]


def finish(check: EngineCheck) -> EngineReport:
    wait_until(lambda: check.poll() is not None, seconds=60)
    report = check.poll()
    assert report is not None
    return report


def test_a_good_engine(checks: ModuleType, engine: Engine) -> None:
    report = checks.judge(engine, doctor(engine))
    assert report.usable
    assert report.sentence == "Ready: engine 1.2.3, torch 2.9."
    assert report.devices == ["cuda", "cpu"]
    assert report.on_gpu


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"gpu": "NVIDIA X"}, "It computes on the GPU: NVIDIA X."),
        ({"gpu": ""}, "It computes on the GPU: CUDA."),
        ({"devices": ["mps", "cpu"]}, "It computes on the GPU of Apple's processor."),
        ({"devices": ["cpu"]}, "No GPU was found: it computes on the CPU."),
        ({"notes": ["This gudhi is slow: install another."]}, "This gudhi is slow: install another."),
    ],
)
def test_what_else_there_is_to_know(checks: ModuleType, engine: Engine, found: dict[str, object], said: str) -> None:
    report = checks.judge(engine, doctor(engine, python="3.12.10", **found))
    assert report.sentence == "Ready: engine 1.2.3, torch 2.9, Python 3.12.10."
    assert report.details[-1] == said
    assert report.on_gpu == (found.get("devices") != ["cpu"])


def test_times_of_sizes(checks: ModuleType, engine: Engine) -> None:
    rows = [{"size": 64, "time": "on this computer about 5 min"}, {"size": 256, "time": "needs a GPU"}]
    assert checks.times_of_sizes(doctor(engine, timings=rows)) == {
        64: "on this computer about 5 min",
        256: "needs a GPU",
    }
    assert checks.times_of_sizes(doctor(engine)) == checks.times_of_sizes(["no answer"]) == {}


def test_an_idle_gpu_is_a_problem_but_no_obstacle(checks: ModuleType, engine: Engine) -> None:
    problem = "NVIDIA X is there, but this torch cannot use it: install a CUDA build of torch."
    report = checks.judge(engine, doctor(engine, devices=["cpu"], problems=[problem]))
    assert report.usable
    assert report.problems == [problem]
    assert checks.judge(engine, doctor(engine, devices=["cpu"], problems=[problem], gpu="NVIDIA X")).details == []


def test_packages_that_are_missing_are_named(checks: ModuleType, engine: Engine) -> None:
    packages = {"torch": "", "gudhi": "", "numpy": "2"}
    report = checks.judge(engine, doctor(engine, packages=packages, devices=[], problems=["torch is not installed: …"]))
    assert not report.usable
    assert report.sentence == "Not installed in this Python: torch, gudhi."
    assert report.missing == ["torch", "gudhi"]


def test_a_package_that_does_not_load(checks: ModuleType, engine: Engine) -> None:
    problem = "torch is installed but does not load (no DLL): install it again."
    report = checks.judge(engine, doctor(engine, devices=[], problems=[problem]))
    assert not report.usable
    assert report.sentence == problem


def test_another_version_is_refused(checks: ModuleType, engine: Engine) -> None:
    report = checks.judge(engine, doctor(engine, topogan="9.9"))
    assert not report.usable
    assert "version 9.9, and these panels need 1.2.3" in report.sentence


def test_another_copy_is_refused(checks: ModuleType, engine: Engine, tmp_path: Path) -> None:
    report = checks.judge(engine, doctor(engine, path=str(tmp_path / "topogan")))
    assert not report.usable
    assert str(tmp_path / "topogan") in report.sentence


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (["Traceback …", "ModuleNotFoundError: No module named 'typer'"], "Not installed in this Python: typer"),
        (["SyntaxError: invalid syntax"], "cannot run the engine (SyntaxError: invalid syntax): choose another Python"),
        ([], "cannot run the engine (it said nothing): choose another Python"),
        (["{not json", '{"schema": "other"}'], "cannot run the engine"),
    ],
)
def test_what_is_no_answer(checks: ModuleType, engine: Engine, output: list[str], sentence: str) -> None:
    report = checks.judge(engine, output)
    assert not report.usable
    assert sentence in report.sentence


def test_a_python_that_cannot_be_started(checks: ModuleType, tmp_path: Path) -> None:
    report = finish(checks.EngineCheck(Engine(tmp_path / "no python"), tmp_path / "log.txt"))
    assert not report.usable
    reason = "cannot be started (No such file or directory): choose another Python."
    assert report.sentence == f"{tmp_path / 'no python'} {reason}"


def test_an_engine_that_does_not_answer(checks: ModuleType, engine: Engine, tmp_path: Path) -> None:
    main = engine.parent / "topogan" / "__main__.py"
    main.write_text("import time; time.sleep(60)")
    now = [0.0]
    check = checks.EngineCheck(engine, tmp_path / "log.txt", clock=lambda: now[0])
    assert check.poll() is None
    now[0] = 121.0
    report = check.poll()
    assert report is not None
    assert "did not answer within 120 s" in report.sentence


def test_closing_ends_it(checks: ModuleType, engine: Engine, tmp_path: Path) -> None:
    (engine.parent / "topogan" / "__main__.py").write_text("import time; time.sleep(60)")
    check = checks.EngineCheck(engine, tmp_path / "log.txt")
    check.close()
    wait_until(lambda: check.poll() is not None)


def test_the_real_engine_is_ready(checks: ModuleType, tmp_path: Path) -> None:
    import topogan

    engine = Engine(Path(sys.executable))
    assert checks.version_beside(engine.parent) == topogan.__version__
    report = finish(checks.EngineCheck(engine, tmp_path / "log.txt"))
    assert report.usable, report
    assert "cpu" in report.devices
