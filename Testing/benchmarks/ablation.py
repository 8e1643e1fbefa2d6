"""Measure what the topological loss is worth: ``--run`` trains what is missing, ``--summary`` makes table and plots."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ablation.data import REPOSITORY, Absent
from ablation.sets import FINAL_SETS, SETS, open_set
from ablation.variants import VARIANTS, Protocol, make_jobs

from topogan.errors import InputError

RESULTS = Path(__file__).resolve().parent / "results" / "ablation"
PAGE = REPOSITORY / "Resources" / "Docs" / "ablation.md"


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _options(arguments)
    try:
        if options.run:
            _run(options)
        if options.summary:
            from ablation.page import write_page

            print(write_page(options.results, options.page))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    default = Protocol()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", action="store_true", help="train what has no result yet")
    parser.add_argument("--summary", action="store_true", help="print the tables and write the page and its plots")
    parser.add_argument("--set", nargs="+", dest="sets", default=list(FINAL_SETS), metavar="SET", help=", ".join(SETS))
    parser.add_argument("--variant", nargs="+", default=list(VARIANTS), metavar="NAME", help=", ".join(VARIANTS))
    parser.add_argument("--rho", nargs="+", type=float, default=[2.0], help="strength ρ; the issue's are 0.5, 2 and 6")
    parser.add_argument("--seed", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=default.steps)
    parser.add_argument("--width", type=int, default=default.width)
    parser.add_argument("--warm-up", type=float, default=default.warm_up)
    parser.add_argument("--samples", type=int, default=default.samples)
    parser.add_argument("--batch", type=int, default=default.batch)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    if not options.run and not options.summary:
        parser.error("say --run, --summary or both")
    return options


def _run(options: argparse.Namespace) -> None:
    # Late, because the summary needs no torch.
    from ablation.one_run import is_done, run_job

    protocol = Protocol(options.steps, options.width, options.warm_up, options.samples, options.batch)
    for job in make_jobs(_present(options.sets), options.variant, options.rho, options.seed, protocol):
        results = options.results / f"{job.set_name}.json"
        if is_done(job, results):
            continue
        start = time.monotonic()
        run_job(job, results)
        print(f"{job.set_name} {job.name} in {time.monotonic() - start:.0f} s", flush=True)


def _present(names: list[str]) -> list[str]:
    """The sets that can be built here; the others are named with the reason."""
    present = []
    for name in names:
        try:
            open_set(name)
            present.append(name)
        except Absent as error:
            print(f"{name} is skipped. {error}", flush=True)
    return present


if __name__ == "__main__":
    sys.exit(main())
