"""Carrying a run out: from a folder that is ready to its last status."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from topogan.config import TrainSettings
from topogan.device import exact_numerics
from topogan.errors import WorkError
from topogan.model import save_model
from topogan.runs.checkpoints import Checkpoint
from topogan.runs.failures import failure_sentence, failure_trace, signals_as_requests, without_paths
from topogan.runs.folder import GONE, RunFolder
from topogan.runs.recorder import OnEvent, Recorder
from topogan.runs.status import StatusWriter
from topogan.training.loop import Progress, TrainingLoop
from topogan.training.stages import Stage, planned_stages
from topogan.training_set import TrainingSet
from topogan_contract.run import FAILED, FINISHED, STOPPED


@dataclass
class Work:
    """A run that is ready to go (on)."""

    folder: RunFolder
    config: dict[str, Any]
    settings: TrainSettings
    training_set: TrainingSet
    device: torch.device
    progress: Progress
    checkpoint: Checkpoint | None
    messages: list[str] = field(default_factory=list)


def carry_out(work: Work, on_event: OnEvent | None) -> Path:
    """Train, and leave the folder with a last status and a free lock, whatever happens."""
    # Runs of older versions do not say so: they go on as they began.
    continued = work.config.get("continued", ())
    stages = planned_stages(work.settings, work.training_set, work.device, continued)
    status = StatusWriter(work.folder.path, total=sum(stage.steps for stage in stages))
    try:
        status.start()
        with exact_numerics(work.config["threads"], work.device):
            finished = _train_stages(work, stages, status, on_event)
        work.folder.forget_stop()
        status.end(FINISHED if finished else STOPPED)
        if finished:
            work.folder.remove_older()
    except Exception as error:
        # Without its folder, whatever is tried fails, each thing in its own words.
        sentence = failure_sentence(error, work.progress.checkpoint_step) if work.folder.is_there else GONE
        _record_failure(work, status, sentence, error)
        if work.folder.bring_back_older():
            why = sentence.partition(":")[0]
            raise WorkError(
                f"{why}: free some space or memory; the older run is back in {work.folder.path}."
            ) from error
        if sentence == str(error):
            raise
        raise WorkError(sentence) from error
    except BaseException:
        status.note(step=work.progress.checkpoint_step)
        status.end(STOPPED)
        work.folder.bring_back_older()
        raise
    finally:
        work.folder.close()
    return work.folder.path


def _train_stages(work: Work, stages: list[Stage], status: StatusWriter, on_event: OnEvent | None) -> bool:
    """Run the loop and write the model package; False if someone asked to stop before."""
    keep = work.checkpoint.values["events_bytes"] if work.checkpoint else 0
    with closing(Recorder(work.folder, keep, on_event)) as recorder:
        for message in work.messages:
            recorder.message(message)
        loop = TrainingLoop(work.folder, work.settings, stages, recorder, status, work.progress, work.checkpoint)
        with signals_as_requests(work.folder.ask_to_stop):
            finished = loop.run()
    if finished:
        progress = work.progress
        steps = {stage.name: stage.steps for stage in stages}
        save_model(
            work.folder.model,
            settings=work.settings,
            training_set=work.training_set,
            masks=progress.networks.get("masks"),
            textures=progress.networks.get("textures"),
            training={"steps": steps, "seconds": round(progress.seconds, 1), "final": progress.final},
            overwrite=True,
            not_measured=lambda error: _log(work, "How good the samples are was not measured.", error),
        )
    return finished


def _record_failure(work: Work, status: StatusWriter, sentence: str, error: Exception) -> None:
    """Write why the run failed into its folder, without the user's paths."""
    # On a full disk even this may fail; readers still see by the free lock that the run is dead.
    with suppress(OSError, WorkError):
        status.end(FAILED, without_paths(sentence, _private(work)))
    _log(work, sentence, error)


def _log(work: Work, sentence: str, error: Exception) -> None:
    with suppress(OSError):
        work.folder.log(without_paths(f"{sentence}\n{failure_trace(error)}", _private(work)))


def _private(work: Work) -> dict[Path, str]:
    return {work.training_set.folder: "the training set", work.folder.path: "the run folder"}
