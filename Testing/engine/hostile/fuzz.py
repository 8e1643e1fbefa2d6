"""Change files at random and read them: every reader must refuse in words what it cannot use, and do nothing else.

    python Testing/engine/hostile/fuzz.py                      # every target for 10 minutes each
    python Testing/engine/hostile/fuzz.py model run --minutes 60
    python Testing/engine/hostile/fuzz.py --list

A finding is a reader that raises anything but its own error, takes longer than 20 seconds or more than 3 GB, or takes
the process with it. The folder with the changed file is kept, and the error is printed with a traceback. Exit code 1 if
there are any.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "common")]
sys.path[:0] = [str(HERE.parents[2] / name) for name in ("TopoGANTrain", "TopoGANSynth")]

from hypothesis import HealthCheck, given, seed, settings  # noqa: E402 - found by the lines before
from hypothesis import strategies as st  # noqa: E402 - found by the lines before
from mutations import mutations  # noqa: E402 - found by the lines before
from readers import READERS, Reader  # noqa: E402 - found by the lines before

from topogan.errors import InputError, WorkError  # noqa: E402 - found by the lines before

SECONDS_A_READING = 20
MEMORY_BYTES = 3 << 30
_EXAMPLES_A_ROUND = 400


class TookTooLong(Exception):
    """A reading that does not end."""


@contextmanager
def limited() -> Iterator[None]:
    """End what takes longer than 20 seconds."""

    def ring(number: int, frame: object) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS_A_READING)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@dataclass
class Fuzzer:
    """One reader with a folder to spoil.

    Attributes:
        reader: what is tried.
        folder: a right input of it.
        runs: how many changed inputs have been read.
        refused: how many of them were refused in words.
    """

    reader: Reader
    folder: Path
    runs: int = 0
    refused: int = 0

    def round(self, number: int, examples: int) -> None:
        """Try some hundred changes.

        Raises:
            Exception: a finding, by the smallest change that hypothesis could find; the folder holds it.
        """
        files = {name: (self.folder / name).read_bytes() for name in self.reader.files(self.folder)}

        @seed(number)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        )
        @given(st.data())
        def attempt(data: st.DataObject) -> None:
            name = data.draw(st.sampled_from(sorted(files)))
            content = files[name]
            for change in data.draw(mutations(name)):
                content = change(content)
            signed = data.draw(st.booleans())
            for other, right in files.items():
                (self.folder / other).write_bytes(content if other == name else right)
            if signed:
                self.reader.sign(self.folder)
            self._read()

        attempt()
        for name, right in files.items():
            (self.folder / name).write_bytes(right)

    def _read(self) -> None:
        self.runs += 1
        try:
            with limited():
                self.reader.read(self.folder)
        except (InputError, WorkError, *self.reader.errors) as error:
            self.refused += 1
            sentence = str(error)
            assert sentence.strip() and len(sentence) < 2000 + 4 * len(str(self.folder)), (
                "no sentence, or an endless one"
            )


def fuzz_one(name: str, folder: Path, good: dict[str, Path], minutes: float, first_seed: int) -> int:
    """Try one reader for some minutes; return the exit code."""
    reader = READERS[name]
    work = folder / name.replace(" ", "-")
    reader.prepare(work, good)
    reader.read(work)  # the right input is read, and what is imported lazily is there before memory is limited
    in_use = (
        int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if sys.platform == "linux" else 0
    )
    if in_use:
        resource.setrlimit(resource.RLIMIT_AS, (in_use + MEMORY_BYTES,) * 2)
    fuzzer, end, number = Fuzzer(reader, work), time.monotonic() + 60 * minutes, first_seed
    while time.monotonic() < end:
        try:
            fuzzer.round(number, _EXAMPLES_A_ROUND)
        except Exception:
            traceback.print_exc()
            print(f"{name}: a finding with seed {number}, kept in {work}")
            return 1
        number += 1
    print(f"{name}: {fuzzer.runs} changed inputs, {fuzzer.refused} refused in words, no finding", flush=True)
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", help="which readers; all of them by default")
    parser.add_argument("--minutes", type=float, default=10.0, help="for each reader")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the first round")
    parser.add_argument("--keep", type=Path, help="folder for findings; a temporary one by default")
    parser.add_argument("--list", action="store_true", help="print the readers")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    names = options.readers or list(READERS)
    if options.list or not set(names) <= set(READERS):
        print("\n".join(READERS))
        sys.exit(0 if options.list else 2)
    if options.child:
        good = {path.name: path for path in options.child.iterdir()}
        sys.exit(fuzz_one(names[0], options.keep, good, options.minutes, options.seed))
    sys.exit(_parent(names, options))


def _parent(names: list[str], options: argparse.Namespace) -> int:
    """Each reader in a process of its own: one that takes it down is a finding, not the end."""
    from readers import make_good

    keep = options.keep or Path(tempfile.mkdtemp(prefix="topogan-fuzz-"))
    good = keep / "good"
    if not good.exists():
        make_good(good)
    found = 0
    for name in names:
        shutil.rmtree(keep / name.replace(" ", "-"), ignore_errors=True)
        command = [sys.executable, __file__, name, "--child", str(good), "--keep", str(keep)]
        command += ["--minutes", str(options.minutes), "--seed", str(options.seed)]
        code = subprocess.run(command, check=False).returncode
        if code < 0:
            print(f"{name}: the process died of signal {-code}; what it read is in {keep / name}")
        found += code != 0
    return int(found > 0)


if __name__ == "__main__":
    main()
