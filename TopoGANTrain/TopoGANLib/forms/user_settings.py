"""What belongs to the user and the computer, not to the scene: paths above all, which a shared scene must not hold."""

from __future__ import annotations

import uuid
from contextlib import suppress
from pathlib import Path

import qt
import slicer

_GROUP = "TopoGAN"

ENGINE_PYTHON = "EnginePython"
RESULTS_FOLDER = "ResultsFolder"
KEEP_TRAINING = "KeepTraining"
LAST_RUN = "LastRun"
AWAITED_RUNS = "AwaitedRuns"
"""Folders of the runs that were started here and whose end is still to be told."""
MODEL = "Model"
FIRST_MODEL = "FirstModel"
"""What is fine-tuned."""
EXPORT_FOLDER = "ExportFolder"
MODELS_TRAINING_SET = "ModelsTrainingSet"
"""Of whose copies samples were last kept free."""
TRAINING_SET = "TrainingSet"
"""What samples are compared with."""

_LONGEST_NAME = 60
_OF_THE_USER = 0o700


def read_text(name: str, default: str = "") -> str:
    """A text of the user's settings."""
    return str(slicer.util.settingsValue(f"{_GROUP}/{name}", default))


def read_flag(name: str, default: bool) -> bool:
    """A yes or no of the user's settings."""
    return bool(slicer.util.settingsValue(f"{_GROUP}/{name}", default, converter=slicer.util.toBool))


def write(name: str, value: str | bool) -> None:
    """Remember something for the next session."""
    qt.QSettings().setValue(f"{_GROUP}/{name}", value)


def results_folder() -> Path:
    """Where results go if the user does not say otherwise."""
    return Path(read_text(RESULTS_FOLDER) or Path.home() / "TopoGAN").expanduser()


def new_folder(results: Path, name: str) -> Path:
    """A folder of ``results`` that is not there yet: ``myocardium-1``, ``myocardium-2`` …"""
    plain = "".join(letter if letter.isalnum() else "-" for letter in name[:_LONGEST_NAME]).strip("-") or "training"
    number = 1
    while (results / f"{plain}-{number}").exists():
        number += 1
    return results / f"{plain}-{number}"


def work_folder() -> Path:
    """A folder of the user alone, for what the engine says and reads in passing: copies of patients' images, too."""
    folder = Path(slicer.app.temporaryPath) / "TopoGAN"
    folder.mkdir(mode=_OF_THE_USER, parents=True, exist_ok=True)
    # One of an older version is open to all; some file systems know no permissions.
    with suppress(PermissionError):
        folder.chmod(_OF_THE_USER)
    return folder


def new_work_folder(kind: str) -> Path:
    """A name in it that nobody uses."""
    return work_folder() / f"{kind}-{uuid.uuid4().hex[:8]}"
