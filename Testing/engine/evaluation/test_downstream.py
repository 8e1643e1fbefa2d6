"""The downstream segmentation: scores by hand, and a small U-Net that must learn something."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from topogan import files
from topogan.config import DownstreamSettings, SynthesisSettings
from topogan.errors import InputError, WorkError
from topogan.evaluation.downstream import downstream
from topogan.evaluation.gain import gain, gain_in_words
from topogan.evaluation.own_masks import painted_own_masks
from topogan.evaluation.segmentation import segmentation_scores
from topogan.evaluation.segmentation_augmentation import Augmentation, augmented
from topogan.evaluation.segmentation_network import batch_counts, predict, train_network
from topogan.evaluation.sets import check_alike
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.files import write_json
from topogan.homology import betti_numbers_of_batch
from topogan.model import Model, load_model
from topogan.synthesis import synthesize
from topogan.training_set import TrainingSet

Slices = tuple[np.ndarray, np.ndarray]


def square(row: int, size: int) -> np.ndarray:
    mask = np.zeros((32, 32), dtype=bool)
    mask[row : row + size, 8 : 8 + size] = True
    return mask


def test_scores_by_hand() -> None:
    truth = np.stack([square(8, 10), square(8, 10)])
    predicted = np.stack([square(10, 10), np.zeros((32, 32), dtype=bool)])
    predicted[0, 0, 0] = True
    scores = segmentation_scores(predicted, truth, pixel_size=1.5)
    assert scores.dice == pytest.approx((2 * 80 / 201) / 2, abs=1e-6)
    assert scores.hd95 is not None
    assert 2 * 1.5 <= scores.hd95 <= 12 * 1.5
    assert scores.missed == 50.0
    assert (scores.component_error, scores.hole_error) == (1.0, 0.0)  # one component too many, one missing
    assert scores.betti_error == 1.0


def test_boundary_distance_is_in_millimeters() -> None:
    scores = segmentation_scores(square(10, 10)[None], square(8, 10)[None], pixel_size=1.5)
    assert scores.hd95 == pytest.approx(2 * 1.5)


def test_perfect_and_empty_predictions() -> None:
    truth = square(8, 10)[None]
    perfect = segmentation_scores(truth, truth, 1.0)
    assert (perfect.dice, perfect.hd95, perfect.missed, perfect.betti_error) == (1.0, 0.0, 0.0, 0.0)
    nothing = segmentation_scores(np.zeros_like(truth), truth, 1.0)
    assert (nothing.dice, nothing.hd95, nothing.missed) == (0.0, None, 100.0)


def test_augmentation_moves_image_and_mask_together() -> None:
    mask = torch.from_numpy(np.stack([square(8, 12), square(10, 9)] * 4))[:, None].float()
    image, moved = augmented(mask * 2 - 1, mask, 1, np.random.default_rng(0), Augmentation())
    assert set(moved.unique().tolist()) <= {0.0, 1.0}
    assert not torch.equal(moved, mask)
    middle = (image.amax((1, 2, 3), keepdim=True) + image.amin((1, 2, 3), keepdim=True)) / 2
    assert ((image > middle) == (moved == 1)).float().mean() > 0.97
    again, _ = augmented(mask * 2 - 1, mask, 1, np.random.default_rng(0), Augmentation())
    assert torch.equal(image, again)


def test_tiles_that_are_moved_go_on_beyond_their_edges() -> None:
    full = torch.ones(8, 1, 32, 32)
    _, moved = augmented(full, full, 1, np.random.default_rng(0), Augmentation(outside="border"))
    assert moved.all()


def test_a_small_network_learns(real_slices: Slices) -> None:
    masks, images = real_slices
    settings = DownstreamSettings(steps=40, batch=8, width=8, learning_rate=0.01, threads=1)
    cpu, window = torch.device("cpu"), (-200.0, 600.0)
    network = train_network([(images[:40], masks[:40])], window, settings, 0, cpu)
    scores = segmentation_scores(predict(network, images[40:], window, 8, cpu), masks[40:], 1.5)
    assert scores.dice > 0.6


@pytest.mark.parametrize(("share", "counts"), [(25, [12, 4]), (50, [8, 8]), (99, [1, 15]), (1, [15, 1])])
def test_a_share_of_each_batch_is_synthetic(share: int, counts: list[int]) -> None:
    assert batch_counts(DownstreamSettings(share=share), 2) == counts


def test_each_kind_of_data_is_reported_by_seed(tmp_path: Path, synthesis: Path, training_set: Path) -> None:
    settings = DownstreamSettings(steps=1, batch=4, width=4, seeds=2, threads=1, device="cpu")
    events: list[dict] = []
    found = downstream(synthesis, training_set, tmp_path / "out.json", settings, on_event=events.append)
    kinds = ["real", "real + augmentation", "real + synthetic", "real + synthetic + augmentation"]
    assert {data: len(scores) for data, scores in found.by_data.items()} == dict.fromkeys(kinds, 2)
    assert [event["step"] for event in events] == list(range(1, 9))
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["schema"] == "topogan.downstream/2"
    dice = [scores.dice for scores in found.by_data[kinds[3]]]
    assert content["mean"][kinds[3]]["dice"] == pytest.approx(np.mean(dice))
    assert [row["dice"] for row in content["by_seed"][kinds[3]]] == dice
    rival = [scores.dice for scores in found.by_data[kinds[1]]]
    gained = content["gain_over_augmentation"][kinds[3]]["dice"]["difference"]
    assert gained == pytest.approx(np.mean(dice) - np.mean(rival))
    assert found.summary().endswith(content["sentence"])


def test_own_masks_are_deformed_and_painted(ring_model: Path, ring_training_set: Path) -> None:
    real = TrainingSet.open(ring_training_set)
    images, labels = painted_own_masks(load_model(ring_model), real, 20, seed=1)
    assert (images.shape, images.dtype, labels.shape) == ((20, 64, 64), np.int16, (20, 64, 64))
    assert (betti_numbers_of_batch(labels == 1) == (1, 1)).all()  # what does not fold keeps its topology
    again, _ = painted_own_masks(load_model(ring_model), real, 20, seed=1)
    np.testing.assert_array_equal(images, again)
    own = real.masks[real.train]
    assert not any((own == one).all(axis=(1, 2)).any() for one in labels)


def test_what_is_in_own_tiles_goes_on_beyond_their_edges(ring_model: Path, ring_training_set: Path) -> None:
    real = TrainingSet.open(ring_training_set)
    full = replace(real, masks=np.ones_like(real.masks[:]), tiled=True)  # type: ignore[arg-type]  # rows are all that is asked for
    model = load_model(ring_model)
    assert painted_own_masks(model, full, 4)[1].all()
    assert not painted_own_masks(model, replace(full, tiled=False), 4)[1].all()


def test_own_masks_of_other_structures_are_not_painted(heart_model: Model, heart_training_set: Path) -> None:
    """Nor of as many, which the network could not tell from its own."""
    real = TrainingSet.open(heart_training_set)
    names = [structure.model_copy(update={"name": f"other {structure.name}"}) for structure in real.table.structures]
    metadata = heart_model.metadata.model_copy(update={"table": real.table.model_copy(update={"structures": names})})
    with pytest.raises(InputError, match=r"This model paints other .*: choose a model of this training set"):
        painted_own_masks(replace(heart_model, metadata=metadata), real, 1)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"pixel_size_mm": 0.5}, r"pixels of 0\.5 mm and the training set has those of .* mm: choose"),
        ({"intensity": "arbitrary"}, r"the kind arbitrary and the training set has those of the kind HU: choose"),
        ({"size": 32}, r"in slices of 32 pixels: choose"),
    ],
)
def test_own_masks_of_other_pixels_are_not_painted(
    what: dict[str, Any], said: str, ring_model: Path, ring_training_set: Path
) -> None:
    model = load_model(ring_model)
    other = replace(model, metadata=model.metadata.model_copy(update=what))
    with pytest.raises(InputError, match=said):
        painted_own_masks(other, TrainingSet.open(ring_training_set), 1)


def test_own_masks_are_one_more_kind(ring_model: Path, ring_training_set: Path, tmp_path: Path) -> None:
    samples = synthesize(load_model(ring_model), tmp_path / "samples", SynthesisSettings(count=4))
    settings = DownstreamSettings(steps=1, batch=4, width=4, seeds=1, threads=1, device="cpu")
    found = downstream(samples, ring_training_set, settings=settings, model=ring_model)
    assert list(found.by_data)[-1] == "real + own masks painted + augmentation"
    assert "one seed, which says little" in found.sentence


@pytest.mark.parametrize(
    ("dice", "betti", "words"),
    [
        ([0.87, 0.88, 0.86], [0.1, 0.1, 0.1], "raised Dice from .84 to .87 (3 seeds, spread .01), and lowered their"),
        ([0.85, 0.83, 0.84], [0.2, 0.21, 0.2], "spread between seeds (.01), and the topology of the segmentations did"),
        ([0.80, 0.79, 0.81], [0.3, 0.3, 0.3], "raised their Betti error from .20 to .30: leave them out here."),
        ([0.87, 0.88, 0.86], [0.4, 0.4, 0.4], "raised their Betti error from .20 to .40: at the cost of topology."),
        (
            [0.87, 0.88],
            [0.2, 0.2],
            "changed Dice from .84 to .88 with 2 seeds, which says little: take 3 seeds or more.",
        ),
        ([0.87, 0.88, 0.86], [0.2003, 0.2003, 0.2003], "Betti error from .2000 to .2003: at the cost"),
    ],
)
def test_the_gain_in_words(dice: list[float], betti: list[float], words: str) -> None:
    before = gain([0.84] * len(dice), dice), gain([0.2] * len(betti), betti)
    assert before[0]
    assert before[1]
    sentence = gain_in_words(*before, patients=4)
    assert sentence.startswith("With your 4 patients and this one synthesis, synthetic slices ")
    assert words in sentence


def test_small_errors_that_differ_are_told_apart() -> None:
    dice, betti = gain([0.84] * 3, [0.87] * 3), gain([0.0012] * 3, [0.0014] * 3)
    assert dice and betti
    assert "Betti error from .0012 to .0014" in gain_in_words(dice, betti, patients=1)


def test_the_same_seed_gives_the_same_scores_and_a_model_of_another_set_is_named(
    make_synthesis: Callable[..., Path], synthetic_slices: Slices, training_set: Path, ring_model: Path
) -> None:
    samples = make_synthesis(*synthetic_slices, model={"content_hash": "b" * 64, "training_set": "c" * 64})
    settings = DownstreamSettings(steps=2, batch=4, width=4, seeds=1, threads=1, device="cpu")
    first, second = (downstream(samples, training_set, settings=settings, model=ring_model) for _ in range(2))
    assert first == second
    for whose in ("samples' model", "model that paints your own masks"):
        assert f"The {whose} saw another training set: if it holds these test patients" in first.summary()


def test_what_it_needs_is_asked_for(
    tmp_path: Path, make_synthesis: Callable[..., Path], training_set: Path, synthetic_slices: Slices
) -> None:
    with pytest.raises(InputError, match="needs images"):
        downstream(make_synthesis(synthetic_slices[0], None), training_set)
    existing = tmp_path / "out.json"
    existing.write_text("mine")
    with pytest.raises(InputError, match="exists"):
        downstream(make_synthesis(*synthetic_slices), training_set, existing)
    with pytest.raises(InputError, match="is another kind of file"):
        downstream(make_synthesis(*synthetic_slices), training_set, existing, overwrite=True)
    with pytest.raises(InputError, match="does not exist"):
        downstream(make_synthesis(*synthetic_slices), training_set, tmp_path / "missing" / "out.json")


def test_samples_of_other_pixels_are_refused(
    make_synthesis: Callable[..., Path], training_set: Path, synthetic_slices: Slices
) -> None:
    small = make_synthesis(*(array[:2, :32, :32] for array in synthetic_slices))
    with pytest.raises(InputError, match="32 pixels wide and the training set 64: name the training set"):
        downstream(small, training_set)
    with pytest.raises(InputError, match="of the kind arbitrary and the training set HU"):
        downstream(make_synthesis(*synthetic_slices, intensity="arbitrary"), training_set)
    real = TrainingSet.open(training_set)
    coarse = replace(real, pixel_size=2 * real.pixel_size)
    with pytest.raises(InputError, match=r"pixels of .* mm and the training set of .* mm"):
        check_alike(SyntheticSet.open(make_synthesis(*synthetic_slices)), coarse)


def test_nothing_half_written_stays(
    tmp_path: Path, synthesis: Path, training_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed a day ago, and on a full disk: the older scores stay until the new ones are whole."""
    settings = DownstreamSettings(steps=1, batch=4, width=4, seeds=1, threads=1, device="cpu")
    out, left, fresh = (tmp_path / name for name in ("out.json", ".0123abcd.partial.json", ".4567abcd.partial.json"))
    write_json(out, {"older": True}, "topogan.downstream/1")
    for path in (left, fresh):
        path.write_text("{")
    os.utime(left, (0, 0))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch, pytest.raises(WorkError, match=r"The disk of .*out\.json is full"):
        patch.setattr(files, "replace", full)
        downstream(synthesis, training_set, out, settings, overwrite=True)
    assert sorted(tmp_path.iterdir()) == sorted([out, fresh])
    assert json.loads(out.read_text())["older"]
    downstream(synthesis, training_set, out, settings, overwrite=True)
    assert "older" not in json.loads(out.read_text())


def test_several_structures_are_segmented_by_one_network(
    tmp_path: Path, heart_model: Model, heart_training_set: Path
) -> None:
    samples = synthesize(heart_model, tmp_path / "samples", SynthesisSettings(count=8, seed=1))
    settings = DownstreamSettings(steps=20, seeds=1, width=8, batch=4, learning_rate=0.01, threads=1)
    found = downstream(samples, heart_training_set, settings=settings)
    assert all(scores[0].dice > 0.6 for scores in found.by_data.values())
