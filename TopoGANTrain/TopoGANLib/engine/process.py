"""Runs the engine's commands as processes of their own, and ends them with everything that they started.

A crash, a lack of memory or a clash of versions in the engine stays there: Slicer only reads files.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from TopoGANLib.words import tr as _

ENGINE_PARENT = Path(__file__).resolve().parents[2]
"""The folder that holds the engine, the package ``topogan``: beside ``TopoGANLib``, from source and installed."""

PATIENCE_SECONDS = 30.0

# Windows API (winbase.h); subprocess has this name on Windows only.
_CREATE_NO_WINDOW = 0x08000000

_TAIL_BYTES = 8192

# The engine beside this library wins over every other copy, and the empty entry, which is the working folder, goes: a
# stray numpy.py there would be imported instead of numpy.
_START_LINE = (
    "import sys, runpy; sys.path[:] = [{parent!r}, *filter(None, sys.path)]; "
    "runpy.run_module('topogan', run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True)
class Engine:
    """Which Python runs the engine, and where the engine is.

    Usage::

        engine = Engine(Path(sys.executable), slicer.util.startupEnvironment())
        process = engine.start(["doctor", "--json"], log=folder / "doctor.txt")
    """

    python: Path
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    """Of the new process; None hands on this process's own. In Slicer: ``slicer.util.startupEnvironment()``."""
    parent: Path = ENGINE_PARENT

    def command(self, arguments: Sequence[str | Path]) -> list[str]:
        """The whole command line, such as ``["python", "-u", "-c", …, "train", "set", "run"]``."""
        line = _START_LINE.format(parent=str(self.parent))
        # -u, or the log would come in blocks long after the fact.
        return [str(self.python), "-u", "-c", line, *map(str, arguments)]

    def start(self, arguments: Sequence[str | Path], log: Path) -> EngineProcess:
        """Start one command; what it says goes to ``log``, which is made anew.

        Raises:
            OSError: this Python cannot be started, or ``log`` cannot be written.
        """
        return self.run(self.command(arguments), log)

    def run(self, command: Sequence[str], log: Path) -> EngineProcess:
        """Start any command line as a process that can be ended with all that it starts.

        Raises:
            OSError: it cannot be started, or ``log`` cannot be written.
        """
        base = os.environ if self.environment is None else self.environment
        # A log in the system's own encoding could not hold every file name.
        environment = {**base, "PYTHONIOENCODING": "utf-8:replace"}
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                **popen_options(),
            )
        return EngineProcess(popen, log)


class EngineProcess:
    """One running command of the engine; made by :meth:`Engine.start`. No method waits."""

    def __init__(self, popen: subprocess.Popen[bytes], log: Path) -> None:
        self._popen = popen
        self._exit_code: int | None = None
        self.log = log

    @property
    def pid(self) -> int:
        """Id of what was started, which may be a launcher that started the engine in turn."""
        return self._popen.pid

    def exit_code(self) -> int | None:
        """None while it runs; 0 done, 1 the work failed, 2 the input was wrong, else it was killed or has crashed.

        A launcher that has ended before what it started does not count as the end.
        """
        if self._exit_code is None:
            code = self._popen.poll()
            if code is not None and not _group_exists(self._popen.pid):
                self._exit_code = code
        return self._exit_code

    def output(self, lines: int = 20) -> list[str]:
        """The last lines of what it said."""
        return last_lines(self.log, lines)

    def complaint(self) -> str:
        """Why it failed, in the engine's own sentence, or else in words for how it ended."""
        said = [line.strip() for line in self.output() if line.strip()]
        code = self.exit_code()
        if code in (1, 2) and said:
            return said[-1]
        return _("The engine ended without a word (exit code {code}): its output says where it was.").format(code=code)

    @property
    def was_killed(self) -> bool:
        """Whether the system, or somebody, has ended it at once; Windows does not tell."""
        return sys.platform != "win32" and self.exit_code() == -signal.SIGKILL

    def kill(self) -> None:
        """End it and all that it started, at once."""
        if self.exit_code() is not None:
            return
        if sys.platform == "win32":
            kill_tree(self._popen.pid)
        else:
            _signal_group(self._popen.pid, signal.SIGKILL)


class StopThenKill:
    """Asks for an end once, and forces it if nothing has happened for 30 seconds; driven by ticks, it never waits.

    Usage::

        end = StopThenKill(monitor.request_stop, process.kill)
        end.tick(alive=process.exit_code() is None)  # now and then, until it is not alive
    """

    def __init__(
        self,
        ask: Callable[[], None],
        force: Callable[[], None],
        patience: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._force, self._clock = force, clock
        self._deadline = clock() + patience
        self.forced = False
        ask()

    def tick(self, alive: bool) -> None:
        """Use force if the time is up."""
        if alive and not self.forced and self._clock() >= self._deadline:
            self.forced = True
            self._force()


def popen_options() -> dict[str, Any]:
    """What makes a new process the head of a group of its own (POSIX), or gives it no console window (Windows)."""
    if sys.platform == "win32":
        return {"creationflags": _CREATE_NO_WINDOW}
    return {"start_new_session": True}


def kill_tree(pid: int) -> None:
    """End a process and all that it started, or whose group it belongs to, at once.

    Killing a launcher such as PythonSlicer alone would leave the engine behind.
    """
    if sys.platform == "win32":
        command = ["taskkill", "/T", "/F", "/PID", str(pid)]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.Popen(command, creationflags=_CREATE_NO_WINDOW, **quiet)
        return
    with suppress(ProcessLookupError):
        group = os.getpgid(pid)
        if group == os.getpgrp():
            os.kill(pid, signal.SIGKILL)  # its group is ours
        else:
            os.killpg(group, signal.SIGKILL)


def _signal_group(group: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def _group_exists(group: int) -> bool:
    """Whether anything lives in a group that one of our processes headed; groups are a matter of POSIX."""
    if sys.platform == "win32":
        return False
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def last_lines(path: Path, lines: int) -> list[str]:
    """The last lines of a text that may be long, or be written to at this moment; none if there is no such file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return text.splitlines()[-lines:]
