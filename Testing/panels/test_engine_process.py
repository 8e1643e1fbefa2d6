"""Starting and ending the engine's processes, with real ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_engine import CRASHED, KILLED, end_for_sure, lives, make_engine, wait_until

from TopoGANLib.engine import process as engine_process
from TopoGANLib.engine.process import ENGINE_PARENT, Engine, EngineProcess, StopThenKill, kill_tree, last_lines


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return make_engine(tmp_path)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "log.txt"


def finish(process: EngineProcess) -> int:
    wait_until(lambda: process.exit_code() is not None)
    code = process.exit_code()
    assert code is not None
    return code


def asleep(engine: Engine, log: Path, *arguments: str | Path) -> EngineProcess:
    process = engine.start(arguments, log)
    wait_until(lambda: "asleep" in process.output())
    return process


def test_the_engine_beside_the_panels_wins(
    engine: Engine, log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stray = tmp_path / "elsewhere" / "topogan"
    stray.mkdir(parents=True)
    (stray / "__init__.py").write_text("raise RuntimeError('the wrong engine')")
    monkeypatch.chdir(stray.parent)
    process = Engine(engine.python, {**os.environ, "PYTHONPATH": str(stray.parent)}, engine.parent).start(
        ["where", tmp_path / "a b"], log
    )
    assert finish(process) == 0
    said = json.loads(process.output()[-1])
    assert said["path"] == str(engine.parent / "topogan" / "cli.py")
    assert said["argv"] == ["where", str(tmp_path / "a b")]
    assert not said["cwd_on_path"]
    assert os.name == "nt" or said["group"] == process.pid, "at the head of a group"


def test_the_real_engine_lies_beside_the_library() -> None:
    assert (ENGINE_PARENT / "topogan" / "__main__.py").is_file()
    assert Engine(Path("/python")).command(["train", Path("set")])[-2:] == ["train", "set"]


def test_exit_codes_and_the_last_sentence(engine: Engine, log: Path) -> None:
    for code in (1, 2):
        process = engine.start(["fail", str(code), "The mask is empty: choose another label."], log)
        assert finish(process) == code
        assert process.complaint() == "The mask is empty: choose another label."
    process = engine.start(["say", "done"], log)
    assert finish(process) == 0


def test_a_crash_is_said_to_be_one(engine: Engine, log: Path) -> None:
    process = engine.start(["crash"], log)
    assert finish(process) == CRASHED
    said = f"The engine ended without a word (exit code {CRASHED}): its output says where it was."
    assert process.complaint() == said


def test_a_python_that_is_not_there(log: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Engine(Path("/no/such/python")).start(["doctor"], log)


def test_force_comes_after_the_patience(engine: Engine, log: Path) -> None:
    process = asleep(engine, log, "sleep")
    now, asked = [100.0], []
    end = StopThenKill(lambda: asked.append(1), process.kill, patience=30.0, clock=lambda: now[0])
    assert asked
    now[0] = 129.9
    end.tick(alive=process.exit_code() is None)
    assert not end.forced and process.exit_code() is None
    now[0] = 130.0
    end.tick(alive=True)
    assert end.forced
    assert finish(process) == KILLED
    process.kill()  # does nothing to a process that has ended


def test_what_has_ended_is_left_alone() -> None:
    forced: list[int] = []
    end = StopThenKill(lambda: None, lambda: forced.append(1), patience=0.0)
    end.tick(alive=False)
    assert not forced


@pytest.mark.parametrize("haste", [[], ["hasty"]], ids=["launcher waits", "launcher has gone"])
def test_no_orphan_of_a_launcher_is_left(engine: Engine, log: Path, tmp_path: Path, haste: list[str]) -> None:
    process = asleep(engine, log, "launcher", tmp_path / "child", *haste)
    child = int((tmp_path / "child").read_text())
    try:
        assert lives(child)
        assert process.exit_code() is None, "what the launcher started still works"
        process.kill()
        finish(process)
        wait_until(lambda: not lives(child))
    finally:
        end_for_sure(child)


def test_a_tree_is_killed_by_the_number_of_any_of_it(engine: Engine, log: Path, tmp_path: Path) -> None:
    process = asleep(engine, log, "launcher", tmp_path / "child")
    child = int((tmp_path / "child").read_text())
    kill_tree(child)
    finish(process)
    wait_until(lambda: not lives(child))
    kill_tree(child)  # gone: nothing happens


def test_its_own_group_is_never_killed() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    kill_tree(child.pid)
    assert child.wait(10) == KILLED  # and this test has survived


def test_a_killed_parent_leaves_the_engine_alive(engine: Engine, log: Path, tmp_path: Path) -> None:
    """Training survives Slicer, even a Slicer that is killed."""
    script = (
        "import sys, time; from pathlib import Path; from TopoGANLib.engine.process import Engine;"
        f"p = Engine(Path(sys.executable), parent=Path({str(engine.parent)!r})).start(['sleep'], Path({str(log)!r}));"
        "print(p.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    try:
        wait_until(lambda: "asleep" in last_lines(log, 5))
        parent.kill()
        parent.wait(10)
        assert lives(pid)
    finally:
        parent.stdout.close()
        end_for_sure(pid)


def test_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The Windows branch, with the calls of the system replaced."""
    started: list[tuple[list[str], dict[str, object]]] = []

    class Popen:
        pid = 4711

        def __init__(self, command: list[str], **options: object) -> None:
            started.append((command, options))

        def poll(self) -> int | None:
            return None

    monkeypatch.setattr(engine_process.sys, "platform", "win32")
    monkeypatch.setattr(engine_process.subprocess, "Popen", Popen)

    process = Engine(Path("PythonSlicer.exe")).start(["doctor"], tmp_path / "log.txt")
    _, options = started[-1]
    assert options["creationflags"] == 0x08000000
    assert "start_new_session" not in options
    process.kill()
    command, options = started[-1]
    assert command == ["taskkill", "/T", "/F", "/PID", "4711"]
    assert options["creationflags"] == 0x08000000


def test_macos_starts_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_process.sys, "platform", "darwin")
    assert engine_process.popen_options() == {"start_new_session": True}


def test_last_lines_of_a_long_text(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes("".join(f"läne {n}\n" for n in range(10000)).encode() + b"\xff broken")
    assert last_lines(path, 2) == ["läne 9999", "� broken"]
    assert last_lines(tmp_path / "none", 2) == []
