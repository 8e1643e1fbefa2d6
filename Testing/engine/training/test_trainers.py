"""The two trainings, step by step: they learn, every objective works, and their state is exact."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from training_sets import write_training_set

from topogan.config import AugmentationSettings, MaskSettings, TextureSettings, TopologySettings, TrainSettings
from topogan.device import exact_numerics
from topogan.networks import MASK_NETWORKS, TEXTURE_NETWORKS
from topogan.training.mask_trainer import MaskTrainer
from topogan.training.objectives import OBJECTIVES
from topogan.training.texture_trainer import TextureTrainer
from topogan.training_set import TrainingSet

CPU = torch.device("cpu")
NO_TOPOLOGY = TopologySettings(mode="off")


@pytest.fixture(scope="module")
def rings(ring_set: Path) -> TrainingSet:
    return TrainingSet.open(ring_set)


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    with exact_numerics(1, CPU):
        yield


def mask_trainer(rings: TrainingSet, topology: TopologySettings = NO_TOPOLOGY, **changes: Any) -> MaskTrainer:
    small = {"width": 4, "latent": 8, "steps": 20, "batch": 8, **changes}
    # As few steps learn masks that are bent less.
    bent = AugmentationSettings(bending=0.04)
    return MaskTrainer(rings, TrainSettings(masks=MaskSettings(**small), topology=topology, augmentation=bent), CPU)


def test_masks_learn_the_rings(rings: TrainingSet) -> None:
    trainer = mask_trainer(rings, width=8, latent=16, batch=16, steps=90, learning_rate=2e-3, average=0.95)
    before = trainer.preview()[1]
    assert before["quick_valid"] == 0
    assert before["quick_dice_to_reference"] < 0.2
    assert abs(before["quick_area_ratio"] - 1) > 0.4
    while trainer.step < trainer.total:
        trainer.train_step()
    after = trainer.preview()[1]
    assert after["quick_valid"] > 15, "% with one piece and one hole"
    assert after["quick_dice_to_reference"] > 0.6
    assert abs(after["quick_area_ratio"] - 1) < 0.25
    assert after["quick_diversity"] < 0.9, "Dice between samples: they are not all the same"


def texture_trainer(rings: TrainingSet, **changes: Any) -> TextureTrainer:
    return TextureTrainer(rings, TrainSettings(textures=TextureSettings(**changes)), CPU)


@pytest.mark.parametrize(("network", "draws"), [("unet", 1), ("noisy", 2), ("spade", 2), ("grain", 2)])
def test_textures_learn_the_intensities(rings: TrainingSet, network: str, draws: int) -> None:
    trainer = texture_trainer(rings, network=network, draws=draws, width=4, batch=8, steps=50, learning_rate=4e-3)
    before = trainer.preview()[1]["quick_absolute_error"]
    while trainer.step < trainer.total:
        trainer.train_step()
    after = trainer.preview()[1]["quick_absolute_error"]
    assert before > 100
    assert after < 45, "HU; the noise of the images alone makes 16, that of both 23"


@pytest.mark.parametrize("shape", [(256, 1, 16, 16), (64, 1, 8, 8, 8)])
def test_two_textures_are_best_when_distributed_as_the_real_one(rings: TrainingSet, shape: tuple[int, ...]) -> None:
    one, two = texture_trainer(rings, draws=1), texture_trainer(rings, draws=2)
    real, first, second = torch.randn(3, *shape, generator=torch.Generator().manual_seed(0))

    def score(trainer: TextureTrainer, change: Callable[[torch.Tensor], torch.Tensor]) -> float:
        drawn = [change(texture) for texture in (first, second)]
        return float(trainer._difference(torch.cat(drawn) if trainer is two else drawn[0], real))

    as_real = score(two, lambda texture: texture)
    changes: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "no noise": torch.zeros_like,
        "too much": lambda texture: 1.5 * texture,
        "too bright": lambda texture: texture + 0.5,
        "smeared, of the same variance": lambda texture: sum(texture.roll(places, -1) for places in range(4)) / 2,
        "the same along the first axis": lambda texture: texture[:, :, :1].expand_as(texture),
    }
    for name, change in changes.items():
        assert score(two, change) > 1.01 * as_real, name
    assert score(one, torch.zeros_like) < score(one, lambda texture: texture), "one alone is best without noise"


@pytest.fixture(scope="module")
def shells(tmp_path_factory: pytest.TempPathFactory) -> TrainingSet:
    """20 volumes of a shell around a core, with images, and a gap that tells the ends of every axis apart."""
    distance = np.linalg.norm(np.indices((32, 32, 32)) - 15.5, axis=0)
    radii = 8 + np.arange(20) % 5
    labels = np.stack([np.where(distance < radius / 2, 2, distance < radius) for radius in radii])
    labels[:, 20:, 18:, 17:] = 0
    images = np.array([40.0, 110.0, 350.0])[labels] + np.random.default_rng(0).normal(0, 20, labels.shape)
    table = {"structures": [{"name": "shell", "color": "#e69f00"}, {"name": "core", "color": "#56b4e9"}]}
    folder = tmp_path_factory.mktemp("volumes") / "set"
    return TrainingSet.open(write_training_set(folder, labels, images, 16, 2, table=table))


SMALL_TEXTURES: dict[str, Any] = {"width": 4, "batch": 2, "steps": 8}


@pytest.mark.parametrize("network", list(TEXTURE_NETWORKS))
def test_textures_of_volumes_learn_and_go_on_to_the_bit(shells: TrainingSet, network: str) -> None:
    trainer, other = (texture_trainer(shells, **SMALL_TEXTURES, network=network) for _ in range(2))
    for _ in range(2):
        trainer.train_step()
    tensors, values = trainer.exact.pack()
    other.exact.restore({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, values)
    other.step = trainer.step
    found = [{name: float(value) for name, value in one.train_step().items()} for one in (trainer, other)]
    assert found[0] == found[1]
    assert np.isfinite(list(found[0].values())).all()
    assert_same_networks(trainer, other, list(trainer.exact.networks))


def test_the_preview_of_textures_shows_labels_in_their_colors_and_three_planes(shells: TrainingSet) -> None:
    sheet, values = texture_trainer(shells, **SMALL_TEXTURES).preview()
    assert 0 < values["quick_absolute_error"] < 800
    assert sheet.shape == (8 * 34 + 2, 3 * (3 * 32 + 2) + 2, 3), "labels, painted and real"
    labels, real = sheet[2:34, 2:98], sheet[2:34, 198:294]
    orange, blue = np.array([0xE6, 0x9F, 0x00]) / 255, np.array([0x56, 0xB4, 0xE9]) / 255
    np.testing.assert_allclose(labels[16, 16::32], [blue] * 3, atol=1e-6)
    assert any(np.allclose(color, orange, atol=1e-6) for color in labels[16])
    assert (real[..., :1] == real).all(), "images are grey"
    assert real[16, 16::32].mean() > real[1, 1::32].mean()


def test_the_learning_rate_of_textures_falls_at_the_end(rings: TrainingSet) -> None:
    def rates(**changes: float) -> list[float]:
        trainer = texture_trainer(rings, width=4, steps=4, learning_rate=0.01, **changes)
        found = []
        for _ in range(4):
            values = trainer.train_step()
            assert ("penalty" in values) == (trainer.step == 1 and "gradient_penalty" not in changes)
            found.append(trainer.exact.optimizers["generator_optimizer"].param_groups[0]["lr"])
        return found

    assert rates(decay=0.5) == [0.01, 0.01, 0.01, 0.005]
    assert rates(decay=0.0, gradient_penalty=0.0) == [0.01] * 4


@pytest.mark.parametrize("objective", list(OBJECTIVES))
@pytest.mark.parametrize("backbone", list(MASK_NETWORKS))
def test_every_objective_and_backbone_takes_steps(rings: TrainingSet, objective: str, backbone: str) -> None:
    trainer = mask_trainer(rings, objective=objective, backbone=backbone, discriminator_steps=2)
    weights = [parameter.clone() for parameter in trainer.exact.networks["generator"].parameters()]
    values = [trainer.train_step() for _ in range(2)]
    assert "penalty" in values[0], "R1 and the penalty of WGAN both act in the first step"
    assert ("penalty" in values[1]) == (objective == "wgan-gp"), "R1 acts in every 16th step only"
    assert all(torch.isfinite(torch.as_tensor(value)) for one in values for value in one.values())
    moved = zip(weights, trainer.exact.networks["generator"].parameters(), strict=True)
    assert all(not torch.equal(before, after) for before, after in moved)


def test_a_gradient_penalty_of_zero_is_off(rings: TrainingSet) -> None:
    assert "penalty" not in mask_trainer(rings, gradient_penalty=0.0).train_step()


@pytest.mark.parametrize("mode", ["likelihood", "paper", "binarise"])
def test_topology_begins_after_the_warm_up_and_changes_the_generator_alone(rings: TrainingSet, mode: str) -> None:
    topology = TopologySettings(mode=mode, warm_up=0.2, fixed_weight=0.5, ramp_steps=1, every=1)
    plain, pulled = mask_trainer(rings), mask_trainer(rings, topology)
    for _ in range(4):
        plain.train_step()
        assert "lambda" not in pulled.train_step()
    assert_same_networks(plain, pulled, ["generator", "discriminator"])
    plain.train_step()
    values = pulled.train_step()
    assert values["lambda"] == 0.5
    assert values["force_topology"] > 0
    assert_same_networks(plain, pulled, ["discriminator"])
    with pytest.raises(AssertionError):
        assert_same_networks(plain, pulled, ["generator"])


@pytest.mark.parametrize("every", [1, 4])
def test_the_topological_force_is_added_at_the_logits(
    every: int, rings: TrainingSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One backward pass through the generator, with exactly g_adv + every·λ·g_topo."""
    topology = TopologySettings(mode="binarise", warm_up=0.0, fixed_weight=3.0 / every, ramp_steps=1, every=every)
    trainer = mask_trainer(rings, topology)
    forces = []
    backward = torch.autograd.backward

    def spy(tensor: torch.Tensor, gradient: torch.Tensor | None = None, **more: Any) -> None:
        forces.append((tensor.detach().clone(), gradient))
        backward(tensor, gradient, **more)

    monkeypatch.setattr(torch.autograd, "backward", spy)
    values = trainer.train_step()
    assert len(forces) == 2, "one for the discriminator, one for the generator"
    logits, force = forces[1]
    # The gradient of the control's mean softplus(-|x|), from its formula.
    binarise = -logits.sign() * torch.sigmoid(-logits.abs()) / len(logits)
    torch.testing.assert_close((force - 3.0 * binarise).norm(), torch.tensor(values["force_adversarial"]))


def test_the_topological_force_comes_every_so_many_steps(rings: TrainingSet) -> None:
    trainer = mask_trainer(rings, TopologySettings(warm_up=0.2, fixed_weight=0.1, ramp_steps=1, every=3))
    assert ["lambda" in trainer.train_step() for _ in range(10)] == [False] * 4 + [True, False, False] * 2


def test_sizes_pull_beside_the_counts_of_likelihood_alone(rings: TrainingSet) -> None:
    def last(**values: Any) -> dict[str, Any]:
        trainer = mask_trainer(rings, TopologySettings(warm_up=0.0, ramp_steps=1, every=1, **values), steps=70)
        return [trainer.train_step() for _ in range(62)][-1]

    both = last(size_ratio=2.0)
    assert both["lambda"] > 0 and both["lambda_sizes"] > 0 and both["force_sizes"] > 0
    assert "lambda_sizes" not in last(size_ratio=0.0)
    assert "lambda_sizes" not in last(size_ratio=2.0, mode="paper")


def test_a_diverged_generator_is_seen_by_its_values(rings: TrainingSet) -> None:
    trainer = mask_trainer(rings, TopologySettings(warm_up=0.0, fixed_weight=1.0))
    with torch.no_grad():
        next(trainer.exact.networks["generator"].parameters()).fill_(float("nan"))
    assert torch.isnan(torch.as_tensor(trainer.train_step()["loss_discriminator"]))


# Two threads are slow where other programs use the cores: few steps show whether sums depend on them.
@pytest.mark.parametrize(
    ("kind", "threads", "steps"),
    [("masks", 1, 30), ("wgan-gp", 1, 18), *((network, 1, 18) for network in TEXTURE_NETWORKS), ("masks", 2, 6)],
)
def test_a_restored_trainer_goes_on_to_the_bit(rings: TrainingSet, kind: str, threads: int, steps: int) -> None:
    torch.set_num_threads(threads)

    def make() -> MaskTrainer | TextureTrainer:
        if kind in TEXTURE_NETWORKS:
            return texture_trainer(rings, network=kind, width=4, steps=24)
        objective = "wgan-gp" if kind == "wgan-gp" else "nonsaturating"
        return mask_trainer(rings, TopologySettings(warm_up=0.1), steps=50, objective=objective)

    trainer = make()
    for _ in range(steps):
        trainer.train_step()
    tensors, values = trainer.exact.pack()
    tensors = {name: tensor.clone().contiguous() for name, tensor in tensors.items()}
    expected = [trainer.train_step() for _ in range(4)]

    other = make()
    other.exact.restore(tensors, values)
    other.step = steps
    assert [{k: float(v) for k, v in one.items()} for one in expected] == [
        {k: float(v) for k, v in other.train_step().items()} for _ in range(4)
    ]
    assert_same_networks(trainer, other, list(trainer.exact.networks))


def test_the_average_makes_the_samples(rings: TrainingSet) -> None:
    trainer = mask_trainer(rings)
    for _ in range(3):
        trainer.train_step()
    kept = trainer.networks()
    assert kept["generator"] is trainer.exact.networks["average"]
    assert kept["discriminator"] is trainer.exact.networks["discriminator"]


def assert_same_networks(one: Any, other: Any, names: list[str]) -> None:
    for name in names:
        pair: tuple[nn.Module, nn.Module] = (one.exact.networks[name], other.exact.networks[name])
        first, second = (part.state_dict() for part in pair)
        for key in first:
            assert torch.equal(first[key], second[key]), (name, key)
