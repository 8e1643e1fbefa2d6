"""What a case of the corpus is: files that are written into a folder, a command on them, and how it must end."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where a case is built.

    Attributes:
        folder: an empty folder of the case's own; spaces, quotes and accents are in its path.
        good: finished outputs to spoil, by kind: ``training_set``, ``model``, ``synthesis``, ``run``.
    """

    folder: Path
    good: dict[str, Path]

    def path(self, name: str) -> Path:
        """A path in the folder, with its parents made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def copy(self, kind: str) -> Path:
        """A copy of a finished output that may be spoiled."""
        return Path(shutil.copytree(self.good[kind], self.folder / kind))

    @property
    def out(self) -> Path:
        """Where the command is told to write; it must not exist afterwards."""
        return self.folder / "out"


Arguments = list[str]
Build = Callable[[Place], Arguments]


@dataclass(frozen=True)
class Case:
    """One bad input.

    Attributes:
        name: ``"reader: what is wrong"``.
        build: writes the input and returns the arguments of ``topogan``.
        says: regular expression that the one sentence must match.
        code: exit code: 2 the input is wrong, 1 the work failed.
        may_change: regular expression of paths that a command changes although it fails; none by default.
    """

    name: str
    build: Build
    says: str
    code: int = 2
    may_change: str = ""


@dataclass(frozen=True)
class Outcome:
    """How a case ended.

    Attributes:
        name: of the case.
        code: exit code.
        said: all that came on standard error, from Python and from C++ alike.
        printed: all that came on standard output.
        left: paths in the case's folder that the command made, changed or removed.
        seconds: processor time.
        peak_mb: peak memory of the process so far.
    """

    name: str
    code: int
    said: str
    printed: str
    left: list[str]
    seconds: float
    peak_mb: float


def prepare(place: Place, segmentation: Path, ct: Path | None = None, *more: str) -> Arguments:
    """Arguments of ``topogan prepare``."""
    images = ["--ct", str(ct)] if ct is not None else []
    return ["prepare", str(place.out), "--segmentation", str(segmentation), *images, *more]
