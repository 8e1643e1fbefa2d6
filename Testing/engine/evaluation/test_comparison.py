"""What an evaluation says to a panel: a file within a contract, ranks, and the nearest training samples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from topogan.cli import app
from topogan.config import SynthesisSettings
from topogan.dataset.split import split_in_turn
from topogan.errors import InputError
from topogan.evaluation import Report, evaluate, memorization_section
from topogan.evaluation.meanings import meaning
from topogan.evaluation.memorization_section import images_compared, texture_rows
from topogan.evaluation.terms import TERMS
from topogan.model import Model
from topogan.synthesis import synthesize
from topogan.training_set import TrainingSet
from topogan_contract.comparison import QUANTILES, Comparison, comparison_of, read_comparison, text_of
from topogan_contract.stacks import read_stack


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out") / "comparison"


@pytest.fixture(scope="module")
def report(folder: Path, synthesis: Path, training_set: Path) -> Report:
    return evaluate(synthesis, training_set, comparison=folder)


@pytest.fixture(scope="module")
def found(folder: Path, report: Report) -> Comparison:
    return read_comparison(folder)


def test_the_figures_are_those_of_the_report(found: Comparison, report: Report) -> None:
    assert found.conclusion == report.conclusion
    assert [row.samples for row in found.metrics] == [metric.value for metric in report.metrics]
    assert {row.name for row in found.metrics} >= {"Betti error", "W1 of holes", "Dice to real", "Possible copies"}
    assert all(meaning(metric, TERMS[2]) for metric in report.metrics), "each has a sentence"
    (copies,) = [row for row in found.metrics if row.name == "Possible copies"]
    assert copies.meaning.startswith("How many are closer to a training slice than every held-out one is.")
    assert (found.axes, found.unit) == (2, "mm²")


def test_what_is_drawn(found: Comparison) -> None:
    (region,) = found.regions
    names, samples, real = zip(*region.topologies, strict=True)
    assert sum(samples) == pytest.approx(1)
    assert sum(real) == pytest.approx(1)
    assert real[0] == max(real)
    assert set(names) >= {"1,1", "2,1"}
    assert len(region.samples) == len(region.real) == len(QUANTILES)
    assert 200 < region.real[0] < region.real[-1] < 2000, "mm²"


def test_ranks_put_topology_first_and_copies_last(found: Comparison) -> None:
    order = [found.samples[number] for number in found.order]
    assert [row.rank for row in order] == list(range(1, 31))
    right = [row for row in order if row.verdict == "valid"]
    assert order[: len(right)] == right, "valid ones that are no copies"
    dice = [row.dice_to_test for row in right]
    assert dice == sorted(dice, reverse=True)
    copied = found.samples[7]
    assert copied.copy
    assert copied.rank > len(right)
    assert (copied.training_row, copied.dice_to_training) == (3, 1.0)
    assert found.copies >= 1


def test_the_nearest_are_stored_in_the_order_of_the_samples(
    folder: Path, found: Comparison, training_set: Path
) -> None:
    real = TrainingSet.open(training_set)
    for name, stored in (("masks", real.masks), ("textures", real.images)):
        stack = read_stack(folder / "nearest" / f"{name}.nrrd")
        array = np.frombuffer(stack.data, stack.dtype).reshape(stack.size[::-1])
        assert stored is not None
        rows = [row.training_row for row in found.samples]
        wanted = stored[np.array(rows)]
        assert (array == (wanted == 1 if name == "masks" else wanted)).all()
    assert {row.test_row for row in found.samples} <= set(real.test.tolist())


def test_textures_are_compared_with_so_many_training_images(
    training_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = TrainingSet.open(training_set)
    assert texture_rows(real).tolist() == real.train.tolist()
    assert images_compared(real) == "all"
    monkeypatch.setattr(memorization_section, "_MOST_PIXELS", 9 * real.size**2)
    assert len(texture_rows(real)) == 9
    assert texture_rows(real).tolist() == texture_rows(real).tolist()
    assert images_compared(real) == f"9 of {len(real.train)}"


def test_several_structures_and_a_folder_that_is_taken(
    heart_training_set: Path, heart_model: Model, tmp_path: Path
) -> None:
    made = synthesize(heart_model, tmp_path / "made", SynthesisSettings(count=6, seed=1))
    evaluate(made, heart_training_set, comparison=tmp_path / "out")
    found = read_comparison(tmp_path / "out")
    assert [region.name for region in found.regions] == ["wall", "cavity", "wall + cavity"]
    assert {row.structure for row in found.metrics} == {"", "wall", "cavity", "wall + cavity"}
    assert not any(row.name.startswith("wall: ") for row in found.metrics)
    with pytest.raises(InputError, match="is not empty"):
        evaluate(made, heart_training_set, comparison=tmp_path / "out")


def changed(comparison: Comparison, change: Callable[[dict], object]) -> str:
    content = json.loads(text_of(comparison))
    change(content)
    return json.dumps(content)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content.pop("unit"),
        lambda content: content.update(schema="topogan.comparison/2"),
        lambda content: content.update(axes=True),
        lambda content: content.update(held_out_mean=float("nan")),
        lambda content: content["samples"][0].__setitem__(0, 2),
        lambda content: content["samples"][0].__setitem__(2, "no"),
        lambda content: content["samples"][0].__setitem__(4, 1.5),
        lambda content: content["samples"].__setitem__(0, 3),
        lambda content: content["samples"][0].append(1),
        lambda content: content["metrics"][0].__setitem__(2, "1e3"),
        lambda content: content.update(metrics=content["metrics"] * 100),
        lambda content: content["regions"][0].__setitem__(1, "red"),
        lambda content: content["regions"][0].__setitem__(3, [3.0, 2.0]),
        lambda content: content["regions"][0][2].__setitem__(0, ["1,1;", 0.5, 0.5]),
    ],
)
def test_what_is_no_comparison_is_refused(found: Comparison, change: Callable[[dict], object]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        comparison_of(changed(found, change))


def test_words_of_strangers_are_escaped_and_what_was_written_is_read(found: Comparison) -> None:
    assert comparison_of(text_of(found)) == found
    told = comparison_of(changed(found, lambda content: content.update(conclusion="a\n\x1b[31m")))
    assert told.conclusion == "a\\n\\x1b[31m"
    for text in ("", "[]", "[" * 100_000):
        with pytest.raises(ValueError, match=r".+"):
            comparison_of(text)


def test_the_command_prepares_what_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, dict]] = []
    monkeypatch.setattr(
        "topogan.dataset.request.prepare_as_requested", lambda *given, **more: said.append((given[0].name, more))
    )
    line = ["evaluate", "made", "--training-set", str(tmp_path / "set"), "--prepare", "asked", "--comparison", "out"]
    CliRunner().invoke(app, line)
    assert said == [("asked", {"reference": True})]


def test_slices_of_one_patient_are_a_reference_in_turn() -> None:
    assert split_in_turn([0.9, 0.1, 0.5, 0.2]) == ["test", "train", "train", "test"]
