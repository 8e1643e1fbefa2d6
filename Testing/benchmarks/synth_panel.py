"""What the synthesis panel costs: ``python Testing/benchmarks/synth_panel.py [--count 1000] [--results FILE]``.

With the real engine and real MRML, in the stand-in of the application, which draws nothing; prints and writes

- the seconds from the click on *Generate* to 16 painted samples in gallery, barcode and verdict, with the demo model
  and an engine that is warm (wanted: below 2 s);
- the milliseconds of the application's thread for a step of the slider, of slices with several structures and of
  volumes, the slice views' pictures included (below 50 ms);
- seconds and memory of engine and application for 1,000 samples of 256 x 256 pixels.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from run_view import own_time

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [
    str(REPOSITORY / folder) for folder in ("TopoGANTrain", "TopoGANSynth", "Testing/panels", "Testing/common")
]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
RESULTS = Path(__file__).resolve().parent / "results" / "synth_panel.json"

SIZE, STEPS, BATCH = 256, 120, 4
# More than there are on a page of the gallery.
_TURNS, _MOST_STEPS = 3, 120
_PATIENCE_SECONDS = 3600.0


def generated(widget: Any, model: Path, count: int, seed: int) -> float:
    """Seconds from the click to the samples in the views."""
    from bench import pump

    widget.panel.choose_model(model)
    widget.ui.countSpinBox.value = count
    widget.ui.seedSpinBox.value = seed
    widget.logic.nodes = None
    start = time.monotonic()
    widget.ui.generateButton.click()
    pump(lambda: not widget.logic.isRunning, _PATIENCE_SECONDS)
    if widget.logic.nodes is None:
        raise RuntimeError(widget.logic.progress.error)
    return time.monotonic() - start


def steps(widget: Any, nodes: Any) -> list[float]:
    """Milliseconds of the application's thread for each step of the slider, from one end to the other and back."""
    import slicer

    pictures = [slicer.app.applicationLogic().GetSliceLogicByLayoutName(name) for name in ("Red", "Green", "Yellow")]
    found = []

    def draw() -> None:
        for logic in pictures:
            logic.GetImageDataConnection().GetProducer().Update()

    draw()  # as the application does before anybody can take a step
    samples = list(range(min(nodes.count, _MOST_STEPS)))
    for sample in [*samples[1:], *samples[-2::-1]]:
        start = own_time()
        widget.ui.sampleSlider.value = float(sample)
        draw()
        found.append(1000 * (own_time() - start))
        assert nodes.shown_sample == sample
    return found


def peak(pid: int) -> float:
    """The most memory that a process has had, in MB; NaN where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def large_model(folder: Path) -> Path:
    """Write ``model``, a package of 256 pixels that draws rings and discs; its textures are untrained."""
    import torch
    from training_sets import write_training_set

    from topogan.config import MaskSettings, TextureSettings, TrainSettings
    from topogan.model import save_model
    from topogan.networks import (
        make_mask_discriminator,
        make_mask_generator,
        make_texture_discriminator,
        make_texture_generator,
    )
    from topogan.training_set import TrainingSet

    def ring(inner: float, outer: float) -> np.ndarray:
        row, column = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2
        distance = np.hypot(row, column)
        return (distance >= inner) & (distance < outer)

    masks = np.stack([ring(30 + number, 60 + number) for number in range(12)])
    images = np.where(masks, 300, 40) + np.random.default_rng(0).normal(0, 20, masks.shape)
    real = TrainingSet.open(write_training_set(folder / "real", masks, images, 8, 2, pixel_size_mm=0.5))
    settings = TrainSettings(masks=MaskSettings(width=8, latent=8), textures=TextureSettings(width=16))
    torch.manual_seed(0)
    generator = make_mask_generator(settings.masks, SIZE)
    optimizer = torch.optim.Adam(generator.parameters(), 0.01)
    for _step in range(STEPS):
        z = torch.randn(BATCH, settings.masks.latent)
        wanted = [ring(30.0 if one > 0 else 0.0, 70 + 12 * np.tanh(two)) for one, two, *_rest in z.tolist()]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            generator(z).squeeze(1), torch.from_numpy(np.stack(wanted)).float()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return save_model(
        folder / "model",
        settings=settings,
        training_set=real,
        masks={"generator": generator, "discriminator": make_mask_discriminator(settings.masks, SIZE)},
        textures={
            "generator": make_texture_generator(settings.textures),
            "discriminator": make_texture_discriminator(settings.textures),
        },
        training={},
    )


def volumes_in_scene(folder: Path) -> Any:
    """Twelve volumes of two structures, read as the panel reads them."""
    import slicer
    from volume_writers import write_volumes

    from TopoGANLib.scene.build import build_scene
    from TopoGANLib.scene.synthesis_folder import read_synthesis_folder

    return build_scene(slicer.mrmlScene, read_synthesis_folder(write_volumes(folder / "volumes", 12)))


def measure(widget: Any, folder: Path, count: int, note: Callable[[str, Any], None]) -> None:
    """Measure all of it."""
    from TopoGANSynthLib.model.model_form import DEMO_MODEL

    note("first 16 samples, engine started for them: s", generated(widget, DEMO_MODEL, 16, 0))
    note("16 samples, warm: s", min(generated(widget, DEMO_MODEL, 16, seed) for seed in range(1, 1 + _TURNS)))
    note("of these the application's thread, adding the nodes and showing them: ms", added(widget))
    for name, nodes in (("slices of 3 regions", widget.logic.nodes), ("volumes", volumes_in_scene(folder))):
        widget.panel._result.show(nodes)
        found = steps(widget, nodes)
        note(f"a step of {name}: ms (median, most)", [float(np.median(found)), max(found)])
    if count:
        # In a process of its own: what it takes is not the panel's.
        subprocess.run([sys.executable, __file__, "--make-model", folder], check=True)
        seconds = generated(widget, folder / "model", count, 0)
        note(f"{count} samples of {SIZE} x {SIZE}: s", seconds)
        note("peak of the engine: MB", peak(widget.logic._client.process.pid))
        note("peak of the application: MB", peak(os.getpid()))
        found = steps(widget, widget.logic.nodes)
        note("a step of these: ms (median, most)", [float(np.median(found)), max(found)])


def added(widget: Any) -> float:
    """Milliseconds for a synthesis that is read: nodes, gallery, barcode."""
    import slicer

    from TopoGANLib.scene.build import build_scene
    from TopoGANLib.scene.synthesis_folder import read_synthesis_folder

    content = read_synthesis_folder(widget.logic.source(widget.logic.nodes))
    start = own_time()
    widget.panel._result.show(build_scene(slicer.mrmlScene, content))
    return 1000 * (own_time() - start)


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--count", type=int, default=1000, help="samples of 256 x 256; 0 leaves them out")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--make-model", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.make_model is not None:
        large_model(given.make_model)
        return 0
    import vtk
    from standin import install

    from TopoGANLib.headless.application import start_headless

    # With others, the thread would wait for those that a busy computer keeps back.
    vtk.vtkMultiThreader.SetGlobalMaximumNumberOfThreads(1)
    vtk.vtkSMPTools.Initialize(1)
    results: dict[str, Any] = {}

    def note(what: str, value: Any) -> None:
        results[what] = [round(one, 2) for one in value] if isinstance(value, list) else round(value, 2)
        print(f"{what}: {results[what]}", flush=True)

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary)
        headless = start_headless()
        application = install(headless.application_logic, folder / "application")
        from bench import Bench, pump

        widget = Bench(application).open("TopoGANSynth")
        pump(lambda: widget.ui.generateButton.enabled, _PATIENCE_SECONDS)
        measure(widget, folder, given.count, note)
        errors = application.take_slot_errors()
        application.uninstall()
    given.results.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
