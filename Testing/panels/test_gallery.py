"""The gallery and the single view: layouts, clicks, wheels, and the user's own layout given back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from fake_engine import tell
from synth_bench import choose, generate, ready, writers
from test_paint_form import heart
from volume_writers import write_volumes

if TYPE_CHECKING:
    from pathlib import Path

    from bench import Bench
    from standin import StandIn

    from TopoGANLib.engine.process import Engine


def layout() -> int:
    import slicer

    return slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode").GetViewArrangement()


@pytest.fixture
def shown(bench: Bench, engine: Engine, model_of_several: Path, tmp_path: Path) -> tuple[Any, Any]:
    """The panel with six samples of which one is wrong, as it is when they are generated; and their nodes."""
    tell(engine, "serve", f"folder={writers().write_structures(tmp_path / 'structures')}")
    widget = ready(bench)
    widget.panel.choose_model(model_of_several)
    generate(widget, "Finished: In 83 %")
    return widget, widget.logic.nodes


def pixel_of(nodes: Any, sample: int) -> tuple[int, int]:
    """Where the middle of a sample's tile is in the gallery's view."""
    import slicer
    import vtk

    from TopoGANLib.scene.gallery_sheet import Sheet
    from TopoGANLib.scene.layouts import GALLERY_VIEW_ID

    sheet = Sheet.of(nodes, sample)
    row, column = sheet.corner(sample)
    to_ras, to_view = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    nodes.companion("gallery image").GetIJKToRASMatrix(to_ras)
    to_view.DeepCopy(slicer.mrmlScene.GetNodeByID(GALLERY_VIEW_ID).GetXYToRAS())
    to_view.Invert()
    x, y, *_ = to_view.MultiplyPoint(to_ras.MultiplyPoint((column + sheet.size[1] / 2, row + sheet.size[0] / 2, 0, 1)))
    return round(x), round(y)


def test_a_click_and_the_wheel_choose_a_sample(shown: tuple[Any, Any]) -> None:
    import slicer
    from bench import pump

    from TopoGANLib.scene.layouts import GALLERY_VIEW, GALLERY_VIEW_ID

    widget, nodes = shown
    view = slicer.app.layoutManager().sliceWidget(GALLERY_VIEW).sliceView()
    for sample in (2, 5):
        view._drag(pixel_of(nodes, sample), pixel_of(nodes, sample))
        assert widget.ui.sampleSlider.value == nodes.shown_sample == sample
    x, y = pixel_of(nodes, 1)
    view._drag((x, y), (x + 30, y))
    view._drag((2, 2), (2, 2))
    assert nodes.shown_sample == 5, "a drag is for window and level, and beside all tiles there is no sample"
    gallery = slicer.mrmlScene.GetNodeByID(GALLERY_VIEW_ID)
    before = gallery.GetSliceOffset()
    for sample in (4, 3, 4):
        gallery.SetSliceOffset(before + (sample - nodes.shown_sample) * nodes.image.GetSpacing()[2])
        pump(lambda number=sample: nodes.shown_sample == number)
        assert gallery.GetSliceOffset() == before, "the sheet has one slice"
        assert gallery.GetXYToRAS().GetElement(2, 3) == pytest.approx(before), "which is what is drawn"
    red = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")
    assert red.GetSliceOffset() == pytest.approx(nodes.sample_offset(4))
    red.SetSliceOffset(nodes.sample_offset(2))
    assert widget.ui.sampleSlider.value == 2
    assert "✗ myocardium – open ring: as in no real slice" in widget.ui.sampleLabel.text
    assert nodes.barcode.GetTitle() == "Barcode of sample 2, cavity (b0 = 1, b1 = 0)"
    slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed").SetBackgroundVolumeID(None)
    red.SetSliceOffset(nodes.sample_offset(1))
    assert nodes.shown_sample == 2, "the view shows something else"


def test_the_users_own_layout_is_given_back(shown: tuple[Any, Any]) -> None:
    import slicer

    widget, _ = shown
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")
    own, gallery = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView, layout()
    assert gallery > 100 and not node.GetSaveWithScene()
    choose(widget.ui.viewComboBox, "Single sample")
    single = layout()
    assert single not in (own, gallery)
    slicer.util.selectModule("TopoGANTrain")
    assert layout() == own and node.GetSaveWithScene()
    assert not node.IsLayoutDescription(gallery) and not node.IsLayoutDescription(single)
    slicer.util.selectModule("TopoGANSynth")
    assert layout() == single, "as it was left"
    node.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    widget.ui.sampleSlider.value = 3.0
    slicer.util.selectModule("TopoGANTrain")
    slicer.util.selectModule("TopoGANSynth")
    assert layout() == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView, "the user has chosen another"
    widget.ui.showButton.click()
    assert layout() == single
    slicer.mrmlScene.Clear(False)
    assert layout() == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView


def red_state() -> tuple[Any, ...]:
    """Name of the volume in the Red view, its plane and its field of view."""
    import slicer

    logic = slicer.app.applicationLogic().GetSliceLogicByLayoutName("Red")
    node, volume = logic.GetSliceNode(), logic.GetSliceCompositeNode().GetBackgroundVolumeID()
    name = volume and slicer.mrmlScene.GetNodeByID(volume).GetName()
    return name, slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS()).round(6).tolist(), node.GetFieldOfView()


def test_the_users_own_plane_is_given_back(shown: tuple[Any, Any]) -> None:
    """It may be the one that patches are cut in; meanwhile the view shows samples in theirs."""
    import slicer

    from TopoGANSynthLib.paint.paint_form import PaintPlane

    widget, nodes = shown
    logic = slicer.app.applicationLogic()
    red = logic.GetSliceLogicByLayoutName("Red").GetSliceNode()
    slicer.util.selectModule("TopoGANTrain")
    assert red_state()[0] == nodes.image.GetName(), "what was empty keeps the samples"
    ct, other = (slicer.util.addVolumeFromArray(np.zeros((20, 24, 24), np.int16), np.eye(4), name) for name in "ab")
    logic.GetSelectionNode().SetActiveVolumeID(ct.GetID())
    logic.PropagateVolumeSelection()
    red.SetSliceToRASByNTP(0.6, 0.0, 0.8, 0.0, 1.0, 0.0, 5.0, 6.0, 7.0, 0)
    red.SetFieldOfView(33, 22, 1)
    own = red_state()
    slicer.util.selectModule("TopoGANSynth")
    assert red_state()[0] == nodes.image.GetName() and red_state()[1] != own[1]
    widget.ui.sampleSlider.value = 3.0
    widget.ui.paintSegmentationSelector.setCurrentNode(heart("myocardium", "cavity"))
    widget.logic.getParameterNode().paintPlane = PaintPlane.red
    widget.ui.paintButton.click()
    assert widget.ui.paintStatusLabel.text.startswith("The Red view was turned to show samples: turn it")
    slicer.util.selectModule("TopoGANTrain")
    assert red_state() == own
    slicer.util.selectModule("TopoGANSynth")
    composite = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceCompositeNodeRed")
    composite.SetBackgroundVolumeID(other.GetID())
    slicer.util.selectModule("TopoGANTrain")
    assert red_state() == ("b", *own[1:]), "the user has chosen it since"


def drawn_over_the_gallery() -> set[str]:
    """What the gallery's view shows besides its picture."""
    import slicer

    from TopoGANLib.scene.layouts import GALLERY_VIEW_ID

    nodes = slicer.util.getNodesByClass("vtkMRMLDisplayableNode")
    displays = [(node, node.GetDisplayNode()) for node in nodes if "gallery" in node.GetName()]
    return {node.GetID() for node, one in displays if GALLERY_VIEW_ID in one.GetViewNodeIDs() and one.GetVisibility()}


def middle_of(image: Any) -> np.ndarray:
    """RAS, mm."""
    bounds = [0.0] * 6
    image.GetRASBounds(bounds)
    return np.reshape(bounds, (3, 2)).mean(axis=1)


def test_slices_have_no_3d_view_and_volumes_have(engine: Engine, tmp_path: Path, shown: tuple[Any, Any]) -> None:
    """The user's own 3-D view looks at volumes meanwhile."""
    import slicer

    from TopoGANLib.scene.layouts import GALLERY_VIEW

    widget, first = shown
    node = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode")

    def views() -> list[bool]:
        found = []
        for name in ("Gallery", "Single sample"):
            choose(widget.ui.viewComboBox, name)
            found.append("vtkMRMLViewNode" in node.GetCurrentLayoutDescription())
        choose(widget.ui.viewComboBox, "Gallery")
        return found

    assert views() == [False, False]
    slicer.util.selectModule("TopoGANTrain")
    camera = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLCameraNode")
    camera.SetPosition(1.0, 2.0, 3.0)
    own = camera.GetPosition(), camera.GetFocalPoint()
    slicer.util.selectModule("TopoGANSynth")
    tell(engine, "serve", f"folder={write_volumes(tmp_path / 'volumes')}")
    generate(widget, "Finished: In 40 % of 5 samples")
    assert views() == [True, True]
    nodes = widget.logic.nodes
    drawn = [[one.companion(f"gallery {role}").GetID() for role in ("marks", "segmentation")] for one in (first, nodes)]
    assert drawn_over_the_gallery() == set(drawn[1])
    view = slicer.app.layoutManager().sliceWidget(GALLERY_VIEW).sliceView()
    x, y = pixel_of(nodes, 3)
    view._drag((x, y), (x, y))
    assert nodes.browser.GetSelectedItemNumber() == nodes.shown_sample == 3
    choose(widget.ui.synthesisComboBox, widget.ui.synthesisComboBox.itemText(0))
    assert views() == [False, False], "of slices again"
    assert drawn_over_the_gallery() == set(drawn[0]), "not what is drawn over the other"
    assert np.allclose(camera.GetFocalPoint(), middle_of(nodes.image))
    slicer.util.selectModule("TopoGANTrain")
    assert (camera.GetPosition(), camera.GetFocalPoint()) == own
    slicer.util.selectModule("TopoGANSynth")
    choose(widget.ui.synthesisComboBox, widget.ui.synthesisComboBox.itemText(1))
    camera.SetPosition(4.0, 5.0, 6.0)
    slicer.util.selectModule("TopoGANTrain")
    assert camera.GetPosition() == (4.0, 5.0, 6.0), "the user has turned it since"


def test_parts_that_the_user_removes_are_no_error(shown: tuple[Any, Any]) -> None:
    import slicer

    from TopoGANLib.scene.layouts import GALLERY_VIEW_ID

    def count() -> int:
        return len([node for node in slicer.util.getNodesByClass("vtkMRMLNode") if "gallery" in (node.GetName() or "")])

    widget, nodes = shown
    gallery, before = slicer.mrmlScene.GetNodeByID(GALLERY_VIEW_ID), count()
    for role in ("marks", "segmentation", "image"):
        widget.ui.sampleSlider.value = 5.0
        slicer.mrmlScene.RemoveNode(nodes.companion(f"gallery {role}"))
        widget.ui.sampleSlider.value = 3.0
    gallery.SetSliceOffset(gallery.GetSliceOffset() - nodes.image.GetSpacing()[2])
    assert nodes.shown_sample == 3, "without a sheet the wheel leads nowhere"
    widget.ui.showButton.click()
    assert count() == before, "all of it is there again, once"
    assert nodes.companion("gallery image") is not None


def test_samples_that_come_while_another_panel_is_open_wait(shown: tuple[Any, Any], model_of_several: Path) -> None:
    import slicer

    widget, first = shown
    slicer.util.selectModule("TopoGANTrain")
    own = layout()
    seen = slicer.app.applicationLogic().GetSelectionNode().GetActiveVolumeID()
    nodes = widget.logic.synthesize(model_of_several, wait=True)
    assert layout() == own
    assert slicer.app.applicationLogic().GetSelectionNode().GetActiveVolumeID() == seen == first.image.GetID()
    slicer.util.selectModule("TopoGANSynth")
    assert layout() > 100
    assert slicer.app.applicationLogic().GetSelectionNode().GetActiveVolumeID() == nodes.image.GetID()
    slicer.util.selectModule("TopoGANTrain")
    assert layout() == own


def test_what_was_put_off_asks_no_panel_that_is_gone(application: StandIn) -> None:
    """Views get their size, and a click its bar, in a moment: by then the panel may be closed."""
    from TopoGANSynthLib.result.barcode_link import BarcodeLink
    from TopoGANSynthLib.result.result_layout import ResultViews

    def widgets_are_destroyed() -> None:
        raise ValueError

    views, link = ResultViews(widgets_are_destroyed, print), BarcodeLink(widgets_are_destroyed, print)
    views.leave()
    views._fit()
    link.close()
    link._choose()


def test_another_page_is_drawn_over_the_last(shown: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import slicer
    from vtk.util.numpy_support import vtk_to_numpy

    from TopoGANLib.scene import gallery_sheet

    def tile(sample: int) -> list[list[list[int]]]:
        """Picture and labels where the sheet has them."""
        row, column = gallery_sheet.Sheet.of(nodes, sample).corner(sample)
        image, segments = nodes.companion("gallery image"), nodes.companion("gallery segmentation").GetSegmentation()
        labelmap = segments.GetNthSegment(0).GetRepresentation("Binary labelmap")
        labels = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1])
        columns, rows, _ = nodes.image.GetImageData().GetDimensions()
        inside = (0, slice(row, row + rows), slice(column, column + columns))
        return [one[inside].tolist() for one in (slicer.util.arrayFromVolume(image), labels)]

    widget, nodes = shown
    whole = [tile(sample) for sample in range(nodes.count)]
    assert whole[5] != whole[1]
    # Pages of 4 and of 2: the second is smaller. Pages of 2: all are of one size.
    for name, most, kept in (("_MOST_PIXELS", 4 * 64**2, False), ("MOST_TILES", 2, True)):
        monkeypatch.setattr(gallery_sheet, name, most)
        widget.ui.sampleSlider.value = float(nodes.count - 1)
        segments = nodes.companion("gallery segmentation").GetSegmentation()
        before = segments.GetNthSegment(0)
        assert tile(5) == whole[5]
        widget.ui.sampleSlider.value = 1.0
        assert tile(1) == whole[1]
        assert (segments.GetNthSegment(0) is before) == kept
    segments.GetNthSegment(0).SetName("renamed")
    widget.ui.sampleSlider.value = 5.0
    assert segments.GetNthSegment(0).GetName() != "renamed", "it shows what the samples have"
    assert tile(5) == whole[5]
