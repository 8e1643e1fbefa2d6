"""Preparing a training set: what a patch shows, what is kept aside, and what is refused."""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from tubes import MUSCLE, SHAPE, patients, ring_labels, rows_of, save, scan_of

from topogan.config import Intensity, PrepareSettings
from topogan.dataset import TrainingSet, prepare, store
from topogan.dataset.plan import choose_pixel_size
from topogan.dataset.split import split_slices
from topogan.errors import InputError
from topogan.files import content_hash
from topogan.homology import betti_numbers_of_batch
from topogan.training_set import PARTS
from topogan.volumes import find_pairs

pytestmark = pytest.mark.usefixtures("no_previews")

SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
# Slicer's presets (vtkMRMLSliceNode): columns right, up and through, in RAS.
SLICER_AXIAL = np.diag([-1.0, 1.0, 1.0, 1.0])
SLICER_CORONAL = np.array([[-1.0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


def myocardium(**values: Any) -> PrepareSettings:
    return PrepareSettings(**{"structure": "myocardium", "labels": (2,), **values})


def nothing_left(folder: Path) -> bool:
    return not folder.exists() or not any("out" in path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    return prepare(folder / "out", *patients(folder), myocardium())


def test_training_set_is_complete(prepared: Path) -> None:
    found = TrainingSet.open(prepared)
    content = json.loads((prepared / "dataset.json").read_text())
    assert {path.name for path in prepared.iterdir()} == {
        "dataset.json", "masks.npy", "images.npy", "slices.csv", "diagrams.npz", "preview.png", "check.json",
    }  # fmt: skip
    assert found.masks.shape == found.images.shape == (96, 64, 64)
    assert (found.masks.dtype, found.images.dtype) == (np.uint8, np.int16)
    assert set(np.unique(found.masks)) == {0, 1}
    assert content["counts"] == {"total": 96, "train": 32, "validation": 32, "test": 32, "patients": 3}
    one_part = {"myocardium": {"1,1": 32}}
    assert content["betti"] == {"train": one_part, "validation": one_part, "test": one_part, "modal": [[1, 1]]}
    assert content["missing_parts"] == ""
    assert content["window"] == [-200, 600]
    assert (content["plane"], content["intensity"], content["independent"]) == ("axial", "HU", True)
    assert [volume["patient"] for volume in content["volumes"]] == ["patient_001", "patient_002", "patient_003"]
    assert len({volume["content_hash"] for volume in content["volumes"]}) == 3


def test_table_says_what_the_masks_are(prepared: Path) -> None:
    found, rows = TrainingSet.open(prepared), rows_of(prepared)
    areas = (np.asarray(found.masks) == 1).sum(axis=(1, 2)) * found.pixel_size**2
    np.testing.assert_allclose([float(row["area_mm2"]) for row in rows], areas, atol=0.01)
    np.testing.assert_array_equal(betti_numbers_of_batch(np.asarray(found.masks) == 1), found.betti[:, 0])
    assert [int(row["row"]) for row in rows] == list(range(96))
    assert (found.levels.min(), found.levels.max()) == (0.0, 1.0)
    # 1 component and 1 hole by the diagrams too: one class of each dimension that is there at the structure itself.
    for diagram in found.diagrams():
        assert diagram.betti_numbers(0.0) == (1, 1)


@pytest.mark.parametrize(("count", "parts"), [(2, (1, 0, 1)), (3, (1, 1, 1)), (4, (2, 1, 1)), (20, (12, 3, 5))])
def test_each_patient_is_in_one_part(count: int, parts: tuple[int, int, int]) -> None:
    patients = [f"patient_{number % count:03d}" for number in range(4 * count)]
    for seed in range(5):
        split, independent = split_slices(patients, [0.5] * len(patients), 0.15, 0.25, seed)
        assert independent
        found = [{patient for patient, one in zip(patients, split, strict=True) if one == part} for part in PARTS]
        assert tuple(map(len, found)) == parts
        assert len(set().union(*found)) == count


def test_two_patients_leave_none_for_validation(tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    masks, _ = patients(tmp_path, 2)
    out = prepare(tmp_path / "out", masks, settings=myocardium(), on_event=events.append)
    said = "No patient is left for validation: curves are measured on training slices."
    assert (
        TrainingSet.open(out).missing_parts == json.loads((out / "dataset.json").read_text())["missing_parts"] == said
    )
    assert said in events[-1]["text"]


def test_patch_looks_as_in_slicers_red_view(prepared: Path) -> None:
    """Patient left on the right, front at the top: the fin points to rising x, which is left in LPS."""
    found = TrainingSet.open(prepared)
    for mask in found.masks:
        columns = np.flatnonzero(mask.any(axis=0))
        widths = mask[:, columns].sum(axis=0)
        assert widths[-1] < widths[0]


def test_image_and_mask_show_the_same_place(prepared: Path) -> None:
    found = TrainingSet.open(prepared)
    masks, images = np.asarray(found.masks) == 1, np.asarray(found.images)
    assert abs(images[masks].mean() - MUSCLE) < 40  # pixels at the edge mix with blood and air
    assert abs(np.median(images[masks]) - MUSCLE) < 5
    assert images[~masks].min() >= -1024


def test_default_pixels_are_those_of_the_images_where_the_patch_is_large_enough(prepared: Path) -> None:
    found = TrainingSet.open(prepared)
    assert found.pixel_size == found.image_pixel_size == 1.0
    sides = [max(np.ptp(np.argwhere(mask), axis=0) + 1) for mask in found.masks]
    assert max(sides) == 37


def test_small_patches_are_filled_and_their_pixels_explained(tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    image = sitk.GetImageFromArray(np.pad(np.ones((24, 200, 200), np.uint8), 30))
    image.SetSpacing((0.4, 0.4, 1.0))
    sitk.WriteImage(image, str(tmp_path / "square.nrrd"))
    out = prepare(tmp_path / "out", [tmp_path / "square.nrrd"], on_event=events.append)
    found = TrainingSet.open(out)
    assert (found.pixel_size, found.image_pixel_size) == (pytest.approx(80 / 48, abs=0.01), pytest.approx(0.4))
    said = "64 pixels: 1.7 mm, 4 times coarser than the images (0.4 mm); 128 pixels would show 0.8 mm."
    assert said in [event.get("text") for event in events]


@pytest.mark.parametrize("orientation", ["RAS", "PIR", "SAL", "ILP"])
def test_storage_order_does_not_matter(prepared: Path, tmp_path: Path, orientation: str) -> None:
    """The same patients stored with other axis orders and directions give the same training set, bit for bit."""
    turned = prepare(tmp_path / "out", *patients(tmp_path, orientation=orientation), myocardium())
    first, second = TrainingSet.open(prepared), TrainingSet.open(turned)
    assert second.content_hash == first.content_hash
    assert rows_of(turned) == rows_of(prepared)


def test_same_input_same_content(prepared: Path, tmp_path: Path) -> None:
    again = prepare(tmp_path / "out", *patients(tmp_path), myocardium())
    for name in ("dataset.json", "masks.npy", "images.npy", "slices.csv"):
        assert (again / name).read_bytes() == (prepared / name).read_bytes(), name


def test_content_hash_is_that_of_voxels_and_table(prepared: Path) -> None:
    found = TrainingSet.open(prepared)
    hashes = {
        "masks.npy": hashlib.sha256(np.load(prepared / "masks.npy")).hexdigest(),
        "images.npy": hashlib.sha256(np.load(prepared / "images.npy")).hexdigest(),
        "slices.csv": hashlib.sha256((prepared / "slices.csv").read_bytes()).hexdigest(),
    }
    assert found.content_hash == content_hash(hashes)


def test_no_array_is_read_again_to_be_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, str]] = []

    def watch(path: Any, mode: str = "r", *others: Any, **more: Any) -> Any:
        opened.append((Path(path).name, mode))
        return open(path, mode, *others, **more)

    monkeypatch.setattr(store, "open", watch, raising=False)
    prepare(tmp_path / "out", *patients(tmp_path), myocardium())
    assert sorted(opened) == [("images.npy", "wb"), ("masks.npy", "wb")]


def test_another_split_is_another_training_set(prepared: Path, tmp_path: Path) -> None:
    """A run must not go on with slices for training that were for the test when it began."""
    other = TrainingSet.open(prepare(tmp_path / "out", *patients(tmp_path), myocardium(seed=1)))
    first = TrainingSet.open(prepared)
    assert np.array_equal(other.masks, first.masks)
    assert other.test.tolist() != first.test.tolist()
    assert other.content_hash != first.content_hash


def test_pixels_as_large_as_voxels_are_voxels(tmp_path: Path) -> None:
    """No interpolation where none is needed: every patch is a cut-out of its slice."""
    labels = ring_labels()
    scan = scan_of(labels)
    mask, image = save(tmp_path / "m.nii.gz", labels), save(tmp_path / "i.nii.gz", scan)
    found = TrainingSet.open(prepare(tmp_path / "out", [mask], [image], myocardium(pixel_size=1.0, test=0.1)))
    padded = np.pad(scan, ((0, 0), (32, 32), (32, 32)), constant_values=-1000)
    inside = np.pad(labels == 2, ((0, 0), (32, 32), (32, 32)))
    numbers = np.rint(4 + found.levels * 31).astype(int)
    for row, number in enumerate(numbers):
        rows, columns = (np.flatnonzero(inside[number].any(axis=axis)) for axis in (1, 0))
        top, left = ((side[0] + side[-1]) // 2 - 31 for side in (rows, columns))
        place = (number, slice(top, top + 64), slice(left, left + 64))
        np.testing.assert_array_equal(found.masks[row] == 1, inside[place])
        np.testing.assert_allclose(found.images[row], padded[place], atol=1)


def test_anisotropic_voxels_keep_areas(tmp_path: Path) -> None:
    mask = save(tmp_path / "m.nrrd", ring_labels(), spacing=(0.7, 1.3, 2.0))
    rows = rows_of(prepare(tmp_path / "out", [mask], settings=myocardium(test=0.1)))
    true = (ring_labels()[20] == 2).sum() * 0.7 * 1.3
    for row in rows:
        assert float(row["area_mm2"]) == pytest.approx(true, rel=0.03)


@pytest.mark.parametrize(("first", "end"), [(30, 60), (31, 60), (0, 30), (0, 29)])
def test_what_touches_the_edge_of_the_image_lies_inside(tmp_path: Path, first: int, end: int) -> None:
    labels = np.zeros((40, 60, 60), np.uint8)
    labels[:, first:end, first:end] = 2
    spacing = (1.5, 1.5, 1.0)  # 45 points of the planning's grid lie in 30 voxels, those on their edges, too
    paths = [save(tmp_path / f"{number}.nii.gz", labels, spacing) for number in range(2)]
    images = [save(tmp_path / f"{number}-ct.nii.gz", scan_of(labels), spacing) for number in range(2)]
    found = TrainingSet.open(prepare(tmp_path / "out", paths, images, settings=myocardium()))
    assert len(found.masks) == 80


def test_slicers_axial_matrix_is_the_axial_plane(prepared: Path, tmp_path: Path) -> None:
    out = prepare(tmp_path / "out", *patients(tmp_path), myocardium(), plane=SLICER_AXIAL)
    assert TrainingSet.open(out).content_hash == TrainingSet.open(prepared).content_hash
    assert json.loads((out / "dataset.json").read_text())["plane"] == "given"


def test_coronal_plane_shows_the_head_at_the_top(tmp_path: Path) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[5:35, 20:50, 20:40] = 1
    labels[30:35, 20:50, 20:30] = 0  # missing: up, and on the side of low x, which is the patient's right
    mask = save(tmp_path / "m.nrrd", labels)
    settings = PrepareSettings(pixel_size=1.5, test=0.1)
    found = TrainingSet.open(prepare(tmp_path / "out", [mask], settings=settings, plane=SLICER_CORONAL))
    middle = np.asarray(found.masks[len(found.masks) // 2]) == 1
    rows, columns = np.flatnonzero(middle.any(axis=1)), np.flatnonzero(middle.any(axis=0))
    assert np.ptp(rows) + 1 == pytest.approx(60 / 1.5, abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(20 / 1.5, abs=1)
    top, bottom, right, left = rows[1], rows[-2], columns[1], columns[-2]  # corners are rounded off
    assert not middle[top, right]
    assert middle[top, left]
    assert middle[bottom, right]


def test_oblique_plane_cuts_a_tube_into_rings(tmp_path: Path) -> None:
    """A tilted tube is an ellipse in axial slices and a circle across its own axis."""
    z, y, x = np.indices((60, 70, 70), dtype=float)
    tilt = np.deg2rad(40)
    across = np.hypot(y - 35, (x - 35) * np.cos(tilt) - (z - 30) * np.sin(tilt))
    along = (x - 35) * np.sin(tilt) + (z - 30) * np.cos(tilt)
    labels = ((across < 14) & (across > 8) & (np.abs(along) < 16)).astype(np.uint8)
    mask = save(tmp_path / "m.nrrd", labels, spacing=(1.0, 1.0, 1.0))
    # In LPS the tube runs along (sin, 0, cos); SliceToRAS has x and y turned.
    through = np.array([-np.sin(tilt), 0, np.cos(tilt)])
    right = np.array([-np.cos(tilt), 0, -np.sin(tilt)])
    plane = np.eye(4)
    plane[:3, :3] = np.stack([right, [0, 1, 0], through], axis=1)
    settings = PrepareSettings(test=0.1, pixel_size=1.0)
    found = TrainingSet.open(prepare(tmp_path / "out", [mask], settings=settings, plane=[plane]))
    assert found.modal_betti == ((1, 1),)
    assert (found.betti == (1, 1)).all()
    middle = np.asarray(found.masks[len(found.masks) // 2]) == 1
    height, width = np.ptp(np.argwhere(middle), axis=0) + 1
    assert (height, width) == (pytest.approx(28, abs=2), pytest.approx(28, abs=2))


def test_phases_share_their_patient(tmp_path: Path) -> None:
    phases = [ring_labels(radius) for radius in (12.0, 14.0, 16.0)]
    beating = tmp_path / "beating.nii.gz"
    sitk.WriteImage(sitk.JoinSeries([sitk.GetImageFromArray(phase) for phase in phases]), beating)
    scans = tmp_path / "scans.nrrd"
    sitk.WriteImage(sitk.JoinSeries([sitk.GetImageFromArray(scan_of(phase)) for phase in phases]), scans)
    out = prepare(tmp_path / "out", [beating], [scans], myocardium())
    rows = rows_of(out)
    assert {row["patient"] for row in rows} == {"patient_001"}
    assert {row["phase"] for row in rows} == {"0", "1", "2"}
    areas = [np.mean([float(row["area_mm2"]) for row in rows if row["phase"] == phase]) for phase in "012"]
    assert areas == sorted(areas)
    single = save(tmp_path / "single.nii.gz", ring_labels())
    with pytest.raises(InputError, match=r"3 phases .* 1"):
        prepare(tmp_path / "other", [beating], [single], myocardium())


def test_volumes_can_share_a_patient(tmp_path: Path) -> None:
    masks, _ = patients(tmp_path)
    out = prepare(tmp_path / "out", masks, settings=myocardium(), patients=["MRN-7", "MRN-9", "MRN-7"])
    found = TrainingSet.open(out)
    assert found.patients == ["patient_001"] * 32 + ["patient_002"] * 32 + ["patient_001"] * 32
    assert found.images is None
    assert found.window is None
    assert b"MRN" not in (out / "dataset.json").read_bytes()
    with pytest.raises(InputError, match="2 patients for 3 volumes"):
        prepare(tmp_path / "other", masks, settings=myocardium(), patients=["a", "b"])


def test_one_patient_is_split_into_blocks_with_gaps(tmp_path: Path) -> None:
    out = prepare(tmp_path / "out", [save(tmp_path / "m.nrrd", ring_labels())], settings=myocardium())
    found = TrainingSet.open(out)
    assert not found.independent
    assert len(found.train) >= 16
    assert len(found.masks) < 32
    slices = np.rint(found.levels * 31).astype(int)
    distance = np.abs(slices[found.train][:, None] - slices[found.test][None])
    assert distance.min() >= 2


def test_a_patient_with_few_slices_keeps_enough_to_train_on(tmp_path: Path) -> None:
    """Too few for three parts, enough for two."""
    labels = ring_labels()
    labels[28:] = 0
    found = TrainingSet.open(prepare(tmp_path / "out", [save(tmp_path / "m.nrrd", labels)], settings=myocardium()))
    assert len(found.train) >= 16
    assert len(found.test) > 0
    assert found.missing_parts.startswith("No slice is left for validation")


@pytest.mark.parametrize("validation", [0.0, 0.15])
@pytest.mark.parametrize("test", [0.05, 0.25, 0.5])
@pytest.mark.parametrize("slices", [33, 90, 400])
def test_blocks_keep_their_share_and_distance(slices: int, test: float, validation: float) -> None:
    levels = np.repeat(np.arange(slices) / (slices - 1), 3)
    for seed in range(5):
        split, independent = split_slices(["patient_001"] * len(levels), levels, validation, test, seed)
        numbers: dict[str, set[int]] = {part: set() for part in (*PARTS, "gap")}
        for level, part in zip(levels, split, strict=True):
            numbers[part].add(round(level * (slices - 1)))
        assert not independent
        for part, share in (("test", test), ("validation", validation)):
            assert abs(len(numbers[part]) / slices - share) <= max(0.05, 2 / slices)
        for one, other in itertools.combinations(PARTS, 2):
            assert all(abs(first - second) >= 2 for first in numbers[one] for second in numbers[other])


def test_outputs_name_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No path, file name or given patient name anywhere in the folder, compressed parts and preview included."""
    monkeypatch.undo()
    secret = tmp_path / "MUELLER_HANS_19610312"
    masks, scans = patients(secret)
    out = prepare(tmp_path / "out", masks, scans, myocardium(), patients=["Mueller1", "Mueller2", "Mueller3"])
    with np.load(out / "diagrams.npz") as diagrams:
        unpacked = b"".join(diagrams[name].tobytes() for name in diagrams)
        assert not any("mueller" in name.lower() for name in diagrams)
    for content in [unpacked, *(path.read_bytes() for path in out.iterdir())]:
        for word in (b"mueller", b"19610312", str(tmp_path).lower().encode()):
            assert word not in content.lower()


def test_tiles_cover_the_slices(tmp_path: Path) -> None:
    pictures = np.random.default_rng(0).integers(0, 255, (20, 130, 200), np.uint8)
    pictures = np.where(pictures < 200, 0, 255).astype(np.uint8)
    for kind, values in (("label", pictures), ("image", 255 - pictures // 2)):
        (tmp_path / kind).mkdir()
        for number, picture in enumerate(values):
            sitk.WriteImage(sitk.GetImageFromArray(picture), tmp_path / kind / f"{number}.png")
    settings = PrepareSettings(
        tiling=True, png_pixel_size=0.5, png_structure=">=128", intensity=Intensity.ARBITRARY, test=0.1
    )
    found = TrainingSet.open(prepare(tmp_path / "out", *find_pairs(tmp_path / "label", tmp_path / "image"), settings))
    assert found.pixel_size == 0.5
    assert found.window == (0.0, 1000.0)
    per_slice = 2 * 3
    assert len(found.masks) % per_slice == 0
    first_slice = round(float(found.levels[0]) * 19)
    tiles = np.asarray(found.masks[:per_slice]).reshape(2, 3, 64, 64).transpose(0, 2, 1, 3).reshape(128, 192)
    np.testing.assert_array_equal(tiles == 1, pictures[first_slice, :128, :192] == 255)
    images, inside = np.asarray(found.images), np.asarray(found.masks) == 1
    assert set(np.unique(images[inside])) == {0}
    assert set(np.unique(images[~inside])) == {1000}
    with pytest.raises(InputError, match="smaller than a patch of 128 mm"):
        prepare(tmp_path / "other", [tmp_path / "label"], settings=settings.model_copy(update={"pixel_size": 2.0}))


def test_existing_folders_are_kept(prepared: Path, tmp_path: Path) -> None:
    mask = save(tmp_path / "m.nrrd", ring_labels())
    before = (prepared / "dataset.json").read_bytes()
    with pytest.raises(InputError, match="not empty"):
        prepare(prepared, [mask], settings=myocardium())
    assert (prepared / "dataset.json").read_bytes() == before
    out = prepare(tmp_path / "out", [mask], settings=myocardium(test=0.1))
    prepare(out, [mask], settings=myocardium(test=0.1, size=128), overwrite=True)
    assert TrainingSet.open(out).size == 128


def test_arbitrary_intensities_become_0_to_1000(tmp_path: Path) -> None:
    """Each volume by its own range: two scanners with other units give the same picture."""
    masks, scans = patients(tmp_path)
    scaled = []
    for number, path in enumerate(scans):
        image = sitk.Cast(sitk.ReadImage(path), sitk.sitkFloat32) * (1e-4 * (number + 1)) + number
        scaled.append(tmp_path / f"scaled{number}.nrrd")
        sitk.WriteImage(image, scaled[-1])
    found = TrainingSet.open(prepare(tmp_path / "out", masks, scaled, myocardium(intensity=Intensity.ARBITRARY)))
    assert found.window == (0.0, 1000.0)
    medians = [
        np.median(found.images[rows][found.masks[rows] == 1])
        for rows in (found.train, found.test)
    ]  # fmt: skip
    assert medians[0] == pytest.approx(medians[1], abs=15)
    assert 700 < medians[0] < 900  # muscle between air at 0 and blood at 1000


def test_preview_outlines_the_masks(prepared: Path) -> None:
    picture = sitk.GetArrayFromImage(sitk.ReadImage(prepared / "preview.png"))[..., :3].astype(int)
    assert picture.shape[1] == 1440
    red, green, blue = np.moveaxis(picture, 2, 0)
    assert ((red - blue > 100) & (red - green > 80)).sum() > 2000  # outlines
    assert (blue - red > 100).sum() > 200  # titles of test patches


def test_progress_is_told(tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    prepare(tmp_path / "out", *patients(tmp_path), myocardium(), on_event=events.append)
    steps = [(event["stage"], event["step"], event["total"]) for event in events if event["kind"] == "step"]
    assert steps == [(stage, number, 3) for stage in ("measure", "cut") for number in (1, 2, 3)]
    assert "(1, 1) in 100%" in events[-1]["text"]


_MEASURE = """
import resource, sys
from pathlib import Path
from topogan.config import PrepareSettings
from topogan.dataset import prepare
mask, image, out, count = sys.argv[1:]
prepare(Path(out), [Path(mask)] * int(count), [Path(image)] * int(count), PrepareSettings(labels=(2,)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the resource module measures on POSIX only")
def test_memory_does_not_grow_with_the_number_of_volumes(tmp_path: Path) -> None:
    """Peak memory of 16 volumes within 10 % of that of 2; the 14 others would add 16 MB each if they were kept."""
    labels = np.repeat(np.repeat(ring_labels(), 3, axis=1), 3, axis=2)[::2]
    scan = scan_of(labels).astype(np.float32)
    for name, array in (("m.nii", labels), ("i.nii", scan)):
        phase = sitk.GetImageFromArray(array)
        sitk.WriteImage(sitk.JoinSeries([phase, phase]), tmp_path / name)
    inputs = [str(tmp_path / "m.nii"), str(tmp_path / "i.nii")]
    peaks = {}
    for count in (2, 16):
        command = [sys.executable, "-c", _MEASURE, *inputs, str(tmp_path / str(count)), str(count)]
        peaks[count] = int(subprocess.check_output(command, text=True))
    assert peaks[16] < 1.1 * peaks[2], peaks


def test_pixel_size_needs_only_the_largest_slice() -> None:
    from topogan.dataset.plan import CasePlan, PatchPlan

    cases: Any = [SimpleNamespace(frame=SimpleNamespace(pixel=0.9, pitch=0.9))] * 2
    plans = [CasePlan([PatchPlan(0, 0, (0.0, 0.0, 0.0), sides, 100.0)], 0, 0) for sides in ((30.0, 96.0), (48.0, 20.0))]
    assert choose_pixel_size(cases, plans, PrepareSettings(size=128)) == 1.0


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="real data are not beside this checkout")
def test_real_ct(tmp_path: Path) -> None:
    chest = SHARED_DATA / "totalsegmentator_chest_cta"
    settings = PrepareSettings(structure="heart")
    found = TrainingSet.open(
        prepare(tmp_path / "out", [chest / "heart.nii.gz"], [chest / "example_ct.nii.gz"], settings)
    )
    assert not found.independent
    inside = np.asarray(found.images)[np.asarray(found.masks) == 1]
    assert 150 < np.median(inside) < 500  # contrast-enhanced blood


@pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="real data are not beside this checkout")
def test_real_masks_of_many_patients(tmp_path: Path) -> None:
    masks = sorted((SHARED_DATA / "msd_task02_left_atrium_masks").glob("*.nii.gz"))
    found = TrainingSet.open(prepare(tmp_path / "out", masks, settings=PrepareSettings(structure="left atrium")))
    assert found.independent
    assert len(set(found.patients)) == 20
    assert len({found.patients[row] for row in found.test}) == 5
    assert found.modal_betti == ((1, 0),)
