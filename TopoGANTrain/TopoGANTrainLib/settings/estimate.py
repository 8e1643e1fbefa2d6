"""What a training will take, as ``topogan doctor --estimate`` has timed it: read, said, and turned into steps."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from topogan_contract import schemas
from topogan_contract.estimate import ANSWER
from TopoGANLib.engine.check import doctor_json
from TopoGANLib.forms.durations import duration
from TopoGANTrainLib.check.data_check import SetForm

_SECONDS_PER_HOUR = 3600.0
_GIGABYTE = 1e9
_MOST = 1e18


@dataclass(frozen=True)
class Estimate:
    """What a few timed steps have shown."""

    device: str
    """Of torch: ``"cpu"``, ``"cuda"``, ``"mps"``."""
    step_seconds: Mapping[str, float]
    """Of each stage that is trained: ``"masks"``, ``"textures"``."""
    memory_bytes: float
    """Of the device, at most."""
    free_memory_bytes: float
    """0 where nobody knows."""
    disk_bytes: float
    """Training set, run and model."""

    def seconds(self, steps: Mapping[str, int]) -> float:
        """Of a training of so many steps of each stage."""
        return sum(seconds * steps.get(stage, 0) for stage, seconds in self.step_seconds.items())

    def fitted(self, steps: Mapping[str, int], hours: float) -> dict[str, int]:
        """So many steps of each stage that the training takes ``hours``, in the proportion that they have now."""
        now = self.seconds(steps)
        if now <= 0:
            return dict(steps)
        factor = hours * _SECONDS_PER_HOUR / now
        return {stage: _rounded_down(steps.get(stage, 0) * factor) for stage in self.step_seconds}


def read_estimate(output: Sequence[str]) -> Estimate | str:
    """What ``doctor --estimate FILE --json`` has said: an estimate, or in words why there is none.

    Args:
        output: last lines of its output; packages may print others.
    """
    found = (doctor_json(output) or {}).get(ANSWER)
    if not isinstance(found, Mapping):
        return ""
    if found.get("error"):
        return str(found["error"])
    stages = found.get("step_seconds")
    times = {str(stage): _number(seconds) for stage, seconds in stages.items()} if isinstance(stages, Mapping) else {}
    if not any(times.values()):
        return ""
    return Estimate(
        str(found.get("device", "cpu")),
        times,
        _number(found.get("memory_bytes")),
        _number(found.get("free_memory_bytes")),
        _number(found.get("disk_bytes")),
    )


def in_words(estimate: Estimate, steps: Mapping[str, int], folder: Path) -> str:
    """One line on time, memory and disk: "about 12 min on this CPU; 1.2 GB of memory (18 GB free), 0.3 GB on disk".

    Further lines warn where memory or disk are too small.

    Args:
        estimate: what was timed.
        steps: of each stage.
        folder: where the results go; it need not be there yet.
    """
    device = _("this CPU") if estimate.device == "cpu" else _("the GPU")
    free = ""
    if estimate.free_memory_bytes > 0:
        free = _(" ({free} free)").format(free=_size(estimate.free_memory_bytes))
    said = _("About {time} on {device}; {memory} of memory{free}, {disk} on disk.").format(
        time=duration(estimate.seconds(steps)),
        device=device,
        memory=_size(estimate.memory_bytes),
        free=free,
        disk=_size(estimate.disk_bytes),
    )
    return "\n".join([said, *_warnings(estimate, folder)])


def request(train: Mapping[str, Any], form: SetForm, continued: bool) -> str:
    """The file that ``doctor --estimate`` reads.

    Args:
        train: settings of the training that differ from the defaults, as the engine's JSON has them.
        form: of the training set.
        continued: whether a model is fine-tuned that knows its structures.
    """
    content = {"schema": schemas.ESTIMATE_REQUEST, "train": dict(train), **asdict(form), "continued": continued}
    return json.dumps(content)


def free_disk(folder: Path) -> int:
    """Bytes that are free where a folder is, or will be; 0 where that cannot be asked."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
        except OSError:
            break
    return 0


def _warnings(estimate: Estimate, folder: Path) -> list[str]:
    found = []
    if 0 < estimate.free_memory_bytes < estimate.memory_bytes:
        found.append(
            _("There is too little memory: choose a smaller size or smaller batches.")
            if estimate.device == "cpu"
            else _("The GPU has too little memory: choose a smaller size, smaller batches, or the device cpu.")
        )
    free = free_disk(folder)
    if 0 < free < estimate.disk_bytes:
        sentence = _("There is too little room in {folder}, where {free} are free: choose another folder for Results.")
        found.append(sentence.format(folder=folder, free=_size(free)))
    return found


def _size(count: float) -> str:
    gigabytes = count / _GIGABYTE
    if gigabytes < 0.1:
        return _("less than 0.1 GB")
    return _("{size} GB").format(size=f"{gigabytes:.1f}" if gigabytes < 10 else f"{gigabytes:.0f}")


def _number(value: Any) -> float:
    good = isinstance(value, int | float) and math.isfinite(value) and 0 <= value < _MOST
    return float(value) if good else 0.0


def _rounded_down(steps: float) -> int:
    """To two digits: nothing finer was measured."""
    if steps < 10:
        return max(1, int(steps))
    unit = 10 ** (int(math.log10(steps)) - 1)
    return int(steps / unit) * unit
