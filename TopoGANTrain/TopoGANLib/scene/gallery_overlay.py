"""What is drawn over the gallery: each sample's number, a cross where it is not valid, a frame around the chosen one.

One model of lines and flat polygons that only the gallery's slice view shows. What differs in color differs in form,
too, for color-blind readers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy

_COLOR = "color"
_FRAME, _GROUND, _VALID, _INVALID = range(4)
# Yellow of Okabe and Ito's palette, dark under the letters, white, and a light vermilion; 0 to 1.
_COLORS = ((240 / 255, 228 / 255, 66 / 255), (0.1, 0.1, 0.1), (1.0, 1.0, 1.0), (1.0, 0.57, 0.31))
_LINE_PIXELS = 3
# Of the tile's edge.
_LETTER_HEIGHT, _MARGIN = 0.11, 0.02
# Of the letter's height: a cross is as wide, and its strokes as thick.
_CROSS, _STROKE = 0.8, 0.2
_QUAD = np.array([(0, 1, 2), (0, 2, 3)])

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


def draw_numbers(
    model: slicer.vtkMRMLModelNode,
    overlay: Overlay,
    numbers: Sequence[str],
    places: Sequence[Place],
    valid: Sequence[bool],
) -> None:
    """Write a number on a dark ground into each tile, with a cross before it where the sample is not valid.

    Args:
        model: from :func:`add_overlay`; its frame lies at the first tile until :func:`draw_frame` moves it.
        overlay: where the sheet lies.
        numbers: decimal digits, one number a tile.
        places: of the tiles.
        valid: of the samples.
    """
    height = _LETTER_HEIGHT * overlay.size[0]
    colors = np.where(valid, _VALID, _INVALID)
    lefts = np.array(places, float)[:, ::-1] - 0.5 + _MARGIN * overlay.size[0]
    inner, crosses = lefts + 0.25 * height, np.where(valid, 0.0, _CROSS * height)
    shapes = _Shapes(_frame(overlay.size, places[0]))
    widths = np.array([sum(_digit(digit).width for digit in number) for number in numbers])
    # Later ones are drawn over earlier ones.
    for left, width in zip(lefts, height * (0.5 + widths) + 1.3 * crosses, strict=True):
        shapes.add(left + _quad(width, 1.5 * height), _QUAD, _GROUND)
    for at, width, color in zip(inner, crosses, colors, strict=True):
        for stroke in _cross(width) if width else ():
            shapes.add(at + stroke + np.array([0.0, 0.1 * height]), _QUAD, color)
    for number, at, color in zip(numbers, inner + np.outer(1.3 * crosses, (1, 0)), colors, strict=True):
        right = 0.0
        for digit in map(_digit, number):
            shapes.add(at + height * (digit.points + np.array([right, 0.0])), digit.triangles, color)
            right += digit.width
    model.SetAndObservePolyData(shapes.polygons(overlay))


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
    """Collects triangles; the frame, the only lines, has the first points."""

    def __init__(self, frame: np.ndarray) -> None:
        self._points, self._triangles, self._colors = [frame], [np.empty((0, 3), np.int64)], [_FRAME]
        self._count = len(frame)

    def add(self, points: np.ndarray, triangles: np.ndarray, color: int) -> None:
        """Add triangles, int [m, 3], of points, (column, row) [n, 2]."""
        self._points.append(points)
        self._triangles.append(triangles + self._count)
        self._colors += [color] * len(triangles)
        self._count += len(points)

    def polygons(self, overlay: Overlay) -> vtk.vtkPolyData:
        """All of it, in the room."""
        points, lines, polygons = vtk.vtkPoints(), vtk.vtkCellArray(), vtk.vtkCellArray()
        points.SetData(numpy_to_vtk(overlay.to_ras(np.concatenate(self._points)), deep=True))
        lines.InsertNextCell(5, [0, 1, 2, 3, 0])
        corners = np.concatenate(self._triangles)
        # One call: a cell at a time takes ten times as long.
        polygons.SetData(3, numpy_to_vtkIdTypeArray(np.ascontiguousarray(corners.ravel(), np.int64), deep=True))
        data = vtk.vtkPolyData()
        data.SetPoints(points)
        data.SetLines(lines)
        data.SetPolys(polygons)
        colors = numpy_to_vtk(np.array(self._colors, np.uint8), deep=True)
        colors.SetName(_COLOR)
        data.GetCellData().SetScalars(colors)
        return data


class _Digit(NamedTuple):
    points: np.ndarray
    """(right, down) [n, 2], 1 high."""
    triangles: np.ndarray
    """int [m, 3]."""
    width: float
    """To the next one."""


@cache
def _digit(digit: str) -> _Digit:
    # The second of two tells how far the first reaches.
    points, triangles = _letters(2 * digit)
    zero, _ = _letters("0")
    top, size, half = zero[:, 1].max(), np.ptp(zero[:, 1]), len(points) // 2
    shape = np.column_stack([points[:half, 0], top - points[:half, 1]]) / size + np.array([0, 0.25])
    return _Digit(shape, triangles[: len(triangles) // 2], (points[half, 0] - points[0, 0]) / size)


def _letters(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Points (right, up) [n, 2] and triangles [m, 3] of letters."""
    source = vtk.vtkVectorText()
    source.SetText(text)
    triangles = vtk.vtkTriangleFilter()
    triangles.SetInputConnection(source.GetOutputPort())
    triangles.Update()
    data = triangles.GetOutput()
    points = vtk_to_numpy(data.GetPoints().GetData())[:, :2].astype(float)
    return points, vtk_to_numpy(data.GetPolys().GetConnectivityArray()).reshape(-1, 3).copy()


def _quad(width: float, height: float) -> np.ndarray:
    return np.array([(0, 0), (width, 0), (width, height), (0, height)])


def _cross(width: float) -> np.ndarray:
    """Two strokes, (right, down) [2, 4, 2], in a square of a width."""
    thick = _STROKE * width
    down = np.array([(0, thick), (thick, 0), (width, width - thick), (width - thick, width)])
    up = np.array([(0, width - thick), (width - thick, 0), (width, thick), (thick, width)])
    return np.stack([down, up]) + np.array([0, 0.25 * width])
