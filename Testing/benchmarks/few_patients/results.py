"""The file of results, and its tables."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from few_patients.job import VARIANTS
from topogan.files import read_json, write_json

SCHEMA = "topogan.few-patients/1"
FURTHER = "further"
"""Of 20 patients more, whom nothing else looks at."""


def add_results(results: Path, changes: dict[str, Any]) -> None:
    had = read_json(results, SCHEMA) if results.is_file() else {}
    had.pop("schema", None)
    write_json(results, {**had, **changes}, SCHEMA)


def read_runs(results: Path) -> dict[str, dict[str, Any]]:
    """What has been measured, by the names of the jobs."""
    return dict(read_json(results, SCHEMA).get("runs", {})) if results.is_file() else {}


# Key, heading, what stands beside it for real masks.
_COLUMNS = [
    ("all_copies", "possible copies, %", None),
    ("copies", "as they lie, %", None),
    ("changed_copies", "changed copies, %", None),
    ("closer", "closer to training, %", None),
    ("dice_to_training", "Dice to training", "dice_to_training_real"),
    ("auc", "membership AUC", None),
    ("betti_error", "Betti error", "betti_error_real"),
    ("area", "area distance", "area_real"),
    ("diversity", "Dice between samples", "diversity_real"),
    ("coverage", "Dice of held-out to samples", "coverage_real"),
]


def summary(results: Path) -> str:
    """A table for each set and number of steps, of validation and, where they were looked at, of other parts."""
    runs, lines = list(read_runs(results).values()), []
    for part in ("validation", "test", FURTHER):
        groups = sorted({_group(one) for one in runs if part in one})
        for group in groups:
            mine = [one for one in runs if _group(one) == group and part in one]
            name, steps, small = group
            lines += [f"{name}, {steps} steps{' of small networks' * small}, {part} patients", ""]
            lines += [f"| variant | seeds | {' | '.join(head for _, head, _ in _COLUMNS)} |"]
            lines += ["|---" * (len(_COLUMNS) + 2) + "|"]
            real = mine[0][part]
            shown = [f"{real[beside]:.3f}" if beside else "" for _, _, beside in _COLUMNS]
            lines.append(f"| real | | {' | '.join(shown)} |")
            for label, several in _by_variant(mine).items():
                cells = [_cell([one[part][key] for one in several]) for key, _, _ in _COLUMNS]
                lines.append(f"| {label} | {len(several)} | {' | '.join(cells)} |")
            lines.append("")
    lines.append("real: training against held-out masks. ±: standard deviation over seeds.")
    return "\n".join(lines)


def _group(run: dict[str, Any]) -> tuple[str, int, bool]:
    return run["set"], run["steps"], run["small"]


def _by_variant(runs: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found = {variant: [one for one in runs if one["variant"] == variant] for variant in VARIANTS}
    return {variant: several for variant, several in found.items() if several}


def _cell(values: list[float]) -> str:
    spread = f" ± {stdev(values):.2g}" if len(values) > 1 else ""
    return f"{fmean(values):.3g}{spread}"
