"""Several structures at once: ``--run`` trains what is missing, ``--summary`` prints the tables."""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ablation.variants import DEFAULT, NONE, Protocol, make_jobs

RESULTS = Path(__file__).resolve().parent / "results" / "structures"
SETS = ("six_axial", "six_short_axis", "six_axial_each_slice", "six_short_axis_each_slice")
_RHO = 2.0


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", action="store_true", help="train what has no result yet")
    parser.add_argument("--summary", action="store_true", help="print the tables")
    parser.add_argument("--set", nargs="+", dest="sets", default=list(SETS), metavar="SET", help=", ".join(SETS))
    parser.add_argument("--seed", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    if not options.run and not options.summary:
        parser.error("say --run, --summary or both")
    if options.run:
        _run(options)
    if options.summary:
        from structures.page import summary

        print(summary(options.results))
    return 0


def _run(options: argparse.Namespace) -> None:
    # Late, because the summary needs no torch.
    from ablation.one_run import is_done, run_job
    from ablation.sets import open_set
    from structures.measure import figures_of

    protocol = Protocol(steps=options.steps, width=options.width, samples=options.samples)
    for job in make_jobs(options.sets, [NONE, DEFAULT.split(",")[0]], [_RHO], options.seed, protocol):
        results = options.results / f"{job.set_name}.json"
        if is_done(job, results):
            continue
        start = time.monotonic()
        run_job(job, results, partial(figures_of, further=open_set(f"{job.set_name}_further")))
        print(f"{job.set_name} {job.name} in {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
