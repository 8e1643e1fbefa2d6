"""Copies of the scene's volumes do not outlive a Slicer that was killed, nor an engine that was."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from topogan_contract import preparation as layout
from topogan_contract.lock import RunLock
from TopoGANTrainLib.run.leftovers import remove_orphans

if TYPE_CHECKING:
    from bench import Bench
    from standin import StandIn

TRAIN = Path(__file__).resolve().parents[2] / "TopoGANTrain"
# What the panel does on a thread: here it never ends, as with a large scene.
WRITER = """
import sys
from pathlib import Path
from TopoGANTrainLib.run.preparation import Preparation

def request():
    (folder / "p1-001-ct.nrrd").write_bytes(b"voxels")
    print("writing", flush=True)
    sys.stdin.read()

folder = Path(sys.argv[1])
Preparation(folder, request).write()
"""
# What the engine does with it, at a volume that takes long.
ENGINE = """
import sys
from pathlib import Path
from topogan.dataset import request
from topogan.config import TrainSettings

def long_work(*_):
    print("preparing", flush=True)
    sys.stdin.read()

request._prepare = long_work
request.prepare_as_requested(Path(sys.argv[1]), Path(sys.argv[1]).parent / "set", TrainSettings(), print)
"""

Start = Callable[[str, Path, str], "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a program that says a word when it is at work, and then waits."""
    begun: list[subprocess.Popen[str]] = []

    def begin(code: str, folder: Path, word: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(TRAIN)},
        )
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == f"{word}\n"
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def end(process: subprocess.Popen[str]) -> None:
    """As ``kill -9`` does."""
    process.kill()
    process.wait()


def handed_over(folder: Path) -> Path:
    """A folder that the panel has written to its end."""
    folder.mkdir()
    (folder / "p1-001-ct.nrrd").write_bytes(b"voxels")
    (folder / layout.LOCK_FILE).touch()
    text = '{"schema": "topogan.prepare-request/1", "sources": [], "temporary": true}'
    (folder / layout.REQUEST_FILE).write_text(text)
    return folder


def test_what_a_killed_slicer_was_writing_is_removed(tmp_path: Path, start: Start) -> None:
    folder = tmp_path / "input-0123abcd"
    writer = start(WRITER, folder, "writing")
    remove_orphans(tmp_path)
    assert (folder / "p1-001-ct.nrrd").exists(), "it is being written"
    end(writer)
    remove_orphans(tmp_path)
    assert not folder.exists()


def test_what_a_killed_engine_was_reading_is_removed(tmp_path: Path, start: Start) -> None:
    folder = handed_over(tmp_path / "input-0123abcd")
    remove_orphans(tmp_path)
    assert folder.exists(), "an engine is being loaded that will read it"
    engine = start(ENGINE, folder, "preparing")
    remove_orphans(tmp_path)
    assert (folder / "p1-001-ct.nrrd").exists(), "it is being read"
    end(engine)
    remove_orphans(tmp_path)
    assert not folder.exists()


def test_what_no_engine_ever_took_is_removed(tmp_path: Path) -> None:
    folder = handed_over(tmp_path / "input-0123abcd")
    written = (folder / layout.REQUEST_FILE).stat().st_mtime - 3600
    os.utime(folder / layout.REQUEST_FILE, (written, written))
    remove_orphans(tmp_path)
    assert not folder.exists()


def test_only_what_is_surely_ours_is_removed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for name in ("input-0123abcd", "input-old", "input-0123abcde", "training-0123abcd"):
        (mine / name).mkdir()
        (mine / name / "thesis.txt").touch()
    for name in ("input-old", "input-0123abcde", "training-0123abcd"):
        (mine / name / layout.LOCK_FILE).touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / layout.LOCK_FILE).touch()
    (mine / "input-11111111").symlink_to(elsewhere)
    (mine / "input-22222222").touch()
    before = sorted(mine.rglob("*"))
    remove_orphans(mine)
    assert sorted(mine.rglob("*")) == before
    assert (elsewhere / layout.LOCK_FILE).exists()


def test_what_a_killed_comparison_has_left_is_removed(tmp_path: Path) -> None:
    """With or without its request; what is still added to, locked, or not surely ours stays."""

    def make(name: str, *files: str) -> Path:
        for file in files:
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).touch()
        return tmp_path / name

    ours = (
        make("compare-00000001", "request/ct.nrrd"),
        make("compare-00000002", "training-set/images.npy", "engine.txt"),
    )
    locked = make("compare-00000003", f"request/{layout.LOCK_FILE}")
    at_work = make("compare-00000004", "training-set/images.npy", "engine.txt")
    of_others = make("compare-00000005", "thesis.txt")
    pages = [tmp_path / f"comparison-0000000{n}.html" for n in (1, 2)]
    for page in pages:
        page.touch()
    for path in sorted(tmp_path.rglob("*")):
        if path not in (at_work / "engine.txt", pages[1]):
            os.utime(path, (1, 1))
    lock = RunLock(locked / "request" / layout.LOCK_FILE)
    assert lock.acquire()
    for path in locked.rglob("*"):
        os.utime(path, (1, 1))
    os.utime(locked, (1, 1))
    remove_orphans(tmp_path)
    assert sorted(tmp_path.iterdir()) == [locked, at_work, of_others, pages[1]]
    lock.release()
    assert not any(folder.exists() for folder in ours)


def test_a_folder_that_another_uses_is_refused(tmp_path: Path) -> None:
    from TopoGANTrainLib.run.preparation import Preparation, Request

    lock = RunLock(tmp_path / layout.LOCK_FILE)
    assert lock.acquire()
    with pytest.raises(OSError, match="is used by another program"):
        Preparation(tmp_path, lambda: Request({})).write()
    lock.release()


@pytest.mark.skipif(os.name == "nt", reason="folders of a Windows user are closed to others anyway")
def test_other_users_of_the_computer_read_none_of_them(application: StandIn) -> None:
    from TopoGANLib.forms import user_settings

    folder = Path(application.application.temporaryPath) / "TopoGAN"
    before = os.umask(0o022)
    try:
        assert user_settings.work_folder().stat().st_mode & 0o077 == 0
        folder.chmod(0o755)  # an older version's
        assert user_settings.new_work_folder("input").parent.stat().st_mode & 0o077 == 0
    finally:
        os.umask(before)


def test_the_panel_removes_them_when_it_is_entered(bench: Bench, start: Start) -> None:
    from bench import pump

    from TopoGANLib.forms import user_settings

    folder = user_settings.work_folder() / "input-0123abcd"
    end(start(WRITER, folder, "writing"))
    widget = bench.open("TopoGANTrain")
    pump(lambda: not folder.exists() and widget.panel._clearing.done())
    end(start(WRITER, folder, "writing"))
    widget.panel.enter()
    pump(lambda: not folder.exists())
