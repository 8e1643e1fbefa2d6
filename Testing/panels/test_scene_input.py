"""What the engine reads is what the scene shows: every voxel at its place, whatever the grid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from standin import StandIn

_SHAPE = (6, 20, 24)


def oblique() -> np.ndarray:
    """IJKToRAS of a tilted, anisotropic grid away from the origin."""
    angle = np.deg2rad(20)
    rotation = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    matrix = np.eye(4)
    matrix[:3, :3] = rotation @ np.diag([-0.8, -0.8, 2.5])
    matrix[:3, 3] = 40, -30, 120
    return matrix


@pytest.fixture
def volume(application: StandIn) -> Any:
    import slicer

    array = np.arange(np.prod(_SHAPE), dtype=np.int16).reshape(_SHAPE) - 1000
    return slicer.util.addVolumeFromArray(array, slicer.util.vtkMatrixFromArray(oblique()), "Sneaky^Patient")


def masks() -> tuple[np.ndarray, np.ndarray]:
    one, two = np.zeros(_SHAPE, np.uint8), np.zeros(_SHAPE, np.uint8)
    one[2:4, 5:15, 6:18] = 1
    one[2:4, 8:11, 10:13] = 0
    two[4, 2:4, 3:9] = 1
    return one, two


@pytest.fixture
def segmentation(volume: Any) -> Any:
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for name, mask in zip(("one", "two"), masks(), strict=True):
        node.GetSegmentation().AddEmptySegment(name, name.capitalize())
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, name, volume)
    return node


def read(path: Path) -> Any:
    """As the engine reads it."""
    from topogan.volumes import open_volume

    return next(iter(open_volume(path).volumes()))


@pytest.mark.parametrize("segment", ["one", "two"])
def test_the_engine_reads_what_the_scene_shows(volume: Any, segmentation: Any, segment: str, tmp_path: Path) -> None:
    from TopoGANLib.scene.scene_input import read_scene_input

    chosen = read_scene_input(volume, segmentation, [segment])
    assert chosen.table[0]["name"] == segment.capitalize()
    written = chosen.write(tmp_path / "a b", "p1-001", [1])
    assert not written.overlaps
    image, labels = read(written.image), read(written.segmentation)
    import slicer

    np.testing.assert_array_equal(image.array, slicer.util.arrayFromVolume(volume))
    expected = masks()[("one", "two").index(segment)]
    found = np.zeros(_SHAPE)
    index = np.argwhere(labels.array == 1)[:, ::-1]
    places = image.geometry.to_index(labels.geometry.to_point(index))
    np.testing.assert_allclose(places, np.round(places), atol=1e-4)
    found[tuple(np.round(places).astype(int).T[::-1])] = 1
    np.testing.assert_array_equal(found, expected)
    corner = image.geometry.to_point(np.array([[0, 0, 0], [23, 19, 5]]))
    ras = (oblique() @ np.array([[0, 0, 0, 1], [23, 19, 5, 1]]).T).T[:, :3]
    np.testing.assert_allclose(corner * [-1, -1, 1], ras, atol=1e-6)


def test_prepare_takes_it(volume: Any, segmentation: Any, tmp_path: Path) -> None:
    from topogan.config import PrepareSettings
    from topogan.dataset.inputs import open_cases
    from topogan.structures import checked_table
    from TopoGANLib.scene.scene_input import read_scene_input

    chosen = read_scene_input(volume, segmentation, ["one", "two"])
    written = chosen.write(tmp_path, "p1-001", [1, 2])
    table = checked_table({"structures": chosen.table, "unions": [["One", "Two"]]})
    cases = open_cases([written.segmentation], [written.image], PrepareSettings(resample=True), table, None, "axial")
    assert len(cases) == 1


def test_no_name_of_the_scene_is_written(volume: Any, segmentation: Any, tmp_path: Path) -> None:
    from TopoGANLib.scene.scene_input import read_scene_input

    written = read_scene_input(volume, segmentation, ["one"]).write(tmp_path, "p1-001", [1])
    for path in (written.image, written.segmentation):
        assert b"Sneaky" not in path.read_bytes()


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.float32, np.float64])
def test_every_kind_of_number(application: StandIn, tmp_path: Path, dtype: Any) -> None:
    import SimpleITK as sitk

    from TopoGANLib.scene.grid import Grid, write_nrrd

    array = np.arange(10 * 3 * 4).reshape(10, 3, 4).astype(dtype)
    write_nrrd(tmp_path / "x.nrrd", Grid(array, np.diag([-1.0, -1.0, 1.0, 1.0])))
    image = sitk.ReadImage(str(tmp_path / "x.nrrd"))
    found = sitk.GetArrayFromImage(image)
    assert found.dtype == dtype
    np.testing.assert_array_equal(found, array)
    assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)


def test_masks_without_a_picture(segmentation: Any, tmp_path: Path) -> None:
    from TopoGANLib.scene.scene_input import read_scene_input

    written = read_scene_input(None, segmentation, ["one"]).write(tmp_path, "p1-001", [1])
    assert written.image is None
    assert read(written.segmentation).array.sum() == masks()[0].sum()


def test_the_plane_of_a_view(application: StandIn, tmp_path: Path) -> None:
    import slicer

    from topogan.plane import read_plane
    from TopoGANLib.scene.scene_input import plane_of

    red = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSliceNode")
    red.GetSliceToRAS().DeepCopy((0, 0, 1, 5, 1, 0, 0, 6, 0, 1, 0, 7, 0, 0, 0, 1))
    (tmp_path / "plane.json").write_text(json.dumps(plane_of(red)))
    np.testing.assert_array_equal(read_plane(str(tmp_path / "plane.json"))[:3, 3], [5, 6, 7])


def refusal(*chosen: Any) -> str:
    from TopoGANLib.scene.scene_input import read_scene_input
    from TopoGANLib.scene.voxels import InputError

    with pytest.raises(InputError) as refused:
        read_scene_input(*chosen)
    return str(refused.value)


def test_what_cannot_be_used(volume: Any, segmentation: Any) -> None:
    import slicer
    import vtk

    assert refusal(volume, segmentation, ["three"]) == "The segmentation has no segment 'three': choose another."
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Nothing")
    assert refusal(empty, segmentation, ["one"]) == "The CT is empty: choose another volume."
    fresh = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Fresh")
    fresh.GetSegmentation().AddEmptySegment("new", "New")
    assert refusal(volume, fresh, ["new"]) == "The segment New is empty: draw it first, or choose another."

    color = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "Photo")
    image = vtk.vtkImageData()
    image.SetDimensions(2, 2, 2)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    color.SetAndObserveImageData(image)
    assert refusal(color, segmentation, ["one"]) == "The CT is a color picture: choose a CT volume."

    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    volume.SetAndObserveTransformNodeID(transform.GetID())
    assert "is moved by a transform: harden the transform" in refusal(volume, segmentation, ["one"])


def test_an_empty_segment_beside_a_full_one(volume: Any, segmentation: Any, tmp_path: Path) -> None:
    from TopoGANLib.scene.scene_input import read_scene_input
    from TopoGANLib.scene.voxels import InputError

    segmentation.GetSegmentation().AddEmptySegment("new", "New")
    chosen = read_scene_input(volume, segmentation, ["new"])
    with pytest.raises(InputError, match="The segment New is empty"):
        chosen.write(tmp_path / "none", "p1-001", [1])
    assert not (tmp_path / "none").exists()


def test_a_surface_becomes_a_labelmap(volume: Any, segmentation: Any) -> None:
    from TopoGANLib.scene.scene_input import read_scene_input

    inner = segmentation.GetSegmentation()
    inner.SetConversionParameter("Smoothing factor", "0")
    segmentation.CreateClosedSurfaceRepresentation()
    inner.SetSourceRepresentationName("Closed surface")
    inner.RemoveRepresentation("Binary labelmap")
    chosen = read_scene_input(volume, segmentation, ["one"])
    assert (chosen.structures[0].grid.array == chosen.structures[0].label).sum() > 100


def scene_array(labels: Any, volume: Any) -> np.ndarray:
    """A written label map on the voxels of the volume."""
    from topogan.volumes.geometry import Geometry

    geometry: Geometry = volume.geometry
    found = np.zeros(volume.array.shape, int)
    index = np.argwhere(labels.array)
    places = geometry.to_index(labels.geometry.to_point(index[:, ::-1]))
    np.testing.assert_allclose(places, np.round(places), atol=1e-4)
    found[tuple(np.round(places).astype(int).T[::-1])] = labels.array[tuple(index.T)]
    return found


def test_several_segments_are_one_label_map_in_their_order(volume: Any, segmentation: Any, tmp_path: Path) -> None:
    from TopoGANLib.scene.scene_input import read_scene_input

    segmentation.GetSegmentation().GetSegment("one").SetColor(1.0, 0.5, 0.0)
    segmentation.GetSegmentation().GetSegment("one").SetTerminology("A~B")
    chosen = read_scene_input(volume, segmentation, ["two", "one"])
    written = chosen.write(tmp_path, "p1-001", [1, 2])
    assert not written.overlaps
    assert [(one["name"], one["labels"]) for one in chosen.table] == [("Two", [1]), ("One", [2])]
    assert (chosen.table[1]["color"], chosen.table[1]["terminology"]) == ("#ff8000", "A~B")
    one, two = masks()
    found = scene_array(read(written.segmentation), read(written.image))
    np.testing.assert_array_equal(found, np.where(two, 1, 2 * one))


@pytest.mark.parametrize("first", ["one", "two"])
def test_where_segments_overlap_the_first_wins_and_it_is_told(
    volume: Any, segmentation: Any, tmp_path: Path, first: str
) -> None:
    import slicer

    from TopoGANLib.scene.scene_input import read_scene_input

    one, two = masks()
    two[3, 5:8, 6:18] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(two, segmentation, "two", volume)
    second = "two" if first == "one" else "one"
    written = read_scene_input(volume, segmentation, [first, second]).write(tmp_path, "p1-001", [1, 2])
    assert written.overlaps == {second.capitalize(): 36}
    expected = np.where(one, 1, 2 * two) if first == "one" else np.where(two, 1, 2 * one)
    np.testing.assert_array_equal(scene_array(read(written.segmentation), read(written.image)), expected)


def test_a_segment_under_others_is_refused(volume: Any, segmentation: Any, tmp_path: Path) -> None:
    import slicer

    from TopoGANLib.scene.scene_input import read_scene_input
    from TopoGANLib.scene.voxels import InputError

    hidden = masks()[0]
    hidden[2] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(hidden, segmentation, "two", volume)
    with pytest.raises(InputError, match="Two lies wholly under segments above it: move it up, or leave it out"):
        read_scene_input(volume, segmentation, ["one", "two"]).write(tmp_path / "none", "p1-001", [1, 2])
    assert not (tmp_path / "none").exists()
    read_scene_input(volume, segmentation, ["two", "one"]).write(tmp_path / "some", "p1-001", [1, 2])


def test_a_segment_on_a_grid_of_its_own(volume: Any, segmentation: Any, tmp_path: Path) -> None:
    """Copied from a segmentation of finer voxels: it comes to the grid of the first."""
    import slicer

    from TopoGANLib.scene.scene_input import read_scene_input

    fine = oblique() @ np.diag([0.5, 0.5, 0.5, 1])
    fine[:3, 3] = (oblique() @ [-0.25, -0.25, -0.25, 1])[:3]
    array = masks()[1].repeat(2, 0).repeat(2, 1).repeat(2, 2)
    other = slicer.util.addVolumeFromArray(array.astype(np.int16), slicer.util.vtkMatrixFromArray(fine))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.SetReferenceImageGeometryParameterFromVolumeNode(other)
    node.GetSegmentation().AddEmptySegment("fine", "Fine")
    slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, "fine", other)
    segmentation.GetSegmentation().CopySegmentFromSegmentation(node.GetSegmentation(), "fine")
    written = read_scene_input(volume, segmentation, ["one", "fine"]).write(tmp_path, "p1-001", [1, 2])
    one, two = masks()
    found = scene_array(read(written.segmentation), read(written.image))
    np.testing.assert_array_equal(found, np.where(one, 1, 2 * two))


def test_two_segments_of_one_name_are_refused(volume: Any, segmentation: Any) -> None:
    segmentation.GetSegmentation().GetSegment("two").SetName("One")
    assert refusal(volume, segmentation, ["one", "two"]) == "Two of the segments are named One: rename one."
