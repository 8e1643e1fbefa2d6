"""Training sets of volumes: what a cube shows, how it is turned, what resampling changes, and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from tubes import save, scan_of

from topogan.config import PrepareSettings, validated
from topogan.dataset import TrainingSet, prepare
from topogan.dataset.frame import Frame
from topogan.dataset.native import Native, thin_parts
from topogan.dataset.pose import Pose
from topogan.dataset.resampling import Resampling
from topogan.dataset.split import split_phases
from topogan.errors import InputError
from topogan.homology import betti_numbers_of_batch
from topogan.pictures import middle_of, three_planes
from topogan.structures import table_of_words
from topogan.surface_picture import shaded_surface
from topogan.training_set import PARTS
from topogan.volumes import open_volume

pytestmark = pytest.mark.usefixtures("no_previews")

SHAPE = (30, 34, 32)
SPACING = (1.5, 1.5, 2.0)
TOPOLOGY = {"ball": (1, 0, 0), "shell": (1, 0, 1), "torus": (1, 1, 0)}
SLICER_CORONAL = np.array([[-1.0, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])


def shape(name: str, size: tuple[int, int, int] = SHAPE, spacing: tuple[float, ...] = SPACING) -> np.ndarray:
    """A shape of known topology, 20 mm in radius: uint8 [z, y, x]."""
    z, y, x = ((np.arange(count) - (count - 1) / 2) * step for count, step in zip(size, spacing[::-1], strict=True))
    z, y, x = np.meshgrid(z, y, x, indexing="ij")
    distance = np.sqrt(x**2 + y**2 + z**2)
    if name == "torus":
        return (np.hypot(np.hypot(x, y) - 14, z) < 6).astype(np.uint8)
    return ((distance < 20) & ((name == "ball") | (distance > 12))).astype(np.uint8)


def settings(**values: Any) -> PrepareSettings:
    return PrepareSettings(**{"structure": "shape", "volumes": True, "size": 32, "poses": 16, **values})


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "volumes.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def shapes(folder: Path) -> list[Path]:
    return [save(folder / f"{name}.nii.gz", shape(name), SPACING) for name in TOPOLOGY]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Three patients with 16 poses each, with images; and what was said."""
    folder = tmp_path_factory.mktemp("volumes")
    masks = shapes(folder / "labels")
    scans = [
        save(folder / "scans" / path.name, scan_of(shape(name) * 2), SPACING)
        for name, path in zip(TOPOLOGY, masks, strict=True)
    ]
    events: list[dict[str, Any]] = []
    out = prepare(folder / "out", masks, scans, settings(), on_event=events.append)
    return out, [event["text"] for event in events if event["kind"] == "message"]


def test_set_of_volumes_is_complete(prepared: tuple[Path, list[str]]) -> None:
    out, said = prepared
    found, rows = TrainingSet.open(out), rows_of(out)
    content = json.loads((out / "dataset.json").read_text())
    assert {path.name for path in out.iterdir()} == {
        "dataset.json", "masks.npy", "images.npy", "volumes.csv", "diagrams.npz", "preview.png", "check.json",
    }  # fmt: skip
    assert found.masks.shape == found.images.shape == (48, 32, 32, 32)
    assert (found.axes, found.noun, found.betti.shape) == (3, "volume", (48, 1, 3))
    assert list(rows[0]) == [
        "row", "patient", "phase", "pose", "level", "split", "volume_ml", "b0 shape", "b1 shape", "b2 shape",
    ]  # fmt: skip
    assert [int(row["pose"]) for row in rows] == list(range(16)) * 3
    assert not found.levels.any()
    assert content["counts"] == {"total": 48, "train": 16, "validation": 16, "test": 16, "patients": 3}
    volumes = (np.asarray(found.masks) == 1).sum(axis=(1, 2, 3)) * found.pixel_size**3 / 1000
    np.testing.assert_allclose([float(row["volume_ml"]) for row in rows], volumes, atol=1e-4)
    for diagram, betti in zip(found.diagrams(), found.betti[:, 0].tolist(), strict=True):
        assert list(diagram.betti_numbers(0.0, (0, 1, 2))) == betti
    assert (
        "16 volumes to train on, 16 for validation and 16 for the test, of 3 patients; 32 x 32 x 32 voxels" in said[-1]
    )
    assert "(pieces, tunnels, cavities) is " in said[-1]


def test_shapes_keep_their_topology_in_all_poses(prepared: tuple[Path, list[str]]) -> None:
    out, said = prepared
    found = TrainingSet.open(out)
    np.testing.assert_array_equal(found.betti[:, 0], np.repeat(list(TOPOLOGY.values()), 16, axis=0))
    np.testing.assert_array_equal(betti_numbers_of_batch(np.asarray(found.masks)), found.betti[:, 0])
    assert json.loads((out / "dataset.json").read_text())["changed_by_resampling"] == {"shape": 0.0}
    assert any(text.startswith("Resampling to voxels of ") and "shape in 0%" in text for text in said)


def test_poses_differ_and_stay_in_one_part(prepared: tuple[Path, list[str]]) -> None:
    rows, masks = rows_of(prepared[0]), np.asarray(TrainingSet.open(prepared[0]).masks)
    for number in range(3):
        assert len({row["split"] for row in rows[16 * number : 16 * number + 16]}) == 1
    assert len({mask.tobytes() for mask in masks}) == 48
    ball = np.array([float(row["volume_ml"]) for row in rows[:16]])
    assert 0.8 < ball.min() / ball[0] < 1 < ball.max() / ball[0] < 1.2


def test_image_and_mask_show_the_same_place(prepared: tuple[Path, list[str]]) -> None:
    found = TrainingSet.open(prepared[0])
    masks, images = np.asarray(found.masks) == 1, np.asarray(found.images)
    for number in (5, 21, 40):
        inside = images[number][masks[number]]
        assert np.median(inside) > 60
        assert np.median(images[number][~masks[number]]) < -800


def test_same_seed_same_set(tmp_path: Path) -> None:
    masks = shapes(tmp_path)[:2]
    first, again, other = (
        TrainingSet.open(prepare(tmp_path / str(number), masks, settings=settings(seed=seed)))
        for number, seed in enumerate((1, 1, 2))
    )
    assert first.content_hash == again.content_hash != other.content_hash
    # As they lie, whatever the seed.
    np.testing.assert_array_equal(first.masks[[0, 16]], other.masks[[0, 16]])


def test_voxels_of_the_segmentation_are_kept_as_they_are(tmp_path: Path) -> None:
    labels = shape("torus", (32, 36, 34), (1.5, 1.5, 1.5))
    paths = [save(tmp_path / f"{number}.nii.gz", labels, (1.5, 1.5, 1.5), "RAS") for number in range(2)]
    found = TrainingSet.open(prepare(tmp_path / "out", paths, settings=settings(pixel_size=1.5)))
    assert found.masks[0].sum() == labels.sum()
    inside = np.argwhere(labels)
    low, high = inside.min(axis=0), inside.max(axis=0) + 1
    cut = np.argwhere(found.masks[0])
    first, last = cut.min(axis=0), cut.max(axis=0) + 1
    part = found.masks[0][tuple(slice(*ends) for ends in zip(first, last, strict=True))]
    np.testing.assert_array_equal(part, labels[tuple(slice(*ends) for ends in zip(low, high, strict=True))])


def test_no_plane_mirrors_a_patient(tmp_path: Path) -> None:
    """Of Slicer's planes the coronal one does, taken as u, v, w; slices show the same either way."""
    geometry = open_volume(save(tmp_path / "one.nrrd", shape("ball"))).geometry
    for plane in (None, SLICER_CORONAL):
        frame = Frame.of(geometry, plane, 0.0).right_handed()
        assert np.linalg.det(frame.axes) == pytest.approx(1.0)
        np.testing.assert_array_equal(frame.axes[:, :2], Frame.of(geometry, plane, 0.0).axes[:, :2])


def test_pose_moves_what_it_says() -> None:
    pose = Pose.draw(3, np.random.default_rng(0))
    points = np.random.default_rng(1).normal(size=(20, 3)) * 10
    np.testing.assert_allclose(pose.find(pose.place(points)), points)
    assert np.linalg.norm(pose.turn) <= np.deg2rad(8)
    assert abs(pose.scale - 1) <= 0.05
    assert np.abs(pose.shift).max() <= 2
    spread = np.linalg.norm(pose.place(points) - pose.place(points[:1]), axis=1)
    np.testing.assert_allclose(spread, pose.scale * np.linalg.norm(points - points[:1], axis=1))


def test_every_pose_fits_its_cube(tmp_path: Path) -> None:
    """In the tightest cube that is not refused, no pose reaches the border."""
    masks = shapes(tmp_path)[:2]
    with pytest.raises(InputError, match=r"40 mm wide.* cube of 32 voxels of 1 mm.* pixel size of 1\.\d\d mm"):
        prepare(tmp_path / "out", masks, settings=settings(pixel_size=1.0))
    found = TrainingSet.open(prepare(tmp_path / "out", masks, settings=settings(pixel_size=1.37)))
    pads = np.pad(np.ones((30, 30, 30), bool), 1)
    assert not (np.asarray(found.masks)[:, ~pads] > 0).any(axis=1).all()
    for mask in found.masks:
        inside = np.argwhere(mask)
        assert (inside.min(axis=0) + inside.max(axis=0) <= 34).all()
    assert {tuple(betti) for betti in found.betti[16:32, 0].tolist()} == {TOPOLOGY["shell"]}


def test_several_structures_and_their_union(tmp_path: Path) -> None:
    """A ball in a shell that closes around it: together they are a ball."""
    labels = shape("ball") + shape("shell")
    masks = [save(tmp_path / f"{number}.nrrd", labels, SPACING) for number in range(2)]
    table = table_of_words(["core=1", "wall=2"], ["core+wall"])
    found = TrainingSet.open(prepare(tmp_path / "out", masks, settings=settings(), table=table))
    assert found.modal_betti == ((1, 0, 0), (1, 0, 1), (1, 0, 0))
    assert (found.betti == found.modal_betti).all()


def test_oblique_plane_keeps_shape_and_volume(tmp_path: Path) -> None:
    masks = [save(tmp_path / f"{number}.nrrd", shape("torus"), SPACING) for number in range(2)]
    plane = np.eye(4)
    plane[:3, :3] = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    out = prepare(tmp_path / "out", masks, settings=settings(), plane=plane)
    own = float(shape("torus").sum() * np.prod(SPACING) / 1000)
    assert float(rows_of(out)[0]["volume_ml"]) == pytest.approx(own, rel=0.03)
    assert (TrainingSet.open(out).betti == [1, 1, 0]).all()


def test_structure_may_touch_the_border_of_the_scan(tmp_path: Path) -> None:
    """It ends there."""
    half = [save(tmp_path / f"{number}.nrrd", shape("ball")[15:], SPACING) for number in range(2)]
    scans = [save(tmp_path / f"s{number}.nrrd", scan_of(2 * shape("ball")[15:]), SPACING) for number in range(2)]
    found = TrainingSet.open(prepare(tmp_path / "out", half, scans, settings()))
    assert (found.betti == [1, 0, 0]).all()


def test_structure_of_one_voxel(tmp_path: Path) -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[15, 15, 15] = 1
    masks = [save(tmp_path / f"{number}.nrrd", labels, SPACING) for number in range(2)]
    found = TrainingSet.open(prepare(tmp_path / "out", masks, settings=settings()))
    assert (found.betti == [1, 0, 0]).all()
    assert found.masks[0].any()


def test_one_patient_is_split_by_phase(tmp_path: Path) -> None:
    beats = sitk.JoinSeries([sitk.GetImageFromArray(shape("ball")) for _ in range(8)])
    sitk.WriteImage(beats, tmp_path / "beats.nrrd")
    out = prepare(tmp_path / "out", [tmp_path / "beats.nrrd"], settings=settings(poses=8))
    found, rows = TrainingSet.open(out), rows_of(out)
    phases = {part: {int(row["phase"]) for row in rows if row["split"] == part} for part in PARTS}
    assert not found.independent
    assert [len(phases[part]) for part in PARTS] == [2, 1, 2]
    assert all((one - other) % 8 not in (0, 1, 7) for one in phases["train"] for other in phases["test"])


@pytest.mark.parametrize("validation", [0.0, 0.15, 0.4])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 10, 30])
def test_phases_of_different_parts_are_no_neighbors(count: int, validation: float) -> None:
    for seed in range(4):
        parts = split_phases(list(range(count)), validation, 0.25, seed)
        assert len(parts) == count
        assert "test" in parts
        assert ("train" in parts) >= (count >= 4 and validation == 0)
        for one, other in zip(parts, parts[1:] + parts[:1], strict=True):
            assert one == other or "gap" in (one, other) or count < 4 + 2 * (validation > 0)


def test_one_patient_without_phases_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "one.nrrd", shape("ball"), SPACING)
    with pytest.raises(InputError, match="one patient with 1 phase, which leaves none to test on: add patients"):
        prepare(tmp_path / "out", [path], settings=settings())
    assert not (tmp_path / "out").exists()


def test_too_few_volumes_name_the_poses_that_would_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"3 usable volumes .* 2 to train on and 1 to test on.*\(--poses 8\)"):
        prepare(tmp_path / "out", shapes(tmp_path), settings=settings(poses=1))


def test_tiles_are_for_slices(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Tiles are patches of slices"):
        prepare(tmp_path / "out", shapes(tmp_path), settings=settings(tiling=True))


@pytest.mark.parametrize(("name", "value"), [("size", 256), ("size", 33), ("poses", 0), ("poses", 101)])
def test_settings_out_of_range_are_refused(name: str, value: int) -> None:
    with pytest.raises(InputError, match=name if name == "poses" else "volumes have 32, 48, 64, 96 or 128|size"):
        validated(PrepareSettings, {"volumes": True, "size": 32, name: value})


def test_structure_beyond_the_image_is_left_out(tmp_path: Path) -> None:
    masks = [save(tmp_path / f"{number}.nrrd", shape("ball"), SPACING) for number in range(3)]
    scans = [save(tmp_path / f"s{number}.nrrd", scan_of(2 * shape("ball")), SPACING) for number in range(2)]
    scans.append(save(tmp_path / "s2.nrrd", scan_of(2 * shape("ball"))[10:], SPACING))
    with pytest.raises(InputError, match=r"s2\.nrrd: they do not show the same patient"):
        prepare(tmp_path / "out", masks, scans, settings(resample=True))


def test_coarse_voxels_are_said_with_advice(tmp_path: Path) -> None:
    """A wall of 4 mm in voxels of 5 mm breaks; the advice names a size whose voxels it would have three of."""
    z, y, x = np.indices((60, 60, 60)) - 29.5
    wall = np.abs(np.sqrt(x**2 + y**2 + z**2) - 22) < 2
    masks = [save(tmp_path / f"{number}.nrrd", wall.astype(np.uint8), (1.0, 1.0, 1.0)) for number in range(2)]
    events: list[dict[str, Any]] = []
    prepare(tmp_path / "out", masks, settings=settings(pixel_size=5.0), on_event=events.append)
    said = " ".join(event.get("text", "") for event in events)
    share = json.loads((tmp_path / "out" / "dataset.json").read_text())["changed_by_resampling"]["shape"]
    assert share > 0.5
    assert f"changed the topology of shape in {share:.0%} of the volumes" in said
    with pytest.raises(InputError, match="No volume shows a voxel of the structure at this pixel size"):
        prepare(tmp_path / "out", masks, settings=settings(pixel_size=9.0), overwrite=True)


def test_advice_names_the_size_for_the_thinnest_wall() -> None:
    table = table_of_words(["wall=1", "blood=2"], [])
    kept, broken = np.array([[1, 0, 1], [1, 0, 0]]), np.array([[1, 3, 0], [1, 0, 0]])
    resampling = Resampling(table)
    assert resampling.in_words(32, 3.0, 2.5) == []
    resampling.add(Native(kept, np.array([6.0, 30.0])), np.array([kept] * 7 + [broken] * 3))
    said = resampling.in_words(32, 3.0, 2.5)
    assert said[0].endswith("changed the topology of wall in 30%, blood in 0% of the volumes.")
    assert said[1] == (
        "Thin parts of wall are about 6 mm thick, and should be 3 voxels: size 48 has voxels of 2 mm; "
        "with size 32 all structures still fit at a pixel size of 2.5 mm."
    )
    unmeasured = Resampling(resampling.table)
    for thickness in (None, np.array([np.nan, 30.0])):  # the structure was not there where it could be measured
        unmeasured.add(Native(kept, thickness), np.array([kept] * 7 + [broken] * 3))
        assert unmeasured.in_words(32, 3.0, 2.5)[1].startswith("wall needs finer voxels: size 48 has voxels of 2 mm")
    # Where segmentations themselves have specks, finer voxels would only show more of them.
    specks = Resampling(table)
    specks.add(Native(broken, np.array([6.0, 30.0])), np.array([kept] * 10))
    assert specks.in_words(32, 3.0, 2.5)[1].startswith("wall is most often (1, 0, 1): in 0% of the segmentations")


@pytest.mark.parametrize("wall", [3, 4, 6])
def test_thin_parts_are_measured_to_half_a_voxel(wall: int) -> None:
    z, y, x = np.indices((50, 50, 50)) - 24.5
    distance = np.sqrt(x**2 + y**2 + z**2)
    shell = (distance >= 15) & (distance < 15 + wall)
    assert thin_parts(shell, (2.0, 2.0, 2.0)) == pytest.approx(2 * wall, abs=1.3)
    assert np.isnan(thin_parts(np.zeros((4, 4, 4), bool), (1.0, 1.0, 1.0)))


def test_surfaces_are_drawn_in_their_colors() -> None:
    labels = np.zeros((32, 32, 32), np.uint8)
    labels[10:20, 10:20, 2:14], labels[10:20, 10:20, 18:30] = 1, 2
    picture = shaded_surface(labels, ["#ff0000", "#0000ff"], pixels=96)
    assert picture.shape == (96, 96, 3)
    assert 0 <= picture.min() < picture.max() <= 1
    red, blue = (picture[..., 1] == 0) & (picture[..., 0] > 0), (picture[..., 1] == 0) & (picture[..., 2] > 0)
    # The patient's left is on the right side, and nothing is cut off.
    assert np.flatnonzero(red.any(axis=0)).mean() < np.flatnonzero(blue.any(axis=0)).mean()
    assert (picture[[0, -1]] == 1).all()
    assert (picture[:, [0, -1]] == 1).all()


def test_surfaces_of_nothing_threads_and_everything() -> None:
    empty = np.zeros((16, 16, 16), np.uint8)
    assert (shaded_surface(empty, ["red"]) == 1).all()
    thread, speck = empty.copy(), empty.copy()
    thread[8, 8, 2:14], speck[3, 3, 3] = 1, 1
    for labels in (thread, speck, np.ones((16, 16, 16), np.uint8)):
        assert (shaded_surface(labels, ["red"], pixels=64) != 1).any()


def test_planes_of_a_volume_lie_as_slicer_shows_them() -> None:
    labels = np.zeros((6, 8, 10), np.uint8)
    labels[1:4, 2:5, 3:6] = 1
    assert middle_of(labels) == (2, 3, 4)
    assert middle_of(np.zeros((6, 8, 10))) == (2, 3, 4)
    axial, coronal, sagittal = three_planes(np.arange(480).reshape(6, 8, 10), (2, 3, 4))
    assert (axial.shape, coronal.shape, sagittal.shape) == ((8, 10), (6, 10), (6, 8))
    assert axial[3, 4] == coronal[3, 4] == sagittal[3, 3] == 2 * 80 + 34
