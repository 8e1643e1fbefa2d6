"""Learning from few patients: ``--run`` trains what has no result yet, ``--summary`` prints the tables.

Variants differ in the augmentation alone. What is chosen is chosen on validation patients; ``--test`` adds the same
figures of the test patients to trainings that are named, once, and keeps what is there; ``--further`` likewise those of
20 patients more, all held out.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ablation.data import REPOSITORY
from ablation.sets import open_set
from downstream_runs.page import write
from few_patients.job import CPU, SETS, VARIANTS, Job, drawn
from few_patients.measure import figures, held_out, measure_cost, measure_independent, measure_strengths
from few_patients.results import FURTHER, add_results, read_runs, summary

from topogan.device import exact_numerics

PAGE = REPOSITORY / "Resources" / "Docs" / "few-patients.md"
RESULTS = Path(__file__).resolve().parent / "results" / "few_patients.json"


def run(jobs: list[Job], results: Path, parts: list[str]) -> None:
    """Train what the results do not have and measure it on validation, and on the other parts that are named."""
    for job in jobs:
        content = read_runs(results).get(job.name)
        if content is not None and content.keys() >= {*parts}:
            continue
        training_set = open_set(job.set_name)
        with exact_numerics(1, CPU):
            trainer, curve = job.train(training_set)
            samples = drawn(trainer, job)
        if content is None:
            content = {
                "set": job.set_name,
                "variant": job.variant,
                "seed": job.seed,
                "steps": job.steps,
                "small": job.small,
                "augmentation": job.settings.augmentation.model_dump(),
                "training_set": training_set.content_hash,
                "curve": curve,
                "validation": figures(samples, training_set, training_set.validation, training_set),
            }
        for part in parts:
            if part not in content:
                content[part] = figures(samples, training_set, *held_out(job.set_name, training_set, part))
        add_results(results, {"runs": dict(sorted((read_runs(results) | {job.name: content}).items()))})
        print(f"{job.name}: {content['validation']}", flush=True)


def main() -> None:
    """Do what the options say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--test", action="store_true", help="look at the test patients of the chosen trainings")
    parser.add_argument("--further", action="store_true", help="look at further patients, too (six_patients)")
    parser.add_argument("--cost", action="store_true", help="measure what a step costs")
    parser.add_argument("--strengths", action="store_true", help="measure what the changes do to real masks")
    parser.add_argument("--independent", action="store_true", help="measure masks of other patients as if samples")
    parser.add_argument("--summary", action="store_true", help="print the tables and write them into the page")
    parser.add_argument("--set", nargs="+", dest="sets", default=["six_patients"], choices=SETS)
    parser.add_argument("--variant", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--small", action="store_true", help="half the width, half the batch")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    if given.run or given.test or given.further:
        jobs = [
            Job(name, variant, seed, given.steps, given.small)
            for name in given.sets
            for seed in given.seed
            for variant in given.variant
        ]
        run(jobs, given.results, ["test"] * given.test + [FURTHER] * given.further)
    if given.cost:
        measure_cost(given.results)
    if given.strengths:
        measure_strengths(given.results)
    if given.independent:
        measure_independent(given.results)
    if given.summary:
        text = summary(given.results)
        write(PAGE, "learning", text)
        print(text)


if __name__ == "__main__":
    main()
