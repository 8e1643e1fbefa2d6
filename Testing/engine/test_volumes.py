"""Reading volumes: every format gives the same voxels at the same places, and wrong input one sentence."""

from __future__ import annotations

import bz2
import gzip
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from dicom_series import voxels, write_dicom

from topogan.errors import InputError
from topogan.volumes import FORMATS, Geometry, PngOptions, Volume, find_pairs, open_volume

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
# x points to the patient's back, y to the left, z downwards: nothing may depend on the usual order.
TURNED = (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def turned_image(array: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.5, 0.75, 3.0))
    image.SetOrigin((-12.0, 30.0, 7.5))
    image.SetDirection(TURNED)
    return image


def write_sequence(path: Path, phases: np.ndarray, list_first: bool) -> None:
    """Write phases [t, z, y, x] as Slicer writes a sequence: a ``list`` axis before or after the spatial ones."""
    count, z, y, x = phases.shape
    sizes, kinds, directions = [x, y, z], ["domain"] * 3, ["(0,0.5,0)", "(0.75,0,0)", "(0,0,-3)"]
    place = 0 if list_first else 3
    for values, entry in ((sizes, count), (kinds, "list"), (directions, "none")):
        values.insert(place, entry)
    header = (
        f"NRRD0005\ntype: short\ndimension: 4\nspace: left-posterior-superior\nsizes: {' '.join(map(str, sizes))}\n"
        f"space directions: {' '.join(directions)}\nkinds: {' '.join(kinds)}\nendian: little\nencoding: gzip\n"
        "space origin: (-12,30,7.5)\naxis 0 index type:=numeric\n\n"
    )
    data = np.ascontiguousarray(np.moveaxis(phases, 0, -1)) if list_first else phases
    path.write_bytes(header.encode() + gzip.compress(data.tobytes()))


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha", ".mhd"])
def test_every_format_keeps_voxels_and_places(tmp_path: Path, ending: str) -> None:
    array = voxels()
    path = tmp_path / f"volume{ending}"
    sitk.WriteImage(turned_image(array), path)
    source = open_volume(path)
    (volume,) = source.volumes()
    assert source.phases == 1
    np.testing.assert_array_equal(volume.array, array)
    assert volume.geometry.size == (7, 6, 5)
    np.testing.assert_allclose(volume.spacing, (0.5, 0.75, 3.0), rtol=1e-5)
    np.testing.assert_allclose(volume.origin, (-12.0, 30.0, 7.5), atol=1e-4)
    np.testing.assert_allclose(volume.direction, TURNED, atol=1e-5)


@pytest.mark.parametrize("ending", [".nii.gz", ".mha", ".nrrd"])
def test_4d_files_are_phases_on_one_grid(tmp_path: Path, ending: str) -> None:
    phases = [voxels(seed) for seed in range(3)]
    path = tmp_path / f"beating{ending}"
    sitk.WriteImage(sitk.JoinSeries([turned_image(phase) for phase in phases]), path)
    source = open_volume(path)
    read = list(source.volumes())
    assert source.phases == len(read) == 3
    for volume, phase in zip(read, phases, strict=True):
        np.testing.assert_array_equal(volume.array, phase)
        np.testing.assert_allclose(volume.direction, TURNED, atol=1e-5)
        assert volume.geometry.is_same_grid(source.geometry)


@pytest.mark.parametrize("list_first", [True, False])
def test_slicer_sequences_are_phases(tmp_path: Path, list_first: bool) -> None:
    phases = np.stack([voxels(seed) for seed in range(4)])
    path = tmp_path / "beating.seq.nrrd"
    write_sequence(path, phases, list_first)
    source = open_volume(path)
    assert source.phases == 4
    np.testing.assert_array_equal(np.stack([volume.array for volume in source.volumes()]), phases)
    assert source.geometry.is_same_grid(Geometry.of_image(turned_image(phases[0])))


def write_png(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(pixels, isVector=pixels.ndim == 3), path)


def test_png_slices_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        write_png(tmp_path / "slices" / f"slice{number}.png", np.full((4, 6), number, np.uint8))
    source = open_volume(tmp_path / "slices", PngOptions(pixel_size=0.7, slice_spacing=2.0))
    (volume,) = source.volumes()
    assert volume.array[:, 0, 0].tolist() == [1, 2, 10]
    assert volume.spacing == (0.7, 0.7, 2.0)
    assert volume.geometry.size == (6, 4, 3)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("#ff0000", [1, 0, 0]), ("#FF0000,#00ff80", [1, 1, 0]), ("#0a0a0a", [0, 0, 1])],
)
def test_png_masks_by_color(tmp_path: Path, rule: str, expected: list[int]) -> None:
    pixels = np.array([[(255, 0, 0), (0, 255, 128), (10, 10, 10)]] * 2, np.uint8)
    write_png(tmp_path / "mask" / "1.png", pixels)
    (volume,) = open_volume(tmp_path / "mask", PngOptions(1.0, structure=rule)).volumes()
    assert volume.array[0, 1].tolist() == expected


@pytest.mark.parametrize(
    ("rule", "expected"), [("<128", [1, 1, 0, 0]), (">=128", [0, 0, 1, 1]), ("", [0, 127, 128, 255])]
)
def test_png_masks_by_value(tmp_path: Path, rule: str, expected: list[int]) -> None:
    grey = np.array([[0, 127, 128, 255]] * 3, np.uint8)
    write_png(tmp_path / "grey" / "1.png", grey)
    write_png(tmp_path / "as_color" / "1.png", np.repeat(grey[..., None], 3, axis=2))
    for folder in ("grey", "as_color"):
        (volume,) = open_volume(tmp_path / folder, PngOptions(1.0, structure=rule)).volumes()
        assert volume.array[0, 0].tolist() == expected


def test_unusable_png_is_one_sentence(tmp_path: Path) -> None:
    write_png(tmp_path / "a" / "1.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(InputError, match="how large a pixel is"):
        open_volume(tmp_path / "a")
    write_png(tmp_path / "a" / "2.png", np.zeros((4, 5), np.uint8))
    with pytest.raises(InputError, match=r"2\.png has 5 x 4 pixels"):
        open_volume(tmp_path / "a", PngOptions(1.0))
    write_png(tmp_path / "color" / "1.png", np.array([[(0, 0, 0), (0, 255, 128)]] * 2, np.uint8))
    with pytest.raises(InputError, match="there are #000000, #00ff80"):
        list(open_volume(tmp_path / "color", PngOptions(1.0)).volumes())
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "1.png").write_text("no picture")
    with pytest.raises(InputError, match="cannot be read"):
        open_volume(tmp_path / "text", PngOptions(1.0))


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_half_a_file_is_refused(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"half{ending}"
    sitk.WriteImage(turned_image(voxels(shape=(20, 30, 40))), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"cut off|damaged"):
        list(open_volume(path).volumes())


def test_a_nifti_file_with_a_tail_or_several_gzip_parts_is_whole(tmp_path: Path) -> None:
    """Some programs append to a NIfTI file, and block-compressed ones are several gzip streams."""
    plain = tmp_path / "plain.nii"
    sitk.WriteImage(turned_image(voxels()), plain)
    data = plain.read_bytes()
    parts = gzip.compress(data[:200]) + gzip.compress(data[200:] + b"tail")
    (tmp_path / "parts.nii.gz").write_bytes(parts)
    (volume,) = open_volume(tmp_path / "parts.nii.gz").volumes()
    np.testing.assert_array_equal(volume.array, voxels())


@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf"), -1.0])
@pytest.mark.parametrize("order", ["<", ">"])
def test_nifti_voxel_size_must_make_sense(tmp_path: Path, value: float, order: str) -> None:
    """ITK turns a size of 0 or NaN into 1 mm without a word; big-endian files are legal."""
    header = bytearray(352)
    struct.pack_into(order + "i", header, 0, 348)
    struct.pack_into(order + "8h", header, 40, 3, 7, 6, 5, 1, 1, 1, 1)
    struct.pack_into(order + "2h", header, 70, 4, 16)
    struct.pack_into(order + "8f", header, 76, 1, 1.0, value, 1.0, 0, 0, 0, 0)
    struct.pack_into(order + "f", header, 108, 352)
    header[344:348] = b"n+1\0"
    path = tmp_path / "bad.nii"
    path.write_bytes(bytes(header) + bytes(2 * 7 * 6 * 5))
    with pytest.raises(InputError, match=r"voxel spacing of .*bad\.nii"):
        open_volume(path)


def test_zero_spacing_in_other_formats(tmp_path: Path) -> None:
    path = tmp_path / "zero.mha"
    sitk.WriteImage(sitk.GetImageFromArray(voxels()), path)
    path.write_bytes(path.read_bytes().replace(b"ElementSpacing = 1 1 1", b"ElementSpacing = 0 1 1"))
    with pytest.raises(InputError, match="0 x 1 x 1 mm"):
        open_volume(path)


def test_wrong_files_are_one_sentence_each(tmp_path: Path) -> None:
    def refused(path: Path, said: str) -> None:
        with pytest.raises(InputError, match=said) as caught:
            list(open_volume(path).volumes())
        assert str(caught.value).count("\n") == 0
        assert str(path) in str(caught.value)

    refused(tmp_path / "nowhere.nii", "does not exist")
    (tmp_path / "text.nii.gz").write_text("hello")
    refused(tmp_path / "text.nii.gz", "cannot be read as a volume")
    (tmp_path / "empty.mha").touch()
    refused(tmp_path / "empty.mha", "cannot be read as a volume")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "neither a DICOM series nor")
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((4, 5), np.uint8)), tmp_path / "flat.nrrd")
    refused(tmp_path / "flat.nrrd", "2 dimensions")
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((4, 5), np.uint8)), tmp_path / "flat.png")
    refused(tmp_path / "flat.png", "no volume that can be read")
    for name in ("rgb.nrrd", "rgb.nii", "rgb.mha"):
        sitk.WriteImage(sitk.GetImageFromArray(np.zeros((4, 5, 6, 3), np.uint8), isVector=True), tmp_path / name)
        refused(tmp_path / name, "3 values per voxel")
    holes = voxels().astype(np.float32)
    holes[0, 0, :2] = np.nan, np.inf
    sitk.WriteImage(sitk.GetImageFromArray(holes), tmp_path / "nan.nrrd")
    refused(tmp_path / "nan.nrrd", "2 voxels that are not numbers")


def test_overlapping_segments_are_not_taken_for_phases(tmp_path: Path) -> None:
    path = tmp_path / "overlap.seg.nrrd"
    write_sequence(path, np.stack([voxels(0), voxels(1)]), list_first=True)
    path.write_bytes(path.read_bytes().replace(b"axis 0 index type:=numeric", b"Segment0_ID:=Segment_1"))
    with pytest.raises(InputError, match=r"overlap.*label map"):
        open_volume(path)


def test_same_grid_whichever_way_the_axes_are_stored() -> None:
    image = turned_image(voxels())
    grid = Geometry.of_image(image)
    for orientation in ("LPS", "RAS", "SPL", "AIR"):
        assert Geometry.of_image(sitk.DICOMOrient(image, orientation)).is_same_grid(grid), orientation
    moved = sitk.Image(image)
    moved.SetOrigin((-12.0, 30.0, 7.5 + 0.02))
    assert Geometry.of_image(moved).is_same_grid(grid)
    moved.SetOrigin((-12.0, 30.0, 7.5 + 0.25))
    assert not Geometry.of_image(moved).is_same_grid(grid)
    assert not Geometry.of_image(image[1:, :, :]).is_same_grid(grid)
    turned = sitk.Image(image)
    turned.SetDirection((1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    assert not Geometry.of_image(turned).is_same_grid(grid)


def test_points_and_indices_agree_with_simpleitk() -> None:
    image = turned_image(voxels())
    grid = Geometry.of_image(image)
    index = np.array([[1.5, 2.0, 0.25], [0.0, 5.0, 4.0]])
    points = np.array([image.TransformContinuousIndexToPhysicalPoint(row.tolist()) for row in index])
    np.testing.assert_allclose(grid.to_point(index), points)
    np.testing.assert_allclose(grid.to_index(points), index)
    assert grid.contains(points).all()
    assert not grid.contains(grid.to_point(np.array([[-0.7, 0, 0], [0, 0, 4.7]]))).any()


def test_cropping_keeps_places() -> None:
    volume = Volume.of_image(turned_image(voxels()))
    crop = volume.cropped(np.array([2, -3, 1]), np.array([4, 99, 2]))
    np.testing.assert_array_equal(crop.array, volume.array[1:3, :, 2:5])
    np.testing.assert_allclose(
        crop.geometry.to_point(np.zeros((1, 3))), volume.geometry.to_point(np.array([[2, 0, 1]]))
    )
    image = crop.to_image()
    assert image.GetDirection() == volume.direction
    assert image.GetSize() == (3, 6, 2)


def touch(folder: Path, *names: str) -> list[Path]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


def test_pairs_by_name(tmp_path: Path) -> None:
    touch(tmp_path / "labels", "case_10.nii.gz", "case_2.nii.gz", ".hidden.nii", "dataset.json")
    touch(tmp_path / "images", "case_2_0000.nii.gz", "case_10_0000.nii.gz")
    labels, images = find_pairs([tmp_path / "labels"], [tmp_path / "images"])
    assert [path.name for path in labels] == ["case_2.nii.gz", "case_10.nii.gz"]
    assert [path.name for path in images] == ["case_2_0000.nii.gz", "case_10_0000.nii.gz"]
    assert find_pairs(tmp_path / "labels") == (labels, [])
    (tmp_path / "images" / "case_2_0000.nii.gz").unlink()
    with pytest.raises(InputError, match=r"No partner .*case_2\.nii\.gz"):
        find_pairs([tmp_path / "labels"], [tmp_path / "images"])


def test_pairs_by_order(tmp_path: Path) -> None:
    first, second, third = touch(tmp_path / "files", "b.nii", "a.nrrd", "c.mha")
    assert find_pairs([first, second], [third, first]) == ([first, second], [third, first])
    with pytest.raises(InputError, match="2 segmentations but 1 images"):
        find_pairs([first, second], [third])
    with pytest.raises(InputError, match="does not exist"):
        find_pairs([tmp_path / "nowhere"])
    (tmp_path / "bare").mkdir()
    with pytest.raises(InputError, match="holds no volumes"):
        find_pairs([tmp_path / "bare"])


def test_a_folder_that_is_a_volume_is_not_opened_up(tmp_path: Path) -> None:
    write_dicom(tmp_path / "series", voxels())
    write_png(tmp_path / "slices" / "1.png", np.zeros((4, 4), np.uint8))
    (mask,) = touch(tmp_path / "labels", "mask.nrrd")
    assert find_pairs([mask], [tmp_path / "series"]) == ([mask], [tmp_path / "series"])
    assert find_pairs([tmp_path / "labels"], [tmp_path / "slices"]) == ([mask], [tmp_path / "slices"])
    (tmp_path / "many").mkdir()
    (tmp_path / "series").rename(tmp_path / "many" / "mask")
    assert find_pairs([tmp_path / "labels"], [tmp_path / "many"])[1] == [tmp_path / "many" / "mask"]


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="real data are not beside this checkout")
def test_real_volumes_open() -> None:
    chest = SHARED_DATA / "totalsegmentator_chest_cta"
    heart, scan = open_volume(chest / "heart.nii.gz"), open_volume(chest / "example_ct.nii.gz")
    assert heart.geometry.is_same_grid(scan.geometry)
    assert not open_volume(chest / "aorta_aorta.nii.gz").geometry.is_same_grid(scan.geometry)
    (volume,) = scan.volumes()
    assert volume.array.min() < -900
    assert open_volume(SHARED_DATA / "dicompyler_rtstruct").geometry.size == (512, 512, 1)
    colors = open_volume(SHARED_DATA / "hvsmr2_whole_heart_png" / "masks", PngOptions(1.0, structure="#808080"))
    (mask,) = colors.volumes()
    assert mask.array.shape == (36, 512, 512)
    assert mask.array.any()


def test_a_format_from_outside_is_one_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.toy").write_text("")
    with pytest.raises(InputError, match=r"a\.toy is no volume .* one of \.nii, \.nii\.gz, .*\.mhd, or the folder"):
        open_volume(tmp_path / "a.toy")
    sitk.WriteImage(turned_image(voxels()), str(tmp_path / "b.nii"))
    monkeypatch.setitem(FORMATS, ".toy", lambda path: open_volume(path.with_name("b.nii")))
    assert open_volume(tmp_path / "a.toy").path.name == "b.nii"
    monkeypatch.delitem(FORMATS, ".nii")
    assert find_pairs([tmp_path]) == ([tmp_path / "a.toy"], [])


def test_a_library_leaves_standard_error_to_the_process(tmp_path: Path) -> None:
    code = (
        "import os, SimpleITK as sitk; shown = sitk.ProcessObject.GetGlobalWarningDisplay(), os.fstat(2).st_ino\n"
        "import topogan.volumes, topogan.console\n"
        "assert (sitk.ProcessObject.GetGlobalWarningDisplay(), os.fstat(2).st_ino) == shown\n"
        "say = lambda text: os.write(2, text)\n"
        "with topogan.console.quiet_libraries(): say(b'seen ')\n"
        "topogan.console.own_terminal()\n"
        "with topogan.console.quiet_libraries(): say(b'not seen ')\n"
        "say(b'seen again')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "seen seen again"


def _nrrd(tmp_path: Path, array: np.ndarray, data: bytes, more: str) -> Path:
    path = tmp_path / "valid.nrrd"
    z, y, x = array.shape
    header = (
        f"NRRD0004\ntype: int16\ndimension: 3\nspace: RAS\nsizes: {x} {y} {z}\nendian: little\n"
        f"space directions: (-1,0,0) (0,-1,0) (0,0,2)\nspace origin: (3,4,5)\n{more}\n\n"
    )
    path.write_bytes(header.encode() + data)
    return path


@pytest.mark.parametrize("how", ["ascii", "bzip2", "byte skip", "byte skip -1", "line skip", "packed byte skip"])
def test_every_encoding_of_nrrd_is_read(tmp_path: Path, how: str) -> None:
    array = voxels()
    raw = array.astype("<i2").tobytes()
    data, more = {
        "ascii": (" ".join(map(str, array.ravel())).encode(), "encoding: ascii"),
        "bzip2": (bz2.compress(raw), "encoding: bzip2"),
        "byte skip": (b"12345" + raw, "encoding: raw\nbyte skip: 5"),
        "byte skip -1": (b"a head of its own\n" + raw, "encoding: raw\nbyte skip: -1"),
        "line skip": (b"one\ntwo\n" + raw, "encoding: raw\nline skip: 2"),
        "packed byte skip": (gzip.compress(b"abc" + raw), "encoding: gzip\nbyte skip: 3"),
    }[how]
    (volume,) = open_volume(_nrrd(tmp_path, array, data, more)).volumes()
    np.testing.assert_array_equal(volume.array, array)
    assert volume.geometry.origin == (-3.0, -4.0, 5.0)
    assert volume.geometry.direction == (1, 0, 0, 0, 1, 0, 0, 0, 1)


@pytest.mark.parametrize("kind", ["packed without a size", "as text", "big-endian", "behind a head"])
def test_every_kind_of_metaimage_is_read(tmp_path: Path, kind: str) -> None:
    array = voxels()
    raw = array.astype("<i2").tobytes()
    more, data = {
        "packed without a size": ("CompressedData = True", zlib.compress(raw)),
        "as text": ("BinaryData = False", " ".join(map(str, array.ravel())).encode()),
        "big-endian": ("BinaryDataByteOrderMSB = True", array.astype(">i2").tobytes()),
        "behind a head": ("HeaderSize = -1", raw),
    }[kind]
    place = "volume.raw" if kind == "behind a head" else "LOCAL"
    header = f"NDims = 3\nDimSize = 7 6 5\nElementSpacing = 1 1 2\nElementType = MET_SHORT\n{more}\n"
    header += f"ElementDataFile = {place}\n"
    (tmp_path / "volume.mhd").write_bytes(header.encode() + (b"" if place != "LOCAL" else data))
    (tmp_path / "volume.raw").write_bytes(b"somebody's own head" + data)
    (volume,) = open_volume(tmp_path / "volume.mhd").volumes()
    np.testing.assert_array_equal(volume.array, array)


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_nifti_2_is_read(tmp_path: Path, ending: str) -> None:
    array = voxels()
    nibabel.save(nibabel.Nifti2Image(array.T, np.diag([0.5, 0.75, 3.0, 1.0])), tmp_path / f"two{ending}")
    (volume,) = open_volume(tmp_path / f"two{ending}").volumes()
    np.testing.assert_array_equal(volume.array, array)
    assert volume.spacing == (0.5, 0.75, 3.0)


def test_packed_phases_are_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One pass through a 4-D file, whatever the number of its phases."""
    phases = [voxels(seed) for seed in range(5)]
    path = tmp_path / "beating.nii.gz"
    sitk.WriteImage(sitk.JoinSeries([turned_image(phase) for phase in phases]), path)
    opened: list[Path] = []
    real_open = Path.open
    monkeypatch.setattr(
        Path, "open", lambda self, *more, **named: opened.append(self) or real_open(self, *more, **named)
    )
    source = open_volume(path)
    opened.clear()
    read = np.stack([volume.array for volume in source.volumes()])
    np.testing.assert_array_equal(read, phases)
    assert opened == [path]
