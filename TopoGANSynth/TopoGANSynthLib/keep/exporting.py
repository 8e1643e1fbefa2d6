"""Writes samples in the layout of another tool, through the engine."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from topogan_contract.leftovers import is_left_of, siblings
from TopoGANLib.engine.process import Engine
from TopoGANLib.forms import user_settings
from TopoGANSynthLib.job.engine_job import EngineJob


def export_job(
    engine: Engine, synthesis: Path, out: Path, layout: str, numbers: Sequence[int] | None = None
) -> EngineJob[Path]:
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

    def clean() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        # What an export that was killed has left.
        for left in siblings(out):
            if is_left_of(left.name, out) and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)

    return EngineJob(engine, command, folder / "engine.txt", write, lambda: out, clean)
