"""The whole evaluation of a synthesis folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from topogan.errors import InputError
from topogan.evaluation import Metric, Report, evaluate
from topogan.evaluation.sections import SECTIONS, Comparison
from topogan.files import write_json
from topogan_contract.comparison import read_comparison

Slices = tuple[np.ndarray, np.ndarray]
Make = Callable[..., Path]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, synthesis: Path, training_set: Path) -> Report:
    return evaluate(synthesis, training_set, report=tmp_path_factory.mktemp("out") / "out.html")


def test_both_files_are_written_and_hold_the_same_conclusion(report: Report) -> None:
    assert report.path is not None
    content = json.loads(report.path.with_suffix(".json").read_text(encoding="utf-8"))
    assert content["schema"] == "topogan.evaluation/1"
    assert content["verdict"] == report.conclusion
    assert report.conclusion in report.path.read_text(encoding="utf-8")
    assert len(content["metrics"]) == len(report.metrics)


def test_every_metric_of_the_design_is_there_beside_real(report: Report) -> None:
    for name in ("W1", "W1-birth", "Betti score", "Betti score (cleaned)", "uMMD (W1)"):
        for dimension in (0, 1):
            assert report.metric(name, dimension).real is not None
    for name in (
        "Valid", "Betti error", "Betti error (cleaned)", "Mean area", "Area distance", "Dice to real",
        "Dice to training", "Mean pairwise Dice", "HU distance inside the structure", "Mean HU inside enclosed holes",
        "HU distance around the structure", "Power spectrum distance", "Possible copies",
    ):  # fmt: skip
        metric = report.metric(name)
        assert metric.value is not None
        assert metric.real is not None
    with pytest.raises(KeyError):
        report.metric("nonsense")


def test_a_metric_from_outside_is_one_entry(
    tmp_path: Path, synthesis: Path, training_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows_used(found: Comparison) -> list[Metric]:
        """Share of the rows that hold any structure, in %."""
        share = (100.0 * float(part.masks.any(axis=2).mean()) for part in (found.sets.samples, found.sets.test))
        return [Metric("toy", "Rows used", *share, "%", "equal to real")]

    monkeypatch.setitem(SECTIONS, "toy", rows_used)
    found = evaluate(synthesis, training_set, report=tmp_path / "out.html")
    written = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["metrics"][-1]
    assert (written["name"], written["group"], written["unit"]) == ("Rows used", "toy", "%")
    assert 0 < written["value"] < 100
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "<h2>Toy</h2>" in page[page.index("Copying") : page.index("<h2>Samples")]
    assert "<tr><td>Rows used</td>" in page
    assert "Rows used" in found.summary()


def test_values_of_each_draw_are_kept_and_average_to_the_value(report: Report) -> None:
    drawn = [metric for metric in report.metrics if metric.by_seed]
    assert drawn
    for metric in drawn:
        assert list(metric.by_seed) == ["0", "1", "2"]
        assert metric.value == pytest.approx(np.mean(list(metric.by_seed.values())))


def test_the_planted_copy_is_flagged_with_words(report: Report) -> None:
    flagged = report.content["memorization"]["flagged"]
    assert flagged[0]["sample"] == 7
    assert flagged[0]["nearest_training_row"] == 3
    assert flagged[0]["seed"] == "1007"
    assert flagged[0]["verdict"].endswith("copies a training mask")
    assert report.content["memorization"]["equal_to_training"] == [7]
    told, textures = (report.content["memorization"][name] for name in ("membership", "textures"))
    assert told["auc"] == report.metric("Membership AUC").value
    assert told["members"] == report.content["counts"]["compared"]["training"]
    assert textures["compared"] == report.content["counts"]["synthetic"]
    assert any("closer to a training mask" in finding for finding in report.content["findings"])


def test_good_samples_are_as_real(report: Report) -> None:
    assert report.metric("W1", 1).value < 4 * report.metric("W1", 1).real
    assert report.metric("HU distance inside the structure").value < 2.0


def test_the_summary_is_a_table_with_the_conclusion_on_top(report: Report) -> None:
    lines = report.summary().splitlines()
    assert lines[0] == report.conclusion
    assert len(lines) == len(report.metrics) + 2
    assert "Betti score of holes" in report.summary()


def test_the_same_input_gives_the_same_report(
    report: Report, tmp_path: Path, synthesis: Path, training_set: Path
) -> None:
    again = evaluate(synthesis, training_set, report=tmp_path / "again")
    assert again.path == tmp_path / "again.html"
    assert report.path is not None
    assert again.path.read_bytes() == report.path.read_bytes()


def test_nothing_is_written_without_a_report_path(synthesis: Path, training_set: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in synthesis.parent.rglob("*")}
    found = evaluate(synthesis, training_set)
    assert found.path is None
    assert {path: path.stat().st_mtime_ns for path in synthesis.parent.rglob("*")} == before


def test_masks_alone_are_evaluated_without_textures(
    make_synthesis: Make, make_training_set: Make, real_slices: Slices, synthetic_slices: Slices, tmp_path: Path
) -> None:
    real = make_training_set(real_slices[0], None, trained=40)
    found = evaluate(make_synthesis(synthetic_slices[0], None), real, report=tmp_path / "out.html")
    assert not [metric for metric in found.metrics if metric.group == "texture"]
    assert "HU" not in found.conclusion


def test_asked_for_topology_is_told_with_its_price(
    make_synthesis: Make, training_set: Path, synthetic_slices: Slices
) -> None:
    from topogan.homology import betti_numbers_of_batch

    one = (betti_numbers_of_batch(synthetic_slices[0]) == (1, 1)).all(axis=1)
    samples = make_synthesis(*(part[one] for part in synthetic_slices), requested_betti=[1, 1], accepted_percent=24.6)
    found = evaluate(samples, training_set)
    count = int(one.sum())
    start = f"{count} of {count} samples have 1 piece and 1 hole, as was asked for (25 % of the tries had it)"
    assert found.conclusion.startswith(start)
    assert found.metric("Valid (requested topology)").value == 100.0
    assert found.metric("Valid").value == 0.0


def test_cleaned_samples_show_what_the_generator_made(
    make_synthesis: Make, training_set: Path, synthetic_slices: Slices
) -> None:
    samples = make_synthesis(
        *synthetic_slices, settings={"clean": 4}, betti_histogram_before_cleaning={"2,1": 12, "3,1": 18}
    )
    found = evaluate(samples, training_set)
    assert found.metric("Valid (before cleaning)").value == pytest.approx(40.0)
    assert "cleaned below 4 pixels" in found.metric("Valid (before cleaning)").note


def test_a_foreign_training_set_and_dependent_slices_are_warned_of(
    make_synthesis: Make, make_training_set: Make, real_slices: Slices, synthetic_slices: Slices
) -> None:
    real = make_training_set(*real_slices, trained=40)
    description = json.loads((real / "dataset.json").read_text())
    (real / "dataset.json").write_text(json.dumps({**description, "independent": False}))
    foreign = make_synthesis(*synthetic_slices, model={"content_hash": "b", "training_set": "another"})
    own = make_synthesis(*synthetic_slices, model={"content_hash": "b", "training_set": description["content_hash"]})
    begin = [[text.split(":")[0] for text in evaluate(samples, real).content["warnings"]] for samples in (foreign, own)]
    assert begin == [
        [
            "All real slices here are of one patient, so that they are more alike than those of different patients",
            "The model was trained on another training set than this one",
        ],
        ["The test slices come from a patient that was trained on"],
    ]


def test_samples_that_lie_otherwise_are_warned_of(
    make_synthesis: Make, training_set: Path, synthetic_slices: Slices
) -> None:
    samples = make_synthesis(*synthetic_slices, center="volume")
    assert evaluate(samples, training_set).content["warnings"] == [
        "The samples lie around what all slices of a phase show and the real slices around what each slice shows: "
        "shapes differ for that alone; prepare the set with --center volume."
    ]
    with pytest.raises(InputError, match="synthesize again"):
        evaluate(make_synthesis(*synthetic_slices, center="heart"), training_set)


def test_a_generator_that_copies_is_warned_of(
    make_synthesis: Make, training_set: Path, real_slices: Slices, report: Report, tmp_path: Path
) -> None:
    """Unless it has learned from another training set: then nobody can tell."""
    masks, images = real_slices
    warnings = evaluate(make_synthesis(masks[:20], images[:20]), training_set).content["warnings"]
    assert warnings == [
        f"20 of 20 {ones}: sharing them, or the model, could disclose patients."
        for ones in ("samples look like copies of training masks", "textures look like copies of training images")
    ]
    assert report.content["warnings"] == []
    others = make_synthesis(masks[:20], images[:20], model={"content_hash": "b", "training_set": "another"})
    content = evaluate(others, training_set, comparison=tmp_path / "out").content
    (warning,) = content["warnings"]
    assert warning.endswith("copying cannot be judged.")
    assert not [one for one in content["findings"] if "closer" in one or "grain" in one]
    compared = read_comparison(tmp_path / "out")
    assert (compared.foreign, compared.copies) == (True, 0)
    assert not [row.verdict for row in compared.samples if "copies" in row.verdict]


def test_empty_and_full_samples_are_evaluated(make_synthesis: Make, training_set: Path, tmp_path: Path) -> None:
    masks = np.zeros((6, 64, 64), dtype=bool)
    masks[3:] = True
    found = evaluate(make_synthesis(masks, np.zeros(masks.shape, np.int16)), training_set, report=tmp_path / "out")
    assert found.metric("Valid").value == 0.0
    assert found.metric("Dice to real").value < 0.5
    assert found.content["worst"][0]["verdict"] == "empty"


def test_progress_is_told(synthesis: Path, training_set: Path) -> None:
    events: list[dict] = []
    evaluate(synthesis, training_set, on_event=events.append)
    assert [event["step"] for event in events] == list(range(1, events[-1]["total"] + 1))
    assert {event["stage"] for event in events} == {"evaluate"}


def test_inputs_that_do_not_belong_together_are_refused(
    make_synthesis: Make, training_set: Path, synthetic_slices: Slices, tmp_path: Path
) -> None:
    masks, textures = synthetic_slices
    with pytest.raises(InputError, match="32 pixels wide and the training set 64"):
        evaluate(make_synthesis(masks[:, :32, :32], textures[:, :32, :32]), training_set)
    with pytest.raises(InputError, match="1 slice"):
        evaluate(make_synthesis(masks[:1], textures[:1]), training_set)
    with pytest.raises(InputError, match="30 masks and 20 textures"):
        evaluate(make_synthesis(masks, textures[:20]), training_set)
    with pytest.raises(InputError, match="is missing"):
        evaluate(tmp_path / "nowhere", training_set)
    with pytest.raises(InputError, match="no training set"):
        evaluate(make_synthesis(masks, textures), tmp_path / "nowhere")


def test_incomplete_folders_are_refused(make_synthesis: Make, training_set: Path, synthetic_slices: Slices) -> None:
    without_model = make_synthesis(*synthetic_slices, model={})
    with pytest.raises(InputError, match="does not say what it must"):
        evaluate(without_model, training_set)
    with pytest.raises(InputError, match="3 Betti numbers where masks have 2"):
        evaluate(make_synthesis(*synthetic_slices, requested_betti=[1, 1, 0]), training_set)
    (without_model / "samples.csv").unlink()
    with pytest.raises(InputError, match=r"samples\.csv is missing or damaged"):
        evaluate(without_model, training_set)


def test_damaged_stacks_are_refused(make_synthesis: Make, training_set: Path, synthetic_slices: Slices) -> None:
    samples = make_synthesis(*synthetic_slices)
    (samples / "masks.nrrd").write_bytes(b"NRRD0004\nnonsense")
    with pytest.raises(InputError, match=r"masks\.nrrd cannot be read"):
        evaluate(samples, training_set)
    (samples / "masks.nrrd").unlink()
    with pytest.raises(InputError, match=r"masks\.nrrd is missing"):
        evaluate(samples, training_set)


@pytest.mark.parametrize("name", ["out.html", "out.json"])
def test_an_existing_report_is_kept_unless_told(name: str, tmp_path: Path, synthesis: Path, training_set: Path) -> None:
    write_json(tmp_path / name, {}, "topogan.evaluation/1")
    with pytest.raises(InputError, match="--overwrite"):
        evaluate(synthesis, training_set, report=tmp_path / "out.html")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    evaluate(synthesis, training_set, report=tmp_path / "out.html", overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.html", "out.json"]


def test_other_numbers_beside_the_page_are_never_replaced(tmp_path: Path, synthesis: Path, training_set: Path) -> None:
    (tmp_path / "out.json").write_text("mine")
    with pytest.raises(InputError, match=r"out\.json is another kind of file"):
        evaluate(synthesis, training_set, report=tmp_path / "out.html", overwrite=True)
    assert (tmp_path / "out.json").read_text() == "mine"


def test_impossible_report_paths_are_refused(tmp_path: Path, synthesis: Path, training_set: Path) -> None:
    with pytest.raises(InputError, match=r"end it with \.html"):
        evaluate(synthesis, training_set, report=tmp_path / "out.pdf")
    with pytest.raises(InputError, match="does not exist"):
        evaluate(synthesis, training_set, report=tmp_path / "missing" / "out.html")
    (tmp_path / "out.html").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        evaluate(synthesis, training_set, report=tmp_path / "out.html", overwrite=True)
