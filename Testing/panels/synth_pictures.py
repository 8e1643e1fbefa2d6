"""Takes pictures of the synthesis panel and its views: ``python Testing/panels/synth_pictures.py FOLDER``.

With the real engine and the demo model: the panel in each state with letters of 9 and 12 points, light and dark; the
gallery; the single view with its barcode, a bar of it chosen, and its diagram; texture on a segmentation of one's own;
and gallery, barcode and diagram as color-blind people see them. The views are drawn by Slicer's displayable managers.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / folder) for folder in ("TopoGANTrain", "TopoGANSynth", "Testing/panels")]
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from color_vision import MATRICES, simulated  # noqa: E402
from PySide6 import QtCore, QtWidgets  # noqa: E402
from standin import install  # noqa: E402

from TopoGANLib.headless.application import start_headless  # noqa: E402

_PATIENCE_SECONDS = 1800
_GALLERY, _SINGLE, _PLOT = (760, 640), (520, 520), (820, 520)
_SAMPLES = 16


def panel(bench: Any, state: str) -> None:
    """The synthesis panel with letters of two sizes, light and dark."""
    from bench import dark_theme, font_of, settle

    top = bench.modules["TopoGANSynth"].widgetRepresentation()
    for points in (9, 12):
        for name, theme in (("light", nullcontext), ("dark", dark_theme)):
            with font_of(points), theme():
                with suppress(AssertionError):
                    bench.picture("TopoGANSynth", f"{state}, {points} points, {name}")
                # A form keeps the heights that its lines had in other letters, until it is laid out anew.
                for layout in QtCore.QObject.findChildren(top, QtWidgets.QLayout):
                    layout.invalidate()
                settle()
                bench.picture("TopoGANSynth", f"{state}, {points} points, {name}")


class Views:
    """Slice views, drawn at any time."""

    def __init__(self, application_logic: Any) -> None:
        self._logic, self._made = application_logic, {}

    def draw(self, name: str, size: tuple[int, int]) -> np.ndarray:
        """uint8 [height, width, 3]."""
        from TopoGANLib.headless.rendering import SliceViewPicture

        view = self._made.setdefault(name, None) or SliceViewPicture(self._logic, name, *size)
        self._made[name] = view
        return view.draw()


def beside(*pictures: np.ndarray) -> np.ndarray:
    """Pictures in a row, white below the lower ones."""
    height = max(len(picture) for picture in pictures)
    padded = [np.pad(one, ((0, height - len(one)), (0, 8), (0, 0)), constant_values=255) for one in pictures]
    return np.concatenate(padded, axis=1)


def users_heart() -> Any:
    """Blood in a muscle that grows thinner downwards, of other pixels than the model's, with the user's own names."""
    import slicer

    z, y, x = np.mgrid[:60, :120, :140]
    radius = np.hypot((y - 62) * 0.9, (x - 66) * 0.9) / np.sqrt(np.clip(1 - ((z - 52) / 48) ** 2, 0.02, 1))
    inside = (z > 6) & (z < 52)
    volume = slicer.util.addVolumeFromArray(np.zeros(radius.shape, np.int16), np.diag([-0.9, -0.9, 1.5, 1.0]), "Grid")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "My heart")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for name, mask in (("LV Cavity", inside & (radius < 22)), ("Myocardium", inside & (radius >= 22) & (radius < 32))):
        identifier = segmentation.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), segmentation, identifier, volume)
    return segmentation


def take(folder: Path) -> None:
    """Work through a session and take all pictures."""
    os.environ["PANEL_PICTURES"] = str(folder)
    headless = start_headless()
    application = install(headless.application_logic, Path(tempfile.mkdtemp()))
    from bench import Bench, pump

    bench, views = Bench(application), Views(headless.application_logic)
    widget = bench.open("TopoGANSynth")
    panel(bench, "opened")
    pump(lambda: widget.ui.generateButton.enabled, _PATIENCE_SECONDS)
    widget.ui.countSpinBox.value = _SAMPLES
    panel(bench, "ready")
    widget.ui.generateButton.click()
    panel(bench, "generating")
    pump(lambda: not widget.logic.isRunning, _PATIENCE_SECONDS)
    if widget.logic.nodes is None:
        raise RuntimeError(widget.logic.progress.error)
    _show_views(bench, widget, views, _writer(folder))
    _paint(bench, widget, views, _writer(folder))
    application.uninstall()


def _writer(folder: Path) -> Callable[[str, np.ndarray, bool], None]:
    from TopoGANLib.headless.rendering import write_png

    def write(name: str, picture: np.ndarray, all_eyes: bool = False) -> None:
        write_png(folder / f"{name}.png", picture)
        for kind in MATRICES if all_eyes else ():
            write_png(folder / f"{name}, {kind}.png", simulated(picture, kind))

    return write


def _show_views(bench: Any, widget: Any, views: Views, write: Callable[..., None]) -> None:
    from synth_bench import choose

    from TopoGANLib.headless.charts import draw_chart
    from TopoGANLib.scene.barcode import bars
    from TopoGANLib.scene.layouts import GALLERY_VIEW
    from TopoGANLib.scene.marks import mark_bar

    nodes = widget.logic.nodes
    wrong = [sample for sample, valid in enumerate(nodes.are_valid(range(nodes.count))) if not valid]
    widget.ui.sampleSlider.value = float(wrong[0] if wrong else 5)
    panel(bench, "finished")
    write("gallery", views.draw(GALLERY_VIEW, _GALLERY), True)
    choose(widget.ui.regionComboBox, nodes.regions[1])
    write("gallery layout", beside(views.draw(GALLERY_VIEW, _GALLERY), draw_chart(nodes.plots.shown, *_PLOT)))
    choose(widget.ui.viewComboBox, "Single sample")
    found = max((bar for bar in bars(nodes.barcode) if bar.dimension == 1), key=lambda bar: bar.death, default=None)
    number = 1 if found is None else found.number
    widget.panel._result._tell_bar(mark_bar(nodes, number))
    panel(bench, "single sample, a bar chosen")
    barcode = draw_chart(nodes.plots.barcode, *_PLOT)
    write("single view with barcode", beside(views.draw("Red", _SINGLE), barcode))
    write("barcode", barcode, True)
    widget.ui.plotComboBox.setCurrentIndex(1)
    panel(bench, "diagram")
    write("diagram", draw_chart(nodes.plots.persistence, *_PLOT), True)


def _paint(bench: Any, widget: Any, views: Views, write: Callable[..., None]) -> None:
    import slicer
    from bench import pump

    segmentation = users_heart()
    widget.ui.paintCollapsibleButton.collapsed = False
    widget.ui.paintSegmentationSelector.setCurrentNode(segmentation)
    panel(bench, "paint")
    widget.ui.paintButton.click()
    pump(lambda: "Painted" in widget.ui.paintStatusLabel.text, _PATIENCE_SECONDS)
    panel(bench, "painted")
    painted = next(
        node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if "painted" in node.GetName()
    )
    widget.logic.nodes.segmentation.SetDisplayVisibility(False)
    slicer.util.setSliceViewerLayers(background=painted)
    pictures = []
    for visible in (False, True):
        segmentation.SetDisplayVisibility(visible)
        for offset in (20.0, 50.0):
            slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed").SetSliceOffset(offset)
            pictures.append(views.draw("Red", _SINGLE))
    write("texture on a segmentation", np.concatenate([beside(*pictures[:2]), beside(*pictures[2:])]))


if __name__ == "__main__":
    take(Path(sys.argv[1]))
