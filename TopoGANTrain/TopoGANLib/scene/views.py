"""What the application's views show of a synthesis."""

from __future__ import annotations

import numpy as np
import slicer
import vtk

from TopoGANLib.scene.cameras import look_at
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.sequences import prepare_volume_rendering

# Cosine between a view's normal and the stack's axis.
_PARALLEL = 0.999


def show_in_views(nodes: SynthesisNodes, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
    """Show picture and plot in the views of the application, which gets a layout with a plot if it has none.

    Args:
        nodes: what to show, at its shown sample.
        application_logic: inside Slicer, ``slicer.app.applicationLogic()``.
    """
    if nodes.browser is not None:
        # Of the layouts with a plot the one with three slice views and a 3-D view.
        layout = nodes.image.GetScene().GetFirstNodeByClass("vtkMRMLLayoutNode")
        layout.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalPlotView)
    show_picture(nodes, application_logic)
    show_chart(nodes.plots.shown, application_logic)


def show_picture(nodes: SynthesisNodes, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
    """Show the shown sample in the slice views, and if it is a volume in 3-D; the layout stays."""
    selection = application_logic.GetSelectionNode()
    selection.SetActiveVolumeID(nodes.image.GetID())
    selection.SetSecondaryVolumeID(None)
    selection.SetActiveLabelVolumeID(None)
    application_logic.PropagateVolumeSelection()
    nodes.jump_to_sample(nodes.shown_sample)
    if nodes.browser is not None:
        prepare_volume_rendering(nodes.browser, nodes.image, application_logic)
        bounds = [0.0] * 6
        nodes.image.GetRASBounds(bounds)
        look_at(bounds, nodes.image.GetScene())


def show_chart(chart: slicer.vtkMRMLPlotChartNode, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
    """Show a chart in the plot views; Slicer's function for it would leave every layout that is not its own."""
    layout = chart.GetScene().GetFirstNodeByClass("vtkMRMLLayoutNode")
    if not has_plot(layout):
        application_logic.GetModuleLogic("Plots").ShowChartInLayout(chart)
        return
    application_logic.GetSelectionNode().SetActivePlotChartID(chart.GetID())
    application_logic.PropagatePlotChartSelection()


def sample_in_view(
    nodes: SynthesisNodes, view: slicer.vtkMRMLSliceNode, application_logic: slicer.vtkMRMLApplicationLogic
) -> int | None:
    """The slice of the stack that a slice view shows; None where it shows none, or cuts the stack in another plane."""
    logic = application_logic.GetSliceLogic(view)
    if logic is None or logic.GetSliceCompositeNode().GetBackgroundVolumeID() != nodes.image.GetID():
        return None
    if not _lies_along(view, nodes.image):
        return None
    to_ras, to_voxels = view.GetSliceToRAS(), vtk.vtkMatrix4x4()
    nodes.image.GetRASToIJKMatrix(to_voxels)
    middle = [to_ras.GetElement(row, 3) for row in range(3)]
    sample = round(to_voxels.MultiplyPoint((*middle, 1))[2])
    return sample if 0 <= sample < nodes.count else None


def shows_samples(view: slicer.vtkMRMLSliceNode, application_logic: slicer.vtkMRMLApplicationLogic) -> bool:
    """Whether a slice view shows any synthesis as :func:`show_picture` turns it: in the plane of the samples."""
    logic = application_logic.GetSliceLogic(view)
    shown = None if logic is None else logic.GetSliceCompositeNode().GetBackgroundVolumeID()
    images = (nodes.image for nodes in SynthesisNodes.find_all(view.GetScene()))
    return any(image.GetID() == shown and _lies_along(view, image) for image in images)


def has_plot(layout: slicer.vtkMRMLLayoutNode) -> bool:
    """Whether the layout that is on has a plot view."""
    return "vtkMRMLPlotViewNode" in (layout.GetCurrentLayoutDescription() or "")


def _lies_along(view: slicer.vtkMRMLSliceNode, image: slicer.vtkMRMLScalarVolumeNode) -> bool:
    """Whether a view is parallel to the slices of an image."""
    to_ras = view.GetSliceToRAS()
    across = [to_ras.GetElement(row, 2) for row in range(3)]
    directions = np.zeros((3, 3))
    image.GetIJKToRASDirections(directions)
    return bool(abs(directions[:, 2] @ across) >= _PARALLEL)
