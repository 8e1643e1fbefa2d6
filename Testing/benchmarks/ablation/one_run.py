"""One run: a warm-up that all variants of a seed share, then the variant, then its samples and their figures.

Before its warm-up ends the topological loss neither acts nor draws random numbers, so that going on from the shared
checkpoint gives the same bits as a whole training. Everything is resumed from its last checkpoint after a kill.
"""

from __future__ import annotations

import hashlib
import math
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, median
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import topogan
from ablation.measure import figures_of
from ablation.results import add_run, read_runs
from ablation.sets import cache_folder, open_set
from ablation.variants import Job
from topogan.config import TrainSettings
from topogan.device import exact_numerics
from topogan.homology import betti_numbers_of_batch, betti_of
from topogan.metrics.topology import betti_error, shown_by_real, valid_share
from topogan.networks.labels import labels_of, level_to_network
from topogan.randomness import torch_stream
from topogan.runs.checkpoints import Checkpoint, latest_checkpoint, save_checkpoint
from topogan.training.mask_trainer import MaskTrainer
from topogan.training.optimization import Values, as_floats
from topogan.training_set import TrainingSet
from topogan.verdict import RealTopologies

CURVE_EVERY = 200
# Of slices, and of volumes.
_CURVE_SAMPLES = {2: 500, 3: 200}
# Rounds of timing, and of volumes of 64 voxels, whose steps take as long as all rounds of a slice's.
_TIMED, _TIMED_FINE = 20, 5
_FINE = 2**18
_BATCH = 100
_CPU = torch.device("cpu")

Curve = list[dict[str, float]]
Measure = Callable[[NDArray[np.uint8], NDArray[np.float64] | None, TrainingSet], dict[str, dict[str, Any]]]


def figures_of_one(
    labels: NDArray[np.uint8], levels: NDArray[np.float64] | None, training_set: TrainingSet
) -> dict[str, dict[str, Any]]:
    """The figures of the only structure."""
    return figures_of(labels == 1, training_set)


def run_job(job: Job, results: Path, measure: Measure = figures_of_one) -> None:
    """Carry out one job and add its figures to ``results``, the file of its set; nothing before all is done."""
    training_set = open_set(job.set_name)
    start = time.process_time()
    with exact_numerics(1, _CPU):
        trainer, curve, values = train_variant(job, training_set)
        labels, levels = draw_labels(trainer, job, training_set, job.protocol.samples)
        cost = step_cost(trainer, job, training_set)
    content = {
        "set": job.set_name,
        "variant": job.variant_name,
        "ratio": job.ratio if job.variant.has_ratio else None,
        "seed": job.seed,
        "steps": job.last_step,
        "warm_up_steps": _warm_up_steps(job.settings),
        "samples": len(labels),
        "settings": job.settings.model_dump(mode="json"),
        "training_set": {
            "content_hash": training_set.content_hash,
            "train": len(training_set.train),
            "held_out": len(training_set.test),
            "independent": training_set.independent,
            "pixel_size_mm": training_set.pixel_size,
            "modal_betti": list(training_set.modal_betti[0]),
            "regions": [region.name for region in training_set.regions],
        },
        "networks": fingerprint(job, training_set),
        "versions": {"topogan": topogan.__version__, "torch": torch.__version__},
        "lambda": values.get("lambda"),
        "step_ms": cost,
        "cpu_seconds": round(time.process_time() - start, 1),
        "curve": curve,
        "mean_betti": betti_numbers_of_batch(labels == 1).mean(axis=0).tolist(),
        "figures": measure(labels, levels, training_set),
    }
    add_run(results, job.name, content)
    shutil.rmtree(_checkpoints(job, training_set, job.name), ignore_errors=True)


def train_variant(job: Job, training_set: TrainingSet) -> tuple[MaskTrainer, Curve, dict[str, float]]:
    """Train to the end; return the trainer, the curve from the first step, and the values of the last step."""
    off = job.settings.topology.model_copy(update={"mode": "off"})
    plain = MaskTrainer(training_set, job.settings.model_copy(update={"topology": off}), _CPU)
    folder = checkpoints_of_warm_up(job, training_set)
    curve, _ = _advance(plain, job, training_set, folder, _warm_up_steps(job.settings), [])
    trainer = MaskTrainer(training_set, job.settings, _CPU)
    restore(trainer, _checkpoint(plain, curve))
    folder = _checkpoints(job, training_set, job.name)
    curve, values = _advance(trainer, job, training_set, folder, job.last_step, curve)
    return trainer, curve, values


def draw_labels(
    trainer: MaskTrainer, job: Job, training_set: TrainingSet, count: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64] | None]:
    """Draw label maps from the averaged generator, from the same z (and levels) whatever was trained.

    Returns:
        uint8 ids [count, H, W] or [count, D, H, W], and their levels [count], those of training rows; None where the
        network is told none.
    """
    generator = trainer.networks()["generator"]
    source = torch_stream(0, "ablation: samples")
    z, levels = torch.randn(count, job.settings.masks.latent, generator=source), None
    if job.settings.tells_level(len(training_set.table), training_set.axes):
        rows = torch.randint(len(training_set.train), (count,), generator=source).numpy()
        levels = training_set.levels[training_set.train[rows]]
        z = torch.cat([z, level_to_network(levels)], 1)
    with torch.no_grad():
        parts = [labels_of(generator(z[start : start + _BATCH])) for start in range(0, count, _BATCH)]
    return np.concatenate(parts), levels


def step_cost(trainer: MaskTrainer, job: Job, training_set: TrainingSet) -> dict[str, float]:
    """CPU milliseconds of a step with and without the loss, in turn, from the same state.

    The loss may act in some steps only: what is timed at once, and of which the median is taken, is all from one pull
    to the next.
    """
    if not job.variant.has_ratio:
        return {}
    off = job.settings.topology.model_copy(update={"mode": "off"})
    plain = MaskTrainer(training_set, job.settings.model_copy(update={"topology": off}), _CPU)
    restore(plain, _checkpoint(trainer, []))
    seconds: dict[str, list[float]] = {"with": [], "without": []}
    every = job.settings.topology.every
    for _ in range(_TIMED_FINE if training_set.masks[0].size >= _FINE else _TIMED):
        for name, timed in (("with", trainer), ("without", plain)):
            start = time.process_time()
            for _ in range(every):
                timed.train_step()
            seconds[name].append((time.process_time() - start) / every)
    return {name: round(1000.0 * median(values), 2) for name, values in seconds.items()}


def _advance(
    trainer: MaskTrainer, job: Job, training_set: TrainingSet, folder: Path, until: int, curve: Curve
) -> tuple[Curve, dict[str, float]]:
    """Train up to step ``until`` from the last checkpoint in ``folder``, or from where the trainer is."""
    folder.mkdir(parents=True, exist_ok=True)
    found = latest_checkpoint(folder)
    if found is not None:
        restore(trainer, found)
        curve = found.values["curve"]
    values: Values = {}
    curve = list(curve)
    while trainer.step < until:
        values |= trainer.train_step()  # λ is there only in the steps in which the loss acts
        if trainer.step % CURVE_EVERY == 0 or trainer.step == until:
            curve.append(_point(trainer, job, training_set))
            save_checkpoint(folder, _checkpoint(trainer, curve, as_floats(values)))
    last = as_floats(values) if values or found is None else found.values["last"]
    return curve, last


def _checkpoint(trainer: MaskTrainer, curve: Curve, last: dict[str, float] | None = None) -> Checkpoint:
    tensors, values = trainer.exact.pack()
    return Checkpoint(trainer.step, tensors, {"trainer": values, "curve": curve, "last": last or {}})


def restore(trainer: MaskTrainer, checkpoint: Checkpoint) -> None:
    """Take over a state; what the other training did not have (the loss, or none) starts fresh."""
    fresh = trainer.exact.pack()[1]
    trainer.exact.restore(checkpoint.tensors, fresh | checkpoint.values["trainer"])
    trainer.step = checkpoint.step


def _point(trainer: MaskTrainer, job: Job, training_set: TrainingSet) -> dict[str, float]:
    """How good samples are at this step: fewer than in the end, hence noisier."""
    labels, levels = draw_labels(trainer, job, training_set, _CURVE_SAMPLES[training_set.axes])
    seen = training_set.validation_or_train
    betti = betti_of(labels, training_set.regions)
    errors = [betti_error(betti[:, region], training_set.betti[seen, region]) for region in range(betti.shape[1])]
    valid = valid_share(betti[:, 0], training_set.modal_betti[0])
    if levels is not None:
        real = RealTopologies.of(training_set.levels[seen], training_set.betti[seen])
        valid = 100.0 * float(shown_by_real(betti, levels, real).all(axis=1).mean())
    return {
        "step": trainer.step,
        "valid": valid,
        "betti_error": fmean(errors),
        "area_ratio": float((labels != 0).mean() / (training_set.masks[seen] != 0).mean()),
    }


def fingerprint(job: Job, training_set: TrainingSet) -> str:
    """SHA-256 of the untrained networks: another layout or another way to begin gives another one."""
    settings = job.settings.model_copy(update={"seed": 0})
    digest = hashlib.sha256()
    for name, tensor in MaskTrainer(training_set, settings, _CPU).exact.pack()[0].items():
        if name.startswith(("generator/", "critic/")):
            digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def is_done(job: Job, results: Path) -> bool:
    """Tell whether ``results``, the file of the set, holds this job with the present set and networks."""
    content = read_runs(results).get(job.name)
    if content is None:
        return False
    training_set = open_set(job.set_name)
    same_set = content["training_set"]["content_hash"] == training_set.content_hash
    return same_set and content.get("networks") == fingerprint(job, training_set)


def _warm_up_steps(settings: TrainSettings) -> int:
    return math.ceil(settings.topology.warm_up * settings.masks.steps)


def checkpoints_of_warm_up(job: Job, training_set: TrainingSet) -> Path:
    """The folder of the checkpoints that all variants of a seed share."""
    shared = Job(job.set_name, job.variant.warm_up, 0.0, job.seed, job.protocol)
    return _checkpoints(job, training_set, f"warm-up-{shared.name}")


def _checkpoints(job: Job, training_set: TrainingSet, name: str) -> Path:
    made_of = f"{job.set_name}-{training_set.content_hash[:12]}-{fingerprint(job, training_set)[:12]}"
    return cache_folder() / "checkpoints" / made_of / name
