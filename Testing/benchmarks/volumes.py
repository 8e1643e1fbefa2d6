"""Volumes: ``--run`` measures persistence and trains what has no result yet, ``--summary`` prints the tables.

python Testing/benchmarks/volumes.py --run --summary
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from ablation.variants import NONE, Job, Protocol, make_jobs
from topology_bars.volumes import measure_persistence, persistence_table
from volume_runs.page import cost_table, summary

RESULTS = Path(__file__).resolve().parent / "results" / "volumes"
SETS = ("volume_myocardium", "volume_shell", "volume_atrium", "volume_three")
# Twice as fine, to be asked for by name: it takes ten times as long.
FINE = "volume_myocardium_64"
LOSS, CONTROL = "w2-4th", "binarise-4th"
_RHO = 2.0
_BATCH, _FINE_BATCH = 16, 8
_PERSISTENCE, _TRAININGS, _COST = "persistence", "trainings", "cost"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, or both; 1 where persistence is wrong, or was not measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--run", nargs="*", choices=(_PERSISTENCE, _TRAININGS, _COST), help="what to measure; nothing: the first two"
    )
    parser.add_argument("--summary", action="store_true", help="print the results as tables")
    names = ", ".join((*SETS, FINE))
    parser.add_argument("--set", nargs="+", dest="sets", default=list(SETS), metavar="SET", help=names)
    parser.add_argument("--variant", nargs="+", default=[NONE, LOSS, CONTROL], metavar="VARIANT")
    parser.add_argument("--seed", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--rho", nargs="+", type=float, default=[_RHO])
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    if options.run is None and not options.summary:
        parser.error("say --run, --summary or both")
    asked = options.run or (_PERSISTENCE, _TRAININGS)
    found = options.results / "persistence.json"
    if options.run is not None and _PERSISTENCE in asked:
        options.results.mkdir(parents=True, exist_ok=True)
        found.write_text(json.dumps(measure_persistence(), indent=1) + "\n", encoding="utf-8")
    if options.run is not None and _TRAININGS in asked:
        _train(options)
    cost = options.results / "cost.json"
    if options.run is not None and _COST in asked:
        from volume_runs.cost import measure_cost

        measured = measure_cost(job_of_cost(FINE, options.steps))
        cost.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    if options.summary:
        print(summary(options.results / _TRAININGS))
    if not found.is_file():
        print(f"{found} is missing: measure with --run.", file=sys.stderr)
        return 1
    persistence = json.loads(found.read_text(encoding="utf-8"))
    if options.summary:
        print(f"\n## Persistence\n\n{persistence_table(persistence)}")
    if options.summary and cost.is_file():
        print(f"\n## What a step at 64³ costs\n\n{cost_table(json.loads(cost.read_text(encoding='utf-8')))}")
    return int(any(persistence["wrong"].values()))


def job_of_cost(name: str, steps: int) -> Job:
    """The training of volumes whose steps are timed."""
    return make_jobs([name], [LOSS], [_RHO], [0], Protocol(steps=steps, batch=_FINE_BATCH))[0]


def _train(options: argparse.Namespace) -> None:
    # Late, because the summary needs no torch.
    from ablation.one_run import is_done, run_job
    from volume_runs.measure import figures_of

    for name in options.sets:
        batch = _FINE_BATCH if name == FINE else _BATCH
        protocol = Protocol(steps=options.steps, samples=options.samples, batch=batch)
        results = options.results / _TRAININGS / f"{name}.json"
        for job in make_jobs([name], options.variant, options.rho, options.seed, protocol):
            if is_done(job, results):
                continue
            start = time.monotonic()
            run_job(job, results, figures_of)
            print(f"{name} {job.name} in {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
