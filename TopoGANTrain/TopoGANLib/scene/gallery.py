"""All samples at once: a sheet of tiles, as a picture with a segmentation on it, in a slice view of its own.

Slicer's slice views showed several slices until version 5.8 (``vtkMRMLSliceNode::SetLayoutGrid``); that is gone. The
sheet is one slice below the samples, a page of at most ``MOST_TILES``; of volumes it has the axial slice through the
middle of the structures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from topogan_contract.synthesis import Segment
from TopoGANLib.scene.gallery_overlay import Overlay, add_overlay, draw_frame, draw_tiles
from TopoGANLib.scene.layouts import GALLERY_VIEW, GALLERY_VIEW_ID
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.segments import add_segments
from TopoGANLib.scene.sequences import middle_of_structures

MOST_TILES = 100
# Slices below the lowest, so that no view of the samples cuts the sheet.
_BELOW = 4
_GAP = 2
_PAGE = "TopoGAN.galleryPage"


@dataclass(frozen=True)
class Sheet:
    """Where the tiles of a page lie."""

    first: int
    """Number of the sample in the first tile."""
    tiles: int
    size: tuple[int, int]
    """(rows, columns) of a sample in pixels."""

    @classmethod
    def of(cls, nodes: SynthesisNodes, sample: int) -> Sheet:
        """The page with a sample."""
        columns, rows, _ = nodes.image.GetImageData().GetDimensions()
        first = sample // MOST_TILES * MOST_TILES
        return cls(first, min(MOST_TILES, nodes.count - first), (rows, columns))

    @property
    def columns(self) -> int:
        """Tiles beside each other; about as many as below each other."""
        return math.ceil(math.sqrt(self.tiles))

    @property
    def rows(self) -> int:
        """Tiles below each other."""
        return math.ceil(self.tiles / self.columns)

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the sheet in pixels, with a gap around each tile."""
        return self.rows * (self.size[0] + _GAP) + _GAP, self.columns * (self.size[1] + _GAP) + _GAP

    def corner(self, sample: int) -> tuple[int, int]:
        """(row, column) of the first pixel of a sample's tile."""
        row, column = divmod(sample - self.first, self.columns)
        return _GAP + row * (self.size[0] + _GAP), _GAP + column * (self.size[1] + _GAP)

    def sample_at(self, row: float, column: float) -> int | None:
        """The sample at a pixel of the sheet; None beside all tiles."""
        down, right = math.floor(row / (self.size[0] + _GAP)), math.floor(column / (self.size[1] + _GAP))
        number = down * self.columns + right
        inside = down >= 0 and 0 <= right < self.columns and 0 <= number < self.tiles
        return self.first + number if inside else None

    def lay_out(self, tiles: np.ndarray, background: int) -> np.ndarray:
        """Put tiles [n, rows, columns] onto a sheet [1, rows, columns]."""
        sheet = np.full((1, *self.shape), background, tiles.dtype)
        for number, tile in enumerate(tiles):
            row, column = self.corner(self.first + number)
            sheet[0, row : row + self.size[0], column : column + self.size[1]] = tile
        return sheet


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
    shown = range(sheet.first, sheet.first + sheet.tiles)
    pictures, labels = _volume_tiles(nodes, shown) if nodes.browser is not None else _slice_tiles(nodes, shown)
    low = nodes.image.GetDisplayNode().GetWindowLevelMin()
    limits = np.iinfo(pictures.dtype)
    picture = sheet.lay_out(pictures, int(np.clip(low, limits.min, limits.max)))
    _show_image(nodes, picture)
    _show_segmentation(nodes, sheet.lay_out(labels, 0))
    marks = nodes.companion("gallery marks")
    if marks is None:
        # Those of marks that the user has removed.
        nodes.image.GetScene().RemoveNode(nodes.companion("gallery colors"))
        name = nodes.segmentation.GetName().replace("segmentation", "gallery marks")
        marks, colors = add_overlay(nodes.image.GetScene(), name, GALLERY_VIEW_ID)
        nodes.keep_companion("gallery marks", marks)
        nodes.keep_companion("gallery colors", colors)
    draw_tiles(marks, overlay, [(str(sample), sheet.corner(sample), nodes.is_valid(sample)) for sample in shown])


def _slice_tiles(nodes: SynthesisNodes, shown: range) -> tuple[np.ndarray, np.ndarray]:
    """Pictures and labels [n, rows, columns]."""
    pictures = slicer.util.arrayFromVolume(nodes.image)[shown.start : shown.stop]
    return pictures, _labels(nodes, nodes.segmentation, shown, nodes.image)


def _volume_tiles(nodes: SynthesisNodes, shown: range) -> tuple[np.ndarray, np.ndarray]:
    images, masks = (nodes.browser.GetSequenceNode(node) for node in (nodes.image, nodes.segmentation))
    pictures, labels = [], []
    matrix = vtk.vtkMatrix4x4()
    nodes.image.GetRASToIJKMatrix(matrix)
    for sample in shown:
        image, mask = images.GetNthDataNode(sample), masks.GetNthDataNode(sample)
        array = slicer.util.arrayFromVolume(image)
        middle = middle_of_structures(mask)
        k = len(array) // 2 if middle is None else round(matrix.MultiplyPoint((*middle, 1))[2])
        k = min(max(k, 0), len(array) - 1)
        pictures.append(array[k])
        labels.append(_labels(nodes, mask, range(k, k + 1), image)[0])
    return np.stack(pictures), np.stack(labels)


def _labels(
    nodes: SynthesisNodes,
    segmentation: slicer.vtkMRMLSegmentationNode,
    slices: range,
    image: slicer.vtkMRMLScalarVolumeNode,
) -> np.ndarray:
    """Some slices of a segmentation on the grid of its image, uint8 [n, rows, columns]: segment n as n + 1."""
    columns, rows, _ = image.GetImageData().GetDimensions()
    labels = np.zeros((len(slices), rows, columns), np.uint8)
    to_voxels = vtk.vtkMatrix4x4()
    image.GetRASToIJKMatrix(to_voxels)
    name = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    for number in range(segmentation.GetSegmentation().GetNumberOfSegments()):
        segment = segmentation.GetSegmentation().GetNthSegment(number)
        labelmap = segment.GetRepresentation(name)
        if labelmap is None or min(labelmap.GetDimensions()) < 1:
            continue
        # A saved segmentation is cut to what it holds; its voxels lie on the same grid.
        matrix = vtk.vtkMatrix4x4()
        labelmap.GetImageToWorldMatrix(matrix)
        extent = labelmap.GetExtent()
        first = to_voxels.MultiplyPoint(matrix.MultiplyPoint((*extent[::2], 1)))[2::-1]
        _place(labels, vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(labelmap.GetDimensions()[::-1]),
               [round(value) for value in first], slices.start, segment.GetLabelValue(), number + 1)  # fmt: skip
    return labels


def _place(labels: np.ndarray, found: np.ndarray, first: list[int], start: int, value: int, label: int) -> None:
    """Write ``label`` where ``found`` [k, j, i], which begins at the voxel ``first``, has ``value``."""
    begin = [first[0] - start, first[1], first[2]]
    low = [max(0, one) for one in begin]
    high = [min(length, one + n) for length, one, n in zip(labels.shape, begin, found.shape, strict=True)]
    if any(a >= b for a, b in zip(low, high, strict=True)):
        return
    target = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    source = tuple(slice(a - one, b - one) for a, b, one in zip(low, high, begin, strict=True))
    labels[target][found[source] == value] = label


def _ijk_to_ras(nodes: SynthesisNodes) -> np.ndarray:
    """Of the sheet: below the samples."""
    matrix = vtk.vtkMatrix4x4()
    nodes.image.GetIJKToRASMatrix(matrix)
    below = np.eye(4)
    below[2, 3] = -_BELOW
    return slicer.util.arrayFromVTKMatrix(matrix) @ below


def _show_image(nodes: SynthesisNodes, picture: np.ndarray) -> None:
    image, scene = nodes.companion("gallery image"), nodes.image.GetScene()
    if image is None:
        name = scene.GenerateUniqueName(nodes.segmentation.GetName().replace("segmentation", "gallery"))
        image = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
        image.SetDescription("Independent synthetic samples, one a tile: a sheet to look at, not a body.")
        image.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(_ijk_to_ras(nodes)))
        slicer.util.updateVolumeFromArray(image, picture)
        image.CreateDefaultDisplayNodes()
        display, own = image.GetDisplayNode(), nodes.image.GetDisplayNode()
        display.SetInterpolate(own.GetInterpolate())
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(own.GetWindowLevelMin(), own.GetWindowLevelMax())
        nodes.keep_companion("gallery image", image)
        return
    slicer.util.updateVolumeFromArray(image, picture)


def _show_segmentation(nodes: SynthesisNodes, labels: np.ndarray) -> None:
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
    with slicer.util.NodeModify(segmentation):
        segmentation.GetSegmentation().RemoveAllSegments()
        add_segments(segmentation, _structures(nodes), labels, _ijk_to_ras(nodes))


def _structures(nodes: SynthesisNodes) -> list[Segment]:
    segments = nodes.segmentation.GetSegmentation()
    found = []
    for number in range(segments.GetNumberOfSegments()):
        segment = segments.GetNthSegment(number)
        color = "#" + "".join(f"{round(255 * part):02x}" for part in segment.GetColor())
        found.append(Segment(segment.GetName(), number + 1, color))
    return found
