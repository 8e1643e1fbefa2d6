"""Finds out, in the background, whether a Python can run the engine, and says in words what to do if not."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from topogan_contract import schemas
from topogan_contract.words import shown
from TopoGANLib.engine.process import Engine, EngineProcess

_TIMEOUT_SECONDS = 120.0

_MISSING_MODULE = re.compile(r"ModuleNotFoundError: No module named '([\w.]+)'")
_NEEDED = re.compile(r'^__version__ = "([^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class EngineReport:
    """What is known of an engine."""

    usable: bool
    sentence: str
    """One line for the panel."""
    problems: list[str] = field(default_factory=list)
    """Everything that is wrong, one sentence each; a usable engine may have some too, such as an idle GPU."""
    missing: list[str] = field(default_factory=list)
    """Packages that are not installed."""
    devices: list[str] = field(default_factory=list)
    """Of torch, the best one first."""
    details: list[str] = field(default_factory=list)
    """What else there is to know of a usable engine, one sentence each: its GPU, and what works but slowly."""

    @property
    def on_gpu(self) -> bool:
        """Whether it computes on a GPU."""
        return any(device != "cpu" for device in self.devices)


class EngineCheck:
    """One run of ``topogan doctor --json``.

    Usage::

        check = EngineCheck(engine, log=folder / "doctor.txt")
        report = check.poll()  # now and then, until it is not None
    """

    def __init__(self, engine: Engine, log: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._clock = engine, clock
        self._deadline = clock() + _TIMEOUT_SECONDS
        self._report: EngineReport | None = None
        self._process: EngineProcess | None = None
        try:
            self._process = engine.start(["doctor", "--json"], log)
        except OSError as error:
            self._report = _no_start(engine.python, error)

    def poll(self) -> EngineReport | None:
        """The result, or None while the engine is being asked."""
        if self._report is None and self._process is not None:
            if self._process.exit_code() is not None:
                self._report = judge(self._engine, self._process.output(60))
            elif self._clock() > self._deadline:
                self._process.kill()
                sentence = _("{python} did not answer within {seconds} s: choose another Python.")
                seconds = f"{_TIMEOUT_SECONDS:.0f}"
                self._report = EngineReport(False, sentence.format(python=self._engine.python, seconds=seconds))
        return self._report

    def close(self) -> None:
        """End the process if it still runs."""
        if self._process is not None:
            self._process.kill()


def judge(engine: Engine, output: list[str]) -> EngineReport:
    """Turn what ``doctor --json`` has said into a report; pure, so that every case has a test.

    Args:
        engine: what was asked.
        output: last lines of its output.
    """
    found = doctor_json(output)
    if found is None:
        return _no_answer(engine, output)
    ours, theirs = version_beside(engine.parent), str(found.get("topogan"))
    if theirs != ours or Path(str(found.get("path"))).resolve() != (engine.parent / "topogan").resolve():
        sentence = _(
            "The engine at {path} has version {theirs}, and these panels need {ours} from {parent}: install the "
            "TopoGAN extension again, or restart Slicer after an update."
        ).format(path=found.get("path"), theirs=theirs, ours=ours, parent=engine.parent)
        return EngineReport(False, sentence, [sentence])
    problems = [str(problem) for problem in found.get("problems", [])]
    packages = dict(found.get("packages", {}))
    missing = [name for name, version in packages.items() if not version]
    devices = [str(device) for device in found.get("devices", [])]
    if missing or not devices:
        sentence = " ".join(problems)
        if missing:
            sentence = _("Not installed in this Python: {packages}.").format(packages=", ".join(missing))
        return EngineReport(False, sentence, problems, missing, devices)
    words = _("Ready: engine {engine}, torch {torch}, Python {python}.")
    if not found.get("python"):
        words = _("Ready: engine {engine}, torch {torch}.")
    sentence = words.format(engine=theirs, torch=packages.get("torch"), python=found.get("python"))
    details = [*_gpu_in_words(devices, shown(found.get("gpu") or "")), *map(str, found.get("notes", []))]
    return EngineReport(True, sentence, problems, missing, devices, details)


def times_of_sizes(output: list[str]) -> dict[int, str]:
    """What ``doctor --timings --json`` has said: for each size of slices or volumes how long the training takes.

    With :func:`topogan_contract.sizes.pixel_size_in_words` that is all a panel says of a size: "256 pixels: 0.63 mm, …:
    on this computer about 2 h 05 min". Empty where nothing was timed.
    """
    found = doctor_json(output) or {}
    return {int(row["size"]): str(row["time"]) for row in found.get("timings", [])}


def doctor_json(output: Sequence[str]) -> dict[str, Any] | None:
    """What ``topogan doctor --json`` has said; None if that is not among the last lines of its output."""
    # Packages may print warnings before and after.
    for line in reversed(output):
        if line.startswith("{"):
            try:
                content = json.loads(line)
            except ValueError:
                continue
            if content.get("schema") == schemas.DOCTOR:
                return content
    return None


def version_beside(parent: Path) -> str:
    """The version of the engine that lies beside the panels, read without importing it."""
    text = (parent / "topogan" / "__init__.py").read_text(encoding="utf-8")
    found = _NEEDED.search(text)
    return found.group(1) if found else ""


def _gpu_in_words(devices: Sequence[str], name: str) -> list[str]:
    if "cuda" in devices:
        return [_("It computes on the GPU: {name}.").format(name=name or "CUDA")]
    if "mps" in devices:
        return [_("It computes on the GPU of Apple's processor.")]
    # Of one that is there and idle, the problems say why.
    return [] if name else [_("No GPU was found: it computes on the CPU.")]


def _no_answer(engine: Engine, output: list[str]) -> EngineReport:
    text = "\n".join(output)
    missing = _MISSING_MODULE.search(text)
    if missing:
        name = missing.group(1).split(".")[0]
        sentence = _("Not installed in this Python: {package} and perhaps more.").format(package=name)
        return EngineReport(False, sentence, [], [name])
    said = [line.strip() for line in output if line.strip()]
    reason = said[-1] if said else _("it said nothing")
    sentence = _("{python} cannot run the engine ({reason}): choose another Python.")
    return EngineReport(False, sentence.format(python=engine.python, reason=reason), [])


def _no_start(python: Path, error: OSError) -> EngineReport:
    sentence = _("{python} cannot be started ({reason}): choose another Python.")
    return EngineReport(False, sentence.format(python=python, reason=error.strerror))
