"""DICOM series: in HU at their places, whatever their headers say, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_series import voxels, write_dicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, RTStructureSetStorage, generate_uid

from topogan.errors import InputError
from topogan.volumes import open_volume


def test_dicom_series_is_sorted_by_position_and_in_hu(tmp_path: Path) -> None:
    array = voxels() // 2 * 2  # the rescale slope is 2
    write_dicom(tmp_path / "series", array)
    (volume,) = open_volume(tmp_path / "series").volumes()
    np.testing.assert_array_equal(volume.array, array)
    np.testing.assert_allclose(volume.spacing, (0.6, 0.8, 2.5))
    assert volume.origin == (-10.0, -20.0, 0.0)
    with pytest.raises(InputError, match="name the folder of its series"):
        open_volume(next((tmp_path / "series").iterdir()))
    assert volume.direction == (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def stored(header: pydicom.Dataset, hu: np.ndarray, kind: str, slope: int, intercept: int, bits: int) -> None:
    """Write a slice in another type and scale."""
    header.BitsAllocated, header.BitsStored, header.HighBit = 8 * np.dtype(kind).itemsize, bits, bits - 1
    header.PixelRepresentation = int(np.dtype(kind).kind == "i")
    header.RescaleSlope, header.RescaleIntercept = str(slope), str(intercept)
    header.PixelData = ((hu.astype(int) - intercept) // slope).astype(kind).tobytes()


def test_dicom_slices_may_differ_in_type_and_scale(tmp_path: Path) -> None:
    array = voxels().clip(-1000, 1000) // 8 * 8
    kinds = [("u2", 1, -1024, 12), ("i2", 8, 0, 16), ("u1", 8, -1024, 8), ("i4", 2, -8192, 32), ("i2", 1, -1000, 16)]
    array[2] = array[2].clip(-1024, 1000)
    write_dicom(tmp_path / "series", array, change=lambda number, header: stored(header, array[number], *kinds[number]))
    (volume,) = open_volume(tmp_path / "series").volumes()
    np.testing.assert_array_equal(volume.array, array)


@pytest.mark.parametrize("packed", [False, True])
def test_dicom_shown_inverted_holds_the_same_hu(tmp_path: Path, packed: bool) -> None:
    def invert(number: int, header: pydicom.Dataset) -> None:
        header.PhotometricInterpretation = "MONOCHROME1"
        if packed:
            header.compress(RLELossless, encoding_plugin="pydicom")

    # GDCM does not read run lengths of very small pictures.
    array = np.tile(voxels() // 2 * 2, (1, 6, 6))
    write_dicom(tmp_path / "series", array, change=invert)
    (volume,) = open_volume(tmp_path / "series").volumes()
    np.testing.assert_array_equal(volume.array, array)


def test_dicom_overlays_above_the_value_are_left_out(tmp_path: Path) -> None:
    def draw(number: int, header: pydicom.Dataset) -> None:
        header.BitsStored, header.HighBit = 12, 11
        header.PixelData = (np.frombuffer(header.PixelData, np.uint16) | 0xF000).tobytes()

    array = voxels() // 2 * 2
    write_dicom(tmp_path / "series", array, change=draw)
    (volume,) = open_volume(tmp_path / "series").volumes()
    np.testing.assert_array_equal(volume.array, array)


def test_scales_of_pet_differ_by_slice(tmp_path: Path) -> None:
    def scale(number: int, header: pydicom.Dataset) -> None:
        header.Modality, header.RescaleSlope, header.RescaleIntercept = "PT", str(0.25 * (number + 1)), "0"
        header.PixelData = np.full(array[0].shape, 60000, np.uint16).tobytes()

    array = voxels()
    write_dicom(tmp_path / "series", array, change=scale)
    (volume,) = open_volume(tmp_path / "series").volumes()
    np.testing.assert_allclose(volume.array[:, 0, 0], 15000.0 * np.arange(1, 6))


def test_dicom_written_downwards_lies_at_the_same_places(tmp_path: Path) -> None:
    array = voxels() // 2 * 2
    write_dicom(tmp_path / "up", array)
    write_dicom(tmp_path / "down", array[::-1], positions=[10.0, 7.5, 5.0, 2.5, 0.0])
    up, down = (next(open_volume(tmp_path / name).volumes()) for name in ("up", "down"))
    np.testing.assert_array_equal(up.array, down.array)
    assert up.geometry == down.geometry


def test_objects_without_pixels_beside_a_series_do_not_matter(tmp_path: Path) -> None:
    write_dicom(tmp_path / "series", voxels())
    structure_set = pydicom.Dataset()
    structure_set.SOPClassUID, structure_set.SOPInstanceUID = RTStructureSetStorage, generate_uid()
    structure_set.SeriesInstanceUID = generate_uid()
    structure_set.file_meta = FileMetaDataset()
    structure_set.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    structure_set.file_meta.MediaStorageSOPClassUID = RTStructureSetStorage
    structure_set.file_meta.MediaStorageSOPInstanceUID = structure_set.SOPInstanceUID
    structure_set.save_as(tmp_path / "series" / "rtss.dcm", enforce_file_format=True)
    assert open_volume(tmp_path / "series").geometry.size == (7, 6, 5)


def two_series(folder: Path) -> None:
    write_dicom(folder, voxels())
    write_dicom(folder, voxels())


def with_header(name: str, value: object) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        write_dicom(folder, voxels(), change=lambda number, header: setattr(header, name, value))

    return write


def tilted(folder: Path) -> None:
    def shift(number: int, header: pydicom.Dataset) -> None:
        header.ImagePositionPatient = [-10.0, -20.0 + 0.5 * number, 2.5 * number]

    write_dicom(folder, voxels(), change=shift)


def larger_last(folder: Path) -> None:
    def grow(number: int, header: pydicom.Dataset) -> None:
        if number == 4:
            header.Rows = 5

    write_dicom(folder, voxels(), change=grow)


def without_position(folder: Path) -> None:
    write_dicom(folder, voxels(), change=lambda number, header: delattr(header, "ImagePositionPatient"))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (two_series, "holds 2 DICOM series"),
        (
            lambda folder: write_dicom(folder, voxels(), positions=[0, 2.5, 5, 10, 12.5]),
            "Slices 3 and 4 of 5 .* 5.00 mm",
        ),
        (lambda folder: write_dicom(folder, voxels(), positions=[0, 2.5, 5, 5, 7.5]), "1 of 5 slices .* another one"),
        (lambda folder: write_dicom(folder, voxels()[:1]), "one slice only"),
        (tilted, "tilted gantry"),
        (larger_last, "differ in size"),
        (without_position, "says nothing of its ImagePositionPatient"),
        (with_header("NumberOfFrames", 3), "several frames"),
        (with_header("SamplesPerPixel", 3), "color image"),
        (with_header("PixelSpacing", [0, 1]), "must be above 0"),
    ],
)
def test_unusable_dicom_is_one_sentence(tmp_path: Path, write: Callable[[Path], None], said: str) -> None:
    write(tmp_path / "series")
    with pytest.raises(InputError, match=said):
        open_volume(tmp_path / "series")
