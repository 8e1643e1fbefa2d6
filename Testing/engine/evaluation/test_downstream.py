"""The downstream segmentation: scores by hand, and a small U-Net that must learn something."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from topogan import files
from topogan.config import DownstreamSettings, SynthesisSettings
from topogan.errors import InputError, WorkError
from topogan.evaluation.downstream import SCHEMA, downstream
from topogan.evaluation.segmentation import segmentation_scores
from topogan.evaluation.segmentation_network import augmented, predict, train_network
from topogan.files import write_json
from topogan.model import Model
from topogan.synthesis import synthesize

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
    mask = torch.from_numpy(np.stack([square(8, 12), square(10, 9)]))[:, None].float()
    image, moved = augmented(mask * 2 - 1, mask, np.random.default_rng(0))
    assert set(moved.unique().tolist()) <= {0.0, 1.0}
    assert not torch.equal(moved, mask)
    agreement = ((image > 0) == (moved == 1)).float().mean()
    assert agreement > 0.97
    again, _ = augmented(mask * 2 - 1, mask, np.random.default_rng(0))
    assert torch.equal(image, again)


def test_a_small_network_learns(real_slices: Slices) -> None:
    masks, images = real_slices
    settings = DownstreamSettings(steps=50, batch=8, width=8, learning_rate=0.003, threads=1)
    cpu, window = torch.device("cpu"), (-200.0, 600.0)
    network = train_network(images[:40], masks[:40], window, settings, 0, cpu)
    scores = segmentation_scores(predict(network, images[40:], window, 8, cpu), masks[40:], 1.5)
    assert scores.dice > 0.6


def test_each_kind_of_data_is_reported_by_seed(tmp_path: Path, synthesis: Path, training_set: Path) -> None:
    settings = DownstreamSettings(steps=1, batch=4, width=4, seeds=2, threads=1, device="cpu")
    events: list[dict] = []
    found = downstream(synthesis, training_set, tmp_path / "out.json", settings, on_event=events.append)
    assert {data: len(scores) for data, scores in found.by_data.items()} == {
        "real": 2, "synthetic": 2, "real and synthetic": 2
    }  # fmt: skip
    assert [event["step"] for event in events] == [1, 2, 3, 4, 5, 6]
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["schema"] == "topogan.downstream/1"
    dice = [scores.dice for scores in found.by_data["synthetic"]]
    assert content["mean"]["synthetic"]["dice"] == pytest.approx(np.mean(dice))
    assert [row["dice"] for row in content["by_seed"]["synthetic"]] == dice
    assert len(found.summary().splitlines()) == 4


def test_the_same_seed_gives_the_same_scores(synthesis: Path, training_set: Path) -> None:
    settings = DownstreamSettings(steps=2, batch=4, width=4, seeds=1, threads=1, device="cpu")
    first, second = (downstream(synthesis, training_set, settings=settings) for _ in range(2))
    assert first == second


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


def test_nothing_half_written_stays(
    tmp_path: Path, synthesis: Path, training_set: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed a day ago, and on a full disk: the older scores stay until the new ones are whole."""
    settings = DownstreamSettings(steps=1, batch=4, width=4, seeds=1, threads=1, device="cpu")
    out, left, fresh = (tmp_path / name for name in ("out.json", ".0123abcd.partial.json", ".4567abcd.partial.json"))
    write_json(out, {"older": True}, SCHEMA)
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
    settings = DownstreamSettings(steps=150, seeds=1, width=8, batch=8, threads=1)
    found = downstream(samples, heart_training_set, settings=settings)
    (real,), (synthetic,) = found.by_data["real"], found.by_data["synthetic"]
    assert real.dice > 0.6 > synthetic.dice
