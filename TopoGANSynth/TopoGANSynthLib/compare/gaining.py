"""Trains segmentation networks with and without samples, through the engine: the command, and what it says."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from topogan_contract import schemas
from topogan_contract.schemas import find_json
from topogan_contract.training_set import identity
from topogan_contract.words import shown
from TopoGANLib.engine.process import Engine
from TopoGANLib.forms import user_settings
from TopoGANSynthLib.compare.compare_request import SampleForm
from TopoGANSynthLib.job.engine_job import EngineJob

NETWORKS = 12
"""Of four kinds of data, of three seeds each."""
STEPS = 600
"""Of each network."""
# With the engine's own number of slices a step and width, on one core of a server of 2026: 0.14 s a step with slices of
# 64 pixels, 0.40 with 128, 1.64 with 256.
_SECONDS_A_STEP, _PIXELS, _POWER = 0.14, 64, 1.75
# As the engine has it.
_PIXEL_SIZE_TOLERANCE = 0.01

_RESULT, _LOG = "downstream.json", "engine.txt"
LONGEST_LINE = 1000
MOST_LINES = 5
"""Of what is shown of a result."""


def gain_job(engine: Engine, synthesis: Path, training_set: Path) -> EngineJob[str]:
    """Begin to train; what comes of it are sentences for the user.

    Args:
        engine: starts the command.
        synthesis: the engine's folder of the samples.
        training_set: whose test patients are segmented.
    """
    folder = user_settings.new_work_folder("downstream")
    result = folder / _RESULT
    unreadable = _("The result cannot be read: look whether the disk is full, and try again.")

    def read() -> str:
        found = find_json(result, schemas.DOWNSTREAM)
        if found is None or not isinstance(found.get("sentence"), str) or not isinstance(found.get("notes"), list):
            raise ValueError(unreadable)
        return "\n".join(shown(line, LONGEST_LINE) for line in [found["sentence"], *found["notes"]][:MOST_LINES])

    command = ["downstream", synthesis, "--training-set", training_set, "--out", result]
    return EngineJob(
        engine,
        command,
        folder / _LOG,
        write=lambda: folder.mkdir(parents=True),
        read=read,
        clean=lambda: shutil.rmtree(folder, ignore_errors=True),
    )


def seconds_of(size: int) -> float:
    """How long it takes with slices of some pixels, on one core."""
    return NETWORKS * STEPS * _SECONDS_A_STEP * (size / _PIXELS) ** _POWER


def why_not(form: SampleForm | None, described: dict[str, Any]) -> str:
    """Why nothing can be trained with these samples and this training set, in words; empty if it can.

    Args:
        form: what the samples are made of; None where they do not say it.
        described: what the training set says of itself; empty where that cannot be read.
    """
    unfit = _unfit_samples(form)
    return unfit if unfit or form is None else _unfit_set(described) or _other(form, described)


def _unfit_samples(form: SampleForm | None) -> str:
    if form is None:
        return _("These samples do not say what they are made of: generate them again.")
    if form.axes == 3:
        return _("The segmentation network takes slices alone: generate with a model of slices.")
    if form.window is None:
        return _("These samples have no CT texture to segment: generate with a model that was trained with images.")
    return ""


def _unfit_set(described: dict[str, Any]) -> str:
    if not described:
        return _("The description of this training set is damaged: prepare it anew.")
    if described.get("window") is None:
        return _("This training set holds masks without images: choose one with the CT of the patients.")
    counts = described.get("counts")
    if isinstance(counts, dict) and counts.get("test") == 0:
        return _("This training set keeps no patient for the test: prepare it with more patients.")
    return ""


def _other(form: SampleForm, described: dict[str, Any]) -> str:
    """In what the training set is another than that of the samples, in words."""
    known = identity(described)
    if described.get("axes", 2) != form.axes:
        return _("This training set holds volumes and the samples are slices: choose the model's own.")
    if known["size"] != form.size:
        sentence = _("The training set has slices of {real} pixels and the samples {size}: choose the model's own.")
        return sentence.format(real=shown(known["size"]), size=form.size)
    real = known["pixel_size_mm"]
    if not isinstance(real, int | float) or not math.isclose(real, form.pixel_size, rel_tol=_PIXEL_SIZE_TOLERANCE):
        sentence = _("The training set has pixels of {real} mm and the samples of {size} mm: choose the model's own.")
        return sentence.format(real=shown(real), size=f"{form.pixel_size:.3g}")
    # Older sets do not say it.
    if known["intensity"] not in (None, form.intensity):
        return _("One of training set and samples has Hounsfield units, the other has not: choose the model's own.")
    names = [shown(name) for name in known["structures"]]
    # One structure is the same under another name.
    made = *form.names, *form.context
    if max(len(names), len(made)) > 1 and tuple(known["structures"]) != made:
        sentence = _("The training set shows {real} and the samples {names}: choose the model's own.")
        return sentence.format(real=", ".join(names), names=", ".join(map(shown, made)))
    return ""
