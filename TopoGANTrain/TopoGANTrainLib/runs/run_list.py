"""The runs of a results folder: what each is, how it is doing, and how good it became. Knows nothing of Qt.

Each run lies in a folder of its own, ``results/Myocardium-1/run``. Links are not followed: what they lead to is listed
where it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from topogan_contract import run as layout
from topogan_contract import schemas
from topogan_contract.run import ALIVE, RESUMABLE, STAGES
from topogan_contract.schemas import find_json
from topogan_contract.words import shown
from TopoGANLib.engine.history import History, read_history
from TopoGANLib.engine.run_monitor import SILENT, RunMonitor
from TopoGANLib.words import tr as _
from TopoGANTrainLib.run.folders import find_runs, written
from TopoGANTrainLib.run.training_sets import unused_sets

DAMAGED = "damaged"
"""State of what has the files of a run, but none that make sense."""

UNUSED = "unused"
"""State of a training set that no run of the results was trained from; it is listed so that it can be deleted."""

_MOST_STRUCTURES = 100


@dataclass(frozen=True)
class Best:
    """The preview with the smallest Betti error, and the one with the smallest error of textures; NaN where none is.

    Previews look at a hundred samples at most: these figures rank runs, and are not to be reported.
    """

    betti_error: float = np.nan
    """Of masks, 0 to 1."""
    valid: float = np.nan
    """Share of the same masks with the right topology, in %."""
    step: int = 0
    texture_error: float = np.nan
    """Mean absolute difference to the real images, in their own unit (HU for CT)."""
    texture_step: int = 0


@dataclass(frozen=True)
class RunEntry:
    """One run, or a training set without one, as it was when it was read."""

    run: Path
    """Its folder; that of the training set where the state is ``unused``."""
    state: str
    """One of the engine's, or ``silent``, ``damaged`` or ``unused``."""
    error: str = ""
    """Why it failed, is silent or is damaged: a sentence."""
    step: int = 0
    total: int = 0
    part: str = ""
    """What is trained: ``both``, ``masks`` or ``textures``."""
    structures: tuple[str, ...] = ()
    size: int = 0
    """Edge of a sample in pixels (voxels); 0 where the run does not say."""
    samples: int = 0
    """Of a training set without a run."""
    seed: int = 0
    device: str = ""
    training_set: str = ""
    """Content hash of what it learns from."""
    written: float = 0.0
    """When it last said how it is doing: seconds since 1970, by the clock of the disk."""
    best: Best = Best()
    has_curves: bool = False
    has_model: bool = False
    here: bool = True
    """Whether it runs, or ran, on this computer."""

    @property
    def name(self) -> str:
        """What a user calls it: the folder of the results that holds it."""
        return shown(self.run.parent.name)

    @property
    def alive(self) -> bool:
        """Whether an engine works, or may work, on it."""
        return self.state in (*ALIVE, SILENT)

    @property
    def resumable(self) -> bool:
        """Whether it can go on from its last checkpoint; of a silent one somebody has to know that it works nowhere."""
        return self.state in (*RESUMABLE, SILENT)


class RunList:
    """Reads the runs of a results folder, again and again: only so can the silence of another computer be heard.

    Takes 10 ms a run the first time, mostly for its curves, which are read again only if they have changed. Meant for a
    thread of its own, one reading at a time.

    Usage::

        runs = RunList()
        entries = runs.read(Path.home() / "TopoGAN")
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._monitors: dict[Path, RunMonitor] = {}
        self._best: dict[Path, tuple[tuple[int, int], Best | None]] = {}

    def read(self, results: Path) -> list[RunEntry]:
        """The 500 runs that were written last, newest first, then training sets without a run; none where the folder
        cannot be read.
        """
        runs = find_runs(results)
        self._monitors = {run: self._monitors.get(run) or RunMonitor(run, self._clock) for run in runs}
        self._best = {run: best for run, best in self._best.items() if run in self._monitors}
        return [*map(self._read, runs), *(_unused(*found) for found in unused_sets(results))]

    def _read(self, run: Path) -> RunEntry:
        when = written(run)
        config = find_json(run / layout.CONFIG_FILE, schemas.RUN)
        report = self._monitors[run].poll()
        if config is None or report is None or not report.there:
            name = layout.CONFIG_FILE if config is None else layout.STATUS_FILE
            error = _(
                "{name} is missing, damaged or of another version of TopoGAN: delete the run, or bring it back."
            ).format(name=name)
            return RunEntry(run, DAMAGED, error, written=when)
        settings, learned = _object(config.get("settings")), _object(config.get("training_set"))
        best, model = self._best_of(run), run / layout.MODEL
        return RunEntry(
            run,
            report.state,
            report.error,
            report.step,
            report.total,
            part=shown(settings.get("part", "")),
            structures=_structures(learned),
            size=_whole(learned.get("size")),
            seed=_whole(settings.get("seed")),
            device=shown(config.get("device", "")),
            training_set=str(learned.get("content_hash", "")),
            written=when,
            best=best or Best(),
            has_curves=best is not None,
            has_model=model.is_dir() and not model.is_symlink(),
            here=report.here,
        )

    def _best_of(self, run: Path) -> Best | None:
        """None while there are no curves."""
        try:
            state = (run / layout.HISTORY_FILE).stat()
        except OSError:
            return None
        version = state.st_mtime_ns, state.st_size
        if run not in self._best or self._best[run][0] != version:
            history = read_history(run)
            self._best[run] = version, None if history is None else best_of(history)
        return self._best[run][1]


def best_of(history: History) -> Best:
    """The best previews of a run."""
    curves = history.curves
    best: dict[str, Any] = {}
    masks, textures = STAGES
    if (errors := curves.get(f"{masks}/quick_betti_error")) and np.isfinite(errors.values).any():
        at = int(np.nanargmin(errors.values))
        best |= {"betti_error": float(errors.values[at]), "step": int(errors.steps[at])}
        if (valid := curves.get(f"{masks}/quick_valid")) and (same := valid.steps == errors.steps[at]).any():
            best["valid"] = float(valid.values[same][-1])
    if (errors := curves.get(f"{textures}/quick_absolute_error")) and np.isfinite(errors.values).any():
        at = int(np.nanargmin(errors.values))
        best |= {"texture_error": float(errors.values[at]), "texture_step": int(errors.steps[at])}
    return Best(**best)


def _unused(folder: Path, described: dict[str, Any]) -> RunEntry:
    table = _object(described.get("table")).get("structures")
    names = [_object(one).get("name", "") for one in table] if isinstance(table, list) else []
    return RunEntry(
        folder,
        UNUSED,
        structures=_structures({"structures": names}),
        size=_whole(described.get("size")),
        samples=_whole(_object(described.get("counts")).get("total")),
        training_set=str(described.get("content_hash", "")),
        written=written(folder),
    )


def _structures(learned: dict[str, Any]) -> tuple[str, ...]:
    # Runs of one structure have said "structure" before there were several.
    names = learned.get("structures", [learned["structure"]] if "structure" in learned else [])
    return tuple(map(shown, names[:_MOST_STRUCTURES])) if isinstance(names, list) else ()


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
