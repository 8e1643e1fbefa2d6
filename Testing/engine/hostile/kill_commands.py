"""Run commands and kill them with SIGKILL at chosen moments, or two of them at once: used by test_kills.py.

Everything is imported once; each attempt is a fork of this process, which therefore must not compute anything itself
(a fork has none of its parent's threads).

Usage: kill_commands.py ORDER.json RESULT.json, where ORDER holds ``folder`` and ``commands``: the arguments of each by
its name; OUT stands for the output.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

# Python's audit events (https://docs.python.org/3/library/audit_events.html) that come before a change on the disk.
_CHANGES = {"os.mkdir", "os.rename", "os.rmdir", "os.remove", "os.truncate", "shutil.rmtree", "ctypes.call_function"}
_WRITING = os.O_WRONLY | os.O_RDWR
# Moments that are tried: some all along, and each of the last, when the result gets its name. (Tried with all of them:
# nothing else comes to light.)
_ALONG, _LAST = 3, 6


class Changes:
    """Counts the changes that this process makes on the disk, and kills it before one of them."""

    def __init__(self, kill_before: int | None) -> None:
        self.count, self._kill_before = 0, kill_before
        self._active = True
        sys.addaudithook(self._see)

    def stop(self) -> int:
        """End counting; return the number of changes."""
        self._active = False
        return self.count

    def _see(self, event: str, arguments: tuple) -> None:
        writing = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
        if not self._active or not (writing or event in _CHANGES):
            return
        if self.count == self._kill_before:
            os.kill(os.getpid(), signal.SIGKILL)
        self.count += 1


def forked(work: Callable[[], int]) -> int:
    """Start ``work`` in a fork; its result is the exit code. Returns the process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 99
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        code = work()
    finally:
        os._exit(code)


def ended(pid: int) -> int:
    """Wait; the exit code, or minus the signal."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fingerprint(path: Path) -> str:
    """A hash over names and contents of everything below ``path``; empty where nothing is.

    Of a lock the name alone: whoever was killed while it held one leaves its process id in it, which nobody believes.
    """
    if not path.exists():
        return ""
    digest = hashlib.sha256()
    for file in sorted([path, *path.rglob("*")]):
        content = b"" if file.name == "run.lock" else file.read_bytes() if file.is_file() else b"/"
        digest.update(str(file.relative_to(path)).encode() + b"\0" + content)
    return digest.hexdigest()


class Trial:
    """A command on an output, tried many times."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        self.folder, self._arguments = folder, arguments
        self.out = folder / "out"

    def run(self, *more: str) -> int:
        from topogan.cli import run

        named = [str(self.out) if one == "OUT" else one for one in self._arguments]
        return run([*named, *more])

    def clear(self) -> None:
        for path in self.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def counted(self, *more: str) -> int:
        """How many changes on the disk a whole command makes."""

        def work() -> int:
            changes = Changes(None)
            code = self.run(*more)
            (self.folder / "count").write_text(str(changes.stop()))
            return code

        assert ended(forked(work)) == 0
        count = int((self.folder / "count").read_text())
        (self.folder / "count").unlink()
        return count

    def killed_before(self, change: int, *more: str) -> int:
        def work() -> int:
            Changes(change)
            return self.run(*more)

        return ended(forked(work))


def moments(count: int) -> list[int]:
    """Which changes to die before."""
    along = [count * number // _ALONG for number in range(_ALONG)]
    return sorted({*along, *range(max(0, count - _LAST), count)})


def try_moments(trial: Trial) -> dict:
    """Kill it where nothing was before, and where an older result was."""
    count = trial.counted()
    new = fingerprint(trial.out)
    fresh = []
    for change in moments(count):
        trial.clear()
        code = trial.killed_before(change)
        fresh.append([change, code, fingerprint(trial.out), _beside(trial)])
    trial.clear()
    assert ended(forked(trial.run)) == 0
    _make_older(trial.out)
    older = fingerprint(trial.out)
    shutil.copytree(trial.out, trial.folder / "kept")
    count = trial.counted("--overwrite")
    replaced = []
    for change in moments(count):
        shutil.rmtree(trial.out, ignore_errors=True)
        shutil.copytree(trial.folder / "kept", trial.out)
        code = trial.killed_before(change, "--overwrite")
        replaced.append([change, code, fingerprint(trial.out), _beside(trial)])
    last = ended(forked(lambda: trial.run("--overwrite")))
    return {"new": new, "older": older, "fresh": fresh, "replaced": replaced, "last": [last, fingerprint(trial.out)]}


def _make_older(out: Path) -> None:
    """Tell the older result from the new one."""
    with next(out.glob("*.json")).open("a", encoding="utf-8") as file:
        file.write("\n")


def _beside(trial: Trial) -> list[str]:
    return sorted(path.name for path in trial.folder.iterdir() if path.name not in ("out", "kept"))


def try_two_at_once(trial: Trial) -> dict:
    """Start the command twice at the same moment, several times; and twice with an older result there."""
    trial.counted()
    new = fingerprint(trial.out)
    rounds = []
    for more in ((), (), ("--overwrite",)):
        if not more:
            trial.clear()
        start = time.time() + 0.05

        def work(more: tuple[str, ...] = more, start: float = start) -> int:
            time.sleep(max(0.0, start - time.time()))
            return trial.run(*more)

        codes = [ended(pid) for pid in [forked(work), forked(work)]]
        rounds.append([list(more), sorted(codes), fingerprint(trial.out), _beside(trial)])
    return {"new": new, "rounds": rounds}


def _write_no_picture(*arguments: object) -> None:
    """In the place of the contact sheets, which take most of the time: write the file that they are to write."""
    next(one for one in arguments if isinstance(one, Path)).write_bytes(b"no picture")


def main() -> None:
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    import torch._dynamo  # noqa: F401 - what forks need, so that none of them imports it again

    import topogan.cli
    import topogan.dataset
    import topogan.export
    import topogan.synthesis  # noqa: F401

    for module, picture in (("dataset.prepare", "write_preview"), ("synthesis.run", "write_gallery")):
        setattr(sys.modules[f"topogan.{module}"], picture, _write_no_picture)
    found = {}
    for name, arguments in order["commands"].items():
        trial = Trial(Path(order["folder"]) / name, arguments)
        trial.folder.mkdir(parents=True)
        found[name] = {"moments": try_moments(trial)}
        trial.clear()
        found[name]["two at once"] = try_two_at_once(trial)
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
