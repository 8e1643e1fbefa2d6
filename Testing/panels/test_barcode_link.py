"""From a bar to its pixels by a click on VTK's own chart, and back by the cursor in a slice view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from bench import pump, settle
from fake_engine import tell
from synth_bench import generate, ready

if TYPE_CHECKING:
    from pathlib import Path

    from bench import Bench

    from TopoGANLib.engine.process import Engine


@pytest.fixture
def shown(bench: Bench, engine: Engine, model: Path, answer: Path) -> tuple[Any, Any, Any]:
    """The panel with six rings, their nodes, and the plot view that shows the barcode."""
    import slicer

    widget = ready(bench)
    widget.ui.modelPathLineEdit.currentPath = str(model)
    tell(engine, "serve", f"folder={answer}")
    generate(widget)
    widget.ui.showButton.click()
    nodes = widget.logic.nodes
    view = slicer.app.layoutManager().plotWidget(0).plotView()
    view._draw()
    return widget, nodes, view


def marks(nodes: Any) -> dict[str, list[float] | None]:
    """Where the marks of birth and death lie, in voxels of the image."""
    import vtk

    to_voxels = vtk.vtkMatrix4x4()
    nodes.image.GetRASToIJKMatrix(to_voxels)
    found: dict[str, list[float] | None] = {}
    for word in ("birth", "death"):
        mark, position = nodes.mark(word), [0.0, 0.0, 0.0]
        found[word] = None
        if mark is not None and mark.GetNumberOfControlPoints():
            mark.GetNthControlPointPositionWorld(0, position)
            found[word] = [round(value, 6) for value in to_voxels.MultiplyPoint((*position, 1))[:3]]
    return found


def test_a_click_on_a_bar_marks_its_pixels(shown: tuple[Any, Any, Any], bench: Bench) -> None:
    from TopoGANLib.scene.barcode import CHOSEN, bars
    from TopoGANLib.scene.tables import number_columns

    widget, nodes, view = shown
    table = nodes.barcode.GetPlotSeriesNode().GetTableNode()
    for bar in bars(nodes.barcode):
        middle = bar.birth + 0.4 * (min(bar.death, 5.0) - bar.birth)
        view._click(middle, bar.number)
        pump(lambda bar=bar: widget.ui.barLabel.text.startswith(f"Bar {bar.number}:"))
        assert marks(nodes) == {
            "birth": None if bar.birth_voxel is None else list(map(float, bar.birth_voxel)),
            "death": None if bar.death_voxel is None else list(map(float, bar.death_voxel)),
        }
        framed = number_columns(table, [CHOSEN])[CHOSEN]
        assert set(framed[~np.isnan(framed)]) == {bar.number}
        view._draw()
    assert nodes.mark("birth").GetLocked()
    bench.picture("TopoGANSynth", "a bar is chosen")


def test_a_click_beside_all_bars_chooses_none(shown: tuple[Any, Any, Any]) -> None:
    widget, nodes, view = shown
    before = widget.ui.barLabel.text
    view._click(0.5, 0.3)
    settle()
    assert widget.ui.barLabel.text == before == "Click on a bar to see its pixels."
    assert nodes.mark("birth") is None


def test_another_sample_takes_the_marks_away(shown: tuple[Any, Any, Any]) -> None:
    import slicer

    widget, nodes, view = shown
    view._click(0.5, 1)
    pump(lambda: widget.ui.barLabel.text.startswith("Bar 1:"))
    count = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode")
    assert count == 2
    widget.ui.sampleSlider.value = 3.0
    assert marks(nodes) == {"birth": None, "death": None}
    assert widget.ui.barLabel.text == "Click on a bar to see its pixels."
    view._draw()
    view._click(0.5, 1)
    pump(lambda: widget.ui.barLabel.text.startswith("Bar 1:"))
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == count


def test_a_chart_of_something_else_is_left_alone(shown: tuple[Any, Any, Any]) -> None:
    import slicer

    _, nodes, view = shown
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode")
    slicer.app.layoutManager().plotWidget(0).mrmlPlotViewNode().SetPlotChartNodeID(other.GetID())
    view._click(0.5, 1)
    settle()
    assert nodes.mark("birth") is None


def test_the_cursor_on_a_pixel_frames_its_bar(shown: tuple[Any, Any, Any]) -> None:
    import slicer
    import vtk

    from TopoGANLib.scene.barcode import bars

    widget, nodes, _ = shown
    crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    hole = next(bar for bar in bars(nodes.barcode) if bar.dimension == 1)
    matrix = vtk.vtkMatrix4x4()
    nodes.image.GetIJKToRASMatrix(matrix)
    crosshair.SetCursorPositionRAS(matrix.MultiplyPoint((*hole.death_voxel, 1))[:3])
    assert widget.ui.barLabel.text.startswith(f"Bar {hole.number}: a ring")
    far = [1000.0, 1000.0, 1000.0]
    crosshair.SetCursorPositionRAS(far)
    assert widget.ui.barLabel.text.startswith(f"Bar {hole.number}: a ring"), "what was said stays"
