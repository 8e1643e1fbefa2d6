"""One file a set with all of its runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from topogan.files import read_json, write_json

RESULTS = Path(__file__).resolve().parents[1] / "results" / "downstream"
_SCHEMA = "topogan.downstream-benchmark/1"

Runs = dict[str, dict[str, Any]]


def read_runs(name: str) -> Runs:
    """The runs in the file of that name; none where there is no file."""
    path = RESULTS / f"{name}.json"
    return dict(read_json(path, _SCHEMA)["runs"]) if path.is_file() else {}


def write_runs(name: str, runs: Runs) -> None:
    """Replace the file."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    write_json(RESULTS / f"{name}.json", {"runs": dict(sorted(runs.items()))}, _SCHEMA, indent=1)
