"""Compares samples with real ones, through the engine: the command, its files, and what they say."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from slicer.i18n import tr as _

from topogan_contract import schemas
from topogan_contract.comparison import NEAREST_FOLDER, Comparison, read_comparison
from topogan_contract.schemas import find_json
from topogan_contract.synthesis import REPORT_FILE
from TopoGANLib.engine.process import Engine
from TopoGANLib.forms import user_settings
from TopoGANSynthLib.job.engine_job import EngineJob

if TYPE_CHECKING:
    from TopoGANLib.scene.synthesis_folder import Synthesis

_TRAINING_SET, _COMPARISON, _REQUEST = "training-set", "comparison", "request"
_PAGE, _LOG = "report.html", "engine.txt"


@dataclass(frozen=True)
class Compared:
    """What the engine has found."""

    comparison: Comparison
    nearest: Synthesis
    """Masks and images of the training sample nearest to each sample."""
    page: Path
    """The report for a browser; whoever takes it removes it."""


def compare_job(
    engine: Engine,
    synthesis: Path,
    training_set: Path | None,
    write_request: Callable[[Path], None] = lambda folder: None,
) -> EngineJob[Compared]:
    """Begin to compare.

    Args:
        engine: starts the command.
        synthesis: the engine's folder of the samples.
        training_set: what they are compared with; None: one that is made of a request.
        write_request: writes that request into a folder, which is there; on a thread.
    """
    folder = user_settings.new_work_folder("compare")
    with_set = folder / _TRAINING_SET if training_set is None else training_set
    command: list[str | Path] = ["evaluate", synthesis, "--training-set", with_set, "--report", folder / _PAGE]
    command += ["--comparison", folder / _COMPARISON]
    if training_set is None:
        command += ["--prepare", folder / _REQUEST]
    # Of its own name and moved there whole, so that no other application of the user can come in between.
    page = user_settings.new_work_folder(_COMPARISON).with_suffix(".html")
    unreadable = _("The comparison cannot be read: look whether the disk is full, and compare again.")

    def write() -> None:
        (folder / _REQUEST).mkdir(parents=True)
        write_request(folder / _REQUEST)

    def read() -> Compared:
        try:
            comparison, nearest = _read(folder / _COMPARISON, synthesis)
        except (OSError, ValueError) as error:
            raise ValueError(unreadable) from error
        os.replace(folder / _PAGE, page)
        return Compared(comparison, nearest, page)

    def clean() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        # Nobody gets it where the comparison was cancelled while it was read. After the folder: from now on nothing
        # can be moved out of that.
        if job.result is None:
            page.unlink(missing_ok=True)

    job = EngineJob(engine, command, folder / _LOG, write, read, clean)
    return job


def _read(folder: Path, synthesis: Path) -> tuple[Comparison, Synthesis]:
    # Here, not above: importing the module must not load numpy.
    from TopoGANLib.scene.synthesis_folder import read_pictures

    comparison = read_comparison(folder)
    report = find_json(synthesis / REPORT_FILE, schemas.SYNTHESIS) or {}
    nearest = read_pictures(folder / NEAREST_FOLDER, {"schema": schemas.SYNTHESIS, **report})
    if len(nearest.masks) != len(comparison.samples):
        raise ValueError("another number of pictures")
    return comparison, nearest
