"""The lock: held by one, seen by all, given back by the system."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from topogan_contract import lock
from topogan_contract.lock import RunLock, is_locked, lock_holder

HOLD = "import sys; from pathlib import Path; from topogan_contract.lock import RunLock; "
HOLD += "lock = RunLock(Path(sys.argv[1])); assert lock.acquire(); print('held', flush=True); input()"


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    first, second = RunLock(tmp_path / "run.lock"), RunLock(tmp_path / "run.lock")
    assert not is_locked(tmp_path / "run.lock")
    assert first.acquire()
    assert is_locked(tmp_path / "run.lock")
    assert not second.acquire()
    first.release()
    assert not is_locked(tmp_path / "run.lock")
    assert second.acquire()
    second.release()


def test_the_holder_is_known_while_it_holds(tmp_path: Path) -> None:
    path, lock = tmp_path / "run.lock", RunLock(tmp_path / "run.lock")
    assert lock_holder(path) == 0
    path.write_bytes(b"\n1\n")
    assert lock_holder(path) == 0, "left by one that was killed"
    assert lock.acquire()
    assert lock_holder(path) == os.getpid()
    assert not RunLock(path).acquire()
    assert lock_holder(path) == os.getpid()
    for nonsense in (b"", b"\n-1\n", b"\n" + b"9" * 5000, b"\n0\n"):
        path.write_bytes(nonsense)
        assert lock_holder(path) == 0
    lock.release()
    assert path.read_bytes() == b""


def test_a_killed_holder_gives_the_lock_back(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert is_locked(path)
    assert not RunLock(path).acquire()
    process.kill()
    process.wait()
    assert not is_locked(path)


class _FakeWindows(types.ModuleType):
    """Windows' byte-range lock as far as one process can show it: one owner, an error for everyone else."""

    LK_NBLCK, LK_UNLCK = 2, 0

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.owner: int | None = None

    def locking(self, descriptor: int, mode: int, count: int) -> None:
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 0, "Windows locks at the position of the file"
        assert count == 1
        if mode == self.LK_UNLCK:
            self.owner = None
        elif self.owner is not None:
            raise PermissionError(13, "Permission denied")
        else:
            self.owner = descriptor


def test_windows_branch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "msvcrt", _FakeWindows())
    monkeypatch.setattr(lock, "sys", types.SimpleNamespace(platform="win32"))
    monkeypatch.setattr(lock, "_PATIENCE_SECONDS", 0.05)
    test_one_holder_at_a_time(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink(path.with_name("victim"), path)])
def test_what_is_no_file_is_no_lock(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    make(path)
    assert not is_locked(path)
    with pytest.raises(OSError):
        RunLock(path).acquire()
    assert not path.with_name("victim").exists()


def test_a_folder_that_is_replaced_meanwhile(tmp_path: Path) -> None:
    """Whoever waited for the lock of the older run must not take it for that of the new one."""
    path = tmp_path / "run" / "run.lock"
    path.parent.mkdir()
    holder, waiting = RunLock(path), RunLock(path)
    assert holder.acquire()
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(waiting.acquire()))
    thread.start()
    time.sleep(0.1)
    path.parent.rename(tmp_path / "older")
    path.parent.mkdir()
    path.touch()
    holder.release()
    thread.join()
    assert found == [False]
