"""``check.json`` of a training set: what a panel shows before hours are spent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from topogan.config import PrepareSettings
from topogan.dataset import prepare
from topogan.structures import table_of_words
from topogan.training_set import TrainingSet

pytestmark = pytest.mark.usefixtures("no_previews")

SLICES = 24


def save(path: Path, array: np.ndarray) -> Path:
    sitk.WriteImage(sitk.GetImageFromArray(array), path)
    return path


def ring(broken: int = 0) -> np.ndarray:
    """Cavity (1) in a wall (2); the wall is open in the first ``broken`` slices."""
    row, column = np.indices((32, 32)) - 15.5
    distance = np.hypot(row, column)
    labels = np.repeat(np.where(distance < 6, 1, np.where(distance < 11, 2, 0))[None], SLICES, axis=0)
    labels[:broken, 12:20, 16:] = 0
    return labels.astype(np.uint8)


def checked(folder: Path, count: int, images: bool = False, **how: Any) -> dict[str, Any]:
    masks = [save(folder / f"m{number}.nii", ring(broken=4 * (number == 0))) for number in range(count)]
    scans = [save(folder / f"c{n}.nii", np.where(ring(), 300, -100).astype(np.int16)) for n in range(count)]
    settings = PrepareSettings(pixel_size=1.0, **how)
    table = table_of_words(["cavity=1", "wall=2"], ["cavity+wall"])
    out = prepare(folder / "set", masks, scans if images else None, settings, table=table)
    content: dict[str, Any] = json.loads((out / "check.json").read_text())
    assert content["schema"] == "topogan.check/1"
    return content


def test_it_counts_what_the_set_holds(tmp_path: Path) -> None:
    found = checked(tmp_path, 4, images=True)
    real = TrainingSet.open(tmp_path / "set")
    assert (found["title"], found["axes"], found["noun"]) == ("cavity, wall", 2, "slice")
    assert (found["pixel_size_mm"], found["size"]) == (1.0, 64)
    assert [one["patient"] for one in found["patients"]] == [f"patient_{number:03d}" for number in range(1, 5)]
    for part in ("train", "validation", "test"):
        count = len(getattr(real, part))
        assert sum(one[part] for one in found["patients"]) == count
        for region in found["regions"]:
            assert sum(one[part] for one in region["betti"]) == count
    assert [one["name"] for one in found["regions"]] == ["cavity", "wall", "cavity + wall"]
    assert [one["color"] for one in found["regions"]] == ["#e69f00", "#56b4e9", "#000000"]
    assert [one["topology"] for one in found["regions"][1]["betti"]] == ["1,1", "1,0"], "most frequent first"
    assert found["verdict"] == "4 patients, 96 slices: enough for masks and textures; 1 patient for the test."
    assert found["remarks"][0].startswith("64 pixels: 1 mm")


@pytest.mark.parametrize(
    ("count", "images", "said"),
    [
        (1, True, "enough for masks and textures; no patient is left for the test."),
        (
            2,
            False,
            "enough for masks, without images not for textures; 1 patient for the test, and none for validation.",
        ),
        (3, False, "3 patients, 72 slices: enough for masks, without images not for textures; 1 patient for the test."),
    ],
)
def test_the_verdict(count: int, images: bool, said: str, tmp_path: Path) -> None:
    assert checked(tmp_path, count, images)["verdict"].endswith(said)


def test_phases_and_poses_of_volumes(tmp_path: Path) -> None:
    found = checked(tmp_path, 4, volumes=True, size=32, poses=16)
    assert found["noun"] == "volume"
    assert {one["phases"] for one in found["patients"]} == {1}
    assert {len(one["topology"].split(",")) for region in found["regions"] for one in region["betti"]} == {3}
    assert found["verdict"].startswith("4 patients, 64 volumes: enough for masks")


def test_the_set_can_be_replaced(tmp_path: Path) -> None:
    checked(tmp_path, 3)
    masks = [tmp_path / f"m{number}.nii" for number in range(3)]
    prepare(tmp_path / "set", masks, settings=PrepareSettings(pixel_size=1.0, labels=(2,)), overwrite=True)
    (tmp_path / "set" / "check.json").unlink()
    assert len(TrainingSet.open(tmp_path / "set").masks) == 3 * SLICES, "sets from before have none"
