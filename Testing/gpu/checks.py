"""Checks that need a CUDA GPU; run by run.sh. Each prints one line; the first that fails ends the run.

``--device cpu`` runs the same checks without a GPU, to see that they themselves work.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from topogan.config import (
    Device,
    MaskSettings,
    TextureSettings,
    TopologySettings,
    TrainSettings,
)
from topogan.networks import MASK_NETWORKS
from topogan.runs import read_status, request_stop
from topogan.training import train
from topogan.training.mask_trainer import MaskTrainer
from topogan.training.objectives import OBJECTIVES
from topogan.training.texture_trainer import TextureTrainer

NO_GPU = 77
CPU = torch.device("cpu")
RESUME = "import sys; from topogan.training import resume; resume(sys.argv[1], dataset=sys.argv[2])"


def rings(count: int, size: int = 64) -> np.ndarray:
    """Rings of varied place and radius: uint8 [count, size, size]."""
    generator = np.random.default_rng(0)
    row, column = np.indices((size, size))
    center = size / 2 + generator.normal(0, 0.03 * size, (count, 2))
    outer = generator.uniform(0.2, 0.3, count) * size
    distance = np.hypot(row - center[:, 0, None, None], column - center[:, 1, None, None])
    inside = distance < outer[:, None, None]
    return (inside & (distance >= 0.65 * outer[:, None, None])).astype(np.uint8)


def ring_set(count: int = 128, size: int = 64) -> Any:
    """What the trainers need of a training set."""
    masks = rings(count, size)
    images = (masks * 300.0 + np.random.default_rng(0).normal(0, 20, masks.shape)).astype(np.int16)
    rows = np.arange(count)
    return SimpleNamespace(
        region_masks=lambda rows: masks[rows] == 1, images=images, train=rows[: count * 3 // 4], size=size,
        validation_or_train=rows[count * 3 // 4 :], window=(-200.0, 600.0),
    )  # fmt: skip


def settings(topology: TopologySettings | None = None, **masks: Any) -> TrainSettings:
    return TrainSettings(
        masks=MaskSettings(**{"width": 8, "steps": 40, "batch": 16, **masks}),
        textures=TextureSettings(width=8, steps=6),
        topology=topology or TopologySettings(warm_up=0.0, fixed_weight=0.01),
    )


def numbers(values: dict[str, Any]) -> dict[str, float]:
    found = {name: float(value) for name, value in values.items()}
    assert all(np.isfinite(value) for value in found.values()), found
    return found


def check_steps(device: torch.device) -> str:
    """Every objective and backbone, and pix2pix, takes finite steps with its networks on the device."""
    done = 0
    for objective in OBJECTIVES:
        for backbone in MASK_NETWORKS:
            trainer = MaskTrainer(ring_set(), settings(objective=objective, backbone=backbone), device)
            for _ in range(3):
                numbers(trainer.train_step())
            trainer.preview()
            assert {p.device.type for p in trainer.networks()["generator"].parameters()} == {device.type}
            done += 1
    textures = TextureTrainer(ring_set(), settings(), device)
    before = textures.preview()[1]["quick_absolute_error"]
    for _ in range(60):
        numbers(textures.train_step())
    after = textures.preview()[1]["quick_absolute_error"]
    assert after < before / 2, (before, after)
    return f"{done} mask trainings and textures (error {before:.0f} -> {after:.0f} HU)"


def check_precision(device: torch.device) -> str:
    """Networks compute in bfloat16 on Ampere and later, penalties and topology in float32, with the CPU's losses."""
    on_cpu, there = (MaskTrainer(ring_set(), settings(), place) for place in (CPU, device))
    seen: dict[str, set[torch.dtype]] = {"generator": set(), "discriminator": set()}
    for name, dtypes in seen.items():
        last = [part for part in there.exact.networks[name].modules() if isinstance(part, torch.nn.Conv2d)][-1]
        last.register_forward_hook(lambda *call, dtypes=dtypes: dtypes.add(call[2].dtype))
    first, second = numbers(on_cpu.train_step()), numbers(there.train_step())
    # Which pixels are critical can hang on the last digit of a logit, so that topology may differ more.
    for name, tolerance in {
        "loss_discriminator": 0.05,
        "loss_generator": 0.05,
        "penalty": 0.05,
        "loss_topology": 0.25,
    }.items():
        assert np.isclose(first[name], second[name], rtol=tolerance), (name, first[name], second[name])
    mixed = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    network = torch.bfloat16 if mixed else torch.float32
    assert seen["generator"] == {network}, seen
    # The discriminator also runs in float32, under the penalty.
    assert seen["discriminator"] == {network, torch.float32}, seen
    return f"networks in {network}, losses within 5 % of the CPU's"


def check_checkpoint(device: torch.device) -> str:
    """A state goes CPU -> device -> CPU without losing a bit, and a run begun on the device ends on the CPU."""
    one, other, back = (MaskTrainer(ring_set(), settings(), place) for place in (CPU, device, CPU))
    for _ in range(4):
        one.train_step()
    tensors, values = one.exact.pack()
    tensors = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
    other.exact.restore(tensors, values)
    there, more = other.exact.pack()
    back.exact.restore({name: tensor.cpu().contiguous() for name, tensor in there.items()}, more)
    returned, again = back.exact.pack()
    assert again == values
    assert all(torch.equal(tensors[name], returned[name].contiguous()) for name in tensors)
    other.step = one.step
    numbers(other.train_step())
    _check_run(device)
    return "CPU -> device -> CPU to the bit; a run stopped on the device was finished on the CPU"


def _check_run(device: torch.device) -> None:
    testing = Path(__file__).resolve().parents[1]
    sys.path[:0] = [str(testing / "common"), str(testing / "engine" / "training")]
    from conftest import write_rings

    with tempfile.TemporaryDirectory() as temporary:
        os.environ["XDG_CONFIG_HOME"] = temporary  # the user's own settings are left alone
        dataset, run = write_rings(Path(temporary) / "set"), Path(temporary) / "run"
        wanted = settings().model_copy(update={"device": Device.AUTO, "checkpoint_every": 10})

        def stop(event: dict) -> None:
            if event["kind"] == "step" and event["step"] == 5:
                request_stop(run)

        train(dataset, run, wanted, on_event=stop)
        assert read_status(run).step == 5
        hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
        subprocess.run([sys.executable, "-c", RESUME, str(run), str(dataset)], check=True, env=hidden)
        assert read_status(run).state == "finished"
        log = (run / "log.txt").read_text()
        assert device.type == "cpu" or "not bit for bit" in log, log


def check_persistence(device: torch.device) -> str:
    """Persistence stays on the CPU: say which share of a step it costs."""
    shares = []
    # Small enough for the CPU where the checks themselves are checked.
    sizes = [(64, 64, 128), (128, 64, 32)] if device.type == "cuda" else [(64, 8, 16)]
    for size, width, batch in sizes:
        real = ring_set(4 * batch, size)
        modes = ("off", "likelihood", "paper")
        trainers = {
            mode: MaskTrainer(
                real,
                settings(
                    TopologySettings(mode=mode, warm_up=0.0, fixed_weight=0.01), width=width, batch=batch, latent=128
                ),
                device,
            )
            for mode in modes
        }
        times: dict[str, list[float]] = {mode: [] for mode in modes}
        for _ in range(30):
            for mode, trainer in trainers.items():
                times[mode].append(_timed(trainer, device))
        plain, *with_topology = (1000 * median(times[mode][10:]) for mode in modes)
        costs = ", ".join(
            f"{mode.value} +{cost - plain:.1f} ms ({100 * (1 - plain / cost):.0f} % of its step)"
            for mode, cost in zip(modes[1:], with_topology, strict=True)
        )
        shares.append(f"{size} px, width {width}, batch {batch}: {plain:.1f} ms without, {costs}")
    return "; ".join(shares)


def _timed(trainer: MaskTrainer, device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    trainer.train_step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


CHECKS = {
    "steps": check_steps,
    "mixed precision": check_precision,
    "checkpoints": check_checkpoint,
    "persistence": check_persistence,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    device = torch.device(parser.parse_args().device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("No CUDA GPU that this PyTorch can use: nothing was checked.")
        return NO_GPU
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"PyTorch {torch.__version__} on {name}")
    for title, check in CHECKS.items():
        print(f"ok  {title}: {check(device)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
