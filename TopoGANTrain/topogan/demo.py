"""The whole job once, on the phantom or on the user's own data."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from topogan import __version__
from topogan.cli_options import merged
from topogan.config import Part, PhantomSettings, PrepareSettings, SynthesisSettings, TrainSettings, validated
from topogan.dataset import prepare
from topogan.errors import InputError, WorkError
from topogan.evaluation import evaluate
from topogan.files import check_new_folder, write_json
from topogan.phantom import make_phantom
from topogan.plane import read_plane
from topogan.presets import read_preset
from topogan.resources import slicer_library_parent
from topogan.synthesis import synthesize
from topogan.training import read_status, train
from topogan.volumes import find_pairs

OnEvent = Callable[[dict[str, Any]], None]
SAMPLES = 64

_START_SCENE = (
    "import sys, runpy; sys.path.insert(0, {parent!r}); "
    "runpy.run_module('TopoGANLib.demo_scene', run_name='__main__', alter_sys=True)"
)


def run_demo(
    out: Path,
    segmentations: list[Path],
    images: list[Path],
    labels: list[int],
    given: dict[str, Any],
    overwrite: bool,
    on_event: OnEvent,
) -> None:
    """Run every stage into sub-folders of ``out`` and print where the results are.

    Args:
        out: folder to write; with ``overwrite`` an older demo in it is replaced.
        segmentations: the user's own, or nothing for the phantom.
        images: CT volumes in the same order, or nothing.
        labels: label values of the structure in ``segmentations``.
        given: training settings (nested) that replace those of the preset ``demo``.
        on_event: takes progress events.

    Raises:
        InputError: an input or a setting is wrong, or slicer-core is not installed.
        WorkError: the scene could not be made, or the training was stopped.
    """
    settings = validated(TrainSettings, merged(read_preset("demo")["train"], given))
    _check_slicer_core()
    check_new_folder(out, overwrite)

    def say(text: str) -> None:
        on_event({"kind": "message", "text": text})

    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    write_json(out / "demo.json", {"topogan": __version__}, "topogan.demo/1")

    if segmentations:
        pairs = find_pairs(segmentations, images)
        choice = validated(PrepareSettings, {"labels": tuple(labels)})
        training_set = prepare(out / "training_set", *pairs, choice, on_event=on_event)
        if not images:
            settings = settings.model_copy(update={"part": Part.MASKS})
    else:
        training_set = _prepare_phantom(out, on_event)

    run = train(training_set, out / "run", settings, on_event=on_event)
    if read_status(run).state != "finished":
        raise WorkError(f"The demo's training was stopped: 'topogan resume {run}' goes on with the training alone.")
    free = SynthesisSettings(count=SAMPLES)
    wanted = SynthesisSettings(count=SAMPLES, betti="modal", seed=1)
    for name, how in (("samples", free), ("samples_with_topology", wanted)):
        synthesize(run / "model", out / name, how, training_set=training_set, on_event=on_event)
        say(evaluate(out / name, training_set, report=out / f"{name}.html", on_event=on_event).summary())
    say(_make_scene(out / "samples_with_topology", out / "scene"))
    say(_where(out))


def _prepare_phantom(out: Path, on_event: OnEvent) -> Path:
    phantom = make_phantom(out / "phantom", PhantomSettings(), on_event=on_event)
    segmentations, images = find_pairs([phantom / "segmentations"], [phantom / "images"])
    settings = PrepareSettings(**read_preset("demo")["prepare"])
    plane = read_plane(str(phantom / "planes.json"))
    return prepare(out / "training_set", segmentations, images, settings, plane=plane, on_event=on_event)


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
        "samples.html": "report: how close to held-out patients",
        "run/model": "the model package",
        "scene/scene.mrb": "open it in 3D Slicer",
        "scene": "pictures rendered by Slicer's own views",
    }
    return "\n".join(["", f"Results in {out.resolve()}:"] + [f"  {name:36}{text}" for name, text in rows.items()])
