"""What may be claimed of a change: differences over trainings with several seeds, paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from topogan.errors import InputError
from topogan.evaluation.report import SCHEMA
from topogan.files import read_json

# Names of metrics in reports that were made before training sets had three parts.
_OLD_NAMES = {"Closer to training than a held-out slice": "Closer to training than a test slice"}
SEEDS_FOR_A_CLAIM = 3
SEEDS_FOR_A_HEADLINE = 5


@dataclass(frozen=True)
class PairedDifference:
    """One metric with a change and without it, pair by pair of the same seed."""

    name: str
    dimension: int | None
    differences: list[float]
    """With the change minus without it, one for each seed."""
    mean: float
    deviation: float
    """Standard deviation over the seeds."""
    consistent: bool
    """All differences have the same sign."""
    supports: str
    """``headline`` (5 seeds or more), ``claim`` (3 or more) or ``nothing``: what so many seeds can carry."""


def paired_differences(changed: Sequence[Path], unchanged: Sequence[Path]) -> list[PairedDifference]:
    """Compare evaluations of trainings that differ in one thing, seed by seed.

    Spread inside one evaluation (draws, bootstrap) says nothing of other trainings; only seeds do.

    Args:
        changed: ``.json`` reports, one for each training seed.
        unchanged: reports of the same seeds in the same order, against the same training set.

    Raises:
        InputError: the lists differ in length or have fewer than two reports, a report cannot be read, or two reports
            of a pair were made against different training sets.
    """
    if len(changed) != len(unchanged) or len(changed) < 2:
        raise InputError(
            f"Pairs of reports are needed, at least two, not {len(changed)} with the change "
            f"and {len(unchanged)} without."
        )
    pairs = [(_read(one), _read(other)) for one, other in zip(changed, unchanged, strict=True)]
    if len({report["training_set_hash"] for pair in pairs for report in pair}) > 1:
        raise InputError("The reports were made against different training sets: evaluate all against the same one.")
    values = [(_values(one), _values(other)) for one, other in pairs]
    shared = [key for key in values[0][0] if all(key in side for pair in values for side in pair)]
    return [_difference(key, [one[key] - other[key] for one, other in values]) for key in shared]


def _read(path: Path) -> dict[str, Any]:
    return read_json(Path(path), SCHEMA)


def _values(report: dict[str, Any]) -> dict[tuple[str, int | None], float]:
    return {
        (_name(metric), metric.get("dimension")): metric["value"]
        for metric in report["metrics"]
        if metric["value"] is not None
    }


def _name(metric: dict[str, Any]) -> str:
    name = _OLD_NAMES.get(metric["name"], metric["name"])
    return f"{metric['structure']}: {name}" if metric.get("structure") else str(name)


def _difference(key: tuple[str, int | None], differences: list[float]) -> PairedDifference:
    seeds = len(differences)
    supports = "headline" if seeds >= SEEDS_FOR_A_HEADLINE else "claim" if seeds >= SEEDS_FOR_A_CLAIM else "nothing"
    return PairedDifference(
        name=key[0],
        dimension=key[1],
        differences=differences,
        mean=fmean(differences),
        deviation=stdev(differences),
        consistent=min(differences) > 0 or max(differences) < 0,
        supports=supports,
    )
