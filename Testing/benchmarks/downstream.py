"""Does synthesis help a segmentation network? ``--run`` trains what has no result yet, ``--summary`` prints the tables.

A U-Net is trained on 1, 2 or 4 patients, with and without augmentation and synthetic slices, and segments test patients
that are always the same. A seed has training patients, networks and samples of its own. Mask and texture networks learn
from the same patients as the U-Net; of ``phantom_structures`` they are told five structures more, which it is not, of
``phantom_context`` lungs, bone and body, too, and of ``phantom_context_longer`` textures are trained as by default.

Settings were chosen by ``--tune``, which looks at validation patients alone. A run writes down its test scores at once,
and says only those of validation.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import torch
from downstream_runs import page, tuning
from downstream_runs.arms import ARMS, OWN, PLAIN, REAL, RIVAL, SYNTHETIC, WITHOUT, run_arm
from downstream_runs.models import Training
from downstream_runs.pictures import draw_slices
from downstream_runs.results import Runs, read_runs, write_runs
from downstream_runs.sets import SOURCES

from topogan.device import exact_numerics

PAGE = Path(__file__).resolve().parents[2] / "Resources" / "Docs" / "few-patients.md"
# Those of the default, where all others are cut for time.
TRAININGS = {"phantom_context_longer": Training(texture_steps=1500, texture_width=16)}
VARIED = [name for name in ARMS if name not in (REAL, RIVAL, OWN, SYNTHETIC, WITHOUT, PLAIN)]


def training_of(source: str) -> Training:
    """How the networks of a set are trained."""
    return TRAININGS.get(source, Training())


def most_telling_first(seeds: Sequence[int]) -> Iterable[tuple[int, int, str]]:
    """(patients, seed, arm) of all runs."""
    yield from itertools.product((1,), seeds, (REAL, RIVAL, OWN))
    yield from itertools.product((1,), seeds, (SYNTHETIC,))
    yield from itertools.product((1,), seeds, (WITHOUT,))
    yield from itertools.product((2,), seeds, (RIVAL, OWN, SYNTHETIC, WITHOUT, REAL))
    yield from itertools.product((1, 2), seeds, (PLAIN,))
    yield from itertools.product((2,), seeds, VARIED)
    yield from itertools.product((4,), seeds, (REAL, RIVAL, OWN, SYNTHETIC, WITHOUT))


def run(source: str, patients: list[int], seeds: list[int], arms: list[str]) -> None:
    """Carry out what has no result yet, and write each as soon as it is known."""
    for many, seed, arm in most_telling_first(sorted(set(seeds) & set(SOURCES[source].seeds))):
        name = f"k{many}, seed {seed}, {arm}"
        if many in patients and many in SOURCES[source].patients and arm in arms and name not in known_runs(source):
            about: dict[str, Any] = {"patients": many, "seed": seed, "arm": arm}
            with exact_numerics(1, torch.device("cpu")):
                found = run_arm(source, many, seed, ARMS[arm], training_of(source))
            write_runs(source, read_runs(source) | {name: about | found})
            seen = found.get("validation")
            said = f": validation Dice {seen['dice']:.3f}, Betti error {seen['betti_error']:.3f}" if seen else ""
            print(f"{name}{said}", flush=True)


def known_runs(source: str) -> Runs:
    """All that are in its file; and those without samples of the set with the same slices, if there is one."""
    same = SOURCES[source].segmented
    shared = {name: one for name, one in read_runs(same).items() if ARMS[one["arm"]].data is None} if same else {}
    return shared | read_runs(source)


def main() -> None:
    """Do what the options say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", action="store_true", help="train what has no result yet")
    parser.add_argument("--tune", action="store_true", help="try settings of the U-Net on validation patients")
    parser.add_argument("--summary", action="store_true", help="print the tables, and draw the curves")
    parser.add_argument(
        "--pictures", action="store_true", help="draw slices of one patient, painted by what was trained"
    )
    parser.add_argument("--set", nargs="+", dest="sets", default=list(SOURCES), choices=list(SOURCES))
    parser.add_argument("--patients", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seed", type=int, nargs="+", default=list(range(5)))
    parser.add_argument("--arm", nargs="+", default=list(ARMS), choices=list(ARMS))
    given = parser.parse_args()
    for source in given.sets:
        if given.tune and source == "phantom":
            tuning.run(source)
        if given.run:
            run(source, given.patients, given.seed, given.arm)
        if given.pictures:
            draw_slices(source, PAGE.with_suffix("") / f"{source}-slices.png", training_of(source))
        if given.summary and read_runs(source):
            _summarize(source)


def _summarize(source: str) -> None:
    """Print the tables, and put them and the curves into the page."""
    runs = known_runs(source)
    tables = page.tables(source, runs, read_runs(SOURCES[source].segmented))
    text = tables
    if len({one["patients"] for one in runs.values()}) > 1:
        text += f"\n\n![Gain by the number of patients](few-patients/{source}.png)"
        page.draw(runs, PAGE.with_suffix("") / f"{source}.png")
    print(text)
    page.write(PAGE, source, text)
    if read_runs(f"{source}_tuning"):
        page.write(PAGE, "tuning", tuning.table(source))


if __name__ == "__main__":
    main()
