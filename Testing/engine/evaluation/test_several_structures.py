"""The evaluation of label maps."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from topogan.config import SynthesisSettings
from topogan.errors import InputError
from topogan.evaluation import Report, evaluate
from topogan.evaluation.claims import paired_differences
from topogan.model import Model
from topogan.synthesis import synthesize
from topogan.training_set import TrainingSet
from topogan.verdict import RealTopologies

REGIONS = ("wall", "cavity", "wall + cavity")


@pytest.fixture(scope="module")
def hearts(tmp_path_factory: pytest.TempPathFactory, heart_model: Model) -> Path:
    return synthesize(heart_model, tmp_path_factory.mktemp("hearts") / "samples", SynthesisSettings(count=40, seed=1))


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, hearts: Path, heart_training_set: Path) -> Report:
    return evaluate(hearts, heart_training_set, report=tmp_path_factory.mktemp("out") / "out.html")


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "samples.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_joint_figure_counts_structures_that_real_slices_of_the_level_show(
    report: Report, hearts: Path, heart_training_set: Path
) -> None:
    real = TrainingSet.open(heart_training_set)
    shown = RealTopologies.of(real.levels[real.test].tolist(), real.betti[real.test].tolist())
    valid = [
        all(
            (int(row[f"b0 {name}"]), int(row[f"b1 {name}"])) in shown.of_region(number, float(row["level"]))
            for number, name in enumerate(REGIONS[:2])
        )
        for row in rows(hearts)
    ]
    assert report.metric("Every structure valid").value == pytest.approx(100 * np.mean(valid))
    assert report.metric("Every structure valid").real == 100.0
    count = sum(valid)
    assert 0 < count < 40
    assert report.conclusion == (
        f"In {count} of 40 samples every structure has a topology that real test slices of its level show, while "
        "100 % of the real slices that were trained on do."
    )


def test_each_structure_and_union_has_figures_beside_real(report: Report) -> None:
    for name in REGIONS:
        figures = [metric.name for metric in report.metrics if metric.structure == name]
        assert figures == [
            "Valid", "Betti error", "W1", "W1", "In the slice", "Mean area", "Area distance", "Dice to real",
        ]  # fmt: skip
    assert report.metric("Valid", structure="wall").value < report.metric("Valid", structure="cavity").value == 100.0
    assert report.metric("W1", 1, "wall").real is not None
    cavity = report.metric("In the slice", structure="cavity")
    assert 50 < cavity.value < 90 and 50 < cavity.real < 90
    for name in ("Mean HU in wall", "Mean HU in cavity", "HU distance around the structures"):
        assert report.metric(name).value is not None
    assert "wall: Betti error" in report.summary()


def test_the_weakest_structure_is_named(report: Report) -> None:
    assert report.content["findings"][0].startswith("Least often as real is wall: valid in ")


def test_cases_say_which_structure_is_wrong(report: Report) -> None:
    assert {case["verdict"] for case in report.content["best"]} == {"valid"}
    assert report.content["worst"][0]["verdict"] == "wall: no hole"
    assert len(report.content["worst"][0]["betti"]) == 6
    assert list(report.content["betti"]["test"]) == list(REGIONS)


def test_the_page_has_a_table_for_each_structure(report: Report) -> None:
    assert report.path is not None
    page = report.path.read_text(encoding="utf-8")
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "Topology", "Shape", "Structures", *REGIONS, "Texture", "Copying", "Samples", "Where the figures come from",
    ]  # fmt: skip
    overview = page[page.index('class="overview"') :]
    overview = overview[: overview.index("</table>")]
    assert overview.count("<tr>") == 1 + len(REGIONS) and overview.count("<td") == 8 * len(REGIONS)


def test_copies_of_label_maps_are_found(
    tmp_path: Path, hearts: Path, heart_training_set: Path, heart_model: Model
) -> None:
    from topogan.synthesis.writing import _write_stack

    copied = shutil.copytree(hearts, tmp_path / "copied")
    (copied / "textures.nrrd").unlink()
    real = TrainingSet.open(heart_training_set)
    _write_stack(copied / "masks.nrrd", real.masks[real.train[:40]], real.pixel_size, "", ())
    found = evaluate(copied, heart_training_set)
    assert found.metric("Equal to a training mask").value == 100.0
    # The outline alone is no copy.
    labels = real.masks[real.train[:40]]
    _write_stack(copied / "masks.nrrd", (labels > 0).astype(np.uint8), real.pixel_size, "", ())
    shown = float((labels == 2).any(axis=(1, 2)).mean())
    assert evaluate(copied, heart_training_set).metric("Equal to a training mask").value <= 100 * (1 - shown) + 1e-9


def test_differences_of_two_trainings_name_the_structure(report: Report) -> None:
    assert report.path is not None
    written = report.path.with_suffix(".json")
    names = {found.name for found in paired_differences([written, written], [written, written])}
    assert {"wall: Betti error", "cavity: Betti error", "Every structure valid"} <= names


def test_samples_without_levels_are_compared_with_slices_of_every_level(
    tmp_path: Path, hearts: Path, heart_training_set: Path
) -> None:
    plain = shutil.copytree(hearts, tmp_path / "plain")
    text = (plain / "samples.csv").read_text(encoding="utf-8")
    text = re.sub(r"^(\d+,\d+),[\d.]+", r"\1,", text, flags=re.MULTILINE)
    (plain / "samples.csv").write_text(text, encoding="utf-8")
    found = evaluate(plain, heart_training_set)
    assert found.metric("Every structure valid").value == 100.0
    assert "of its level" not in found.conclusion


def test_another_training_set_is_refused(hearts: Path, ring_training_set: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="samples show wall, cavity and the training set ring"):
        evaluate(hearts, ring_training_set)
    other = shutil.copytree(hearts, tmp_path / "other")
    content = json.loads((other / "report.json").read_text())
    content["regions"] = content["regions"][:2]
    (other / "report.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="does not say what it must"):
        evaluate(other, ring_training_set)
