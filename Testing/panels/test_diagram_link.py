"""The persistence diagram in place of the barcode: chosen in the panel, and its points by clicks on VTK's own chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from bench import pump, settle
from fake_engine import tell
from real_masks import tell_real
from synth_bench import choose, generate, ready, writers

if TYPE_CHECKING:
    from pathlib import Path

    from bench import Bench

    from TopoGANLib.engine.process import Engine


@pytest.fixture
def shown(bench: Bench, engine: Engine, model: Path, tmp_path: Path) -> tuple[Any, Any, Any]:
    """The panel with the myocardium of six samples in the diagram, their nodes, and the plot view."""
    import slicer

    folder = writers().write_structures(tmp_path / "answer")
    tell_real(folder)
    widget = ready(bench)
    widget.ui.modelPathLineEdit.currentPath = str(model)
    tell(engine, "serve", f"folder={folder}")
    generate(widget, "Finished")
    widget.ui.showButton.click()
    choose(widget.ui.regionComboBox, "myocardium")
    choose(widget.ui.plotComboBox, "Persistence diagram")
    view = slicer.app.layoutManager().plotWidget(0).plotView()
    view._draw()
    return widget, widget.logic.nodes, view


def test_a_click_on_a_point_chooses_its_bar(shown: tuple[Any, Any, Any], bench: Bench) -> None:
    from TopoGANLib.scene.barcode import bars, chosen_bar

    widget, nodes, view = shown
    assert view._node.GetPlotChartNodeID() == nodes.plots.persistence.GetID()
    assert widget.ui.barLabel.text.startswith("Click on a point to see its pixels")
    nothing, corner_of_real_outline = (20.0, 10.0), (4.0, 31.0)
    for place in (nothing, corner_of_real_outline):
        view._click(*place)
        settle()
        assert nodes.mark("birth") is None
    never_ends = 1.1 * 31.0
    for bar in bars(nodes.barcode):
        view._click(bar.birth, min(bar.death, never_ends))
        pump(lambda bar=bar: widget.ui.barLabel.text.startswith(f"Bar {bar.number}:"))
        assert chosen_bar(nodes.barcode) == bar.number
        assert nodes.mark("birth").GetNumberOfControlPoints() == 1
        view._draw()
    assert widget.ui.barLabel.text.endswith("The bar is shorter than in 95 % of real slices.")
    bench.picture("TopoGANSynth", "a point is chosen")
    # Another sample, another look at the scene, and back to the barcode.
    widget.ui.sampleSlider.value = 3.0
    assert nodes.plots.persistence.GetTitle().startswith("Diagram of sample 3, myocardium")
    widget.panel._result.look()
    assert widget.ui.plotComboBox.currentText == "Persistence diagram"
    choose(widget.ui.plotComboBox, "Barcode")
    assert view._node.GetPlotChartNodeID() == nodes.barcode.GetID()
    assert widget.ui.barLabel.text == "Click on a bar to see its pixels."


def test_words_compare_a_bar_with_real_ones(bench: Bench) -> None:
    from real_masks import REAL

    from TopoGANLib.scene.barcode import Bar
    from TopoGANLib.scene.standing import Standing
    from TopoGANSynthLib.bar_words import bar_words

    for dimension, birth, death, rank, said in (
        (0, 0.0, float("inf"), 1, "the one that is left at the end."),
        (0, 0.0, 2.0, 2, "Only 7 % of 166 real slices have 2 or more such bars."),
        (1, 0.0, 18.0, 1, "about 36.0 mm wide. The bar is as long as usual in real slices."),
        (1, 0.0, 30.0, 1, "The bar is longer than in 95 % of real slices."),
        (1, 6.0, 26.0, 1, "begins later than in 95 % of real slices. The bar is as long as usual in real slices."),
        (1, 0.0, 18.0, 2, "None of 166 real slices has as many such bars."),
    ):
        ranked = REAL.dimensions[dimension].bars
        real = ranked[rank - 1] if rank <= len(ranked) else None
        words = bar_words(Bar(1, dimension, birth, death, None, None), 2, Standing(rank, REAL.masks, real))
        assert words.endswith(said)
