"""Starting and resuming a run."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import torch

import topogan
from topogan.config import TrainSettings
from topogan.device import choose_device, thread_count
from topogan.errors import InputError
from topogan.model import Model, load_model
from topogan.presets import fit_batches, recorded_settings
from topogan.runs.checkpoints import latest_checkpoint
from topogan.runs.folder import RunFolder, check_run_folder, read_config
from topogan.runs.known_runs import remember_dataset, remembered_dataset
from topogan.runs.recorder import OnEvent
from topogan.runs.status import read_status
from topogan.training.checks import check_names, check_trainable
from topogan.training.fine_tuning import Start, start_from
from topogan.training.loop import Progress, most_checkpoint_bytes, progress_of
from topogan.training.work import Work, carry_out
from topogan.training_set import TrainingSet
from topogan_contract.results import mark_used, take_mark_back
from topogan_contract.run import FINISHED
from topogan_contract.training_set import difference


def train(
    dataset: Path | str,
    out: Path | str,
    settings: TrainSettings = TrainSettings(),
    model: Path | str | None = None,
    overwrite: bool = False,
    on_event: OnEvent | None = None,
    adapt_structures: bool = False,
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
        adapt_structures: where ``model`` knows other structures, keep what they share instead of refusing it.

    Returns:
        The run folder.

    Raises:
        InputError: something given cannot be used; nothing has been written.
        WorkError: the training failed; the run folder says why, and can be resumed from its last checkpoint.
    """
    dataset, out = Path(dataset).absolute(), Path(out).absolute()
    check_names(settings)
    check_run_folder(out, overwrite)
    training_set = TrainingSet.open(dataset)
    check_trainable(training_set, settings)
    settings, adapted = fit_batches(settings, len(training_set.train), training_set.noun)
    device = choose_device(settings.device)
    source = load_model(model) if model is not None else None
    start = start_from(source, settings, training_set, adapt_structures) if source is not None else Start(settings)
    config = _make_config(start, training_set, device, source)
    folder = RunFolder.create(out, overwrite, config)
    progress = Progress(start.networks)
    work = Work(folder, config, start.settings, training_set, device, progress, None, adapted + start.messages)
    work.messages += _said_of_older(folder)
    if training_set.missing_parts:
        work.messages.append(training_set.missing_parts)
    mark_used(dataset, folder.path, config["id"])
    if not remember_dataset(config["id"], dataset):
        work.messages.append("Your settings folder cannot be written: to resume this run, name its training set.")
    return carry_out(work, on_event)


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
    settings = recorded_settings(config["settings"])
    check_names(settings)
    if read_status(run).state == FINISHED:
        raise InputError(f"The run {run} is finished: to train its model further, start a new run with --from.")
    training_set = _find_training_set(run, config, dataset)
    check_trainable(training_set, settings)
    device = choose_device(settings.device)
    thread_count(config["threads"])
    folder = RunFolder.open(run)
    try:
        folder.prepare_to_go_on()
        shape = training_set.size, len(training_set.table), training_set.axes
        checkpoint = latest_checkpoint(folder.checkpoints, most_checkpoint_bytes(settings, *shape))
        if checkpoint is None and config["started_from"]:
            kept = f"; the run that it was to replace is kept in {folder.older}" if folder.older else ""
            raise InputError(f"The run {run} has no checkpoint yet: start it again with 'train --from'{kept}.")
        progress = progress_of(checkpoint, settings, *shape) if checkpoint else Progress()
    except BaseException:
        folder.close()
        raise
    work = Work(folder, config, settings, training_set, device, progress, checkpoint)
    work.messages += _said_of_older(folder)
    work.messages.append(f"The run goes on from step {progress.checkpoint_step}.")
    take_mark_back(folder.path)  # where the training set was before
    mark_used(training_set.folder, folder.path, config["id"])
    remember_dataset(config["id"], training_set.folder)
    if config["device"] != device.type:
        work.messages.append(f"It was on {config['device']} and goes on on {device.type}: not bit for bit the same.")
    return carry_out(work, on_event)


def _said_of_older(folder: RunFolder) -> list[str]:
    if folder.older is None:
        return []
    return [f"The older run is kept in {folder.older.name} beside this one until this one is finished."]


def _find_training_set(run: Path, config: dict[str, Any], dataset: Path | str | None) -> TrainingSet:
    path = Path(dataset).absolute() if dataset is not None else remembered_dataset(config["id"])
    if path is None:
        raise InputError(f"Where the training set of {run} lies is not known here: name it with --dataset.")
    if dataset is None and not path.exists():
        raise InputError(f"The training set of {run} is no longer in {path}: name its new place with --dataset.")
    training_set = TrainingSet.open(path)
    other = difference(config["training_set"], _identity(training_set))
    if other:
        raise InputError(
            f"{path} is not the training set that {run} was started with (not the same {other}): name that one with "
            "--dataset."
        )
    return training_set


def _make_config(start: Start, training_set: TrainingSet, device: torch.device, model: Model | None) -> dict[str, Any]:
    """Everything that is needed to repeat a run, but no path."""
    settings = start.settings
    return {
        "id": uuid.uuid4().hex,
        "versions": {"topogan": topogan.__version__, "torch": torch.__version__, "numpy": np.__version__},
        "settings": settings.model_dump(mode="json"),
        "training_set": {
            **_identity(training_set),
            "train": len(training_set.train),
            "validation": len(training_set.validation),
            "test": len(training_set.test),
        },
        "device": device.type,
        "threads": thread_count(settings.threads),
        "started_from": model.metadata.content_hash if model is not None else None,
        "continued": start.continued,
    }


def _identity(training_set: TrainingSet) -> dict[str, Any]:
    """As :func:`topogan_contract.training_set.identity` reads it from the set's description."""
    window = training_set.window
    return {
        "content_hash": training_set.content_hash,
        "structures": list(training_set.table.names),
        "unions": [list(union) for union in training_set.table.unions],
        "size": training_set.size,
        "pixel_size_mm": training_set.pixel_size,
        "intensity": training_set.intensity,
        "window": None if window is None else list(window),
    }
