"""Learning from few patients: ``--run`` trains what has no result yet, ``--summary`` prints the tables.

Variants differ in the augmentation alone. What is chosen is chosen on validation patients; ``--test`` adds the same
figures of the test patients to trainings that are named, once, and keeps what is there.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ablation.sets import cache_folder, open_set

from topogan.config import AugmentationSettings, Device, MaskSettings, Part, TrainSettings
from topogan.device import exact_numerics
from topogan.files import read_json, write_json
from topogan.homology import betti_numbers_of_batch
from topogan.metrics.membership import membership
from topogan.metrics.memorization import audit
from topogan.metrics.shape import areas, best_matches, mean_pairwise_dice
from topogan.metrics.topology import betti_error
from topogan.networks.labels import labels_of
from topogan.randomness import torch_stream
from topogan.runs.checkpoints import Checkpoint, latest_checkpoint, save_checkpoint
from topogan.training.mask_trainer import MaskTrainer
from topogan.training.objectives import LAZY_STEPS
from topogan.training.optimization import as_floats
from topogan.training_set import TrainingSet

RESULTS = Path(__file__).resolve().parent / "results" / "few_patients.json"
SCHEMA = "topogan.few-patients/1"
SETS = ("six_patients", "two_patients", "six_atria")
VARIANTS: dict[str, dict[str, Any]] = {
    "none": {},
    "masks": {"masks": 1.0},
    "masks, half": {"masks": 0.5},
    "adaptive": {"discriminator": "adaptive"},
    "fixed": {"discriminator": "fixed"},
    "masks + adaptive": {"masks": 1.0, "discriminator": "adaptive"},
    "masks, half + adaptive": {"masks": 0.5, "discriminator": "adaptive"},
}
_OFF: dict[str, Any] = {"masks": 0.0, "discriminator": "off"}
_SAMPLES, _SAMPLES_OF_BETTI, _TOGETHER = 1000, 300, 100
_CURVE_EVERY = 100
_COST_SETS, _TIMED = ("six_patients", "volume_myocardium"), 5
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Job:
    """One training."""

    set_name: str
    variant: str
    seed: int
    steps: int
    penalty: float

    @property
    def name(self) -> str:
        """What it is called in the results."""
        penalty = "" if self.penalty == MaskSettings().gradient_penalty else f", R1 {self.penalty:g}"
        return f"{self.set_name}, {self.variant}{penalty}, {self.steps} steps, seed {self.seed}"

    @property
    def settings(self) -> TrainSettings:
        """The defaults but for steps and augmentation."""
        return TrainSettings(
            part=Part.MASKS,
            masks=MaskSettings(steps=self.steps, gradient_penalty=self.penalty),
            augmentation=AugmentationSettings(**{**_OFF, **VARIANTS[self.variant]}),
            seed=self.seed,
            device=Device.CPU,
            threads=1,
        )

    def train(self, training_set: TrainingSet) -> tuple[MaskTrainer, list[dict[str, float]]]:
        """Train to the end, from the last checkpoint where there is one; return the trainer and its curve."""
        folder = cache_folder() / "few_patients" / f"{self.name}-{training_set.content_hash[:12]}".replace(", ", "-")
        folder.mkdir(parents=True, exist_ok=True)
        trainer, curve = MaskTrainer(training_set, self.settings, _CPU), []
        found = latest_checkpoint(folder)
        if found is not None:
            trainer.exact.restore(found.tensors, found.values["trainer"])
            trainer.step, curve = found.step, found.values["curve"]
        rows: list[dict[str, float]] = []
        while trainer.step < trainer.total:
            rows.append(as_floats(trainer.train_step()))
            if trainer.step % _CURVE_EVERY == 0 or trainer.step == trainer.total:
                shown = ("score_real", "score_fake", "augmentation")
                curve.append({"step": trainer.step} | {key: _mean(rows, key) for key in shown if key in rows[0]})
                tensors, values = trainer.exact.pack()
                save_checkpoint(folder, Checkpoint(trainer.step, tensors, {"trainer": values, "curve": curve}))
                rows = []
        return trainer, curve


def _mean(rows: list[dict[str, float]], key: str) -> float:
    return round(fmean(row[key] for row in rows), 4)


def run(jobs: list[Job], results: Path, test: bool) -> None:
    """Train what the results do not have and measure it on validation, with ``test`` also on test patients."""
    for job in jobs:
        content = read_runs(results).get(job.name)
        if content is not None and (not test or "test" in content):
            continue
        training_set, start = open_set(job.set_name), time.process_time()
        with exact_numerics(1, _CPU):
            trainer, curve = job.train(training_set)
            samples = drawn(trainer, job)
        if content is None:
            content = {
                "set": job.set_name,
                "variant": job.variant,
                "seed": job.seed,
                "steps": job.steps,
                "gradient_penalty": job.penalty,
                "augmentation": job.settings.augmentation.model_dump(),
                "training_set": training_set.content_hash,
                "cpu_seconds": round(time.process_time() - start, 1),
                "curve": curve,
                "validation": figures(samples, training_set, training_set.validation),
            }
        if test:
            content["test"] = figures(samples, training_set, training_set.test)
        _write(results, {"runs": dict(sorted((read_runs(results) | {job.name: content}).items()))})
        print(f"{job.name}: {content['test' if test else 'validation']}", flush=True)


def measure_cost(results: Path) -> None:
    """CPU time of a step with augmentation over that of one without, step by step in turn; the median of the ratios.

    ``adaptive`` is measured at a chance of one half: at 0 it draws nothing.
    """
    ratios: dict[str, dict[str, float]] = {}
    for name in _COST_SETS:
        training_set = open_set(name)
        for variant in ("masks", "adaptive", "masks + adaptive"):
            with exact_numerics(1, _CPU):
                plain, other = (
                    MaskTrainer(training_set, Job(name, one, 0, 1000, 2.0).settings, _CPU) for one in ("none", variant)
                )
                if "adaptive" in variant:
                    other.exact.small["augmentation"].load_state_dict({"chance": 0.5, "signs": []})
                seconds = [[_timed(one) for one in (plain, other)] for _ in range(_TIMED)]
            found = median(mine / without for without, mine in seconds)
            ratios.setdefault(name, {})[variant] = round(found, 3)
            print(f"{name}, {variant}: a step takes {found:.3f} times as long", flush=True)
    _write(results, {"cost": ratios})


def _timed(trainer: MaskTrainer) -> float:
    """CPU seconds of as many steps as there are from one R1 to the next."""
    start = time.process_time()
    for _ in range(LAZY_STEPS):
        trainer.train_step()
    return time.process_time() - start


def _write(results: Path, changes: dict[str, Any]) -> None:
    had = read_json(results, SCHEMA) if results.is_file() else {}
    had.pop("schema", None)
    write_json(results, {**had, **changes}, SCHEMA)


def drawn(trainer: MaskTrainer, job: Job) -> NDArray[np.bool_]:
    """Raw samples, bool [N, H, W], from the same z whatever was trained."""
    z = torch.randn(_SAMPLES, job.settings.masks.latent, generator=torch_stream(0, "few patients: samples"))
    with torch.no_grad():
        found = [labels_of(trainer.networks()["generator"](part)) for part in z.split(_TOGETHER)]
    return np.concatenate(found) == 1


def figures(samples: NDArray[np.bool_], real: TrainingSet, held_out: NDArray[np.int64]) -> dict[str, float]:
    """All that is said of a training, against held-out patients; beside each figure that of real masks."""
    members, others = (real.region_masks(rows) for rows in (real.train, held_out))
    patients = [[real.patients[row] for row in rows.tolist()] for rows in (real.train, held_out)]
    found = audit(samples, others, real.region_masks, real.train)
    attack = membership(samples, members, others, *patients)
    betti = betti_numbers_of_batch(samples[:_SAMPLES_OF_BETTI])
    of_members, of_others = real.betti[real.train, 0], real.betti[held_out, 0]
    sizes, of_train, of_held = (areas(masks, real.pixel_size) for masks in (samples, members, others))
    values = {
        "copies": 100.0 * len(found.copies) / len(samples),
        "closer": found.closer_percent,
        "dice_to_training": found.dice.mean(),
        "dice_to_training_real": found.reference_dice.mean(),
        "auc": attack.auc,
        "auc_low": attack.low,
        "auc_high": attack.high,
        "betti_error": betti_error(betti, of_others),
        "betti_error_real": betti_error(of_members, of_others),
        "betti_error_training": betti_error(betti, of_members),
        "area": wasserstein_distance(sizes, of_held) / of_held.mean(),
        "area_real": wasserstein_distance(of_train, of_held) / of_held.mean(),
        "diversity": mean_pairwise_dice(samples),
        "diversity_real": mean_pairwise_dice(others),
        "coverage": best_matches(others, samples).dice.mean(),
        "coverage_real": found.reference_dice.mean(),
    }
    return {key: round(float(value), 4) for key, value in values.items() if value is not None}


def read_runs(results: Path) -> dict[str, dict[str, Any]]:
    """What has been measured, by the names of the jobs."""
    return dict(read_json(results, SCHEMA).get("runs", {})) if results.is_file() else {}


# Key, heading, what stands beside it for real masks.
_COLUMNS = [
    ("copies", "possible copies, %", None),
    ("closer", "closer to training, %", None),
    ("dice_to_training", "Dice to training", "dice_to_training_real"),
    ("auc", "membership AUC", None),
    ("betti_error", "Betti error", "betti_error_real"),
    ("area", "area distance", "area_real"),
    ("diversity", "Dice between samples", "diversity_real"),
    ("coverage", "Dice of held-out to samples", "coverage_real"),
]


def summary(results: Path) -> str:
    """A table for each set and number of steps, of validation and, where it was looked at, of test."""
    runs, lines = list(read_runs(results).values()), []
    for part in ("validation", "test"):
        groups = sorted({(one["set"], one["steps"]) for one in runs if part in one})
        for name, steps in groups:
            mine = [one for one in runs if (one["set"], one["steps"]) == (name, steps) and part in one]
            lines += [f"{name}, {steps} steps, {part} patients", ""]
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


def _by_variant(runs: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    penalties = {one["gradient_penalty"] for one in runs}
    found: dict[str, list[dict[str, Any]]] = {}
    for variant in VARIANTS:
        for penalty in sorted(penalties):
            several = [one for one in runs if (one["variant"], one["gradient_penalty"]) == (variant, penalty)]
            usual = penalty == MaskSettings().gradient_penalty
            if several:
                found[variant if usual else f"{variant}, R1 {penalty:g}"] = several
    return found


def _cell(values: list[float]) -> str:
    spread = f" ± {stdev(values):.2g}" if len(values) > 1 else ""
    return f"{fmean(values):.3g}{spread}"


def main() -> None:
    """Do what the options say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--test", action="store_true", help="look at the test patients of the chosen trainings")
    parser.add_argument("--cost", action="store_true", help="measure what a step costs")
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--set", nargs="+", dest="sets", default=["six_patients"], choices=SETS)
    parser.add_argument("--variant", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--gradient-penalty", type=float, default=MaskSettings().gradient_penalty)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    if given.run or given.test:
        jobs = [
            Job(name, variant, seed, given.steps, given.gradient_penalty)
            for name in given.sets
            for seed in given.seed
            for variant in given.variant
        ]
        run(jobs, given.results, given.test)
    if given.cost:
        measure_cost(given.results)
    if given.summary:
        print(summary(given.results))


if __name__ == "__main__":
    main()
