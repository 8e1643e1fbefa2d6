"""All samples at once: a sheet of tiles, as a picture with a segmentation on it, in a slice view of its own.

Slicer's slice views showed several slices until version 5.8 (``vtkMRMLSliceNode::SetLayoutGrid``); that is gone. The
sheet is one slice below the samples, a page of at most 100, of fewer where they are large; of volumes it has the axial
slice through the middle of the structures.
"""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from topogan_contract.stacks import Segment
from TopoGANLib.scene.gallery_overlay import Overlay, add_overlay, draw_frame, draw_numbers
from TopoGANLib.scene.gallery_sheet import Sheet, draw_tiles
from TopoGANLib.scene.layouts import GALLERY_VIEW, GALLERY_VIEW_ID
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.segments import add_segments

# Slices below the lowest, so that no view of the samples cuts the sheet.
_BELOW = 4
_PAGE = "TopoGAN.galleryPage"


def show_gallery(nodes: SynthesisNodes, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
    """Fill the gallery's slice view, which the layout must have made, and frame the shown sample in it.

    Args:
        nodes: what to show.
        application_logic: inside Slicer, ``slicer.app.applicationLogic()``.
    """
    update_gallery(nodes, add=True)
    # All sheets lie at the same place: what is drawn over another one would be drawn over this one, too.
    for one in SynthesisNodes.find_all(nodes.image.GetScene()):
        for role in ("gallery marks", "gallery segmentation"):
            companion = one.companion(role)
            if companion is not None:
                companion.SetDisplayVisibility(one.segmentation is nodes.segmentation)
    logic = application_logic.GetSliceLogicByLayoutName(GALLERY_VIEW)
    if logic is None:
        return
    composite = logic.GetSliceCompositeNode()
    # What is chosen for all other views is not for this one.
    composite.SetDoPropagateVolumeSelection(False)
    composite.SetBackgroundVolumeID(nodes.companion("gallery image").GetID())
    composite.SetForegroundVolumeID(None)
    composite.SetLabelVolumeID(None)
    fit_gallery(nodes, application_logic)


def fit_gallery(nodes: SynthesisNodes, application_logic: slicer.vtkMRMLApplicationLogic) -> None:
    """Show the whole sheet, as large as the view is now."""
    logic = application_logic.GetSliceLogicByLayoutName(GALLERY_VIEW)
    offset = gallery_offset(nodes)
    if logic is None or offset is None:
        return
    columns, rows, _ = logic.GetSliceNode().GetDimensions()
    logic.FitSliceToBackground(columns, rows)
    logic.GetSliceNode().SetSliceOffset(offset)


def gallery_offset(nodes: SynthesisNodes) -> float | None:
    """Slice offset of the sheet, mm; None where there is none."""
    image = nodes.companion("gallery image")
    if image is None:
        return None
    directions = np.zeros((3, 3))
    image.GetIJKToRASDirections(directions)
    return float(directions[:, 2] @ image.GetOrigin())


def update_gallery(nodes: SynthesisNodes, add: bool = False) -> None:
    """Frame the shown sample, on another page if need be; nothing happens where there is no sheet.

    What else of the gallery the user has removed in the Data module is made again.

    Args:
        nodes: what is shown.
        add: make it, where there is none.
    """
    image = nodes.companion("gallery image")
    if image is None and not add:
        return
    sample = max(nodes.chosen_sample, 0)
    sheet = Sheet.of(nodes, sample)
    overlay = Overlay(sheet.size, _ijk_to_ras(nodes))
    lost = any(nodes.companion(role) is None for role in ("gallery image", "gallery segmentation", "gallery marks"))
    if lost or nodes.attribute(_PAGE) != str(sheet.first):
        _show_page(nodes, sheet, overlay)
        nodes.set_attribute(_PAGE, str(sheet.first))
    draw_frame(nodes.companion("gallery marks"), overlay, sheet.corner(sample))


def sample_in_gallery(nodes: SynthesisNodes, position: tuple[float, float, float]) -> int | None:
    """The sample whose tile is at a place of the gallery's slice view, RAS, mm."""
    image = nodes.companion("gallery image")
    if image is None:
        return None
    matrix = vtk.vtkMatrix4x4()
    image.GetRASToIJKMatrix(matrix)
    column, row, *_ = matrix.MultiplyPoint((*position, 1))
    page = int(nodes.attribute(_PAGE) or 0)
    return Sheet.of(nodes, page).sample_at(row + 0.5, column + 0.5)


def _show_page(nodes: SynthesisNodes, sheet: Sheet, overlay: Overlay) -> None:
    image, segmentation = _gallery_image(nodes, sheet), _gallery_segmentation(nodes, sheet)
    labelmap = _labelmap_of(segmentation, nodes, sheet)
    # In place: to make both anew takes three times as long.
    scalars = labelmap.GetPointData().GetScalars()
    labels = vtk_to_numpy(scalars).reshape(1, *sheet.shape)
    labels.fill(0)
    draw_tiles(nodes, sheet, slicer.util.arrayFromVolume(image), _background(nodes), labels)
    slicer.util.arrayFromVolumeModified(image)
    scalars.Modified()
    labelmap.Modified()
    marks = nodes.companion("gallery marks")
    if marks is None:
        # Those of marks that the user has removed.
        nodes.image.GetScene().RemoveNode(nodes.companion("gallery colors"))
        name = nodes.segmentation.GetName().replace("segmentation", "gallery marks")
        marks, colors = add_overlay(nodes.image.GetScene(), name, GALLERY_VIEW_ID)
        nodes.keep_companion("gallery marks", marks)
        nodes.keep_companion("gallery colors", colors)
    places = [sheet.corner(sample) for sample in sheet.samples]
    draw_numbers(marks, overlay, [str(sample) for sample in sheet.samples], places, nodes.are_valid(sheet.samples))


def _ijk_to_ras(nodes: SynthesisNodes) -> np.ndarray:
    """Of the sheet: below the samples."""
    matrix = vtk.vtkMatrix4x4()
    nodes.image.GetIJKToRASMatrix(matrix)
    below = np.eye(4)
    below[2, 3] = -_BELOW
    return slicer.util.arrayFromVTKMatrix(matrix) @ below


def _background(nodes: SynthesisNodes) -> int:
    """What shows as black between the tiles."""
    limits = np.iinfo(slicer.util.arrayFromVolume(nodes.image).dtype)
    return int(np.clip(nodes.image.GetDisplayNode().GetWindowLevelMin(), limits.min, limits.max))


def _gallery_image(nodes: SynthesisNodes, sheet: Sheet) -> slicer.vtkMRMLScalarVolumeNode:
    """The image of the sheet, of its size; what it shows is to be drawn."""
    image, scene = nodes.companion("gallery image"), nodes.image.GetScene()
    made = image is None
    if made:
        name = scene.GenerateUniqueName(nodes.segmentation.GetName().replace("segmentation", "gallery"))
        image = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        image.SetDescription("Independent synthetic samples, one a tile: a sheet to look at, not a body.")
        image.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(_ijk_to_ras(nodes)))
    if made or slicer.util.arrayFromVolume(image).shape != (1, *sheet.shape):
        kind = slicer.util.arrayFromVolume(nodes.image).dtype
        slicer.util.updateVolumeFromArray(image, np.full((1, *sheet.shape), _background(nodes), kind))
    if made:
        image.CreateDefaultDisplayNodes()
        display, own = image.GetDisplayNode(), nodes.image.GetDisplayNode()
        display.SetInterpolate(own.GetInterpolate())
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(own.GetWindowLevelMin(), own.GetWindowLevelMax())
        nodes.keep_companion("gallery image", image)
    return image


def _gallery_segmentation(nodes: SynthesisNodes, sheet: Sheet) -> slicer.vtkMRMLSegmentationNode:
    """The segmentation on the sheet, with the segments of the samples; what they hold is to be drawn."""
    segmentation, scene = nodes.companion("gallery segmentation"), nodes.image.GetScene()
    if segmentation is None:
        name = scene.GenerateUniqueName(nodes.segmentation.GetName().replace("segmentation", "gallery segmentation"))
        segmentation = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
        segmentation.CreateDefaultDisplayNodes()
        display, own = segmentation.GetDisplayNode(), nodes.segmentation.GetDisplayNode()
        display.SetOpacity2DFill(own.GetOpacity2DFill())
        display.SetSliceIntersectionThickness(own.GetSliceIntersectionThickness())
        # In the other views it would lie in the air.
        display.SetViewNodeIDs([GALLERY_VIEW_ID])
        nodes.keep_companion("gallery segmentation", segmentation)
    if _labelmap_of(segmentation, nodes, sheet) is None:
        with slicer.util.NodeModify(segmentation):
            segmentation.GetSegmentation().RemoveAllSegments()
            empty = np.zeros((1, *sheet.shape), np.uint8)
            add_segments(segmentation, _structures(nodes.segmentation), empty, _ijk_to_ras(nodes))
    return segmentation


def _labelmap_of(
    segmentation: slicer.vtkMRMLSegmentationNode, nodes: SynthesisNodes, sheet: Sheet
) -> slicer.vtkOrientedImageData | None:
    """The one labelmap of all segments; None if there is none of the sheet's size, or the segments are others.

    So it is after loading, which cuts it to what it holds, or when the user has changed a segment.
    """
    segments = segmentation.GetSegmentation()
    name = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    numbers = range(segments.GetNumberOfSegments())
    first, *others = [segments.GetNthSegment(number).GetRepresentation(name) for number in numbers] or [None]
    whole = (
        first is not None
        and first.GetDimensions() == (*sheet.shape[::-1], 1)
        and first.GetScalarType() == vtk.VTK_UNSIGNED_CHAR
        and all(one is first for one in others)
        and [segments.GetNthSegment(number).GetLabelValue() for number in numbers] == [n + 1 for n in numbers]
        and _structures(segmentation) == _structures(nodes.segmentation)
    )
    return first if whole else None


def _structures(segmentation: slicer.vtkMRMLSegmentationNode) -> list[Segment]:
    """Name and color of each segment; segment n as label n + 1."""
    segments = segmentation.GetSegmentation()
    found = []
    for number in range(segments.GetNumberOfSegments()):
        segment = segments.GetNthSegment(number)
        color = "#" + "".join(f"{round(255 * part):02x}" for part in segment.GetColor())
        found.append(Segment(segment.GetName(), number + 1, color))
    return found
