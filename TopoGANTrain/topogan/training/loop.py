"""The loop that every run goes through: steps, curves, previews, checkpoints, requests to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from topogan.config import Part, TrainSettings
from topogan.errors import WorkError
from topogan.runs.checkpoints import Checkpoint, save_checkpoint
from topogan.runs.failures import checkpoint_words
from topogan.runs.folder import RunFolder
from topogan.runs.recorder import Position, Recorder, StepClock
from topogan.runs.status import StatusWriter
from topogan.training.exact_state import below, pack_networks, restore_networks
from topogan.training.optimization import Values, as_floats
from topogan.training.stages import Networks, Stage, Trainer, blank_networks
from topogan_contract.run import RUNNING, STAGES, STOPPING

# Every step is logged up to this many; longer stages log every n-th, so that the log stays readable.
_MOST_LOGGED = 20_000


@dataclass
class Progress:
    """What a run has reached apart from the training in hand.

    ``networks`` are those of other stages by name: finished ones, and those that fine-tuning will start from.
    """

    networks: dict[str, Networks] = field(default_factory=dict)
    final: dict[str, dict[str, float]] = field(default_factory=dict)
    seconds: float = 0.0
    checkpoint_step: int = 0


class TrainingLoop:
    """Runs the stages of one run from the start or from a checkpoint.

    Args:
        folder: the locked run.
        settings: how often checkpoints and previews are wanted.
        stages: in their order.
        recorder, status: who is told.
        progress: networks to start from; afterwards, the finished ones.
        checkpoint: where to go on, or None.
    """

    def __init__(
        self,
        folder: RunFolder,
        settings: TrainSettings,
        stages: list[Stage],
        recorder: Recorder,
        status: StatusWriter,
        progress: Progress,
        checkpoint: Checkpoint | None,
    ) -> None:
        self._folder, self._settings, self._stages = folder, settings, stages
        self._recorder, self._status, self._checkpoint = recorder, status, checkpoint
        self.progress = progress
        self._before = 0
        self._clock = StepClock()
        self._since = time.monotonic()

    def run(self) -> bool:
        """Train to the end; False if someone asked to stop before, in which case a checkpoint has been written."""
        names = [stage.name for stage in self._stages]
        first = names.index(self._checkpoint.values["stage"]) if self._checkpoint else 0
        self._before = sum(stage.steps for stage in self._stages[:first])
        for stage in self._stages[first:]:
            if not self._run_stage(stage):
                return False
            self._before += stage.steps
        return True

    def _run_stage(self, stage: Stage) -> bool:
        self._status.write(state=RUNNING, stage=stage.name)
        trainer = stage.make(self.progress.networks.pop(stage.name, None))
        if self._checkpoint is not None:
            _restore(trainer, self._checkpoint)
            self._checkpoint = None
        else:
            self._recorder.stage(_position(trainer))
            if self._before == 0:
                self._save(trainer)
        self._status.note(step=self._before + trainer.step)
        self._clock = StepClock()
        while trainer.step < trainer.total:
            if self._folder.stop_requested():
                self._status.write(state=STOPPING)
                self._save(trainer)
                return False
            self._take_step(trainer)
        self.progress.networks[stage.name] = trainer.networks()
        return True

    def _take_step(self, trainer: Trainer) -> None:
        values = trainer.train_step()
        at, settings = _position(trainer), self._settings
        last = at.step == at.total
        seen = last or at.step % settings.preview_every == 0
        saved = last or at.step % settings.checkpoint_every == 0
        if seen or saved or at.step % max(1, math.ceil(at.total / _MOST_LOGGED)) == 0:
            self.progress.final[at.stage] = _checked(values, at, self.progress.checkpoint_step)
            self._recorder.step(at, self.progress.final[at.stage])
        if seen:
            self._recorder.preview(at, *trainer.preview())
        if saved:
            self._save(trainer)
        done = self._before + at.step
        left = sum(stage.steps for stage in self._stages) - done
        self._status.note(step=done, eta_seconds=self._clock.tick(left))

    def _save(self, trainer: Trainer) -> None:
        progress = self.progress
        now = time.monotonic()
        progress.seconds, self._since = progress.seconds + now - self._since, now
        tensors, values = trainer.exact.pack()
        packed = {f"trainer/{name}": tensor for name, tensor in tensors.items()}
        for stage, networks in progress.networks.items():
            packed |= {f"networks/{stage}/{name}": tensor for name, tensor in pack_networks(networks).items()}
        content: dict[str, Any] = {
            "stage": trainer.name,
            "stage_step": trainer.step,
            "trainer": values,
            "networks": list(progress.networks),
            "final": progress.final,
            "seconds": progress.seconds,
            "events_bytes": self._recorder.settle(),
        }
        save_checkpoint(self._folder.checkpoints, Checkpoint(self._before + trainer.step, packed, content))
        progress.checkpoint_step = self._before + trainer.step


def progress_of(checkpoint: Checkpoint, settings: TrainSettings, size: int, structures: int, axes: int) -> Progress:
    """Take what a checkpoint holds apart from the training in hand.

    Raises:
        WorkError: it holds something else than this version writes.
    """
    with _checkpoint_must_fit(checkpoint):
        values, networks = checkpoint.values, {}
        counts = (checkpoint.step, values["stage_step"], values["events_bytes"])
        stages = _stage_names(settings)
        if values["stage"] not in stages or not all(isinstance(count, int) and count >= 0 for count in counts):
            raise ValueError("no stage of this run, or no count")
        for stage in values["networks"]:
            networks[stage] = blank_networks(stage, settings, size, structures, axes)
            restore_networks(networks[stage], below(checkpoint.tensors, f"networks/{stage}"))
        return Progress(networks, dict(values["final"]), float(values["seconds"]), checkpoint.step)


def most_checkpoint_bytes(settings: TrainSettings, size: int, structures: int, axes: int) -> int:
    """How large a checkpoint of such a run can be: every weight, its average and two moments, and a margin.

    Of all stages: fine-tuning carries the networks of a part that it does not train.
    """
    with torch.device("meta"):
        blank = [blank_networks(name, settings, size, structures, axes) for name in STAGES]
    tensors = [tensor for one in blank for network in one.values() for tensor in network.state_dict().values()]
    return 6 * sum(int(tensor.nbytes) for tensor in tensors) + (16 << 20)


def _stage_names(settings: TrainSettings) -> list[str]:
    return [part.value for part in (Part.MASKS, Part.TEXTURES) if settings.part in (Part.BOTH, part)]


def _restore(trainer: Trainer, checkpoint: Checkpoint) -> None:
    with _checkpoint_must_fit(checkpoint):
        trainer.exact.restore(below(checkpoint.tensors, "trainer"), checkpoint.values["trainer"])
        trainer.step = checkpoint.values["stage_step"]


@contextmanager
def _checkpoint_must_fit(checkpoint: Checkpoint) -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise WorkError(
            f"The checkpoint of step {str(checkpoint.step)[:20]} is damaged or of another version: "
            "remove it to go on from the one before, or start the training again."
        ) from error


def _position(trainer: Trainer) -> Position:
    return Position(trainer.name, trainer.step, trainer.total)


def _checked(values: Values, at: Position, checkpoint_step: int) -> dict[str, float]:
    """Return plain numbers.

    Raises:
        WorkError: one of them is not finite.
    """
    numbers = as_floats(values)
    wrong = [name for name, value in numbers.items() if not math.isfinite(value)]
    if wrong:
        raise WorkError(
            f"The training of {at.stage} diverged at step {at.step} ({wrong[0]} is {numbers[wrong[0]]}): train again "
            f"with a lower learning rate; {checkpoint_words(checkpoint_step)}."
        )
    return numbers
