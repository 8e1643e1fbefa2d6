"""Opening a training set: what it offers, and one sentence where it is damaged."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from training_sets import sign

from topogan.errors import InputError, WorkError
from topogan.training_set import TrainingSet


@pytest.fixture
def folder(ring_training_set: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(ring_training_set, tmp_path / "training_set"))


def edit(name: str, **values: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**content, **values}))

    return change


def cut(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return change


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def drop_last_row(folder: Path) -> None:
    lines = (folder / "slices.csv").read_text().splitlines()
    (folder / "slices.csv").write_text("\n".join(lines[:-1]))


def save_other_type(folder: Path) -> None:
    np.save(folder / "images.npy", np.zeros((24, 64, 64), np.float32))


def save_pickle(folder: Path) -> None:
    np.save(folder / "masks.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)


def test_what_a_training_set_offers(folder: Path) -> None:
    found = TrainingSet.open(folder)
    assert found.size == 64
    assert found.masks.shape == (24, 64, 64)
    stored = np.load(folder / "masks.npy")
    for rows in (found.train, found.test[::-1], slice(3, 9), slice(None), 5, -1, np.arange(24) % 2 == 0):
        assert np.array_equal(found.masks[rows], stored[rows])
    assert [*found.train, *found.validation, *found.test] == list(range(24))
    assert found.missing_parts == ""
    assert len(found.patients) == len(found.levels) == len(found.betti) == 24
    assert found.modal_betti == ((1, 1),)
    assert len(found.diagrams()) == 24


def test_masks_of_a_structure_by_name(folder: Path) -> None:
    found = TrainingSet.open(folder)
    assert found.table.names == ("ring",)
    masks = found.region_masks(found.test, "ring")
    assert (masks.shape, masks.dtype) == ((5, 64, 64), bool)
    assert np.array_equal(masks, found.region_masks(found.test))
    with pytest.raises(InputError, match="structure cannot be 'disc': choose ring"):
        found.region_masks(found.test, "disc")


def test_without_validation_curves_are_measured_on_training_slices(folder: Path) -> None:
    table = folder / "slices.csv"
    table.write_text(table.read_text().replace("validation", "train"))
    edit("dataset.json", counts={"total": 24, "train": 19, "test": 5}, independent=False)(folder)
    sign(folder)
    found = TrainingSet.open(folder)
    assert np.array_equal(found.validation_or_train, found.train)
    assert found.missing_parts == "No slice is left for validation: curves are measured on training slices."


def test_masks_alone(folder: Path) -> None:
    (folder / "images.npy").unlink()
    edit("dataset.json", intensity="none", window=None)(folder)
    sign(folder)
    found = TrainingSet.open(folder)
    assert found.images is None
    assert found.window is None


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (remove("dataset.json"), r"dataset\.json is missing"),
        (cut("dataset.json"), "cannot be read as JSON"),
        (edit("dataset.json", schema="topogan.training-set/4"), "another version of TopoGAN"),
        (edit("dataset.json", betti={}), "betti.modal: field required"),
        (edit("dataset.json", window="wide"), "window: it should be a list"),
        (remove("slices.csv"), r"slices\.csv is missing"),
        (drop_last_row, "count differently"),
        (remove("masks.npy"), r"masks\.npy is missing"),
        (cut("masks.npy"), r"masks\.npy cannot be read"),
        (save_pickle, r"masks\.npy"),
        (save_other_type, r"images\.npy holds float32 .* where int16"),
    ],
)
def test_damage_is_one_sentence(folder: Path, damage: Callable[[Path], None], said: str) -> None:
    damage(folder)
    with pytest.raises(InputError, match=said) as caught:
        TrainingSet.open(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["masks.npy", "images.npy"])
@pytest.mark.parametrize("change", ["cut off", "other bytes", "removed"])
def test_an_array_changed_in_use_is_one_sentence(folder: Path, name: str, change: str) -> None:
    found = TrainingSet.open(folder)
    array = found.masks if name == "masks.npy" else found.images
    assert array is not None and array[found.train].any()
    path = folder / name
    content = path.read_bytes()
    if change == "removed":
        path.unlink()
    else:
        path.write_bytes(content[:-5000] if change == "cut off" else content[:-5000] + bytes(5000))
        os.utime(path, ns=(0, 1))
    with pytest.raises(WorkError, match=rf"{name} of .* was changed or removed while it was in use: put it back"):
        array[found.train]


@pytest.mark.parametrize("name", ["masks.npy", "images.npy", "slices.csv"])
def test_a_changed_set_is_not_opened(folder: Path, name: str) -> None:
    path = folder / name
    content = path.read_bytes()
    table = name == "slices.csv"
    path.write_bytes(content.replace(b"patient_002", b"patient_001") if table else content[:-1] + b"\1")
    with pytest.raises(InputError, match="were changed since it was made"):
        TrainingSet.open(folder)
    sign(folder)
    TrainingSet.open(folder)


def test_damaged_diagrams_are_found_when_they_are_needed(folder: Path) -> None:
    found = TrainingSet.open(folder)
    (folder / "diagrams.npz").unlink()
    with pytest.raises(InputError, match=r"diagrams\.npz is missing"):
        found.diagrams()


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no training set at"):
        TrainingSet.open(tmp_path / "nowhere")
