"""What the patches of slices lie around: their own slice, or all slices of the phase alike."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tubes import save

from topogan.config import Center, PrepareSettings
from topogan.dataset import prepare
from topogan.dataset.centering import around_volume
from topogan.dataset.plan import CasePlan, PatchPlan
from topogan.errors import InputError
from topogan.structures import StructureTable, table_of_words
from topogan.training_set import TrainingSet

pytestmark = pytest.mark.usefixtures("no_previews")

TWO = table_of_words(["vessel=1", "heart=2"], [])
PITCH = 0.5


def vessel_and_heart(course: int = 0) -> np.ndarray:
    """A vessel in all 40 slices, so many voxels further in each ten of them, and a heart in the upper half."""
    labels = np.zeros((40, 64, 64), np.uint8)
    for number, picture in enumerate(labels):
        picture[40:50, 4 + course * (number // 10) : 14 + course * (number // 10)] = 1
    labels[20:, 8:38, 20:60] = 2
    return labels


def prepared(folder: Path, table: StructureTable, course: int = 0, **settings: Any) -> TrainingSet:
    folder.mkdir(exist_ok=True)
    paths = [save(folder / f"{number}.nii.gz", vessel_and_heart(course), (1.0, 1.0, 2.0)) for number in range(3)]
    return TrainingSet.open(prepare(folder / "out", paths, settings=PrepareSettings(**settings), table=table))


def places(training_set: TrainingSet) -> set[tuple[int, int]]:
    """First row and column of the vessel in all patches."""
    corners = (np.argwhere(mask == 1).min(axis=0).tolist() for mask in training_set.masks[:])
    return {(row, column) for row, column in corners}


def test_several_structures_do_not_jump(tmp_path: Path) -> None:
    found = prepared(tmp_path, TWO)
    assert found.center is Center.VOLUME
    assert len(places(found)) == 1
    content = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert content["settings"]["center"] == "volume", "what was taken, not what was asked for"
    said = json.loads((tmp_path / "out" / "check.json").read_text())["remarks"]
    assert "Patches lie around what all slices of a phase show together." in said


@pytest.mark.parametrize(
    ("table", "course", "settings"),
    [
        (TWO, 0, {"center": "slice"}),
        (table_of_words(["vessel=1"], []), 3, {}),  # one structure is followed
    ],
)
def test_slices_may_be_followed(tmp_path: Path, table: StructureTable, course: int, settings: dict[str, Any]) -> None:
    found = prepared(tmp_path, table, course, **settings)
    assert found.center is Center.SLICE
    middles = [np.argwhere(mask != 0).min(axis=0) + np.argwhere(mask != 0).max(axis=0) for mask in found.masks[:]]
    assert np.abs(np.array(middles) - (found.size - 1)).max() <= 2, "each lies in the middle of its patch"


def test_what_would_need_much_wider_patches_is_followed(tmp_path: Path) -> None:
    labels = vessel_and_heart(16)
    labels[labels == 2] = 0
    labels[:, 36:40] = np.where(labels[:, 40:44] == 1, 2, 0)  # another beside it, all along its course
    paths = [save(tmp_path / f"{number}.nii.gz", labels) for number in range(3)]
    found = TrainingSet.open(prepare(tmp_path / "auto", paths, table=TWO))
    asked = TrainingSet.open(prepare(tmp_path / "asked", paths, settings=PrepareSettings(center="volume"), table=TWO))
    assert (found.center, asked.center) == (Center.SLICE, Center.VOLUME)
    assert asked.pixel_size > found.pixel_size


def test_what_a_stated_pixel_size_holds_alone_is_followed(tmp_path: Path) -> None:
    # The widest slice has 52 mm, all together have 56 mm, and the patch shows 56.3 mm.
    assert prepared(tmp_path / "free", TWO, 2).center is Center.VOLUME
    assert prepared(tmp_path / "stated", TWO, 2, pixel_size=0.88).center is Center.SLICE
    with pytest.raises(InputError, match="wide, more than a patch of 64 pixels of"):
        prepared(tmp_path / "asked", TWO, 2, pixel_size=0.88, center="volume")


def test_one_structure_may_lie_alike_too(tmp_path: Path) -> None:
    found = prepared(tmp_path, table_of_words(["vessel=1"], []), 3, center="volume")
    assert found.center is Center.VOLUME
    assert len(places(found)) == 4


def test_tiles_have_no_center(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Tiles lie side by side, and around nothing"):
        prepared(tmp_path, TWO, tiling=True, center="volume")
    assert prepared(tmp_path, TWO, tiling=True, pixel_size=1.0).center is Center.SLICE


def test_sets_from_before_followed_each_slice(tmp_path: Path) -> None:
    prepared(tmp_path, TWO)
    path = tmp_path / "out" / "dataset.json"
    content = json.loads(path.read_text())
    del content["settings"]["center"]
    path.write_text(json.dumps(content))
    assert TrainingSet.open(tmp_path / "out").center is Center.SLICE


def box(phase: int, low: tuple[int, int], count: tuple[int, int]) -> PatchPlan:
    """A patch around so many points of the grid, as the planning lays it."""
    u, v = (np.floor(first + (number - 1) / 2) + 0.5 for first, number in zip(low, count, strict=True))
    sides = count[0] * PITCH, count[1] * PITCH
    return PatchPlan(phase, 0, (float(u) * PITCH, float(v) * PITCH, 3.0), sides, 1.0)


@pytest.mark.parametrize("seed", range(20))
def test_the_box_of_all_slices_is_theirs_to_the_pixel(seed: int) -> None:
    random = np.random.default_rng(seed)
    low, count = random.integers(-20, 20, (2, 5, 2)), random.integers(1, 9, (2, 5, 2))
    patches = [
        box(phase, tuple(low[phase, row].tolist()), tuple(count[phase, row].tolist()))
        for phase in range(2)
        for row in range(5)
    ]
    found = around_volume(CasePlan(patches, 0, 0), PITCH).patches
    assert [replace(one, center=(0, 0, 0), sides=()) for one in found] == [
        replace(one, center=(0, 0, 0), sides=()) for one in patches
    ]
    for phase in range(2):
        whole = box(
            phase, tuple(low[phase].min(0).tolist()), tuple(np.ptp([*low[phase], *(low + count)[phase]], 0).tolist())
        )
        assert {(one.center, one.sides) for one in found if one.phase == phase} == {(whole.center, whole.sides)}
