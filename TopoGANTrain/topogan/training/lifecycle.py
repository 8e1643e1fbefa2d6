"""Starting and resuming a run."""

from __future__ import annotations

import uuid
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

import topogan
from topogan.config import Part, TrainSettings, validated
from topogan.device import choose_device, exact_numerics, thread_count
from topogan.errors import InputError, WorkError
from topogan.model import Model, load_model, save_model
from topogan.runs.checkpoints import Checkpoint, latest_checkpoint
from topogan.runs.failures import failure_sentence, failure_trace, signals_as_requests, without_paths
from topogan.runs.folder import RunFolder, check_run_folder, read_config
from topogan.runs.known_runs import remember_dataset, remembered_dataset
from topogan.runs.recorder import OnEvent, Recorder
from topogan.runs.status import StatusWriter, read_status
from topogan.training.fine_tuning import Start, start_from
from topogan.training.loop import Progress, TrainingLoop, progress_of
from topogan.training.stages import Stage, planned_stages
from topogan.training_set import TrainingSet
from topogan_contract.run import FAILED, FINISHED, STOPPED


@dataclass
class _Work:
    """A run that is ready to go (on)."""

    folder: RunFolder
    config: dict[str, Any]
    settings: TrainSettings
    training_set: TrainingSet
    device: torch.device
    progress: Progress
    checkpoint: Checkpoint | None
    messages: list[str] = field(default_factory=list)


def train(
    dataset: Path | str,
    out: Path | str,
    settings: TrainSettings = TrainSettings(),
    model: Path | str | None = None,
    overwrite: bool = False,
    on_event: OnEvent | None = None,
) -> Path:
    """Train masks, textures or both, and write a model package to ``out/model``.

    Returns when the training is finished or somebody asked to stop it: :func:`read_status` says which. Ctrl-C and
    SIGTERM are such requests.

    Args:
        dataset: training set folder.
        out: run folder to make.
        settings: everything about the training.
        model: model package (folder or zip) whose weights the training starts from.
        overwrite: replace an older run.
        on_event: is called with each event, ``{"kind": "stage"|"step"|"preview", "stage", "step", "total",
            "values"}`` (steps of that stage) or ``{"kind": "message", "text"}``.

    Returns:
        The run folder.

    Raises:
        InputError: something given cannot be used; nothing has been written.
        WorkError: the training failed; the run folder says why, and can be resumed from its last checkpoint.
    """
    dataset, out = Path(dataset).absolute(), Path(out).absolute()
    check_run_folder(out, overwrite)
    training_set = TrainingSet.open(dataset)
    if out.resolve() in (dataset.resolve(), *dataset.resolve().parents):
        raise InputError(f"The training set {dataset} lies in the run folder {out}: name another run folder.")
    _check_trainable(training_set, settings)
    device = choose_device(settings.device)
    source = load_model(model) if model is not None else None
    start = start_from(source, settings, training_set) if source is not None else Start(settings)
    config = _make_config(start.settings, training_set, device, source)
    folder = RunFolder.create(out, overwrite, config)
    progress = Progress(start.networks)
    work = _Work(folder, config, start.settings, training_set, device, progress, None, start.messages)
    if not remember_dataset(config["id"], dataset):
        work.messages.append("Your settings folder cannot be written: to resume this run, name its training set.")
    return _carry_out(work, on_event)


def resume(run: Path | str, dataset: Path | str | None = None, on_event: OnEvent | None = None) -> Path:
    """Go on with a run where its last checkpoint stands; on a CPU, bit for bit as if it had not been interrupted.

    Args:
        run: run folder.
        dataset: its training set, where it is not where it was (or the run was made on another computer).
        on_event: as for :func:`train`.

    Returns:
        The run folder.

    Raises:
        InputError: the run is in use or finished, or its training set is not found or has changed.
        WorkError: the training failed.
    """
    run = Path(run).absolute()
    config = read_config(run)
    settings = validated(TrainSettings, config["settings"])
    if read_status(run).state == FINISHED:
        raise InputError(f"The run {run} is finished: to train its model further, start a new run with --from.")
    training_set = _find_training_set(run, config, dataset)
    device = choose_device(settings.device)
    folder = RunFolder.open(run)
    try:
        folder.prepare_to_go_on()
        checkpoint = latest_checkpoint(folder.checkpoints)
        if checkpoint is None and config["started_from"]:
            raise InputError(f"The run {run} has no checkpoint yet: start it again with 'train --from'.")
        progress = progress_of(checkpoint, settings, training_set.size) if checkpoint else Progress()
    except BaseException:
        folder.close()
        raise
    work = _Work(folder, config, settings, training_set, device, progress, checkpoint)
    work.messages.append(f"The run goes on from step {progress.checkpoint_step}.")
    if config["device"] != device.type:
        work.messages.append(f"It was on {config['device']} and goes on on {device.type}: not bit for bit the same.")
    return _carry_out(work, on_event)


def _carry_out(work: _Work, on_event: OnEvent | None) -> Path:
    """Train, and leave the folder with a last status and a free lock, whatever happens."""
    stages = planned_stages(work.settings, work.training_set, work.device)
    status = StatusWriter(work.folder.path, total=sum(stage.steps for stage in stages))
    try:
        status.start()
        with exact_numerics(work.config["threads"], work.device):
            finished = _train_stages(work, stages, status, on_event)
        work.folder.forget_stop()
        status.end(FINISHED if finished else STOPPED)
    except Exception as error:
        sentence = failure_sentence(error, work.progress.checkpoint_step)
        _leave_word(work, status, sentence, error)
        if sentence == str(error):
            raise
        raise WorkError(sentence) from error
    except BaseException:
        status.note(step=work.progress.checkpoint_step)
        status.end(STOPPED)
        raise
    finally:
        work.folder.close()
    return work.folder.path


def _train_stages(work: _Work, stages: list[Stage], status: StatusWriter, on_event: OnEvent | None) -> bool:
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
        )
    return finished


def _leave_word(work: _Work, status: StatusWriter, sentence: str, error: Exception) -> None:
    """Write why the run failed into its folder, without the user's paths."""
    private = {work.training_set.folder: "the training set", work.folder.path: "the run folder"}
    # On a full disk even this may fail; readers still see by the free lock that the run is dead.
    with suppress(OSError, WorkError):
        status.end(FAILED, without_paths(sentence, private))
    with suppress(OSError):
        work.folder.log(without_paths(f"{sentence}\n{failure_trace(error)}", private))


def _find_training_set(run: Path, config: dict[str, Any], dataset: Path | str | None) -> TrainingSet:
    path = Path(dataset).absolute() if dataset is not None else remembered_dataset(config["id"])
    if path is None:
        raise InputError(f"Where the training set of {run} lies is not known here: name it with --dataset.")
    if dataset is None and not path.exists():
        raise InputError(f"The training set of {run} is no longer in {path}: name its new place with --dataset.")
    training_set = TrainingSet.open(path)
    if training_set.content_hash != config["training_set"]["content_hash"]:
        raise InputError(f"{path} is not the training set that {run} was started with: name that one with --dataset.")
    return training_set


def _check_trainable(training_set: TrainingSet, settings: TrainSettings) -> None:
    """Refuse what could only fail later.

    Raises:
        InputError: textures without images, batches larger than the training split, empty masks, or diagrams that
            cannot be read.
    """
    if settings.part is not Part.MASKS and training_set.images is None:
        raise InputError(
            f"The training set {training_set.folder} has no images to learn textures from: choose the part masks."
        )
    for part in (Part.MASKS, Part.TEXTURES):
        batch, rows = getattr(settings, part.value).batch, len(training_set.train)
        if settings.part in (Part.BOTH, part) and batch > rows:
            raise InputError(
                f"{part.value}.batch is {batch} and the training set has {rows} slices for training: "
                f"set it to {rows} or less, or prepare more data."
            )
    for row in training_set.train:
        if not (training_set.masks[row] == 1).any():
            raise InputError(f"Mask {row} of {training_set.folder} holds no structure: prepare the set again.")
    training_set.diagrams()  # the model package will need them: better refused now than after hours


def _make_config(
    settings: TrainSettings, training_set: TrainingSet, device: torch.device, model: Model | None
) -> dict[str, Any]:
    """Everything that is needed to repeat a run, but no path."""
    return {
        "id": uuid.uuid4().hex,
        "versions": {"topogan": topogan.__version__, "torch": torch.__version__, "numpy": np.__version__},
        "settings": settings.model_dump(mode="json"),
        "training_set": {
            "content_hash": training_set.content_hash,
            "structure": training_set.structure,
            "size": training_set.size,
            "pixel_size_mm": training_set.pixel_size,
            "train": len(training_set.train),
            "held_out": len(training_set.held_out),
        },
        "device": device.type,
        "threads": thread_count(settings.threads),
        "started_from": model.metadata.content_hash if model is not None else None,
    }
