"""Measure what volumes cost: ``--run`` measures and writes results/volumes, ``--summary`` prints tables of them.

python Testing/benchmarks/volumes.py --run --summary
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from topology_bars.volumes import measure_persistence, persistence_table

RESULTS = Path(__file__).resolve().parent / "results" / "volumes"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, or both; 1 where persistence is wrong, or nothing was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", action="store_true", help="measure, and replace the results")
    parser.add_argument("--summary", action="store_true", help="print the results as tables")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    if not (options.run or options.summary):
        parser.error("say --run, --summary or both")
    found = options.results / "persistence.json"
    if options.run:
        options.results.mkdir(parents=True, exist_ok=True)
        found.write_text(json.dumps(measure_persistence(), indent=1) + "\n", encoding="utf-8")
    if not found.is_file():
        print(f"{found} is missing: measure with --run.", file=sys.stderr)
        return 1
    persistence = json.loads(found.read_text(encoding="utf-8"))
    if options.summary:
        print(persistence_table(persistence))
    return int(any(persistence["wrong"].values()))


if __name__ == "__main__":
    sys.exit(main())
