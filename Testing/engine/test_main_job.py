"""The main job through the command line, tiny: CT and segmentations in, samples, report and nnU-Net data out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from topogan.cli import run
from topogan.homology import betti_numbers, load_diagrams
from topogan.model import load_model

TINY = [
    "--masks-steps", "60", "--masks-width", "6", "--masks-batch", "16", "--topology-warm-up", "0.5",
    "--textures-steps", "8", "--textures-width", "4", "--textures-batch", "4",
    "--checkpoint-every", "30", "--preview-every", "30", "--device", "cpu", "--threads", "1",
]  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("main job")  # a space in the path, as users have


@pytest.fixture(scope="module")
def training_set(work: Path) -> Path:
    assert run(["phantom", str(work / "phantom"), "--patients", "2", "--phases", "3"]) == 0
    arguments = [
        "prepare", str(work / "set"), "-s", str(work / "phantom/segmentations"), "--ct", str(work / "phantom/images"),
        "--label", "2", "--structure", "myocardium", "--plane", str(work / "phantom/planes.json"),
        "--slice-spacing", "6", "--minimum-area", "400",
    ]  # fmt: skip
    assert run(arguments) == 0
    return work / "set"


@pytest.fixture(scope="module")
def model(work: Path, training_set: Path) -> Path:
    assert run(["train", str(training_set), str(work / "run"), *TINY]) == 0
    return work / "run" / "model"


@pytest.fixture(scope="module")
def samples(work: Path, model: Path, training_set: Path) -> Path:
    # So short a training makes no rings yet: any topology is taken.
    out = work / "samples"
    assert run(["synthesize", str(model), str(out), "--count", "12", "--training-set", str(training_set)]) == 0
    return out


def test_training_set_is_split_by_patient(training_set: Path) -> None:
    rows = list(csv.DictReader((training_set / "slices.csv").open()))
    splits = {row["patient"]: row["split"] for row in rows}
    assert sorted(splits.values()) == ["test", "train"]
    assert all(splits[row["patient"]] == row["split"] for row in rows)
    assert json.loads((training_set / "dataset.json").read_text())["betti"]["modal"] == [[1, 1]]


def test_run_says_that_it_is_finished(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", str(model.parent)]) == 0
    assert capsys.readouterr().out.startswith("finished: step 68 of 68")


def test_samples_hold_together(samples: Path) -> None:
    masks, textures = (sitk.ReadImage(str(samples / f"{name}.nrrd")) for name in ("masks", "textures"))
    assert masks.GetSize() == textures.GetSize() == (64, 64, 12)
    assert masks.GetSpacing() == textures.GetSpacing()
    rows = list(csv.DictReader((samples / "samples.csv").open()))
    for mask, row in zip(sitk.GetArrayFromImage(masks), rows, strict=True):
        assert betti_numbers(mask) == (int(row["b0 myocardium"]), int(row["b1 myocardium"]))
        assert float(row["area_mm2 myocardium"]) == pytest.approx(mask.sum() * masks.GetSpacing()[0] ** 2, rel=1e-3)
        assert 0 <= float(row["dice_to_training"]) <= 1
    assert len(load_diagrams(samples / "diagrams.npz")) == 12


def test_model_gives_the_same_samples_again(model: Path, samples: Path) -> None:
    again = load_model(model).sample(12, seed=0)
    assert np.array_equal(again.labels, sitk.GetArrayFromImage(sitk.ReadImage(str(samples / "masks.nrrd"))))


def test_asked_topology_is_honored_or_refused(work: Path, model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = work / "asked"
    assert run(["synthesize", str(model), str(out), "--count", "2", "--betti", "7,9", "--attempts", "1"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not out.exists()


def test_report_is_written_beside_its_numbers(work: Path, samples: Path, training_set: Path) -> None:
    page = work / "report.html"
    assert run(["evaluate", str(samples), "--training-set", str(training_set), "--report", str(page)]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>") or "<html" in page.read_text(encoding="utf-8")
    assert json.loads(page.with_suffix(".json").read_text())["schema"] == "topogan.evaluation/1"


def test_export_has_nnunets_layout(work: Path, samples: Path) -> None:
    assert run(["export", str(samples), str(work / "nnunet")]) == 0
    images, labels = (sorted((work / "nnunet" / name).iterdir()) for name in ("imagesTr", "labelsTr"))
    assert len(images) == len(labels) == 12
    assert images[0].name.replace("_0000.nii", ".nii") == labels[0].name


def test_fine_tuning_goes_on_from_a_model(work: Path, model: Path, training_set: Path) -> None:
    arguments = ["train", str(training_set), str(work / "tuned"), "--from", str(model), *TINY, "--part", "masks"]
    assert run(arguments) == 0
    assert load_model(work / "tuned" / "model").sample(1).labels.shape == (1, 64, 64)


def test_nothing_says_where_the_data_came_from(work: Path, samples: Path, model: Path) -> None:
    planted = str(work).encode()
    for folder in (work / "set", work / "run", samples):
        for path in folder.rglob("*"):
            assert not path.is_file() or planted not in path.read_bytes(), path
