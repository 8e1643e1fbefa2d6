"""The figures of a package: measured when it is written, the same each time, none where there is nothing to say."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from topogan.errors import InputError
from topogan.metrics import memorization
from topogan.model import Model, add_figures, load_model, measuring
from topogan.model.measuring import measure
from topogan.training_set import TrainingSet


@pytest.fixture(scope="module")
def rings(ring_training_set: Path) -> TrainingSet:
    return TrainingSet.open(ring_training_set)


def test_rings_and_discs_beside_rings(ring_model: Path, rings: TrainingSet) -> None:
    """All real masks are rings; the model makes about as many discs."""
    model = load_model(ring_model)
    figures = model.metadata.figures
    assert figures is not None
    assert (figures.samples, figures.held_out, figures.part) == (16, 3, "validation")
    (ring,) = figures.regions
    assert (ring.real_valid_percent, ring.real_betti_error) == (100, 0)
    made = np.mean([tuple(one[0]) == (1, 1) for one in model.sample(16).betti.tolist()])
    assert ring.valid_percent == 100 * made
    assert ring.betti_error == pytest.approx(1 - made, abs=1e-4)
    assert 0 < made < 1
    assert 0.5 < figures.dice_to_training < 1
    assert measure(model, rings) == figures


def test_samples_are_judged_by_their_level(heart_model: Model, heart_training_set: Path) -> None:
    """Every fourth or so has an open wall, which real slices show near the base alone."""
    figures = measure(heart_model, TrainingSet.open(heart_training_set))
    assert figures is not None
    wall, cavity, both = figures.regions
    assert wall.valid_percent < 95 < wall.real_valid_percent
    assert (cavity.valid_percent, both.valid_percent) == (100, 100)


def test_copies_are_seen(ring_model: Path, rings: TrainingSet, monkeypatch: pytest.MonkeyPatch) -> None:
    stolen = rings.masks[rings.train]
    monkeypatch.setattr(measuring, "draw_masks", lambda model, count: (stolen, rings.betti[rings.train], None))
    figures = measure(load_model(ring_model), rings)
    assert figures is not None
    assert (figures.dice_to_training, figures.identical_percent) == (1, 100)
    assert figures.closer_percent > 80
    assert (figures.copies_percent, figures.membership_auc) == (100, 1)


def test_what_cannot_be_measured_is_none(ring_model: Path, rings: TrainingSet) -> None:
    model = load_model(ring_model)
    assert measure(replace(model, masks=None), rings) is None
    alone = replace(rings, validation=rings.validation[:0], test=rings.test[:1])
    assert measure(model, alone) is None
    tested = measure(model, replace(rings, validation=rings.validation[:1]))
    assert tested is not None
    assert (tested.part, tested.held_out) == ("test", 5)
    with torch.no_grad():
        next(iter(model.masks.parameters())).fill_(float("nan"))
    assert measure(model, rings) is None, "the package is written all the same"
    with pytest.raises(InputError, match="is not the training set of this model"):
        measure(model, replace(rings, content_hash="another"))


def test_figures_are_added_to_an_older_package(ring_model: Path, rings: TrainingSet, tmp_path: Path) -> None:
    old = Path(shutil.copytree(ring_model, tmp_path / "old"))
    path = old / "configs/metadata.json"
    content = json.loads(path.read_text())
    figures = content.pop("figures")
    path.write_text(json.dumps(content))
    assert load_model(old).metadata.figures is None
    add_figures(old, rings)
    found = load_model(old).metadata
    assert found.figures is not None
    assert json.loads(json.dumps(asdict(found.figures))) == figures
    assert (old / "docs/README.md").read_text() == (ring_model / "docs/README.md").read_text()
    assert f"| ring | {found.figures.regions[0].valid_percent:.0f} % | 100 % |" in (old / "docs/README.md").read_text()
    assert (old / "LICENSE").read_bytes() == (ring_model / "LICENSE").read_bytes()


def test_nothing_that_goes_wrong_while_measuring_costs_the_package(
    ring_model: Path, rings: TrainingSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(shutil.copytree(ring_model, tmp_path / "model"))
    failure, told = MemoryError("Unable to allocate 9 GiB"), list[Exception]()

    def too_much(*args: object) -> None:
        raise failure

    monkeypatch.setattr(measuring, "audit", too_much)
    add_figures(package, rings, told.append)
    assert told == [failure]
    assert load_model(package).metadata.figures is None
    assert "## " in (package / "docs/README.md").read_text()
    with pytest.raises(MemoryError):
        add_figures(package, rings)


def test_of_large_samples_few_are_compared(
    ring_model: Path, rings: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels, seen = rings.size**2, list[tuple[int, int, int]]()

    def audit(labels: np.ndarray, held_out: np.ndarray, read: object, pool: np.ndarray, structures: int) -> object:
        seen.append((len(labels), len(held_out), len(pool)))
        return memorization.audit(labels, held_out, read, pool, structures)

    monkeypatch.setattr(measuring, "audit", audit)
    monkeypatch.setattr(measuring, "_MOST_PIXELS", 2 * pixels)
    monkeypatch.setattr(measuring, "_MOST_COMPARED", 5 * pixels)
    figures = measure(load_model(ring_model), rings)
    assert seen == [(2, 2, 5)]
    assert figures is not None
    assert figures.held_out == 3, "whose Betti numbers cost nothing"
    assert measure(load_model(ring_model), rings) == figures
