"""Unusual but right input gives the same training set as its ordinary twin, to the pixel."""

from __future__ import annotations

import gzip
import struct
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hostile_corpus.dicom import right_series
from hostile_corpus.nifti import SLOPE, field
from hostile_corpus.scene import image_of, labels, scan

from topogan.config import PrepareSettings
from topogan.dataset import TrainingSet, prepare
from topogan.plane import read_plane
from topogan.volumes import find_pairs

pytestmark = pytest.mark.usefixtures("no_previews")

Pair = tuple[Path, Path]
Write = Callable[[Path, np.ndarray, np.ndarray], Pair]
THICK = (1.0, 1.0, 3.0)


@pytest.fixture(autouse=True)
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contact sheet takes most of the time and is tested elsewhere."""
    monkeypatch.setattr(sys.modules["topogan.dataset.prepare"], "write_preview", lambda training_set, path: None)


def prepared(folder: Path, pair: Pair, **how: object) -> TrainingSet:
    return TrainingSet.open(prepare(folder / "out", [pair[0]], [pair[1]], PrepareSettings(), **how))


def assert_twins(one: TrainingSet, other: TrainingSet) -> None:
    np.testing.assert_array_equal(one.masks, other.masks)
    np.testing.assert_array_equal(one.images, other.images)
    assert (one.folder / "slices.csv").read_text() == (other.folder / "slices.csv").read_text()
    assert one.content_hash == other.content_hash


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    """The ordinary one: two .nii.gz files."""
    folder = tmp_path_factory.mktemp("twin")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["topogan.dataset.prepare"], "write_preview", lambda training_set, path: None)
        return prepared(folder, files(".nii.gz")(folder, labels(), scan(labels())))


def files(ending: str, packed: bool = True) -> Write:
    def write(folder: Path, mask: np.ndarray, ct: np.ndarray) -> Pair:
        paths = folder / f"mask{ending}", folder / f"ct{ending}"
        for path, array in zip(paths, (mask, ct), strict=True):
            sitk.WriteImage(image_of(array), str(path), packed)
        return paths

    return write


def oriented(code: str) -> Write:
    """Stored along other axes: DICOMOrient's name of what the first, second and third axis point to."""

    def write(folder: Path, mask: np.ndarray, ct: np.ndarray) -> Pair:
        paths = folder / "mask.nii.gz", folder / "ct.nii.gz"
        for path, array in zip(paths, (mask, ct), strict=True):
            sitk.WriteImage(sitk.DICOMOrient(image_of(array), code), str(path))
        return paths

    return write


def typed(kind: type) -> Write:
    return lambda folder, mask, ct: files(".nii.gz")(folder, mask.astype(kind), ct)


def scan_typed(kind: type) -> Write:
    return lambda folder, mask, ct: files(".mha")(folder, mask, ct.astype(kind))


def spoiled(spoil: Callable[[bytearray], bytes]) -> Write:
    """Change both files' bytes without changing what they mean."""

    def write(folder: Path, mask: np.ndarray, ct: np.ndarray) -> Pair:
        pair = files(".nii")(folder, mask, ct)
        for path in pair:
            path.write_bytes(spoil(bytearray(path.read_bytes())))
        return pair

    return write


def scaled(folder: Path, mask: np.ndarray, ct: np.ndarray) -> Pair:
    """HU stored as halves, moved by 1024; the header says so."""
    pair = files(".nii")(folder, mask, ((ct.astype(int) + 1024) * 2).astype(np.int16))
    content = bytearray(pair[1].read_bytes())
    pair[1].write_bytes(field(SLOPE, "2f", 0.5, -1024.0)(content))
    return pair


def big_endian(folder: Path, mask: np.ndarray, ct: np.ndarray) -> Pair:
    """As workstations of the last century wrote: the scan's header and data the other way round."""
    pair = files(".nii")(folder, mask, ct)
    content = pair[1].read_bytes()
    fields = "i10s18sihcb8h3f4h8f3fh2b4f2i80s24s2h6f12f16s4s"
    header = struct.pack(">" + fields, *struct.unpack_from("<" + fields, content))
    data = np.frombuffer(content[352:], "<i2").astype(">i2").tobytes()
    pair[1].write_bytes(header + content[348:352] + data)
    return pair


def in_parts(folder: Path, mask: np.ndarray, ct: np.ndarray) -> Pair:
    """Gzip files that were joined end to end are one gzip file."""
    paths = []
    for path in files(".nii")(folder, mask, ct):
        content = path.read_bytes()
        paths.append(path.rename(path.with_suffix(".nii.gz")))
        paths[-1].write_bytes(gzip.compress(content[:5000]) + gzip.compress(content[5000:]))
    return paths[0], paths[1]


def as_dicom(folder: Path, mask: np.ndarray, ct: np.ndarray) -> Pair:
    """The scan as a series whose files' names tell nothing of their order."""
    mask_file, _ = files(".nrrd")(folder, mask, ct)
    right_series(folder / "series")
    for number, file in enumerate(sorted((folder / "series").iterdir())):
        file.rename(file.with_name(f"{(number * 17) % 40:02d} IM"))
    return mask_file, folder / "series"


def linked(folder: Path, mask: np.ndarray, ct: np.ndarray) -> Pair:
    (folder / "elsewhere").mkdir()
    paths = []
    for path in files(".nii.gz")(folder / "elsewhere", mask, ct):
        (folder / path.name).symlink_to(path)
        paths.append(folder / path.name)
    return paths[0], paths[1]


def named(*names: str) -> Write:
    def write(folder: Path, mask: np.ndarray, ct: np.ndarray) -> Pair:
        paths = [folder / name for name in names]
        for old, new in zip(files(".nii.gz")(folder, mask, ct), paths, strict=True):
            new.parent.mkdir(parents=True, exist_ok=True)
            old.rename(new)
        return paths[0], paths[1]

    return write


def sequence_of_one(folder: Path, mask: np.ndarray, ct: np.ndarray) -> Pair:
    """Four dimensions, of which the last has one entry."""
    return files(".nrrd")(folder, mask[None], ct[None])


LONG = "ü" * 100
WAYS: dict[str, Write] = {
    "plain NIfTI": files(".nii", packed=False),
    "NRRD": files(".nrrd"),
    "NRRD without packing": files(".nrrd", packed=False),
    "NRRD with data beside": files(".nhdr"),
    "MetaImage": files(".mha"),
    "MetaImage without packing": files(".mha", packed=False),
    "MetaImage with data beside": files(".mhd", packed=False),
    "MetaImage with packed data beside": files(".mhd"),
    "stored to the left, back, head": oriented("LPS"),
    "LAS": oriented("LAS"),
    "LPI": oriented("LPI"),
    "RAS": oriented("RAS"),
    "slices along the first axis": oriented("SPL"),
    "slices along the second axis, downwards": oriented("AIR"),
    "float label map": typed(np.float32),
    "double label map": typed(np.float64),
    "64-bit label map": typed(np.int64),
    "signed label map": typed(np.int8),
    "float scan": scan_typed(np.float32),
    "double scan": scan_typed(np.float64),
    "NIfTI with NaN as scale, as nibabel writes": spoiled(field(SLOPE, "2f", float("nan"), float("nan"))),
    "NIfTI with scaled values": scaled,
    "NIfTI of the other byte order": big_endian,
    "NIfTI in several gzip parts": in_parts,
    "NIfTI with a tail": spoiled(lambda content: bytes(content) + b"written by a tool that pads" * 9),
    "DICOM series": as_dicom,
    "links": linked,
    "names with quotes, spaces, accents": named('it\'s "a" möglich/мàsk 心.nii.gz', "ct `$(rm -rf)` & co.nii.gz"),
    "long names": named(f"{LONG}/{LONG}.nii.gz", f"{LONG}/ct{LONG}.nii.gz"),
    "names in capitals": named("MASK.NII.GZ", "CT.NII.GZ"),
    "a single phase": sequence_of_one,
}


@pytest.mark.parametrize("way", WAYS)
def test_twins(way: str, twin: TrainingSet, tmp_path: Path) -> None:
    assert_twins(prepared(tmp_path, WAYS[way](tmp_path, labels(), scan(labels()))), twin)


def test_unpacked_called_gz(twin: TrainingSet, tmp_path: Path) -> None:
    """Some tools write plain NIfTI files with the name of packed ones."""
    mask, ct = files(".nii")(tmp_path, labels(), scan(labels()))
    assert_twins(prepared(tmp_path, (mask.rename(tmp_path / "m.nii.gz"), ct.rename(tmp_path / "c.nii.gz"))), twin)


@pytest.mark.parametrize("code", ["LAS", "SPL", "RAI"])
def test_thick_slices(code: str, tmp_path: Path) -> None:
    """Slices of 3 mm of pixels of 1 mm, stored along other axes."""

    def write(folder: Path, how: Callable[[sitk.Image], sitk.Image]) -> Pair:
        folder.mkdir()
        paths = folder / "mask.nii.gz", folder / "ct.nii.gz"
        for path, array in zip(paths, (labels(), scan(labels())), strict=True):
            sitk.WriteImage(how(image_of(array, spacing=THICK)), str(path))
        return paths

    ordinary = write(tmp_path / "one", lambda image: image)
    other = write(tmp_path / "two", lambda image: sitk.DICOMOrient(image, code))
    assert_twins(prepared(tmp_path / "one", ordinary), prepared(tmp_path / "two", other))


def test_an_oblique_volume_in_its_own_planes(twin: TrainingSet, tmp_path: Path) -> None:
    """Body and planes turned alike: nothing changes but rounding, which tips single HU and no mask."""
    turn = sitk.Euler3DTransform((0.0, 0.0, 0.0), 0.3, -0.2, 0.5)
    matrix = np.array(turn.GetMatrix()).reshape(3, 3)
    paths = tmp_path / "mask.nrrd", tmp_path / "ct.nrrd"
    for path, array in zip(paths, (labels(), scan(labels())), strict=True):
        image = image_of(array)
        image.SetDirection(matrix.ravel().tolist())
        sitk.WriteImage(image, str(path))
    # SliceToRAS: columns right, up and through on the screen; rows of an image run down.
    to_ras = np.diag([-1.0, -1.0, 1.0])
    plane = np.eye(4)
    plane[:3, :3] = to_ras @ matrix @ np.diag([1.0, -1.0, 1.0])
    oblique = prepared(tmp_path, paths, plane=plane)
    np.testing.assert_array_equal(oblique.masks, twin.masks)
    assert np.abs(oblique.images[:].astype(int) - twin.images[:]).max() <= 1


def test_png_slices(tmp_path: Path) -> None:
    """A PNG folder and the same voxels as a volume where PNG slices are taken to lie."""
    folder = tmp_path / "png"
    folder.mkdir()
    for number, plane in enumerate(labels()):
        sitk.WriteImage(sitk.GetImageFromArray(plane), str(folder / f"{number}.png"))
    volume = tmp_path / "mask.nrrd"
    sitk.WriteImage(image_of(labels(), spacing=(1.5, 1.5, 2.0), origin=(0.0, 0.0, 0.0)), str(volume))
    settings = PrepareSettings(png_pixel_size=1.5, png_slice_spacing=2.0)
    one = TrainingSet.open(prepare(tmp_path / "one", [folder], settings=settings))
    two = TrainingSet.open(prepare(tmp_path / "two", [volume], settings=settings))
    np.testing.assert_array_equal(one.masks, two.masks)


def test_folders_of_pairs(tmp_path: Path) -> None:
    """Hidden files, other files and the leavings of file managers beside the volumes do not matter."""
    for name in ("masks", "scans"):
        (tmp_path / name).mkdir()
        for other in (".DS_Store", "._p1.nii.gz", "notes.txt", "Thumbs.db"):
            (tmp_path / name / other).write_bytes(b"\0\1")
    mask, ct = files(".nii.gz")(tmp_path, labels(), scan(labels()))
    pair = mask.rename(tmp_path / "masks" / "p1.nii.gz"), ct.rename(tmp_path / "scans" / "p1_0000.nii.gz")
    assert find_pairs([tmp_path / "masks"], [tmp_path / "scans"]) == ([pair[0]], [pair[1]])


def test_a_plane_that_is_axial(twin: TrainingSet, tmp_path: Path) -> None:
    path = tmp_path / "plane.json"
    path.write_text("[[-1, 0, 0, 3], [0, 1, 0, 4], [0, 0, 1, 5], [0, 0, 0, 1]]")
    pair = files(".nii.gz")(tmp_path, labels(), scan(labels()))
    same = prepared(tmp_path, pair, plane=read_plane(str(path)))
    np.testing.assert_array_equal(same.masks, twin.masks)
    np.testing.assert_array_equal(same.images, twin.images)
