"""What each size of patches or volumes means on this computer: pixels, time and memory, in numbers and in words."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from topogan.config import Device, TrainSettings
from topogan.device import choose_device
from topogan.progress import duration
from topogan.training.timing import StageTiming, time_training
from topogan.training_set import TrainingSet
from topogan_contract.sizes import SIZES, VOLUME_SIZES, default_pixel_size, pixel_size_in_words

# Sizes whose turn comes later than this are reckoned from the one before, by their pixels.
_SECONDS = 15.0
# On a CPU alone, what takes longer is called work for a GPU.
_MOST_CPU_SECONDS = 3 * 3600.0
_BLOCK = 64


@dataclass(frozen=True)
class SizedStructures:
    """What decides the pixels and the work: how many there are, how wide the widest slice is and the images' pixels."""

    count: int = 1
    width: float = 0.0
    """mm; 0 where it is not known."""
    own: float = 0.0
    """mm; 0 where it is not known."""
    axes: int = 2
    """2 for slices, 3 for volumes."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Those that there are."""
        return SIZES if self.axes == 2 else VOLUME_SIZES

    @classmethod
    def of(cls, training_set: TrainingSet) -> SizedStructures:
        """Measure those of a training set."""
        widest, alone = 0, training_set.without_context
        for start in range(0, len(training_set.masks), _BLOCK):
            for mask in alone.masks[slice(start, start + _BLOCK)] != 0:
                places = np.nonzero(mask)
                widest = max([widest, *(int(np.ptp(side)) + 1 for side in places if len(side))])
        width, own = widest * training_set.pixel_size, training_set.image_pixel_size
        return cls(len(training_set.table), width, own, training_set.axes)


def size_table(settings: TrainSettings, structures: SizedStructures) -> list[dict[str, Any]]:
    """Time a few steps for each size on each device (the best one and the CPU); about 20 seconds of work.

    Returns:
        A row for each size, as ``topogan doctor --timings --json`` prints it.

    Raises:
        InputError: the device that the settings name is not there.
    """
    devices = list(dict.fromkeys((choose_device(settings.device).type, "cpu")))
    times = {device: _times(settings, device, structures, _SECONDS / len(devices)) for device in devices}
    return [_row(size, {device: times[device][size] for device in devices}, structures) for size in structures.sizes]


@dataclass(frozen=True)
class _Timing:
    stages: list[StageTiming] | None
    """None where the GPU's memory is too small."""
    measured: bool

    @property
    def seconds(self) -> float | None:
        return None if self.stages is None else sum(stage.seconds for stage in self.stages)


def _times(settings: TrainSettings, device: str, structures: SizedStructures, budget: float) -> dict[int, _Timing]:
    import torch

    found: dict[int, _Timing] = {}
    end = time.monotonic() + budget
    for size in structures.sizes:
        before = found.get(size // 2)
        if before is not None and (before.stages is None or time.monotonic() > end):
            factor = 2**structures.axes
            found[size] = _Timing(before.stages and [_times_more(factor, stage) for stage in before.stages], False)
            continue
        try:
            count, axes = structures.count, structures.axes
            found[size] = _Timing(time_training(settings, size, choose_device(Device(device)), count, axes), True)
        except torch.OutOfMemoryError:
            found[size] = _Timing(None, True)
    return found


def _times_more(factor: int, stage: StageTiming) -> StageTiming:
    return replace(stage, step_seconds=factor * stage.step_seconds, memory_bytes=factor * stage.memory_bytes)


def _row(size: int, times: dict[str, _Timing], structures: SizedStructures) -> dict[str, Any]:
    pixel_size = default_pixel_size(structures.width, size, structures.own, structures.axes)
    devices = {
        device: {
            "seconds": timing.seconds,
            "measured": timing.measured,
            "memory_bytes": max((stage.memory_bytes for stage in timing.stages or ()), default=None),
            "step_seconds": {stage.name: stage.step_seconds for stage in timing.stages or ()},
        }
        for device, timing in times.items()
    }
    said = f"{size} {'pixels' if structures.axes == 2 else 'voxels'}"
    if pixel_size:
        said = pixel_size_in_words(size, pixel_size, structures.width, structures.own, structures.axes)
    return {
        "size": size,
        "pixel_size_mm": pixel_size or None,
        "devices": devices,
        "time": _time_in_words(times),
        "words": f"{said}: {_time_in_words(times)}.",
    }


def _time_in_words(times: dict[str, _Timing]) -> str:
    cpu = times["cpu"].seconds
    assert cpu is not None
    gpu = next((timing for device, timing in times.items() if device != "cpu"), None)
    if gpu is None:
        advice = "needs a GPU; " if cpu > _MOST_CPU_SECONDS else ""
        return f"{advice}on this computer about {duration(cpu)}"
    if gpu.seconds is None:
        return f"too much for this GPU's memory with such batches; without it about {duration(cpu)}"
    return f"about {duration(gpu.seconds)} on the GPU, without it {duration(cpu)}"
