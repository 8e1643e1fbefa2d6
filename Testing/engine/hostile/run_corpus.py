"""Run cases of the corpus, one after the other, in a process of their own: a crash or a hang is then a result too.

Usage: run_corpus.py ORDER.json RESULTS.jsonl, where ORDER holds ``folder``, ``good`` (finished outputs, by kind) and
``names`` of cases. Each outcome is one line of the results, written before the next case begins.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "common")]

from hostile_corpus.all_cases import CASES  # noqa: E402 - found by the line before
from hostile_corpus.case import Case, Outcome, Place  # noqa: E402 - found by the line before

# Whatever hangs longer is ended by the system's alarm, C++ code too. A case takes 0.1 s of processor time.
SECONDS_FOR_A_CASE = 120


def peak_mb() -> float:
    """Highest memory of this process so far.

    Linux hands getrusage's figure on to the programs that a process starts; the kernel's own begins anew with each.
    """
    status = Path("/proc/self/status")
    if status.exists():
        kilobytes = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:")).split()[1]
        return int(kilobytes) / (1 << 10)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


@contextmanager
def captured(folder: Path) -> Iterator[Callable[[], tuple[str, str]]]:
    """Send both outputs, C++'s included, to files; yields what gives (standard output, standard error) afterwards."""
    paths = [folder / "stdout", folder / "stderr"]
    kept = [os.dup(number) for number in (1, 2)]
    sys.stdout.flush(), sys.stderr.flush()
    for number, path in enumerate(paths, start=1):
        with path.open("wb") as file:
            os.dup2(file.fileno(), number)
    try:
        yield lambda: tuple(path.read_text("utf-8", "replace") for path in paths)
    finally:
        sys.stdout.flush(), sys.stderr.flush()
        for number, copy in enumerate(kept, start=1):
            os.dup2(copy, number)
            os.close(copy)


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file below ``folder``; links are not followed."""
    found = {}
    for parent, folders, files in os.walk(folder):
        for name in folders + files:
            path = Path(parent, name)
            state = path.lstat()
            found[str(path.relative_to(folder))] = (state.st_size, state.st_mtime_ns) if name in files else (0, 0)
    return found


def run_case(case: Case, folder: Path, good: dict[str, Path]) -> Outcome:
    """Build a case, run it, and clear it up."""
    from topogan.cli import run

    # What users call their folders.
    place = Place(folder / 'it\'s a "café" ünd so weiter', good)
    place.folder.mkdir(parents=True)
    try:
        arguments = case.build(place)
        before = contents(place.folder)
        started = time.process_time()
        with captured(folder) as said:
            code = run(arguments)
        seconds = time.process_time() - started
        printed, complaint = said()
        after = contents(place.folder)
        left = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        return Outcome(case.name, code, complaint, printed, left, round(seconds, 2), round(peak_mb()))
    finally:
        shutil.rmtree(folder)


def main() -> None:
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    good = {kind: Path(path) for kind, path in order["good"].items()}
    wanted = set(order["names"])
    with Path(sys.argv[2]).open("a", encoding="utf-8") as results:
        for number, case in enumerate(CASES):
            if case.name not in wanted:
                continue
            signal.alarm(SECONDS_FOR_A_CASE)
            outcome = run_case(case, Path(order["folder"]) / str(number), good)
            signal.alarm(0)
            results.write(json.dumps(asdict(outcome)) + "\n")
            results.flush()


if __name__ == "__main__":
    main()
