"""Barcodes of known shapes, from the mask to the marked pixel: the engine's persistence, the scene's bars and marks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import vtk

from topogan.homology import cubical_persistence, distance_filtration, save_diagrams
from TopoGANLib.headless.application import HeadlessSlicer
from TopoGANLib.scene.bar_points import MARK
from TopoGANLib.scene.barcode import BIRTH, SERIES, barcode_table, bars, point_column
from TopoGANLib.scene.build import build_scene
from TopoGANLib.scene.marks import bar_at, mark_bar
from TopoGANLib.scene.nodes import SynthesisNodes
from TopoGANLib.scene.synthesis_folder import read_synthesis_folder
from TopoGANLib.scene.tables import number_columns

ENDLESS = float("inf")
# As those of the folder that is written here.
SIZE, PIXEL_SIZE = 64, 1.5


def _box(rows: tuple[int, int], columns: tuple[int, int]) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), bool)
    mask[slice(*rows), slice(*columns)] = True
    return mask


def _ring(gap: int = 0, left: int = 20) -> np.ndarray:
    """A square ring, 3 pixels thick around 9 × 9; ``gap`` rows of its right wall are missing."""
    mask = _box((20, 35), (left, left + 15)) & ~_box((23, 32), (left + 3, left + 12))
    first = 27 - gap // 2
    return mask & ~_box((first, first + gap), (left + 12, left + 15))


# Dimension, birth and death in pixels of each bar; the middle of the hole is 5 pixels from its wall, two rings are 5
# columns apart, which meet in the middle after 3, and a gap of 3 rows is closed after 2.
SHAPES: dict[str, tuple[np.ndarray, list[tuple[int, float, float]]]] = {
    "disc": (_box((20, 35), (20, 35)), [(0, 0, ENDLESS)]),
    "ring": (_ring(), [(0, 0, ENDLESS), (1, 0, 5)]),
    "two rings": (_ring(left=10) | _ring(left=30), [(0, 0, ENDLESS), (0, 0, 3), (1, 0, 5), (1, 0, 5)]),
    "ring with a gap of 1": (_ring(gap=1), [(0, 0, ENDLESS), (1, 1, 5)]),
    "ring with a gap of 3": (_ring(gap=3), [(0, 0, ENDLESS), (1, 2, 5)]),
    "figure eight": (_ring(left=20) | _ring(left=32), [(0, 0, ENDLESS), (1, 0, 5), (1, 0, 5)]),
    "full": (np.ones((SIZE, SIZE), bool), [(0, 0, ENDLESS)]),
}


@pytest.fixture
def scene_of(headless: HeadlessSlicer, make_folder: Callable[..., Path]) -> Callable[..., SynthesisNodes]:
    """The scene of a synthesis whose samples are these masks."""

    def build(*masks: np.ndarray) -> SynthesisNodes:
        folder = make_folder("shapes", count=len(masks), textures=False)
        stack = sitk.GetImageFromArray(np.stack(masks).astype(np.uint8))
        stack.SetSpacing((PIXEL_SIZE,) * 3)
        sitk.WriteImage(stack, str(folder / "masks.nrrd"), useCompression=True)
        save_diagrams(folder / "diagrams.npz", [cubical_persistence(distance_filtration(mask)) for mask in masks])
        return build_scene(headless.scene, read_synthesis_folder(folder))

    return build


def _marked(nodes: SynthesisNodes, word: str) -> tuple[float, ...] | None:
    """Voxel (i, j, k) of the image under a mark."""
    mark = nodes.mark(word)
    if mark.GetNumberOfControlPoints() == 0:
        return None
    position, to_voxels = [0.0, 0.0, 0.0], vtk.vtkMatrix4x4()
    mark.GetNthControlPointPositionWorld(0, position)
    nodes.image.GetRASToIJKMatrix(to_voxels)
    return tuple(round(value, 6) for value in to_voxels.MultiplyPoint((*position, 1))[:3])


def _points(nodes: SynthesisNodes) -> list[tuple[float, ...]]:
    """Dimension, x and y in mm of each point in the persistence diagram."""
    names = [BIRTH, *map(point_column, SERIES[2])]
    births, *heights = number_columns(barcode_table(nodes.barcode), names).values()
    return [
        (dimension, births[row], height[row])
        for dimension, height in enumerate(heights)
        for row in np.flatnonzero(~np.isnan(height))
    ]


def _position(nodes: SynthesisNodes, voxel: tuple[float, ...]) -> tuple[float, float, float]:
    to_ras = vtk.vtkMatrix4x4()
    nodes.image.GetIJKToRASMatrix(to_ras)
    r, a, s, _ = to_ras.MultiplyPoint((*voxel, 1))
    return r, a, s


@pytest.mark.parametrize("name", SHAPES)
def test_bars_and_marks_are_right_to_the_pixel(scene_of: Callable[..., SynthesisNodes], name: str) -> None:
    mask, expected = SHAPES[name]
    # Not the first sample, so that its number shows in k.
    nodes = scene_of(_ring(), mask)
    nodes.show_sample(1)
    found = [(bar.dimension, bar.birth / PIXEL_SIZE, bar.death / PIXEL_SIZE) for bar in bars(nodes.barcode)]
    assert found == [pytest.approx(bar) for bar in expected]
    top = MARK * 5 * PIXEL_SIZE  # the ring's
    assert _points(nodes) == [pytest.approx((d, b * PIXEL_SIZE, min(e * PIXEL_SIZE, top))) for d, b, e in expected]
    distance = distance_filtration(mask)
    for bar in bars(nodes.barcode):
        mark_bar(nodes, bar.number)
        for word, value in (("birth", bar.birth), ("death", bar.death)):
            voxel = _marked(nodes, word)
            if np.isinf(value):
                assert voxel is None
                continue
            column, row, k = voxel
            assert k == 1
            assert distance[int(row), int(column)] * PIXEL_SIZE == pytest.approx(value), "the pixel has the value"
            there = bar_at(nodes, _position(nodes, voxel))
            assert there is not None
            assert value in (there.birth, there.death)
    if name == "ring":
        assert _marked(nodes, "death") == (27, 27, 1), "the middle of the hole"
    red = nodes.image.GetScene().GetSingletonNode("Red", "vtkMRMLSliceNode")
    assert red.GetSliceOffset() == pytest.approx(nodes.sample_offset(1))


def test_an_empty_mask_has_a_piece_that_nothing_shows(scene_of: Callable[..., SynthesisNodes]) -> None:
    """Without structure every pixel is as far as the image is wide: the filtration is flat, and has one class."""
    nodes = scene_of(np.zeros((SIZE, SIZE), bool))
    (bar,) = bars(nodes.barcode)
    assert (bar.dimension, bar.death) == (0, ENDLESS)
    assert bar.birth == pytest.approx(np.hypot(SIZE, SIZE) * PIXEL_SIZE)
    assert bar.birth > nodes.plots.persistence.GetXAxisRange()[1], "it lies beyond both charts"


def test_a_bar_that_is_not_there(scene_of: Callable[..., SynthesisNodes]) -> None:
    nodes = scene_of(_ring())
    with pytest.raises(IndexError, match="There is no bar 3: the barcode has 2, the first is 1"):
        mark_bar(nodes, 3)
    assert bar_at(nodes, _position(nodes, (3.0, 3.0, 0.0))) is None
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLMarkupsFiducialNode") == 0
