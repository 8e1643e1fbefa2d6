"""Several sources in one request: patients of several files, of 4-D files, folders and tables, together."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from topogan.cli import run
from topogan.config import TrainSettings
from topogan.dataset.request import prepare_as_requested
from topogan.errors import InputError
from topogan.training_set import TrainingSet

pytestmark = pytest.mark.usefixtures("no_previews")

SHAPE = (22, 24, 24)
SLANTED = [[-1.0, 0, 0, 0], [0, 0, 1.0, 0], [0, 1.0, 0, 0], [0, 0, 0, 1]]


def tube(radius: float) -> np.ndarray:
    row, column = np.indices(SHAPE[1:]) - 11.5
    distance = np.hypot(row, column)
    labels = np.repeat(((distance < radius) & (distance >= radius - 4))[None], SHAPE[0], axis=0)
    labels[[0, -1]] = False
    return labels.astype(np.uint8)


def save(path: Path, *phases: np.ndarray) -> str:
    images = [sitk.GetImageFromArray(phase) for phase in phases]
    path.parent.mkdir(exist_ok=True)
    sitk.WriteImage(images[0] if len(images) == 1 else sitk.JoinSeries(images), path)
    return str(path)


def scan(labels: np.ndarray) -> np.ndarray:
    return np.where(labels, 300, -100).astype(np.int16)


def ask(folder: Path, *sources: dict[str, Any], **settings: Any) -> Path:
    request = {"schema": "topogan.prepare-request/1", "sources": sources, "settings": {"pixel_size": 1.0, **settings}}
    folder.mkdir()
    (folder / "request.json").write_text(json.dumps(request))
    return folder


def phases_of(folder: Path, table: str = "slices.csv") -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    with (folder / table).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            phases = found.setdefault(row["patient"], [])
            if int(row["phase"]) not in phases:
                phases.append(int(row["phase"]))
    return found


def test_patients_of_files_of_phases_and_of_tables(tmp_path: Path) -> None:
    one = [save(tmp_path / "a" / f"{number}.nii.gz", tube(8 + number)) for number in range(3)]
    four = save(tmp_path / "b" / "beat.nrrd", tube(8), tube(9))
    late = save(tmp_path / "b" / "late.nrrd", tube(10))
    for number in range(2):
        save(tmp_path / "many" / f"{number}.nii", tube(9))
    for name in ("p1", "other"):
        save(tmp_path / "listed" / f"{name}.nii", tube(9))
    table = tmp_path / "listed" / "t.csv"
    table.write_text("image,label,patient\n,p1.nii,p1\n,other.nii,x\n")
    request = ask(
        tmp_path / "request",
        {"segmentations": one, "patient": "p1"},
        {"segmentations": [four], "patient": "p2", "plane": SLANTED},
        {"segmentations": [str(tmp_path / "many")], "images": []},
        {"cases": str(table)},
        {"segmentations": [late], "patient": "p2", "plane": [SLANTED]},
    )
    assert run(["prepare", str(tmp_path / "set"), "--request", str(request)]) == 0
    assert request.is_dir(), "it is not temporary"
    assert phases_of(tmp_path / "set") == {
        "patient_001": [0, 1, 2],
        "patient_002": [0, 1, 2],
        **{f"patient_{number:03d}": [0] for number in range(3, 7)},
    }
    described = json.loads((tmp_path / "set" / "dataset.json").read_text())
    assert (described["plane"], described["counts"]["patients"]) == ("given", 6)


def test_a_folder_of_one_patient_is_its_phases_in_natural_order(tmp_path: Path) -> None:
    radii = {"phase2": 8, "phase10": 10, "phase1": 6}
    for name, radius in radii.items():
        save(tmp_path / "labels" / f"{name}.nii", tube(radius))
    other = save(tmp_path / "b.nii", tube(9))
    sources = {"segmentations": [str(tmp_path / "labels")], "patient": "p1"}, {"segmentations": [other]}
    prepare_as_requested(ask(tmp_path / "request", *sources), tmp_path / "set", None, print)
    with (tmp_path / "set" / "slices.csv").open(encoding="utf-8", newline="") as file:
        areas = {
            row["phase"]: float(row["area_mm2"]) for row in csv.DictReader(file) if row["patient"] == "patient_001"
        }
    assert areas["0"] < areas["1"] < areas["2"]


@pytest.mark.parametrize("files", [8, 2])
def test_one_patient_in_files_is_split_by_phase(tmp_path: Path, files: int) -> None:
    """Eight files of one phase, or two of four."""
    phases = [tube(6 + number / 2) for number in range(8)]
    each = len(phases) // files
    paths = [save(tmp_path / "a" / f"{n}.nrrd", *phases[n * each : (n + 1) * each]) for n in range(files)]
    request = ask(tmp_path / "request", {"segmentations": paths, "patient": "p1"}, volumes=True, size=32, poses=8)
    prepare_as_requested(request, tmp_path / "set", None, print)
    found = TrainingSet.open(tmp_path / "set")
    assert not found.independent
    assert phases_of(tmp_path / "set", "volumes.csv")["patient_001"] == sorted(
        phases_of(tmp_path / "set", "volumes.csv")["patient_001"]
    )
    with (tmp_path / "set" / "volumes.csv").open(encoding="utf-8", newline="") as file:
        parts = {(row["phase"], row["split"]) for row in csv.DictReader(file)}
    assert len(parts) == len({phase for phase, _ in parts}) == 5, "a phase has one part; three lie between parts"


def test_images_of_some_are_refused(tmp_path: Path) -> None:
    sources = []
    for name in ("a", "b"):
        mask = save(tmp_path / name / "mask.nii", tube(9))
        sources.append({"segmentations": [mask], "patient": name})
    sources[1]["images"] = [save(tmp_path / "b" / "ct.nii", scan(tube(9)))]
    with pytest.raises(InputError, match=r"b/mask\.nii comes with an image and .*a/mask\.nii without: give an image"):
        prepare_as_requested(ask(tmp_path / "request", *sources), tmp_path / "set", TrainSettings(), print)


def test_a_file_stands_once(tmp_path: Path) -> None:
    mask = save(tmp_path / "a" / "mask.nii", tube(9))
    (tmp_path / "again.nii").symlink_to(mask)
    for other in (mask, str(tmp_path / "again.nii"), str(tmp_path / "a")):
        request = ask(
            tmp_path / f"request {len(list(tmp_path.iterdir()))}", {"segmentations": [mask]}, {"segmentations": [other]}
        )
        with pytest.raises(InputError, match="is given twice"):
            prepare_as_requested(request, tmp_path / "set", None, print)


def test_planes_are_counted_by_source(tmp_path: Path) -> None:
    mask = save(tmp_path / "mask.nii", tube(9))
    request = ask(tmp_path / "request", {"segmentations": [mask], "plane": [SLANTED, SLANTED]})
    with pytest.raises(InputError, match="2 planes for 1 volumes"):
        prepare_as_requested(request, tmp_path / "set", None, print)


def test_a_request_says_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = ask(tmp_path / "request", {"segmentations": [save(tmp_path / "mask.nii", tube(9))]})
    for more in (["-s", "x.nii"], ["--cases", "t.csv"], ["--size", "128"], ["--overwrite"], ["--plane", "p.json"]):
        assert run(["prepare", str(tmp_path / "set"), "--request", str(request), *more]) == 2
        assert "leave all other options out" in capsys.readouterr().err
