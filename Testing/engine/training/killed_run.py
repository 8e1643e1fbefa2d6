"""A training that kills itself with SIGKILL at one moment after another, each time resumed by a new process.

Run by test_exact_resume.py. The processes are forks of this one, so that torch is imported once.

Usage: killed_run.py DATASET RUN SETTINGS_JSON; prints a line of JSON for each moment.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from topogan import files
from topogan.config import TrainSettings
from topogan.networks import make_texture_discriminator
from topogan.runs import checkpoints, events, read_status
from topogan.training import loop, resume, train, work
from topogan.training.mask_trainer import MaskTrainer


def die() -> None:
    """End as by a power cut: nothing of this process runs any more."""
    os.kill(os.getpid(), signal.SIGKILL)


class _DyingFile(io.FileIO):
    """Takes half of what it is given and dies."""

    def write(self, data: Any) -> int:
        super().write(bytes(data)[: len(data) // 2])
        os.fsync(self.fileno())
        die()
        return 0


def _in_the_first_steps() -> None:
    step = MaskTrainer.train_step

    def step_or_die(trainer: MaskTrainer) -> Any:
        return die() if trainer.step == 3 else step(trainer)

    MaskTrainer.train_step = step_or_die  # type: ignore[method-assign]


def _in_the_middle_of_a_checkpoint() -> None:
    def save_half(folder: Path, checkpoint: checkpoints.Checkpoint) -> Path:
        if checkpoint.step != 5:
            return whole(folder, checkpoint)
        path_open = Path.open
        Path.open = lambda path, *_, **__: _DyingFile(str(path), "w")  # type: ignore[assignment,method-assign]
        try:
            return whole(folder, checkpoint)
        finally:
            Path.open = path_open  # type: ignore[method-assign]

    whole = checkpoints.save_checkpoint
    loop.save_checkpoint = save_half


def _before_a_checkpoint_gets_its_name() -> None:
    replace = files.replace

    def die_at_a_checkpoint(source: Path, destination: Path) -> None:
        if destination.name == "step-00000010.safetensors":
            die()
        replace(source, destination)

    files.replace = die_at_a_checkpoint


def _in_the_middle_of_an_event() -> None:
    take = events.EventLog.append

    def append_half(log: events.EventLog, event: dict) -> None:
        if (event["stage"], event["step"], event["kind"]) == ("textures", 6, "step"):
            log._file.write(b'{"kind": "step", "sta')
            log._file.flush()
            die()
        take(log, event)

    events.EventLog.append = append_half  # type: ignore[method-assign]


def _while_the_package_is_written() -> None:
    save = work.save_model

    def save_and_die(out: Path, **more: Any) -> Path:
        save(out, **more)
        die()
        return out

    work.save_model = save_and_die


MOMENTS = {
    "first steps": _in_the_first_steps,
    "middle of a checkpoint": _in_the_middle_of_a_checkpoint,
    "checkpoint without a name": _before_a_checkpoint_gets_its_name,
    "middle of an event": _in_the_middle_of_an_event,
    "package written": _while_the_package_is_written,
}


def train_or_resume(dataset: Path, run: Path, settings: TrainSettings) -> None:
    if run.exists():
        resume(run, dataset=dataset)
    else:
        train(dataset, run, settings)


def main() -> None:
    dataset, run = Path(sys.argv[1]), Path(sys.argv[2])
    settings = TrainSettings.model_validate_json(sys.argv[3])
    make_texture_discriminator(settings.textures)  # imports MONAI before the forks
    for moment, patch in MOMENTS.items():
        child = os.fork()
        if child == 0:
            patch()
            train_or_resume(dataset, run, settings)
            os._exit(0)
        _, how = os.waitpid(child, 0)
        newest = max(path.name for path in (run / "checkpoints").glob("step-*"))
        ended = {"moment": moment, "signal": os.WTERMSIG(how), "state": read_status(run).state, "newest": newest}
        print(json.dumps(ended), flush=True)


if __name__ == "__main__":
    main()
