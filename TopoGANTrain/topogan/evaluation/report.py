"""What an evaluation found, and how it is written."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from topogan.errors import InputError
from topogan.files import check_new_file, remove_leftovers, staged_file, write_json
from topogan.verdict import plural

SCHEMA = "topogan.evaluation/1"

Better = Literal["lower", "higher", "equal to real"]


@dataclass(frozen=True)
class Metric:
    """One figure of the synthetic set beside the same figure of real data.

    A figure that compares two sets has the synthetic set against the test patients in ``value`` and the training
    patients against the test patients in ``real``: what real data reach. A figure of one set (an area, a share)
    has the test patients' in ``real`` and the training patients' in ``training``.
    """

    group: str
    """topology, shape, texture or memorization."""
    name: str
    value: float | None
    """None where the figure is not defined; ``note`` says why."""
    real: float | None
    unit: str
    """Empty where the figure has none."""
    better: Better
    dimension: int | None = None
    """0 for connected components, 1 for holes or tunnels, 2 for cavities, None for all or none."""
    training: float | None = None
    note: str = ""
    structure: str = ""
    """Structure or union that it is of; empty where it is of all, or there is but one."""
    by_seed: dict[str, float] = field(default_factory=dict)
    """``value`` for each seed with which rows were drawn (their mean is ``value``); empty where all rows are used."""
    real_by_seed: dict[str, float] = field(default_factory=dict)
    axes: int = 2
    """Of the samples; with it a dimension has its word."""


@dataclass(frozen=True)
class Report:
    """The result of :func:`topogan.evaluation.evaluate`."""

    conclusion: str
    """One sentence: what a reader should know first."""
    metrics: list[Metric]
    content: dict[str, Any]
    """All that the JSON file holds, metrics and conclusion included."""
    path: Path | None = None
    """The page that was written, or None; the JSON file lies beside it."""

    def metric(self, name: str, dimension: int | None = None, structure: str = "") -> Metric:
        """The metric with this name and dimension, of this structure or union.

        Raises:
            KeyError: there is none.
        """
        for metric in self.metrics:
            if (metric.name, metric.dimension, metric.structure) == (name, dimension, structure):
                return metric
        raise KeyError(f"{name}, dimension {dimension}{structure and f', {structure}'}")

    def summary(self) -> str:
        """The conclusion and a plain table, for a terminal."""
        rows = [("", "synthetic", "real", "")]
        rows += [(label(metric), number(metric.value), number(metric.real), metric.unit) for metric in self.metrics]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        table = [
            f"  {name:<{widths[0]}}  {value:>{widths[1]}}  {real:>{widths[2]}}  {unit}".rstrip()
            for name, value, real, unit in rows
        ]
        return "\n".join([self.conclusion, *table])


def drawn_metric(
    group: str,
    name: str,
    unit: str,
    value: dict[str, float],
    real: dict[str, float],
    dimension: int | None = None,
    note: str = "",
    axes: int = 2,
) -> Metric:
    """A figure, the lower the better, by its values for each seed of the draws; without any it is not defined."""
    several = len(value) > 1
    return Metric(
        group=group,
        name=name,
        value=fmean(value.values()) if value else None,
        real=fmean(real.values()) if real else None,
        unit=unit,
        better="lower",
        dimension=dimension,
        note=note,
        by_seed=value if several else {},
        real_by_seed=real if several else {},
        axes=axes,
    )


def label(metric: Metric) -> str:
    """The metric's name with its dimension in words, and before it the structure where there are several."""
    name = metric.name if metric.dimension is None else f"{metric.name} of {plural(metric.dimension, metric.axes)}"
    return f"{metric.structure}: {name}" if metric.structure else name


def number(value: float | None) -> str:
    """Three significant digits, or a dash where there is no value."""
    if value is None:
        return "–"
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def report_paths(report: Path, overwrite: bool) -> tuple[Path, Path]:
    """The HTML and the JSON file that ``report`` stands for: one stem, both in the same folder.

    Raises:
        InputError: one of them exists while ``overwrite`` is false, the folder is missing, or the name ends otherwise.
    """
    if report.suffix not in ("", ".html", ".json"):
        raise InputError(f"The report cannot be named {report.name}: end it with .html.")
    paths = report.with_suffix(".html"), report.with_suffix(".json")
    for path in paths:
        check_new_file(path, overwrite, *([SCHEMA] if path.suffix == ".json" else []))
        remove_leftovers(path)
    return paths


def metric_to_json(metric: Metric) -> dict[str, Any]:
    """The metric as it stands in the JSON file; ``dimension``, ``structure`` and the like only where they are."""
    optional = ("dimension", "training", "structure", "by_seed", "real_by_seed")
    found = {key: value for key, value in asdict(metric).items() if key not in optional or value not in (None, "", {})}
    del found["axes"]  # the same of all: the file says it once
    return found


def write_report(paths: tuple[Path, Path], page: str, content: dict[str, Any]) -> None:
    """Write the HTML and the JSON file, each in one replacement, the page last: where it is new, both are."""
    with staged_file(paths[0]) as temporary:
        temporary.write_text(page, encoding="utf-8")
        # Within, so that the page gets its name only when the numbers are on the disk.
        write_json(paths[1], content, SCHEMA)
