"""From a bar to the pixels that made and killed it, and back: two marks in the views, and a frame around the bar."""

from __future__ import annotations

import numpy as np
import slicer
import vtk

from TopoGANLib.scene.barcode import Bar, bars, choose_bar
from TopoGANLib.scene.nodes import SynthesisNodes

# Green is where a class begins, magenta where it ends; their lightness differs, too.
_MARKS = (("birth", (0.35, 0.9, 0.45)), ("death", (0.8, 0.2, 0.7)))
# Pixels around the cursor.
_REACH = 1.5


def mark_bar(nodes: SynthesisNodes, number: int, jump: bool = True) -> Bar:
    """Frame a bar of the shown sample and mark its two pixels.

    Args:
        nodes: what is shown.
        number: of the bar, from 1.
        jump: move the slice views to the pixel of its birth.

    Raises:
        IndexError: there is no such bar.
    """
    shown = bars(nodes.barcode)
    if not 1 <= number <= len(shown):
        raise IndexError(f"There is no bar {number}: the barcode has {len(shown)}, the first is 1.")
    bar = shown[number - 1]
    choose_bar(nodes.barcode, number)
    ends = (("birth", bar.birth, bar.birth_voxel), ("death", bar.death, bar.death_voxel))
    for (word, value, voxel), (_, color) in zip(ends, _MARKS, strict=True):
        mark = _mark(nodes, word, color)
        with slicer.util.NodeModify(mark):
            mark.RemoveAllControlPoints()
            if voxel is not None:
                point = mark.AddControlPoint(vtk.vtkVector3d(_to_ras(nodes, voxel)), f"{word} {value:.1f} mm")
                mark.SetNthControlPointLocked(point, True)
    if jump and bar.birth_voxel is not None:
        nodes.jump_to(_to_ras(nodes, bar.birth_voxel))
    return bar


def bar_at(nodes: SynthesisNodes, position: tuple[float, float, float]) -> Bar | None:
    """The bar of the shown sample whose birth or death is nearest to a place, RAS, mm; None where none is near."""
    pixel = np.array(nodes.image.GetSpacing())
    found: list[tuple[float, Bar]] = []
    for bar in bars(nodes.barcode):
        for voxel in filter(None, (bar.birth_voxel, bar.death_voxel)):
            away = np.abs(np.subtract(_to_ras(nodes, voxel), position)) / pixel
            if away.max() <= _REACH:
                # Of several at one pixel the longest says most.
                found.append((float(np.linalg.norm(away)) - 1e-3 * min(bar.death - bar.birth, 100.0), bar))
    return min(found, key=lambda one: one[0])[1] if found else None


def _mark(nodes: SynthesisNodes, word: str, color: tuple[float, ...]) -> slicer.vtkMRMLMarkupsFiducialNode:
    mark = nodes.mark(word)
    if mark is not None:
        return mark
    scene = nodes.image.GetScene()
    name = nodes.segmentation.GetName().replace("segmentation", word)
    mark = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", scene.GenerateUniqueName(name))
    # A dragged mark would be a changed result.
    mark.SetLocked(True)
    mark.CreateDefaultDisplayNodes()
    display = mark.GetDisplayNode()
    display.SetSelectedColor(*color)
    display.SetColor(*color)
    display.SetGlyphTypeFromString("Cross2D")
    nodes.keep_mark(word, mark)
    return mark


def _to_ras(nodes: SynthesisNodes, voxel: tuple[int, int, int]) -> tuple[float, float, float]:
    matrix = vtk.vtkMatrix4x4()
    nodes.image.GetIJKToRASMatrix(matrix)
    r, a, s, _ = matrix.MultiplyPoint((*voxel, 1))
    return r, a, s
