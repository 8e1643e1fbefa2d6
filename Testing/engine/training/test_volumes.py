"""Trainings on volumes: the loss opens, closes and fills; a run is resumed exactly and becomes a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from training_sets import write_training_set

from topogan.config import HomologyDimensions, MaskSettings, Part, TopologySettings, TrainSettings, validated
from topogan.device import exact_numerics
from topogan.errors import InputError
from topogan.homology import betti_numbers, betti_numbers_of_batch
from topogan.losses.topology_loss import TopologyLoss, TopologyTargets
from topogan.model import load_model
from topogan.presets import check_form
from topogan.runs import read_status, request_stop
from topogan.training import resume, train
from topogan.training.fine_tuning import start_from
from topogan.training_set import TrainingSet

CPU = torch.device("cpu")
SIZE = 32
SETTINGS = TrainSettings(
    part=Part.MASKS,
    masks=MaskSettings(width=4, latent=8, steps=8, batch=4),
    topology=TopologySettings(warm_up=0.2, fixed_weight=0.01, ramp_steps=2, every=2),
    threads=1,
    checkpoint_every=3,
    preview_every=8,
)


def nested(count: int, size: int = SIZE) -> np.ndarray:
    """A ball (label 2) in a shell (label 1), of varied place and radius: uint8 [count, D, H, W]."""
    generator = np.random.default_rng(0)
    points = np.indices((size,) * 3)
    volumes = np.zeros((count, *points.shape[1:]), np.uint8)
    for volume in volumes:
        center = size / 2 + generator.normal(0, 1, 3)
        outer = generator.uniform(0.3, 0.38) * size
        distance = np.sqrt(((points - center[:, None, None, None]) ** 2).sum(axis=0))
        volume[distance < outer] = 1
        volume[distance < outer - 3.5] = 2
    return volumes


@pytest.fixture(scope="module")
def volume_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    table = {"structures": [{"name": "wall"}, {"name": "cavity"}]}
    folder = tmp_path_factory.mktemp("volumes") / "training_set"
    return write_training_set(folder, nested(24), None, 18, 3, table=table)


@pytest.fixture(scope="module")
def run(volume_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(volume_set, tmp_path_factory.mktemp("whole") / "run", SETTINGS)


def shell(size: int = 12) -> np.ndarray:
    inside = np.zeros((size,) * 3, bool)
    inside[2:-2, 2:-2, 2:-2] = True
    inside[4:-4, 4:-4, 4:-4] = False
    return inside


def pierced() -> np.ndarray:
    open_shell = shell()
    open_shell[:4, 6, 6] = False
    return open_shell


def with_a_speck() -> np.ndarray:
    speck = shell()
    speck[0, 0, 0] = True
    return speck


def with_a_handle() -> np.ndarray:
    handle = shell()
    handle[0, 4, 4:8] = handle[1, 4, 4] = handle[1, 4, 7] = True
    return handle


@pytest.mark.parametrize("wrong", [pierced(), with_a_speck(), with_a_handle()])
def test_the_loss_gives_a_volume_the_topology_of_the_real_ones(wrong: np.ndarray) -> None:
    settings = TopologySettings()
    targets = TopologyTargets.from_masks(shell()[None], settings)
    assert betti_numbers(shell()) == (1, 0, 1)
    assert betti_numbers(wrong) != (1, 0, 1)
    # A wall that is missing is doubtful, as in the grey output of a generator: between equals there is nothing to pull.
    grey = np.where(wrong, 1.0, np.where(shell(), -0.5, -1.0))
    logits = torch.from_numpy(grey)[None, None].requires_grad_()
    optimizer = torch.optim.SGD([logits], lr=0.5)
    for _ in range(60):
        optimizer.zero_grad()
        TopologyLoss(settings)(logits, targets).backward()
        optimizer.step()
    mended = logits.detach()[0, 0].numpy() >= 0
    assert betti_numbers(mended) == (1, 0, 1)
    assert (mended != shell()).sum() <= 8, "only where it was wrong"


def test_dimensions_can_be_left_out() -> None:
    settings = TopologySettings(dimensions=HomologyDimensions.COMPONENTS_AND_TUNNELS)
    targets = TopologyTargets.from_masks(shell()[None], settings)
    logits = torch.from_numpy(np.where(shell(), 3.0, -3.0))[None, None].requires_grad_()
    TopologyLoss(settings)(logits, targets).backward()
    assert logits.grad is not None
    inside = logits.grad[0, 0, 4:-4, 4:-4, 4:-4]
    assert (inside == 0).all(), "nothing asks for the cavity"


def test_a_run_becomes_a_model_that_draws_volumes(run: Path, volume_set: Path) -> None:
    model = load_model(run / "model")
    assert model.metadata.axes == 3
    samples = model.sample(3, seed=1)
    assert samples.labels.shape == (3, SIZE, SIZE, SIZE)
    assert samples.betti.shape == (3, 2, 3)
    np.testing.assert_array_equal(samples.betti[:, 0], betti_numbers_of_batch(samples.labels == 1))
    assert [path.suffix for path in (run / "previews").iterdir()].count(".png") == 1


def test_stopped_and_resumed_is_uninterrupted(run: Path, volume_set: Path, tmp_path: Path) -> None:
    stopped = tmp_path / "run"

    def stop(event: dict[str, Any]) -> None:
        if event["kind"] == "step" and event["step"] == 5:
            request_stop(stopped)

    train(volume_set, stopped, SETTINGS, on_event=stop)
    assert read_status(stopped).state == "stopped"
    resume(stopped, dataset=volume_set)
    for name in ("events.jsonl", "history.json"):
        assert (stopped / name).read_bytes() == (run / name).read_bytes(), name
    hashes = [load_model(path / "model").metadata.content_hash for path in (stopped, run)]
    assert hashes[0] == hashes[1]


def test_the_loss_of_the_paper_is_refused(volume_set: Path, tmp_path: Path) -> None:
    of_paper = SETTINGS.model_copy(update={"topology": TopologySettings(mode="paper")})
    with pytest.raises(InputError, match="'paper' knows slices alone"):
        train(volume_set, tmp_path / "run", of_paper)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("axes", "changes", "said"),
    [
        (3, {"topology": {"mode": "paper"}}, "'paper' knows slices alone"),
        (2, {"topology": {"dimensions": "h2"}}, "Slices have no cavities"),
        (3, {"condition": "level"}, "Volumes have no slice level"),
    ],
)
def test_what_knows_only_the_other_form_is_refused(axes: int, changes: dict[str, Any], said: str) -> None:
    settings = validated(TrainSettings, changes)
    with pytest.raises(InputError, match=said):
        check_form(settings, axes)
    check_form(settings, 5 - axes)


def test_a_model_of_volumes_is_no_start_for_slices(run: Path, heart_training_set: Path) -> None:
    hearts = TrainingSet.open(heart_training_set)
    with pytest.raises(InputError, match="makes volumes and the training set holds slices"), exact_numerics(1, CPU):
        start_from(load_model(run / "model"), SETTINGS, hearts)


def test_a_model_of_volumes_is_trained_further(run: Path, volume_set: Path, tmp_path: Path) -> None:
    further = train(volume_set, tmp_path / "run", SETTINGS, model=run / "model")
    hashes = {load_model(path / "model").metadata.content_hash for path in (run, further)}
    assert len(hashes) == 2
