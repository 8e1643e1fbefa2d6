"""Keep finished runs, one file a set, read them, and pair them seed by seed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from filelock import FileLock

from ablation.variants import NONE, VARIANTS, Protocol
from topogan.files import read_json, write_json

SCHEMA = "topogan.ablation/2"


@dataclass(frozen=True)
class Result:
    """One finished run."""

    content: dict[str, Any]

    @property
    def seed(self) -> int:
        """Seed of the training."""
        return self.content["seed"]

    @property
    def variant(self) -> str:
        """The variant and its ρ, in words, and where the loss begins if not where it usually does."""
        name, ratio = self.content["variant"], self.content["ratio"]
        if ratio is None:
            return name
        warm_up = self.content["settings"]["topology"]["warm_up"]
        return f"{name}, ρ {ratio:g}" + ("" if warm_up == Protocol.warm_up else f", from {warm_up:.0%} of the steps")

    def value(self, name: str) -> float | None:
        """A figure by its name, or None where it is not defined."""
        return self._figure(name)["value"]

    def real(self, name: str) -> float | None:
        """The same figure of real against real."""
        return self._figure(name)["real"]

    def _figure(self, name: str) -> dict[str, Any]:
        figures = self.content["figures"]
        if name == AREA:
            distance, mean = figures["Area distance"], figures["Mean area"]
            return {key: distance[key] / mean["real"] for key in ("value", "real")}
        if name.startswith(FAILURES):
            valid = figures[name.replace(FAILURES, "Valid")]
            return {key: 100.0 - valid[key] for key in ("value", "real")}
        return figures[name]


# The area distance as a share of the held-out patients' mean area, so that one guard fits all sets.
AREA = "Area distance / mean area"
# Masks with another topology than the most frequent real one; real masks have them too.
FAILURES = "Not modal"


@dataclass(frozen=True)
class Group:
    """Runs that may be compared: one set, one protocol."""

    set_name: str
    protocol: str
    by_variant: dict[str, dict[int, Result]]

    @property
    def any(self) -> Result:
        """One of the runs, for what they have in common."""
        return next(iter(next(iter(self.by_variant.values())).values()))

    def mean(self, variant: str, name: str) -> float | None:
        """Mean of a figure over the seeds of a variant."""
        return mean_of([result.value(name) for result in self.by_variant[variant].values()])

    def pairs(self, variant: str, name: str) -> list[float]:
        """The figure minus that of λ = 0, for each seed that both have, in the order of the seeds."""
        mine, none = self.by_variant[variant], self.by_variant.get(NONE, {})
        both = [(mine[seed].value(name), none[seed].value(name)) for seed in sorted(mine.keys() & none.keys())]
        return [value - zero for value, zero in both if value is not None and zero is not None]

    def ratio(self, variant: str, name: str) -> float | None:
        """λ = 0's mean over the variant's, on the seeds that both have: how many times smaller."""
        mine, none = self.by_variant[variant], self.by_variant.get(NONE, {})
        seeds = mine.keys() & none.keys()
        value, zero = (mean_of([runs[seed].value(name) for seed in seeds]) for runs in (mine, none))
        return zero / value if value and zero is not None else None


def mean_of(values: list[float | None]) -> float | None:
    """Mean of the values that are defined; None where none is."""
    defined = [value for value in values if value is not None]
    return fmean(defined) if defined else None


def spread_of(values: list[float]) -> float | None:
    """Standard deviation over seeds; None for fewer than two."""
    return stdev(values) if len(values) > 1 else None


def add_run(path: Path, name: str, content: dict[str, Any]) -> None:
    """Add a run to the file of its set, or replace it; other processes may be adding theirs at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        runs = read_runs(path) | {name: content}
        write_json(path, {"runs": dict(sorted(runs.items()))}, SCHEMA)


def read_runs(path: Path) -> dict[str, dict[str, Any]]:
    """The runs in the file of a set, by the names of their jobs; none where there is no file."""
    return read_json(path, SCHEMA)["runs"] if path.exists() else {}


def read_results(folder: Path) -> list[Group]:
    """Read the results of all sets, in groups that may be compared; variants in their order, then by ρ."""
    found: dict[tuple[str, ...], dict[str, dict[int, Result]]] = defaultdict(lambda: defaultdict(dict))
    results = [Result(content) for path in sorted(folder.glob("*.json")) for content in read_runs(path).values()]
    for result in sorted(results, key=_place):
        # A set that was built anew, or other networks, must not be mixed with the old ones.
        content = result.content
        made_of = content["training_set"]["content_hash"] + content.get("networks", "")
        key = content["set"], _protocol(content), made_of
        found[key][result.variant][result.seed] = result
    return [Group(name, protocol, dict(runs)) for (name, protocol, _), runs in found.items()]


def _place(result: Result) -> tuple[str, int, float]:
    content = result.content
    return content["set"], list(VARIANTS).index(content["variant"]), content["ratio"] or 0.0


def _protocol(content: dict[str, Any]) -> str:
    masks = content["settings"]["masks"]
    return f"{masks['steps']} steps, width {masks['width']}, batch {masks['batch']}, {content['samples']} samples"
