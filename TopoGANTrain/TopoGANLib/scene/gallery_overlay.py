"""What is drawn over the gallery: each sample's number, a cross where it is not valid, a frame around the chosen one.

One model of lines and flat polygons that only the gallery's slice view shows. What differs in color differs in form,
too, for color-blind readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, vtk_to_numpy

_COLOR = "color"
_FRAME, _GROUND, _VALID, _INVALID = range(4)
# Yellow of Okabe and Ito's palette, dark under the letters, white, and a light vermilion; 0 to 1.
_COLORS = ((240 / 255, 228 / 255, 66 / 255), (0.1, 0.1, 0.1), (1.0, 1.0, 1.0), (1.0, 0.57, 0.31))
_LINE_PIXELS = 3
# Of the tile's edge.
_LETTER_HEIGHT, _MARGIN = 0.11, 0.02
# Of the letter's height: a cross is as wide, and its strokes as thick.
_CROSS, _STROKE = 0.8, 0.2

Place = tuple[int, int]
"""(row, column) of a tile's first pixel."""


@dataclass(frozen=True)
class Overlay:
    """From pixels of the sheet to the room."""

    size: Place
    """(rows, columns) of a tile."""
    ijk_to_ras: np.ndarray
    """float [4, 4] of the sheet."""

    def to_ras(self, pixels: np.ndarray) -> np.ndarray:
        """float [n, 3] of (column, row) [n, 2]."""
        points = np.column_stack([pixels, np.zeros(len(pixels)), np.ones(len(pixels))])
        return (points @ self.ijk_to_ras.T)[:, :3]


def add_overlay(
    scene: slicer.vtkMRMLScene, name: str, view: str
) -> tuple[slicer.vtkMRMLModelNode, slicer.vtkMRMLColorTableNode]:
    """Add the model, empty, which the slice view of the id ``view`` alone shows, and its colors."""
    # Not as colors in the model's own data: for these the slice views' mapper complains of an empty range.
    colors = slicer.vtkMRMLColorTableNode()
    colors.SetTypeToUser()
    colors.SetName(scene.GenerateUniqueName(f"{name} colors"))
    colors.SetNumberOfColors(len(_COLORS))
    for number, color in enumerate(_COLORS):
        colors.SetColor(number, str(number), *color, 1.0)
    colors.SetHideFromEditors(True)
    scene.AddNode(colors)
    model = scene.AddNewNodeByClass("vtkMRMLModelNode", scene.GenerateUniqueName(name))
    model.SetAndObservePolyData(vtk.vtkPolyData())
    model.CreateDefaultDisplayNodes()
    display = model.GetDisplayNode()
    display.SetVisibility2D(True)
    # Drawn whole, not cut: it lies in the plane.
    display.SetSliceDisplayModeToProjection()
    display.SetSliceIntersectionThickness(_LINE_PIXELS)
    display.SetAndObserveColorNodeID(colors.GetID())
    display.SetActiveScalar(_COLOR, vtk.vtkAssignAttribute.CELL_DATA)
    display.SetScalarRangeFlag(slicer.vtkMRMLDisplayNode.UseManualScalarRange)
    display.SetScalarRange(0, len(_COLORS) - 1)
    display.SetScalarVisibility(True)
    display.SetViewNodeIDs([view])
    return model, colors


def draw_tiles(model: slicer.vtkMRMLModelNode, overlay: Overlay, tiles: Sequence[tuple[str, Place, bool]]) -> None:
    """Write a number into each tile, with a cross before it where the sample is not valid.

    Args:
        model: from :func:`add_overlay`; its frame lies at the first tile until :func:`draw_frame` moves it.
        overlay: where the sheet lies.
        tiles: number, place and validity of each.
    """
    shapes = _Shapes(overlay)
    shapes.add_frame(tiles[0][1])
    for number, place, valid in tiles:
        shapes.add_number(number, place, valid)
    model.SetAndObservePolyData(shapes.polygons())


def draw_frame(model: slicer.vtkMRMLModelNode, overlay: Overlay, place: Place) -> None:
    """Move the frame to another tile."""
    points = model.GetPolyData().GetPoints()
    for number, point in enumerate(overlay.to_ras(_frame(overlay.size, place))):
        points.SetPoint(number, point)
    points.Modified()
    model.GetPolyData().Modified()


def _frame(size: Place, place: Place) -> np.ndarray:
    """Corners of a frame around a tile, (column, row) [4, 2], in the gap beside it."""
    # Pixels have their middle at whole numbers.
    top, left, bottom, right = place[0] - 1.0, place[1] - 1.0, float(place[0] + size[0]), float(place[1] + size[1])
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


class _Shapes:
    """Collects lines and polygons; the frame's points are the first."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay
        self._points: list[np.ndarray] = []
        self._lines, self._polygons = vtk.vtkCellArray(), vtk.vtkCellArray()
        self._colors: list[int] = []
        self._count = 0
        self._letters: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def add_frame(self, place: Place) -> None:
        """The only lines."""
        self._add_points(_frame(self._overlay.size, place))
        self._lines.InsertNextCell(5, [0, 1, 2, 3, 0])
        self._colors.append(_FRAME)

    def add_number(self, number: str, place: Place, valid: bool) -> None:
        """Letters on a dark ground in the upper left corner of a tile."""
        height = _LETTER_HEIGHT * self._overlay.size[0]
        letters, triangles = self._letters_of(number)
        left = np.array([place[1], place[0]]) - 0.5 + _MARGIN * self._overlay.size[0]
        cross = 0.0 if valid else _CROSS * height
        inner = left + height * 0.25
        width = height * 0.5 + cross * 1.3 + height * letters[:, 0].max()
        self._add_quads(left, np.array([[(0, 0), (width, 0), (width, 1.5 * height), (0, 1.5 * height)]]), _GROUND)
        color = _VALID if valid else _INVALID
        if not valid:
            self._add_quads(inner, _cross(cross) + np.array([0, 0.1 * height]), color)
        at = inner + np.array([cross * 1.3, 0])
        first = self._add_points(at + height * letters)
        for triangle in triangles:
            self._polygons.InsertNextCell(3, [first + int(one) for one in triangle])
            self._colors.append(color)

    def polygons(self) -> vtk.vtkPolyData:
        """All of it, in the room."""
        points = vtk.vtkPoints()
        points.SetData(numpy_to_vtk(self._overlay.to_ras(np.concatenate(self._points)), deep=True))
        data = vtk.vtkPolyData()
        data.SetPoints(points)
        data.SetLines(self._lines)
        data.SetPolys(self._polygons)
        colors = numpy_to_vtk(np.array(self._colors, np.uint8), deep=True)
        colors.SetName(_COLOR)
        data.GetCellData().SetScalars(colors)
        return data

    def _add_points(self, pixels: np.ndarray) -> int:
        first = self._count
        self._points.append(pixels)
        self._count += len(pixels)
        return first

    def _add_quads(self, origin: np.ndarray, quads: np.ndarray, color: int) -> None:
        for quad in quads:
            first = self._add_points(origin + quad)
            self._polygons.InsertNextCell(4, [first, first + 1, first + 2, first + 3])
            self._colors.append(color)

    def _letters_of(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """Points (right, down) [n, 2] of letters that are 1 high, and their triangles [m, 3]."""
        if text not in self._letters:
            source = vtk.vtkVectorText()
            source.SetText(text)
            triangles = vtk.vtkTriangleFilter()
            triangles.SetInputConnection(source.GetOutputPort())
            triangles.Update()
            data = triangles.GetOutput()
            points = vtk_to_numpy(data.GetPoints().GetData())[:, :2].astype(float)
            points -= points.min(axis=0)
            points[:, 1] = points[:, 1].max() - points[:, 1]
            cells = vtk_to_numpy(data.GetPolys().GetConnectivityArray()).reshape(-1, 3)
            self._letters[text] = points / points[:, 1].max() + np.array([0, 0.25]), cells.copy()
        return self._letters[text]


def _cross(width: float) -> np.ndarray:
    """Two strokes, (right, down) [2, 4, 2], in a square of a width."""
    thick = _STROKE * width
    down = np.array([(0, thick), (thick, 0), (width, width - thick), (width - thick, width)])
    up = np.array([(0, width - thick), (width - thick, 0), (width, thick), (thick, width)])
    return np.stack([down, up]) + np.array([0, 0.25 * width])
