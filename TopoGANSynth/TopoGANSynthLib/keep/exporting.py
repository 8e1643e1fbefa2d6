"""Writes samples in the layout of another tool, through the engine."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from topogan_contract import schemas
from topogan_contract.leftovers import is_left_of, siblings
from topogan_contract.synthesis import EXPORT_FILE
from topogan_contract.words import shown
from TopoGANLib.engine.process import Engine
from TopoGANLib.forms import user_settings
from TopoGANSynthLib.job.engine_job import EngineJob

_LONGEST_SENTENCE = 1000


class Exported(NamedTuple):
    """What was written."""

    folder: Path
    privacy: str
    """What to know before it is shared; empty where the synthesis does not say it."""


def export_job(
    engine: Engine, synthesis: Path, out: Path, layout: str, numbers: Sequence[int] | None = None
) -> EngineJob[Exported]:
    """Begin to write.

    Args:
        engine: starts the command.
        synthesis: the engine's folder of the samples.
        out: folder to make; its parent is made, too.
        layout: name of one of the engine's layouts.
        numbers: which samples, the first is 0; None: all.
    """
    folder = user_settings.new_work_folder("export")
    command: list[str | Path] = ["export", synthesis, out, "--layout", layout]
    for number in numbers or ():
        command += ["--sample", str(number)]

    def write() -> None:
        out.parent.mkdir(parents=True, exist_ok=True)

    def read() -> Exported:
        said = schemas.find_json(out / EXPORT_FILE, schemas.EXPORT) or {}
        return Exported(out, shown(said.get("privacy") or "", _LONGEST_SENTENCE))

    def clean() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        # What an export that was killed has left.
        for left in siblings(out):
            if is_left_of(left.name, out) and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)

    return EngineJob(engine, command, folder / "engine.txt", write, read, clean)
