"""The curves of a run, read from its ``history.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from topogan_contract import schemas
from topogan_contract.run import HISTORY_FILE
from topogan_contract.schemas import find_json

# Twice what the engine keeps of a curve, and what a plot view still draws at once.
_MOST_POINTS = 4000


@dataclass(frozen=True)
class Curve:
    """Points of one value."""

    steps: np.ndarray
    """float64 [N], finite."""
    values: np.ndarray
    """float64 [N]; what is no finite number is NaN, at which a line breaks."""


@dataclass(frozen=True)
class History:
    """All curves of a run."""

    curves: Mapping[str, Curve]
    """By stage and value: ``"masks/loss_generator"``."""

    def last(self, name: str) -> float:
        """The newest finite value of a curve, NaN where there is none."""
        curve = self.curves.get(name)
        values = np.empty(0) if curve is None else curve.values[np.isfinite(curve.values)]
        return float(values[-1]) if len(values) else float("nan")


def read_history(run: Path) -> History | None:
    """Read the curves of a run; None where there are none yet, or the file is damaged or of another kind.

    A curve that makes no sense is left out. Takes 10 ms for 27 curves of 2000 points.

    Args:
        run: the run folder.
    """
    content = find_json(run / HISTORY_FILE, schemas.HISTORY)
    curves = None if content is None else content.get("curves")
    if not isinstance(curves, dict):
        return None
    read = {name: _curve(points) for name, points in curves.items() if isinstance(points, dict)}
    return History({name: curve for name, curve in read.items() if curve is not None})


def _curve(points: dict[str, Any]) -> Curve | None:
    steps, values = _numbers(points.get("steps")), _numbers(points.get("values"))
    if steps is None or values is None or len(steps) != len(values) or len(steps) > _MOST_POINTS:
        return None
    values[~np.isfinite(values)] = np.nan
    return Curve(steps, values) if np.isfinite(steps).all() else None


def _numbers(found: Any) -> np.ndarray | None:
    """A list of numbers as float64 [N]; None for anything else."""
    if not isinstance(found, list):
        return None
    try:
        numbers = np.array(found)
    except ValueError:  # lists of several lengths in it
        return None
    if numbers.ndim != 1 or numbers.dtype.kind not in "iuf":
        return None
    return numbers.astype(np.float64)
