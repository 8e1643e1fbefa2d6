"""What a training will take on this computer: seconds, memory and disk, from a few of its steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, ValidationInfo, field_validator

from topogan.config import PatchSize, Settings, TrainSettings, check_size, validated
from topogan.device import choose_device
from topogan.errors import InputError, WorkError
from topogan.files import read_json
from topogan.free_memory import free_memory
from topogan.presets import check_form, fit_batches, train_settings
from topogan.structures import MOST_STRUCTURES
from topogan.training.timing import StageTiming, time_training
from topogan_contract import schemas
from topogan_contract.sizes import SIZES, VOLUME_SIZES

# A size that would take longer than what is left of it is reckoned from the one of half its width.
_SECONDS = 10.0
# Two stay, and a third is being written.
_CHECKPOINTS = 3
# uint8 labels and int16 images; diagrams and tables are a small share.
_BYTES_PER_PIXEL = 3
_MOST_SAMPLES = 1 << 20
# What Python, torch, MONAI and the training set's first pages take beside the networks' layers: a training of 64 pixels
# has 0.67 GB at its peak, of which the layers are less than 0.1 GB.
_OWN_BYTES = 600_000_000

Timing = Callable[[TrainSettings, int, torch.device, int, int], list[StageTiming]]


class EstimateRequest(Settings):
    """What a training is to be, as :mod:`topogan_contract.estimate` says."""

    train: dict[str, Any] = Field(default_factory=dict)
    axes: Literal[2, 3] = 2
    size: PatchSize = 64
    structures: int = Field(default=1, ge=1, le=MOST_STRUCTURES)
    samples: int = Field(default=0, ge=0, le=_MOST_SAMPLES)
    training_samples: int = Field(default=0, ge=0, le=_MOST_SAMPLES)
    continued: bool = False

    @field_validator("size")
    @classmethod
    def _size_fits(cls, size: int, info: ValidationInfo) -> int:
        check_size(size, info.data.get("axes", 2))
        return size


def estimate(
    file: Path, time_steps: Timing = time_training, clock: Callable[[], float] = time.monotonic
) -> dict[str, Any]:
    """Time a few steps of the training that a file describes.

    Args:
        file: of the schema :data:`topogan_contract.schemas.ESTIMATE_REQUEST`.
        time_steps: :func:`topogan.training.timing.time_training`.
        clock: seconds.

    Returns:
        As :mod:`topogan_contract.estimate` says; ``{"error": sentence}`` where the file or its settings are wrong.
    """
    try:
        return _estimate(file, time_steps, clock)
    except (InputError, WorkError) as error:
        return {"error": str(error)}
    except (MemoryError, torch.OutOfMemoryError):
        return {"error": "There is not enough memory: choose a smaller size or smaller batches, or close programs."}


def _estimate(file: Path, time_steps: Timing, clock: Callable[[], float]) -> dict[str, Any]:
    content = read_json(file, schemas.ESTIMATE_REQUEST)
    asked = validated(EstimateRequest, {name: value for name, value in content.items() if name != "schema"})
    settings = train_settings(None, asked.train)
    check_form(settings, asked.axes)
    if known := asked.training_samples or asked.samples:
        settings, _ = fit_batches(settings, known, "slice" if asked.axes == 2 else "volume")
    if asked.continued:
        # The topological loss, which costs most, is there from the first step.
        topology = settings.topology.model_copy(update={"warm_up": 0.0})
        settings = settings.model_copy(update={"topology": topology})
    device = choose_device(settings.device)
    free = free_memory(device)
    stages, fits = _timed(settings, asked, device, time_steps, clock)
    memory = max((stage.memory_bytes for stage in stages), default=0)
    if device.type == "cpu":
        memory += _OWN_BYTES
    stored = [stage.checkpoint_bytes for stage in stages]
    # The model has what checkpoints have, but for the optimizers.
    disk = _CHECKPOINTS * max(stored, default=0) + sum(stored)
    return {
        "device": device.type,
        "step_seconds": {stage.name: stage.step_seconds for stage in stages},
        "seconds": sum(stage.seconds for stage in stages),
        "memory_bytes": memory if fits else max(memory, free + 1),
        "free_memory_bytes": free,
        "disk_bytes": disk + asked.samples * asked.size**asked.axes * _BYTES_PER_PIXEL,
    }


def _timed(
    settings: TrainSettings,
    asked: EstimateRequest,
    device: torch.device,
    time_steps: Timing,
    clock: Callable[[], float],
) -> tuple[list[StageTiming], bool]:
    """Time sizes that double up to the one that is asked for; whether that one fits into the memory of the GPU."""
    sizes: list[int] = [asked.size]
    while sizes[0] // 2 in (SIZES if asked.axes == 2 else VOLUME_SIZES):
        sizes.insert(0, sizes[0] // 2)
    factor, end, took = 2**asked.axes, clock() + _SECONDS, 0.0
    stages: list[StageTiming] = []
    fits = True
    for size in sizes:
        began = clock()
        if stages and (not fits or began + factor * took > end):
            stages = [_times_more(factor, stage) for stage in stages]
            took *= factor
            continue
        try:
            stages = time_steps(settings, size, device, asked.structures, asked.axes)
        except torch.OutOfMemoryError:
            if not stages:
                raise
            fits, stages = False, [_times_more(factor, stage) for stage in stages]
        took = clock() - began
    return stages, fits


def _times_more(factor: int, stage: StageTiming) -> StageTiming:
    return replace(stage, step_seconds=factor * stage.step_seconds, memory_bytes=factor * stage.memory_bytes)
