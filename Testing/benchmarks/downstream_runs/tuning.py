"""Settings of the U-Net and of its augmentation, tried on validation patients: the test patients are not looked at."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from statistics import fmean

import torch

from downstream_runs.arms import SEGMENTATION
from downstream_runs.results import read_runs, write_runs
from downstream_runs.sets import open_patients
from topogan.evaluation.downstream import scores_of_parts, true_masks
from topogan.evaluation.segmentation_augmentation import Augmentation
from topogan.evaluation.segmentation_network import predict, train_network

_PATIENTS, _SEEDS = 2, (0,)
_USUAL = Augmentation()
# Settings of the U-Net, and what augments, in the order in which they were tried.
CANDIDATES = {
    "half moved, learning rate .001": ({"learning_rate": 0.001}, replace(_USUAL, warped=0.5)),
    "half moved, learning rate .001, 600 steps": ({"learning_rate": 0.001, "steps": 600}, replace(_USUAL, warped=0.5)),
    "half moved": ({}, replace(_USUAL, warped=0.5)),
    "all moved": ({}, replace(_USUAL, warped=1.0)),
    "a fifth moved, as in nnU-Net": ({}, _USUAL),
    "turned up to 180°, as in nnU-Net": ({}, replace(_USUAL, warp=replace(_USUAL.warp, turn=180.0))),
}


def run(source: str) -> None:
    """Try what has no result yet on real, augmented slices."""
    name, device = f"{source}_tuning", torch.device("cpu")
    for candidate, (changes, augmentation) in CANDIDATES.items():
        for seed in _SEEDS:
            key = f"{candidate}, seed {seed}"
            if key in read_runs(name):
                continue
            settings, real = SEGMENTATION.model_copy(update=changes), open_patients(source, _PATIENTS, seed)
            assert real.images is not None and real.window is not None
            own, start = (real.images[real.train], true_masks(real, real.train)), time.process_time()
            network = train_network([own], real.window, settings, seed, device, augmentation=augmentation)
            seconds = round(time.process_time() - start, 1)
            rows = real.validation
            predicted = predict(network, real.images[rows], real.window, settings.batch, device)
            scores = scores_of_parts(predicted, true_masks(real, rows), real)
            print(key, scores.dice, scores.betti_error, seconds, flush=True)
            write_runs(name, read_runs(name) | {key: {"validation": asdict(scores), "cpu_seconds": seconds}})


def table(source: str) -> str:
    """What was tried, and what it was worth on validation."""
    found = read_runs(f"{source}_tuning")
    lines = ["| tried | Dice | Betti error | s of a core |", "|---|---|---|---|"]
    for candidate in CANDIDATES:
        runs = [found[key] for seed in _SEEDS if (key := f"{candidate}, seed {seed}") in found]
        if runs:
            dice, betti = (fmean(one["validation"][score] for one in runs) for score in ("dice", "betti_error"))
            lines.append(
                f"| {candidate} | {dice:.3f} | {betti:.3f} | {fmean(one['cpu_seconds'] for one in runs):.0f} |"
            )
    return "\n".join(lines)
