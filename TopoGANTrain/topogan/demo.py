"""The whole job once, on the phantom or on the user's own data."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from topogan import __version__
from topogan.config import Part, PhantomSettings, PrepareSettings, SynthesisSettings, TrainSettings, validated
from topogan.dataset import MINIMUM_TRAIN_SLICES, prepare
from topogan.dataset.volume_list import Volumes
from topogan.errors import InputError, WorkError
from topogan.evaluation import evaluate
from topogan.files import staged_folder, write_json
from topogan.phantom import make_phantom
from topogan.plane import Plane, read_plane
from topogan.presets import asked_batch, check_form, read_preset, train_settings
from topogan.resources import slicer_library_parent
from topogan.runs import read_status
from topogan.structures import StructureTable, checked_table
from topogan.synthesis import synthesize
from topogan.training import train
from topogan.training.checks import check_names

OnEvent = Callable[[dict[str, Any]], None]
SAMPLES = 64
_SCHEMA = "topogan.demo/1"

_START_SCENE = (
    "import sys, runpy; sys.path.insert(0, {parent!r}); "
    "runpy.run_module('TopoGANLib.headless.demo_scene', run_name='__main__', alter_sys=True)"
)


@dataclass(frozen=True)
class Source:
    """What a training set is made of."""

    segmentations: list[Path]
    images: list[Path]
    settings: dict[str, Any]
    """Of :class:`PrepareSettings`, by name."""
    table: StructureTable | None
    plane: Plane = "axial"

    def prepare(self, out: Path, settings: TrainSettings, on_event: OnEvent) -> Path:
        """Make a training set that is large enough for a training with ``settings``."""
        chosen = Volumes.of_files(self.segmentations, self.images, None, self.plane)
        return prepare(
            out,
            chosen.segmentations,
            chosen.images,
            validated(PrepareSettings, self.settings),
            plane=chosen.planes,
            table=self.table,
            on_event=on_event,
            train_slices=max(MINIMUM_TRAIN_SLICES, asked_batch(settings)),
        )


def simulate(out: Path, preset: dict[str, Any], on_event: OnEvent) -> Source:
    """Write the phantom that a preset is shown on; the same each time."""
    simulated = preset.get("demo", {})
    phantom = make_phantom(out, validated(PhantomSettings, simulated.get("phantom", {})), on_event=on_event)
    return Source(
        segmentations=[phantom / "segmentations"],
        images=[phantom / "images"],
        settings=preset["prepare"] | simulated.get("prepare", {}),
        table=checked_table(preset["table"]) if "table" in preset else None,
        plane=read_plane(str(phantom / "planes.json")),
    )


def run_demo(
    out: Path,
    segmentations: list[Path],
    images: list[Path],
    choice: tuple[dict[str, Any], StructureTable | None],
    given: dict[str, Any],
    overwrite: bool,
    on_event: OnEvent,
    volumes: bool = False,
) -> None:
    """Run every stage into sub-folders of ``out`` and print where the results are.

    Args:
        out: folder to write; with ``overwrite`` an older demo in it is replaced.
        segmentations: the user's own, or nothing for the phantom.
        images: CT volumes in the same order, or nothing.
        choice: settings of a single structure in ``segmentations``, or a table of several.
        given: training settings (nested) that replace those of the preset ``demo``, or ``volumes``.
        overwrite: replace an older demo.
        on_event: takes progress events.
        volumes: learn whole volumes in place of slices.

    Raises:
        InputError: an input or a setting is wrong, or slicer-core is not installed.
        WorkError: the scene could not be made, or the training was stopped.
    """
    preset_name = "volumes" if volumes else "demo"
    preset = read_preset(preset_name)
    settings = train_settings(preset_name, given)
    check_names(settings)
    check_form(settings, 3 if volumes else 2)
    _check_slicer_core()

    def say(text: str) -> None:
        on_event({"kind": "message", "text": text})

    # Until the input has proved right, an older demo stays and nothing new is left behind.
    with staged_folder(out, overwrite, _SCHEMA) as work:
        write_json(work / "demo.json", {"topogan": __version__}, _SCHEMA)
        settings_of_set, table = choice
        source = Source(
            segmentations, images, preset["prepare"] | settings_of_set if volumes else settings_of_set, table
        )
        if not segmentations:
            source = simulate(work / "phantom", preset, on_event)
        if not source.images:
            settings = settings.model_copy(update={"part": Part.MASKS})
        source.prepare(work / "training_set", settings, on_event)
    training_set = out / "training_set"

    run = train(training_set, out / "run", settings, on_event=on_event)
    if read_status(run).state != "finished":
        raise WorkError(f"The demo's training was stopped: 'topogan resume {run}' goes on with the training alone.")
    shown = out / "samples"
    _sample(run / "model", shown, SynthesisSettings(count=SAMPLES), training_set, on_event)
    try:
        wanted = SynthesisSettings(count=SAMPLES, betti="modal", seed=1)
        _sample(run / "model", out / "samples_with_topology", wanted, training_set, on_event)
        shown = out / "samples_with_topology"
    except WorkError as error:  # a short training on little data may not have learned the topology: that is a result
        say(str(error))
    say(_make_scene(shown, out / "scene"))
    say(_where(out))


def _sample(model: Path, out: Path, settings: SynthesisSettings, training_set: Path, on_event: OnEvent) -> None:
    synthesize(model, out, settings, training_set=training_set, on_event=on_event)
    report = evaluate(out, training_set, report=out.with_suffix(".html"), on_event=on_event)
    on_event({"kind": "message", "text": report.summary()})


def _check_slicer_core() -> None:
    # Looked for by its distribution: the engine's process never loads Slicer's libraries, and another package on the
    # index is imported under the same name.
    try:
        distribution("slicer-core")
    except PackageNotFoundError as error:
        raise InputError("The demo's Slicer scene needs slicer-core: pip install 'topogan[demo]'.") from error


def _make_scene(synthesis: Path, out: Path) -> str:
    """Make the scene in a process of its own; return a notice where only its pictures could not be drawn."""
    start = _START_SCENE.format(parent=str(slicer_library_parent()))
    done = subprocess.run(
        [sys.executable, "-c", start, str(synthesis), str(out)], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return ""
    last = (done.stderr.strip().splitlines() or ["no message"])[-1]
    # The scene is written first; drawing needs OpenGL libraries that a bare machine may lack.
    if not (out / "scene.mrb").is_file():
        raise WorkError(f"The Slicer scene could not be made ({last}): the other results are complete without it.")
    return f"The scene is complete, but its pictures could not be drawn. {last}"


def _where(out: Path) -> str:
    rows = {
        "training_set/preview.png": "real masks and CT",
        "samples/gallery.png": "synthetic masks and CT, as they come",
        "samples_with_topology/gallery.png": "the same, asked for the most frequent real topology",
        "samples.html": "report: how close the first are to test patients",
        "samples_with_topology.html": "report on the second",
        "run/model": "the model package",
        "scene/scene.mrb": "open it in 3D Slicer",
        "scene": "pictures rendered by Slicer's own views",
    }
    made = [f"  {name:36}{text}" for name, text in rows.items() if (out / name).exists()]
    return "\n".join(["", f"Results in {out.resolve()}:", *made])
