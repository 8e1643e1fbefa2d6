"""How long a training will take on this computer, and how much memory: from a few of its steps on drawn masks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from topogan.config import TrainSettings
from topogan.device import exact_numerics, thread_count
from topogan.structures import Structure, StructureTable
from topogan.training.objectives import LAZY_STEPS
from topogan.training.optimization import as_floats
from topogan.training.stages import Stage, Trainer, planned_stages
from topogan.training_set import TrainingSet

# On a CPU a step takes as long as its batch has pixels: larger ones are timed with fewer images.
_TIMED_PIXELS = 1 << 17
# Peak memory over the sum of all layers' outputs in a step, of which those of one update go before the next: measured
# 1.1 to 1.6 (Testing/benchmarks/sizes.py).
_PEAK_SHARE = 1.25


@dataclass(frozen=True)
class StageTiming:
    """What was measured of one stage."""

    name: str
    """``"masks"`` or ``"textures"``."""
    steps: int
    step_seconds: float
    """Mean over all its steps, rare and costly ones included."""
    memory_bytes: int
    """Of the networks and what they compute in a step; Python and its libraries take half a gigabyte besides."""
    checkpoint_bytes: int = 0
    """Of all that a checkpoint of it holds."""

    @property
    def seconds(self) -> float:
        """Of the whole stage."""
        return self.steps * self.step_seconds


def time_training(
    settings: TrainSettings, size: int, device: torch.device, structures: int = 1, axes: int = 2
) -> list[StageTiming]:
    """Take a few steps of each stage; about two seconds on two cores for each size with the default settings.

    Args:
        settings: of the training.
        size: width and height of a patch in pixels; of volumes also the depth.
        device: where the networks are.
        structures: how many are learned.
        axes: 2 for slices, 3 for volumes.

    Raises:
        torch.OutOfMemoryError: the memory of the GPU is too small.
    """
    timed, factors = settings, {"masks": 1.0, "textures": 1.0}
    if device.type == "cpu":
        most = max(2, _TIMED_PIXELS // size**axes)
        for part in factors:
            group = getattr(settings, part)
            batch = min(group.batch, most)
            factors[part] = group.batch / batch
            timed = timed.model_copy(update={part: group.model_copy(update={"batch": batch})})
    training_set = drawn_training_set(size, structures, max(timed.masks.batch, timed.textures.batch), axes)
    with exact_numerics(thread_count(settings.threads), device):
        return [
            _time_stage(stage, timed, device, factors[stage.name])
            for stage in planned_stages(timed, training_set, device)
        ]


def drawn_training_set(size: int, structures: int, count: int, axes: int = 2) -> TrainingSet:
    """A training set in memory: ``count`` label maps of rings (in volumes shells) side by side, with images."""
    random = np.random.default_rng(0)
    across = math.ceil(math.sqrt(structures))
    cell = size / across
    row, column, *depth = np.indices((size,) * axes)
    height = depth[0] - size / 2 if depth else 0.0
    masks = np.zeros((count, *(size,) * axes), np.uint8)
    for mask in masks:
        for number in range(structures):
            center = cell * (np.array(divmod(number, across)) + 0.5 + random.uniform(-0.05, 0.05, 2))
            distance = np.hypot(np.hypot(row - center[0], column - center[1]), height) / cell
            inner, outer = random.uniform(0.1, 0.2), random.uniform(0.3, 0.42)
            mask[(inner < distance) & (distance < outer)] = number + 1
    images = np.where(masks > 0, 300, 0) + random.normal(0, 30, masks.shape)
    every: Any = np.arange(count)
    betti = (1, 1) if axes == 2 else (1, 0, 1)
    table = StructureTable(
        structures=tuple(Structure(name=f"ring {number + 1}", labels=(number + 1,)) for number in range(structures))
    )
    return TrainingSet(
        folder=Path(),
        table=table,
        axes=axes,
        size=size,
        pixel_size=1.0,
        intensity="HU",
        window=(-200.0, 600.0),
        independent=True,
        modal_betti=(betti,) * structures,
        content_hash="",
        masks=cast(Any, masks),
        images=cast(Any, images.astype(np.int16)),
        train=every,
        validation=every,
        test=every,
        patients=["patient_001"] * count,
        levels=np.linspace(0, 1, count) if axes == 2 else np.zeros(count),
        betti=np.tile(np.array(betti), (count, structures, 1)),
        image_pixel_size=0.0,
        tiled=False,
    )


def _time_stage(stage: Stage, settings: TrainSettings, device: torch.device, factor: float) -> StageTiming:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    trainer = stage.make(None)
    with _outputs_counted(trainer) as outputs:
        _step(trainer, 1)  # claims memory, and chooses kernels
    seconds = factor * _mean_step(trainer, settings)
    memory = round(_PEAK_SHARE * factor * sum(outputs))
    if device.type == "cuda":
        memory = torch.cuda.max_memory_allocated(device)
    stored = sum(tensor.nbytes for tensor in trainer.exact.pack()[0].values())
    return StageTiming(stage.name, stage.steps, seconds, memory, stored)


def _mean_step(trainer: Trainer, settings: TrainSettings) -> float:
    """Seconds of the mean step: of the usual one, and in their shares what the rare ones take more."""
    plain = _step(trainer, 1)
    rare = (_step(trainer, LAZY_STEPS) - plain) / LAZY_STEPS
    topology = settings.topology
    if trainer.name == "masks" and topology.on:
        first = math.ceil(topology.warm_up * trainer.total)
        due = np.mean([_step(trainer, first + turn * topology.every) for turn in (1, 2)])
        rare += (float(due) - plain) * (1 - topology.warm_up) / topology.every
    return plain + max(0.0, rare)


def _step(trainer: Trainer, number: int) -> float:
    trainer.step = number
    began = time.perf_counter()
    as_floats(trainer.train_step())  # waits for a GPU
    return time.perf_counter() - began


@contextmanager
def _outputs_counted(trainer: Trainer) -> Iterator[list[int]]:
    """Collect the bytes of what every layer gives, each time that it is used."""
    found: list[int] = []
    layers = [
        layer
        for network in trainer.exact.networks.values()
        for layer in network.modules()
        if not list(layer.children())
    ]

    def count(layer: nn.Module, inputs: object, output: Any) -> None:
        found.append(output.nbytes)

    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
