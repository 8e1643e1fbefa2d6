"""What patches of 64 to 512 pixels cost: ``python Testing/benchmarks/sizes.py --run``, then ``--summary``.

Default settings and full batches, on drawn label maps of one and of six structures; each size, stage and number of
structures in a process of its own, so that its peak memory is its own. Of each kind of step the fastest of ``--turns``
counts. On a CPU that others use as well the wall clock says little: seconds of the cores are measured beside it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results") / "sizes.json"
STAGES = ("masks", "textures")
CASES = [(1, size, stage) for size in (64, 128, 256, 512) for stage in STAGES] + [
    (6, size, "masks") for size in (64, 256)
]


def measure(structures: int, size: int, stage: str, device_name: str, turns: int) -> dict[str, Any]:
    """Seconds of each kind of step, and the peak of memory; to be called in a fresh process."""
    import torch

    from topogan.config import Device, TrainSettings
    from topogan.device import choose_device, exact_numerics, thread_count
    from topogan.training.mask_trainer import LAZY_STEPS
    from topogan.training.optimization import as_floats
    from topogan.training.stages import planned_stages
    from topogan.training.timing import drawn_training_set, time_training

    settings = TrainSettings(part=stage, device=device_name)
    device = choose_device(Device(device_name))
    batch = getattr(settings, stage).batch
    drawn = drawn_training_set(size, structures, batch)
    first = math.ceil(settings.topology.warm_up * settings.masks.steps)
    kinds = {"usual": 1}
    if stage == "masks":
        kinds |= {"penalty": LAZY_STEPS, "topology": first + settings.topology.every}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found: dict[str, Any] = {"structures": structures, "size": size, "stage": stage, "batch": batch, "wall": {}}
    found["cores"] = {}
    with exact_numerics(thread_count(0), device):
        (planned,) = planned_stages(settings, drawn, device)
        trainer = planned.make(None)
        as_floats(trainer.train_step())
        for kind, step in kinds.items():
            walls, cores = [], []
            for _ in range(turns):
                trainer.step = step
                began, used = time.perf_counter(), time.process_time()
                as_floats(trainer.train_step())
                walls.append(time.perf_counter() - began)
                cores.append(time.process_time() - used)
            found["wall"][kind], found["cores"][kind] = round(min(walls), 4), round(min(cores), 4)
    peak = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    found["memory_bytes"] = peak if device.type == "cpu" else torch.cuda.max_memory_allocated(device)
    del trainer, planned
    began = time.perf_counter()
    (predicted,) = time_training(settings, size, device, structures)
    found["predicted"] = {
        "step": round(predicted.step_seconds, 4),
        "memory_bytes": predicted.memory_bytes,
        "took": round(time.perf_counter() - began, 2),
    }
    found["load"] = round(os.getloadavg()[0], 1)
    return found


def run(device: str, turns: int, results: Path) -> None:
    """Measure every case and write them, each as soon as it is known, in the place of older ones of the device."""
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" else f"{os.cpu_count()} cores, {platform.machine()}"
    content = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else {}
    content[device] = {"name": name, "torch": torch.__version__, "turns": turns, "cases": []}
    for structures, size, stage in CASES:
        command = [sys.executable, __file__, "--case", str(structures), str(size), stage, device, str(turns)]
        # As the command line of the engine does: sleeping threads leave the cores to others.
        answer = subprocess.check_output(command, text=True, env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"})
        content[device]["cases"].append(json.loads(answer))
        results.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        print(answer.strip(), flush=True)


def mean_step(case: dict[str, Any], clock: str) -> float:
    """Seconds of the mean step with the default settings: a penalty every 16th, topology every 4th of the last 40 %."""
    seconds = case[clock]
    mean = seconds["usual"]
    if case["stage"] == "masks":
        mean += (seconds["penalty"] - seconds["usual"]) / 16 + 0.1 * (seconds["topology"] - seconds["usual"])
    return float(mean)


def summary(results: Path) -> None:
    """Print a table for each device; on a CPU with a load well above 0 the wall clock is that of a busy computer."""
    for device, found in json.loads(results.read_text(encoding="utf-8")).items():
        print(f"{device}: {found['name']}, torch {found['torch']}, fastest of {found['turns']}\n")
        print("| pixels | structures | network | batch | step, s of cores | with penalty | with topology ", end="")
        print("| mean step, s of cores | by the wall clock | memory, GB | said by the doctor, GB | load |")
        print("|---|---|---|---|---|---|---|---|---|---|---|---|")
        for case in found["cases"]:
            cores = [f"{case['cores'][kind]:.3g}" if kind in case["cores"] else "" for kind in KINDS]
            row = [case["size"], case["structures"], case["stage"], case["batch"], *cores]
            row += [f"{mean_step(case, clock):.3g}" for clock in ("cores", "wall")]
            row += [f"{number / 1e9:.2f}" for number in (case["memory_bytes"], case["predicted"]["memory_bytes"])]
            print(f"| {' | '.join(map(str, [*row, case['load']]))} |")
        print()


KINDS = ("usual", "penalty", "topology")


def main() -> None:
    """Do what the options say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", action="store_true")
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda", "mps"])
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--case", nargs=5, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.case:
        structures, size, stage, device, turns = given.case
        print(json.dumps(measure(int(structures), int(size), stage, device, int(turns))))
    if given.run:
        run(given.device, given.turns, given.results)
    if given.summary:
        summary(given.results)


if __name__ == "__main__":
    main()
