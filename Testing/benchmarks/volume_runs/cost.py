"""What a step at 64³ costs with the loss and without, in time and memory, and what of it is persistence.

Measured from the end of the warm-up of a training (where the loss begins), each number of threads in its own process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
import torch
from ablation.one_run import checkpoints_of_warm_up, restore
from ablation.sets import open_set
from ablation.variants import Job

from topogan.device import exact_numerics
from topogan.errors import InputError
from topogan.homology import betti_numbers_of_batch
from topogan.homology.persistence import pairs_of_batch
from topogan.networks.labels import margins
from topogan.runs.checkpoints import latest_checkpoint
from topogan.training.mask_trainer import MaskTrainer
from volume_runs.page import PERSISTENCE, STEP_WITHOUT

_THREADS = (1, 2)
_ROUNDS = 5


def measure_cost(job: Job) -> list[dict[str, Any]]:
    """What :func:`volume_runs.page.cost_table` prints, of a job whose warm-up is trained.

    Raises:
        InputError: it is not.
    """
    training_set = open_set(job.set_name)
    folder = checkpoints_of_warm_up(job, training_set)
    if latest_checkpoint(folder) is None:
        raise InputError(f"There is no warm-up of {job.name}: train it first with --run trainings.")
    found = []
    for threads in _THREADS:
        words = [sys.executable, "-m", "volume_runs.cost", job.set_name, str(job.protocol.steps), str(threads)]
        here = Path(__file__).resolve().parents[1]
        done = subprocess.run(words, check=True, capture_output=True, text=True, cwd=here)
        found.append(json.loads(done.stdout))
    return found


def _measure(job: Job, threads: int) -> dict[str, Any]:
    training_set = open_set(job.set_name)
    checkpoint = latest_checkpoint(checkpoints_of_warm_up(job, training_set))
    assert checkpoint is not None
    each = {"off": {"mode": "off"}, "on": {"every": 1, "warm_up": 0.0}}
    cpu = torch.device("cpu")
    with exact_numerics(threads, cpu):
        trainers = {}
        for name, changes in each.items():
            topology = job.settings.topology.model_copy(update=changes)
            trainers[name] = MaskTrainer(training_set, job.settings.model_copy(update={"topology": topology}), cpu)
            restore(trainers[name], checkpoint)
        for _ in range(2):
            trainers["off"].train_step()
        peak = {"without the loss": _peak_mb()}
        generator, regions = trainers["off"].networks()["generator"], training_set.regions
        z = torch.randn(job.protocol.batch, job.settings.masks.latent, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            heights = -margins(generator(z), regions[:1])[:, 0].numpy()
        betti = betti_numbers_of_batch(heights <= 0)
        wrong = ~np.isin(betti[:, 1], training_set.betti[training_set.train, 0, 1])
        half = np.arange(len(heights)) % 2 == 0
        coarse = heights.reshape(len(heights), *(n for size in heights.shape[1:] for n in (size // 2, 2)))
        coarse = coarse.mean(axis=(2, 4, 6))
        seconds = _in_turns(
            {
                STEP_WITHOUT: trainers["off"].train_step,
                "step in which it acts": trainers["on"].train_step,
                PERSISTENCE: lambda: pairs_of_batch(heights),
                "with H1 of every other sample": lambda: pairs_of_batch(heights, tunnels_of=half),
                "with H1 where b1 is wrong": lambda: (
                    betti_numbers_of_batch(heights <= 0),
                    pairs_of_batch(heights, tunnels_of=wrong),
                ),
                "with H1 of a copy of half the size": lambda: (
                    pairs_of_batch(heights, (0, 2)),
                    pairs_of_batch(coarse, (1,)),
                ),
                "without H1": lambda: pairs_of_batch(heights, (0, 2)),
            }
        )
    peak["with it"] = _peak_mb()
    return {
        "threads": threads,
        "batch": job.protocol.batch,
        "step": checkpoint.step,
        "rounds": _ROUNDS,
        "seconds": seconds,
        "peak_mb": peak,
        "wrong_b1": int(wrong.sum()),
    }


def _in_turns(works: dict[str, Callable[[], object]]) -> dict[str, dict[str, float]]:
    """The least CPU time and time by the clock, in seconds, the works taking turns: other programs only add."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for _ in range(_ROUNDS):
        for name, work in works.items():
            cpu, clock = process_time(), perf_counter()
            work()
            times[name].append((process_time() - cpu, perf_counter() - clock))
    least = {name: np.min(found, axis=0).round(3).tolist() for name, found in times.items()}
    return {name: {"cpu": cpu, "clock": clock} for name, (cpu, clock) in least.items()}


def _peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, 1)


if __name__ == "__main__":
    from volumes import job_of_cost

    print(json.dumps(_measure(job_of_cost(sys.argv[1], int(sys.argv[2])), int(sys.argv[3]))))
