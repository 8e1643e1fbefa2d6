"""DICOM segmentations: voxels where they were, by name or number, whatever the order and number of frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hostile_corpus.dicom import right_series
from hostile_corpus.scene import ORIGIN, SPACING, image_of, labels, save, scan
from hostile_corpus.segmentation_objects import segmentation_object, two_tubes
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from topogan.cli import run
from topogan.errors import InputError
from topogan.training_set import TrainingSet
from topogan.volumes import RegionChoice, SegmentationObject, open_volume

pytestmark = pytest.mark.usefixtures("no_previews")

WALL, CAVITY = RegionChoice("wall", ()), RegionChoice("Cavity ", ())


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return right_series(tmp_path_factory.mktemp("ct") / "series")


def read(folder: Path, content: Dataset, image: Path | None, *choices: RegionChoice) -> tuple[Any, np.ndarray]:
    path = folder / "seg.dcm"
    content.save_as(path)
    source = SegmentationObject.open(path, open_volume(image) if image else None, *choices)
    (volume,) = source.volumes()
    assert volume.geometry == source.geometry
    # Without an image, highdicom says whether slices are stored upwards or downwards.
    return source, volume.array if image or volume.geometry.axes[2, 2] > 0 else volume.array[::-1]


def expected(*names: str) -> np.ndarray:
    """Label ids in the order of the names; the first wins."""
    tubes = two_tubes()
    array = np.zeros(tubes["wall"].shape, np.uint8)
    for number, name in reversed(list(enumerate(names, start=1))):
        array[tubes[name]] = number
    return array


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
@pytest.mark.parametrize("on_image", [True, False])
def test_segments_are_structures_in_the_order_asked(kind: str, on_image: bool, tmp_path: Path, series: Path) -> None:
    tubes = two_tubes()
    if kind == "LABELMAP":  # which cannot hold overlaps
        tubes["wall"] &= ~tubes["cavity"]
    content = segmentation_object(tubes, kind)
    image = series if on_image else None
    found, array = read(tmp_path, content, image, CAVITY, WALL)
    np.testing.assert_array_equal(array, expected("cavity", "wall"))
    claimed = two_tubes()
    overlap = int((claimed["wall"] & claimed["cavity"]).sum())
    assert overlap > 100
    assert found.overlaps == ({(1, 2): overlap} if kind == "BINARY" else {})
    if kind == "BINARY":
        np.testing.assert_array_equal(read(tmp_path, content, image, WALL, CAVITY)[1], expected("wall", "cavity"))
    np.testing.assert_array_equal(read(tmp_path, content, image, RegionChoice("", (2,)))[1], expected("cavity"))
    np.testing.assert_array_equal(read(tmp_path, content, image, RegionChoice("all", (1, 2)))[1] > 0, array > 0)


def test_frames_lie_where_they_say(tmp_path: Path, series: Path) -> None:
    """In any order, some missing, and none of the first slices: still in the place of the image's slices."""
    content = segmentation_object(two_tubes())
    size = content.Rows * content.Columns // 8
    frames = [content.PixelData[number * size : (number + 1) * size] for number in range(content.NumberOfFrames)]
    groups, missing = content.PerFrameFunctionalGroupsSequence, [0, 1, 2, 17, 18, 30]
    heights = [group.PlanePositionSequence[0].ImagePositionPatient[2] for group in groups]
    kept = [one for one, height in enumerate(heights) if round((height - ORIGIN[2]) / SPACING[2]) not in missing]
    kept = np.random.default_rng(0).permutation(kept).tolist()
    content.PerFrameFunctionalGroupsSequence = Sequence(groups[one] for one in kept)
    content.PixelData, content.NumberOfFrames = b"".join(frames[one] for one in kept), len(kept)
    there = expected("wall", "cavity")
    there[missing] = 0
    np.testing.assert_array_equal(read(tmp_path, content, series, WALL, CAVITY)[1], there)
    alone, array = read(tmp_path, content, None, WALL, CAVITY)
    np.testing.assert_array_equal(array, there[3:])
    assert alone.geometry.corners().min(axis=0)[2] == open_volume(series).geometry.origin[2] + 3 * 2.0


@pytest.mark.parametrize("orientation", ["LPS", "RAS", "PIR", "SRA"])
def test_on_an_image_whose_axes_are_stored_otherwise(orientation: str, tmp_path: Path) -> None:
    image = sitk.DICOMOrient(image_of(scan(labels())), orientation)
    sitk.WriteImage(image, tmp_path / "ct.nii.gz")
    sitk.WriteImage(sitk.DICOMOrient(image_of(expected("wall", "cavity")), orientation), tmp_path / "mask.nii.gz")
    content = segmentation_object(two_tubes())
    source, array = read(tmp_path, content, tmp_path / "ct.nii.gz", WALL, CAVITY)
    assert source.geometry == open_volume(tmp_path / "ct.nii.gz").geometry
    np.testing.assert_array_equal(array, next(open_volume(tmp_path / "mask.nii.gz").volumes()).array)


def test_what_the_image_does_not_show_is_cut(tmp_path: Path) -> None:
    image = image_of(scan(labels()))[4:20, 3:, 10:25]
    sitk.WriteImage(image, tmp_path / "ct.nii.gz")
    _, array = read(tmp_path, segmentation_object(two_tubes()), tmp_path / "ct.nii.gz", WALL)
    np.testing.assert_array_equal(array, expected("wall")[10:25, 3:, 4:20])


def test_a_misspelt_name_is_no_segment(tmp_path: Path, series: Path) -> None:
    with pytest.raises(InputError, match="no segment called 'wal' but 1 'wall', 2 'cavity'"):
        read(tmp_path, segmentation_object(two_tubes()), series, RegionChoice("wal"))


def test_a_training_set_of_segments_is_that_of_their_voxels(
    tmp_path: Path, series: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    segmentation_object(two_tubes()).save_as(tmp_path / "seg.dcm")
    save(tmp_path / "mask.nii.gz", expected("wall", "cavity"))
    rest = ["--ct", str(series), "--union", "wall+cavity"]
    names = ["--structure", "wall", "--structure", "cavity"]
    numbers = ["--structure", "wall=1", "--structure", "cavity=2"]
    assert run(["prepare", str(tmp_path / "one"), "-s", str(tmp_path / "seg.dcm"), *names, *rest]) == 0
    (tmp_path / "alone").mkdir()
    (tmp_path / "seg.dcm").rename(tmp_path / "alone" / "1-1.dcm")
    assert run(["prepare", str(tmp_path / "one"), "--overwrite", "-s", str(tmp_path / "alone"), *names, *rest]) == 0
    assert "voxels lie in both wall and cavity; wall has them, which was named first." in capsys.readouterr().out
    assert run(["prepare", str(tmp_path / "two"), "-s", str(tmp_path / "mask.nii.gz"), *numbers, *rest]) == 0
    assert "in both" not in capsys.readouterr().out
    one, two = TrainingSet.open(tmp_path / "one"), TrainingSet.open(tmp_path / "two")
    np.testing.assert_array_equal(one.masks, two.masks)
    np.testing.assert_array_equal(one.images, two.images)
    assert one.modal_betti == ((1, 1), (1, 0), (1, 0))
