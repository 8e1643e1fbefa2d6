"""Makes a Slicer scene and pictures of it from a synthesis folder, without the application.

``python -m TopoGANLib.headless.demo_scene SYNTHESIS OUT`` needs slicer-core and writes ``scene.mrb``, ``slices.png``
(of volumes ``volumes.png``), ``barcode.png``, ``diagram.png`` and ``gallery.png`` into OUT. Exit code: 0 done, 1 the
work failed, 2 the input is wrong; what went wrong is the last line on stderr.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import slicer

from TopoGANLib.headless.application import SLICE_VIEWS, HeadlessSlicer, SceneError, save_scene, start_headless
from TopoGANLib.headless.charts import draw_chart
from TopoGANLib.headless.rendering import SliceViewPicture, ThreeDViewPicture, tile, write_png
from TopoGANLib.scene.build import build_scene
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.synthesis_folder import SynthesisFolderError, read_synthesis_folder
from TopoGANLib.scene.views import show_in_views

SLICES_SHOWN = 3
GALLERY_COLUMNS, GALLERY_ROWS = 8, 6
SURFACE_COLUMNS, SURFACE_ROWS = 6, 3
_NARROWEST = 1200
_TILE_PIXELS = 160
_PLOT_PIXELS = (1000, 560)


def make_demo_scene(synthesis: Path, out: Path) -> dict[str, Path]:
    """Write the scene and the pictures.

    Args:
        synthesis: folder that the engine wrote.
        out: folder for the results, made if it is not there; files of the same names are replaced.

    Returns:
        What each file shows → its path. The scene comes first and is complete even if a picture fails.

    Raises:
        SynthesisFolderError: ``synthesis`` cannot be used.
        SceneError: ``out`` cannot be written, the scene could not be saved, or nothing can be drawn on this computer.
    """
    content = read_synthesis_folder(synthesis)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SceneError(f"The folder {out} cannot be made ({error.strerror}): choose another.") from error
    headless = start_headless()
    nodes = build_scene(headless.scene, content)
    show_in_views(nodes, headless.application_logic)
    written = {"the scene, to open in 3D Slicer": out / "scene.mrb"}
    save_scene(headless.scene, out / "scene.mrb")
    for meaning, name, draw in _SLICE_PICTURES if nodes.browser is None else _VOLUME_PICTURES:
        write_png(out / name, draw(headless, nodes))
        written[meaning] = out / name
    return written


def _barcodes(headless: HeadlessSlicer, nodes: SynthesisNodes) -> np.ndarray:
    return _plots(nodes, nodes.barcode)


def _persistence_diagrams(headless: HeadlessSlicer, nodes: SynthesisNodes) -> np.ndarray:
    return _plots(nodes, nodes.plots.persistence)


def _plots(nodes: SynthesisNodes, chart: slicer.vtkMRMLPlotChartNode) -> np.ndarray:
    """Of each structure and union, one under the other; the scene is saved before."""
    pictures = []
    for region in range(len(nodes.regions)):
        nodes.show_sample(0, region)
        pictures.append(draw_chart(chart, *_PLOT_PIXELS))
    return tile(pictures, columns=1, gap=4 if len(pictures) > 1 else 0)


def _slices(headless: HeadlessSlicer, nodes: SynthesisNodes) -> np.ndarray:
    shown = range(min(SLICES_SHOWN, nodes.count))
    view = _square_view(headless, -(-_NARROWEST // len(shown)))
    nodes.segmentation.SetDisplayVisibility(False)
    plain = [view.draw(nodes.sample_offset(sample), f"sample {sample}") for sample in shown]
    nodes.segmentation.SetDisplayVisibility(True)
    one = len(nodes.regions) == 1
    captions = [nodes.caption(sample) if one else f"sample {nodes.short_caption(sample)}" for sample in shown]
    segmented = [
        view.draw(nodes.sample_offset(sample), caption) for sample, caption in zip(shown, captions, strict=True)
    ]
    return tile(plain + segmented, columns=len(shown))


def _gallery(headless: HeadlessSlicer, nodes: SynthesisNodes) -> np.ndarray:
    shown = range(min(GALLERY_COLUMNS * GALLERY_ROWS, nodes.count))
    columns = min(GALLERY_COLUMNS, len(shown))
    view = _square_view(headless, max(_TILE_PIXELS, -(-_NARROWEST // columns)))
    pictures = [view.draw(nodes.sample_offset(sample), nodes.short_caption(sample)) for sample in shown]
    return tile(pictures, columns)


def _square_view(headless: HeadlessSlicer, pixels: int) -> SliceViewPicture:
    return SliceViewPicture(headless.application_logic, "Red", pixels, pixels)


def _volumes(headless: HeadlessSlicer, nodes: SynthesisNodes) -> np.ndarray:
    """A row for each of some samples: three planes through its middle, and its surfaces."""
    pixels = -(-_NARROWEST // (len(SLICE_VIEWS) + 1))
    planes = [SliceViewPicture(headless.application_logic, name, pixels, pixels) for name in SLICE_VIEWS]
    surfaces = ThreeDViewPicture(headless.scene, headless.application_logic, pixels, pixels)
    pictures = []
    for sample in range(min(SLICES_SHOWN, nodes.count)):
        nodes.show_sample(sample)
        nodes.jump_to_sample(sample)
        caption = f"sample {nodes.short_caption(sample)}"
        pictures += [plane.draw(caption="" if number else caption) for number, plane in enumerate(planes)]
        pictures.append(surfaces.draw())
    return tile(pictures, columns=len(SLICE_VIEWS) + 1)


def _surfaces(headless: HeadlessSlicer, nodes: SynthesisNodes) -> np.ndarray:
    shown = range(min(SURFACE_COLUMNS * SURFACE_ROWS, nodes.count))
    columns = min(SURFACE_COLUMNS, len(shown))
    pixels = max(_TILE_PIXELS, -(-_NARROWEST // columns))
    view = ThreeDViewPicture(headless.scene, headless.application_logic, pixels, pixels)
    pictures = []
    for sample in shown:
        nodes.show_sample(sample)
        pictures.append(view.draw(nodes.short_caption(sample)))
    return tile(pictures, columns)


_Picture = tuple[str, str, Callable[[HeadlessSlicer, SynthesisNodes], np.ndarray]]
_SLICE_PICTURES: tuple[_Picture, ...] = (
    ("samples without and with their segmentation, in the slice view", "slices.png", _slices),
    ("barcode of sample 0: pieces and holes by size", "barcode.png", _barcodes),
    ("persistence diagram of sample 0: the same as points", "diagram.png", _persistence_diagrams),
    ("samples with what their topology is", "gallery.png", _gallery),
)
_VOLUME_PICTURES: tuple[_Picture, ...] = (
    ("samples in three slice views and the 3-D view", "volumes.png", _volumes),
    ("barcode of sample 0: pieces, tunnels and cavities by size", "barcode.png", _barcodes),
    ("persistence diagram of sample 0: the same as points", "diagram.png", _persistence_diagrams),
    ("surfaces of samples with what their topology is", "gallery.png", _surfaces),
)


def main(arguments: list[str] | None = None) -> int:
    """Command line of this module; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m TopoGANLib.headless.demo_scene", description=__doc__)
    parser.add_argument("synthesis", type=Path, help="folder that 'topogan synthesize' wrote")
    parser.add_argument("out", type=Path, help="folder for the scene and the pictures")
    given = parser.parse_args(arguments)
    try:
        written = make_demo_scene(given.synthesis, given.out)
    except (SynthesisFolderError, SceneError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, SynthesisFolderError) else 1
    for meaning, path in written.items():
        print(f"{path}: {meaning}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
