"""A package ``topogan`` of a few lines that behaves or misbehaves on command, so that tests of processes are quick."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from TopoGANLib.engine_process import Engine

_MAIN = '''
import json, os, signal, subprocess, sys, time
from pathlib import Path
verb, *rest = sys.argv[1:]
if verb == "say":
    print(*rest)
elif verb == "fail":
    print("Reading ...")
    print(rest[1], file=sys.stderr)
    sys.exit(int(rest[0]))
elif verb == "where":
    print(json.dumps({"path": __file__, "argv": sys.argv[1:], "cwd_on_path": "" in sys.path, "sid": os.getsid(0)}))
elif verb == "crash":
    os.kill(os.getpid(), signal.SIGSEGV)
elif verb == "sleep":
    print("asleep", flush=True)
    time.sleep(60)
elif verb == "deaf":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("asleep", flush=True)
    time.sleep(60)
elif verb == "launcher":
    # As PythonSlicer: what does the work is a child; its number goes to a file.
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    Path(rest[0]).write_text(str(child.pid))
    print("asleep", flush=True)
    if rest[1:] == ["hasty"]:
        sys.exit(0)
    child.wait()
elif verb == "serve":
    folder = Path(rest[0])
    print("serving", flush=True)
    while True:
        for path in sorted((folder / "requests").glob("*.json")):
            request = json.loads(path.read_text())
            if request["model"].endswith("idle"):
                sys.exit(0)
            if request["model"].endswith("crash"):
                print("out of memory")
                os.abort()
        time.sleep(0.02)
'''


def make_engine(folder: Path) -> Engine:
    """Write the package below ``folder`` and return the engine that runs it."""
    package = folder / "engine with spaces" / "topogan"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "1.2.3"\n', encoding="utf-8")
    (package / "__main__.py").write_text(_MAIN, encoding="utf-8")
    return Engine(Path(sys.executable), parent=package.parent)


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for something that another process does.

    Raises:
        TimeoutError: it did not happen.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.01)


def lives(pid: int) -> bool:
    """Whether a process exists and is more than an entry that its parent has not read yet."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


def end_for_sure(pid: int) -> None:
    """Clear up after a test that has failed."""
    if lives(pid):
        os.kill(pid, signal.SIGKILL)
