"""Augmentation of the training of masks: off is off, both networks see the same changes, the chance adapts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from training_sets import write_training_set

from topogan.config import AugmentationSettings, MaskSettings, TopologySettings, TrainSettings
from topogan.device import exact_numerics
from topogan.homology import betti_numbers_of_batch
from topogan.presets import recorded_settings
from topogan.training.augmentation import DiscriminatorAugmentation, varied_masks
from topogan.training.mask_trainer import MaskTrainer
from topogan.training_set import TrainingSet

CPU = torch.device("cpu")
OFF = AugmentationSettings(masks=0.0, discriminator="off")


@pytest.fixture(scope="module")
def rings(ring_set: Path) -> TrainingSet:
    return TrainingSet.open(ring_set)


@pytest.fixture(scope="module")
def balls(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    """16 volumes of two structures."""
    distance = np.linalg.norm(np.indices((32, 32, 32)) - 15.5, axis=0)
    labels = np.stack([np.where(distance < radius / 2, 2, distance < radius) for radius in 8 + np.arange(16) % 5])
    table = {"structures": [{"name": "shell", "color": "#e69f00"}, {"name": "core", "color": "#56b4e9"}]}
    return TrainingSet.open(write_training_set(tmp_path_factory.mktemp("v") / "set", labels, None, 12, 2, table=table))


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    with exact_numerics(1, CPU):
        yield


def trainer_of(training_set: TrainingSet, condition: str = "auto", **augmentation: Any) -> MaskTrainer:
    masks = MaskSettings(width=4, latent=8, steps=20, batch=4)
    settings = TrainSettings(masks=masks, topology=TopologySettings(mode="off"), condition=condition)
    chosen = OFF.model_copy(update=augmentation)
    return MaskTrainer(training_set, settings.model_copy(update={"augmentation": chosen}), CPU)


def state(trainer: MaskTrainer) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in trainer.exact.pack()[0].items()}


def test_off_draws_nothing_and_a_chance_of_zero_is_off(rings: TrainingSet) -> None:
    off, adaptive = trainer_of(rings), trainer_of(rings, discriminator="adaptive")
    assert off.exact.generators.keys() == {"latents"} and "augmentation" not in off.exact.small
    for _ in range(3):
        assert "augmentation" not in off.train_step()
        assert adaptive.train_step()["augmentation"] == 0.0
    for name, tensor in state(off).items():
        assert torch.equal(tensor, state(adaptive)[name]), name


def test_older_runs_and_models_go_on_without() -> None:
    assert recorded_settings({"masks": {"steps": 7}}).augmentation == OFF.model_copy(update={"bending": 0.04})
    kept = AugmentationSettings(masks=0.5, discriminator="fixed")
    assert recorded_settings({"augmentation": kept.model_dump()}).augmentation == kept
    assert recorded_settings({"augmentation": {"masks": 1.0}}).augmentation.bending == 0.04


@pytest.mark.parametrize("variant", [{"masks": 1.0}, {"discriminator": "fixed"}])
@pytest.mark.parametrize("axes", [2, 3])
def test_what_the_discriminator_sees(
    axes: int, variant: dict[str, Any], rings: TrainingSet, balls: TrainingSet
) -> None:
    """Probabilities with all that is outside background; a level as it was; masks that are varied stay masks."""
    trainer = trainer_of(rings, "level", **variant) if axes == 2 else trainer_of(balls, **variant)
    seen: list[torch.Tensor] = []
    trainer.exact.networks["discriminator"].register_forward_pre_hook(lambda _, given: seen.append(given[0].detach()))
    values = trainer.train_step()
    assert np.isfinite([float(value) for value in values.values()]).all()
    real, fake, judged = seen[0], seen[1], seen[-1]
    if axes == 2:
        for level in (one[:, 1:] for one in (real, fake, judged)):
            assert torch.equal(level, level[:, :, :1, :1].expand_as(level))
        real, fake, judged = (one[:, :1] for one in (real, fake, judged))
    whole = bool(((real == -1) | (real == 1)).all())
    assert whole == ("masks" in variant)
    for images in (real, fake, judged):
        assert images.abs().max() <= 1 + 1e-6
    assert torch.equal(fake, judged) == ("masks" in variant), "each network sees changes of its own"


@pytest.mark.parametrize("axes", [2, 3])
def test_a_restored_training_goes_on_to_the_bit(axes: int, rings: TrainingSet, balls: TrainingSet) -> None:
    given = {"masks": 1.0, "discriminator": "adaptive"}
    trainer, other = (trainer_of(rings if axes == 2 else balls, **given) for _ in range(2))
    trainer.exact.small["augmentation"].load_state_dict({"chance": 0.5, "signs": [0.25]})
    trainer.train_step()
    tensors, values = state(trainer), trainer.exact.pack()[1]
    other.exact.restore(tensors, values)
    other.step = trainer.step
    found = [
        [{key: float(value) for key, value in one.train_step().items()} for _ in range(2)] for one in (trainer, other)
    ]
    assert found[0] == found[1]
    assert all(torch.equal(tensor, state(other)[name]) for name, tensor in state(trainer).items())


def test_the_chance_follows_how_sure_the_discriminator_is() -> None:
    sure, unsure = torch.ones(4), torch.tensor([1.0, -1.0, 1.0, -1.0])
    adaptive = DiscriminatorAugmentation(AugmentationSettings(discriminator="adaptive"), torch.Generator())
    chances = []
    for scores in [*[unsure] * 4, *[sure] * 8, *[unsure] * 4]:
        adaptive.adapt(scores)
        chances.append(adaptive.chance)
    assert chances == pytest.approx([*[0.0] * 7, *[0.01] * 4, *[0.02] * 4, 0.01])
    fixed = DiscriminatorAugmentation(AugmentationSettings(discriminator="fixed"), torch.Generator())
    fixed.adapt(unsure)
    assert fixed.chance == 1.0


def test_varied_masks_are_other_masks_of_the_same_topology(rings: TrainingSet) -> None:
    masks = rings.masks[rings.train]
    found = varied_masks(masks, 1, AugmentationSettings(), torch.Generator().manual_seed(0))
    same = (betti_numbers_of_batch(found == 1) == rings.betti[rings.train, 0]).all(1)
    assert same.mean() > 0.95
    assert not (found == masks).all((1, 2)).any()


def test_what_fills_a_tile_still_does_when_it_is_changed(tmp_path: Path) -> None:
    """Around a tile is more of the same, no background."""
    masks = np.zeros((8, 64, 64), dtype=bool)
    masks[:, :, 8:] = True
    for tiling in (False, True):
        folder = write_training_set(tmp_path / str(tiling), masks, None, 6, settings={"tiling": tiling})
        trainer = trainer_of(TrainingSet.open(folder), masks=1.0, discriminator="fixed")
        seen: list[torch.Tensor] = []
        trainer.exact.networks["discriminator"].register_forward_pre_hook(lambda _, given, to=seen: to.append(given[0]))
        trainer.train_step()
        assert bool((seen[0][:, :, :, -1] > 0).all()) == tiling
