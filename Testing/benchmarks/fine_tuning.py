"""What fine-tuning saves: ``--run`` trains what has no result yet, ``--summary`` prints the tables.

A model of eight phantom patients goes on with one new patient, and networks from scratch learn the same patient. A seed
is that of the new patient and of its trainings. Schedules (warm-up of the topological loss, moving average) belong to
the steps of a training, so that each number of steps is a training of its own, as it is for a user; settings that
:class:`Protocol` does not name are the defaults.

One patient is split by slice level, and its validation block may hold rings alone. Samples are therefore compared
with slices of all levels at the phases between those that were trained on; validation is written down beside it.

The Betti error knows nothing of whose shapes the samples have, and the model may be good at it before it goes on.
How far samples are from the new patient in size and in shape stands beside it.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch
from scipy.stats import wasserstein_distance

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ablation.sets import cache_folder

from topogan.config import (
    AugmentationSettings,
    Device,
    MaskSettings,
    Part,
    PhantomSettings,
    PrepareSettings,
    TrainSettings,
)
from topogan.dataset import prepare
from topogan.device import exact_numerics
from topogan.files import read_json, write_json
from topogan.homology import betti_numbers_of_batch
from topogan.metrics.shape import areas, best_matches
from topogan.metrics.topology import betti_error
from topogan.model import load_model
from topogan.networks.labels import labels_of
from topogan.phantom import make_phantom
from topogan.phantom.tissues import STRUCTURES
from topogan.plane import read_plane
from topogan.presets import read_preset
from topogan.randomness import torch_stream
from topogan.training import train
from topogan.training.fine_tuning import Start, start_from
from topogan.training.mask_trainer import MaskTrainer
from topogan.training_set import TrainingSet
from topogan.volumes import find_pairs, write_image

RESULTS = Path(__file__).resolve().parent / "results" / "fine_tuning.json"
SCHEMA = "topogan.fine-tuning/2"
SCRATCH, TUNED = "from scratch", "fine-tuned"
# Shares of the steps: what is trained besides the whole of them from scratch. The shorter ones from scratch are the
# control: what shortness alone costs.
_SHARES = {SCRATCH: (1, 2, 4), TUNED: (2, 4, 8)}
_POINTS = 10
_SAMPLES = 500
_TOGETHER = 100
# As masks were bent in all that has been measured.
_BENDING = 0.04
_CPU = torch.device("cpu")


@dataclass(frozen=True)
class Protocol:
    """What all trainings have in common."""

    steps: int
    base_steps: int
    base_patients: int = 8
    base_phases: int = 5
    phases: int = 10
    width: int = 8
    batch: int = 16
    varied: float = AugmentationSettings().masks  # how much real masks are varied: 0 is as they are

    def settings(self, steps: int, seed: int) -> TrainSettings:
        """Of a training of so many steps."""
        masks = MaskSettings(steps=steps, width=self.width, batch=self.batch)
        augmentation = AugmentationSettings(masks=self.varied, bending=_BENDING)
        return TrainSettings(
            part=Part.MASKS, masks=masks, augmentation=augmentation, seed=seed, device=Device.CPU, threads=1
        )


def prepare_settings(pixel_size: float = 0.0) -> PrepareSettings:
    """Of short-axis slices of the myocardium, as the demo cuts them."""
    preset = read_preset("demo")
    cut = {**preset["prepare"], **preset["demo"]["prepare"]}
    return PrepareSettings(
        structure="myocardium", labels=(STRUCTURES["myocardium"],), **{**cut, "pixel_size": pixel_size}
    )


def open_base(work: Path, protocol: Protocol) -> Path:
    """The model package that is fine-tuned, trained first where it is missing."""
    many = f"{protocol.base_patients}x{protocol.base_phases}"
    folder = work / f"base-{many}-{protocol.base_steps}-{protocol.width}-{protocol.varied:g}"
    model = folder / "run" / "model"
    if not model.is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        seen = PhantomSettings(patients=protocol.base_patients, phases=protocol.base_phases, seed=0)
        phantom = make_phantom(folder / "phantom", seen)
        segmentations, _ = find_pairs([phantom / "segmentations"])
        plane = read_plane(str(phantom / "planes.json"))
        prepare(folder / "set", segmentations, settings=prepare_settings(), plane=plane)
        train(folder / "set", folder / "run", protocol.settings(protocol.base_steps, 0))
    return model


def open_patient(work: Path, protocol: Protocol, seed: int) -> tuple[TrainingSet, TrainingSet]:
    """The new patient: a training set of every second phase, and the slices between."""
    folder = work / f"patient-{seed}-{protocol.phases}"
    if not (folder / "done").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        phantom = make_phantom(folder / "phantom", PhantomSettings(patients=1, phases=2 * protocol.phases, seed=seed))
        (path,), _ = find_pairs([phantom / "segmentations"])
        beat, plane, pixel_size = sitk.ReadImage(str(path)), read_plane(str(phantom / "planes.json")), 0.0
        for start, name in enumerate(("set", "between")):
            phases = [beat[..., phase] for phase in range(start, 2 * protocol.phases, 2)]
            part = folder / name / "patient.nii.gz"
            part.parent.mkdir()
            write_image(part, sitk.JoinSeries(phases))
            prepare(folder / name / "prepared", [part], settings=prepare_settings(pixel_size), plane=plane)
            pixel_size = TrainingSet.open(folder / name / "prepared").pixel_size
        (folder / "done").touch()
    training, between = (TrainingSet.open(folder / name / "prepared") for name in ("set", "between"))
    return training, between


def train_one(
    model: Path | None, settings: TrainSettings, training: TrainingSet, between: TrainingSet, every: int
) -> dict[str, Any]:
    """Train and look at samples every so many steps and at the end."""
    started = time.process_time()
    start = Start(settings) if model is None else start_from(load_model(model), settings, training)
    trainer = MaskTrainer(training, settings, _CPU, start.networks.get("masks"), "masks" in start.continued)
    curve = [_point(trainer, settings, training, between)]
    while trainer.step < trainer.total:
        trainer.train_step()
        if trainer.step % every == 0 or trainer.step == trainer.total:
            curve.append(_point(trainer, settings, training, between))
    return {"curve": curve, "cpu_seconds": round(time.process_time() - started, 1)}


def _point(
    trainer: MaskTrainer, settings: TrainSettings, training: TrainingSet, between: TrainingSet
) -> dict[str, float]:
    z = torch.randn(_SAMPLES, settings.masks.latent, generator=torch_stream(0, "fine-tuning: samples"))
    with torch.no_grad():
        labels = [labels_of(trainer.networks()["generator"](part)) for part in z.split(_TOGETHER)]
    return {"step": trainer.step, **_compared(np.concatenate(labels) == 1, training, between)}


def _compared(masks: np.ndarray, training: TrainingSet, between: TrainingSet) -> dict[str, float]:
    """How far masks, bool [N, H, W], are from the new patient."""
    betti = betti_numbers_of_batch(masks)
    real = between.masks[np.arange(len(between.betti))] == 1
    sizes, real_sizes = (areas(some, between.pixel_size) for some in (masks, real))
    found = {
        "betti_error": betti_error(betti, between.betti[:, 0]),
        "validation": betti_error(betti, training.betti[training.validation, 0]),
        "area": wasserstein_distance(sizes, real_sizes) / real_sizes.mean(),
        "dice": best_matches(masks, real).dice.mean(),
        "cover": best_matches(real, masks).dice.mean(),
    }
    return {name: round(float(value), 4) for name, value in found.items()}


def run(protocol: Protocol, seeds: list[int], work: Path, results: Path) -> None:
    """Train what the results do not have, and write each as soon as it is known."""
    content: dict[str, Any] = {"protocol": asdict(protocol), "samples": _SAMPLES, "seeds": {}}
    if results.is_file():
        had = read_json(results, SCHEMA)
        if had["protocol"] != content["protocol"]:
            sys.exit(f"{results} is of another protocol: move it away, or give its settings.")
        content = had
    with exact_numerics(1, _CPU):
        model = open_base(work, protocol)
        for seed in seeds:
            training, between = open_patient(work, protocol, seed)
            found = content["seeds"].setdefault(str(seed), _real(training, between))
            for kind, shares in _SHARES.items():
                for steps in [protocol.steps // share for share in shares]:
                    if str(steps) in found[kind]:
                        continue
                    start = model if kind == TUNED else None
                    settings, every = protocol.settings(steps, seed), protocol.steps // _POINTS
                    found[kind][str(steps)] = train_one(start, settings, training, between, every)
                    write_json(results, content, SCHEMA)
                    print(f"seed {seed}, {kind}, {steps} steps: {found[kind][str(steps)]['curve'][-1]}", flush=True)


def _real(training: TrainingSet, between: TrainingSet) -> dict[str, Any]:
    """What a training of the patient begins with; ``real`` is the error of its training slices themselves."""
    return {
        "train": len(training.train),
        "validation": len(training.validation),
        "between": len(between.betti),
        "real": _compared(training.masks[training.train] == 1, training, between),
        SCRATCH: {},
        TUNED: {},
    }


_MEASURES = {
    "betti_error": "Betti error against the slices between",
    "validation": "Betti error against validation",
    "area": "Distance of the areas to those of the slices between (1-Wasserstein, over their mean)",
    "dice": "Dice of a sample with the most similar slice between",
    "cover": "Dice of a slice between with the most similar sample",
}


def summary(results: Path) -> None:
    """Print each measure at the end of each training, and what share of the steps fine-tuning needs."""
    content = read_json(results, SCHEMA)
    steps = content["protocol"]["steps"]
    columns = [(kind, steps // share) for kind, shares in _SHARES.items() for share in shares]
    complete = {
        seed: found
        for seed, found in content["seeds"].items()
        if all(str(number) in found[kind] for kind, number in columns)
    }
    for key, words in _MEASURES.items():
        errors = key in ("betti_error", "validation")
        head = ["seed", "real", "base", *(f"{kind}, {number}" for kind, number in columns)]
        head += ["share", "share, least"] if errors else []
        print(f"{words}, of {content['samples']} raw samples after so many steps\n")
        print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
        rows = []
        for seed, found in complete.items():
            curves = {(kind, number): _curve(found[kind][str(number)], key) for kind, number in columns}
            row = [found["real"][key], curves[columns[-1]][0], *(curve[-1] for curve in curves.values())]
            whole = curves[SCRATCH, steps]
            tuned = {number / steps: curve[-1] for (kind, number), curve in curves.items() if kind == TUNED}
            shares = [_share(tuned, goal) for goal in (whole[-1], min(whole))] if errors else []
            print(f"| {' | '.join([seed, *(f'{value:.3f}' for value in row), *shares])} |")
            rows.append(row)
        if rows:
            means = [f"{fmean(column):.3f}" for column in zip(*rows, strict=True)]
            print(f"| {' | '.join(['mean', *means, *([''] * (len(head) - len(means) - 1))])} |")
        print()
    print("real: training slices themselves. base: the model before it goes on. share: least share of the steps after")
    print("which fine-tuning reaches the last error from scratch; least: or the least one of its curve.")


def _curve(found: dict[str, Any], key: str) -> list[float]:
    """Not a number where it was not measured: trainings from scratch of older results have Betti errors alone."""
    return [point.get(key, math.nan) for point in found["curve"]]


def _share(tuned: dict[float, float], goal: float) -> str:
    """The least share of the steps with an error of ``goal`` or less."""
    enough = [share for share, error in tuned.items() if error <= goal]
    return f"{min(enough):.3g}" if enough else "none"


def main() -> None:
    """Do what the options say."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--steps", type=int, default=1000, help="of the training from scratch")
    parser.add_argument("--base-steps", type=int, default=1500, help="of the model that is fine-tuned")
    parser.add_argument("--varied", type=float, default=Protocol.varied, help="how much real masks are varied")
    parser.add_argument("--seed", type=int, nargs="+", default=[1, 2, 3], help="of patient and training; 0 is the base")
    parser.add_argument("--work", type=Path, default=cache_folder() / "fine_tuning", help="folder of sets and base")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    if given.run:
        run(Protocol(given.steps, given.base_steps, varied=given.varied), given.seed, given.work, given.results)
    if given.summary:
        summary(given.results)


if __name__ == "__main__":
    main()
