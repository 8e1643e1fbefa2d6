"""A network or an objective from outside is one entry in its registry; what is in none is refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from topogan import cli
from topogan.config import MaskSettings, Part, TextureSettings, TrainSettings, validated
from topogan.config_schema import settings_schema
from topogan.demo import run_demo
from topogan.errors import InputError
from topogan.losses import LOSSES
from topogan.model import load_model
from topogan.networks import MASK_NETWORKS, TEXTURE_NETWORKS
from topogan.networks.masks import MaskNetworks
from topogan.networks.textures import TextureNetworks
from topogan.runs import read_status
from topogan.training import resume, train
from topogan.training.checks import check_names
from topogan.training.objectives import OBJECTIVES, Objective, Penalty

SMALL = {"width": 4, "latent": 4, "steps": 2, "batch": 4}


def toy_generator(settings: MaskSettings, size: int, structures: int, levels: bool, axes: int) -> nn.Module:
    return nn.Sequential(nn.Linear(settings.latent, size * size), nn.Unflatten(1, (1, size, size)))


def toy_discriminator(settings: MaskSettings, size: int, structures: int, levels: bool, axes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(size * size, 1), nn.Flatten(0))


def squares(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    """Mao et al., ICCV 2017."""
    return (real - 1).square().mean() + fake.square().mean()


class ToyPainter(nn.Conv2d):
    def forward(self, mask: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        return torch.tanh(super().forward(torch.cat([mask, noise], 1)))


def test_networks_and_an_objective_from_outside_train_to_a_model(
    ring_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MASK_NETWORKS, "toy", MaskNetworks(toy_generator, toy_discriminator))
    painter = TextureNetworks(
        lambda settings, channels, axes: ToyPainter(2, 1, 1), lambda settings, channels, axes: nn.Conv2d(2, 1, 4)
    )
    monkeypatch.setitem(TEXTURE_NETWORKS, "toy", painter)
    generator_loss = lambda fake: (fake - 1).square().mean()  # noqa: E731
    monkeypatch.setitem(OBJECTIVES, "least-squares", Objective(squares, generator_loss, Penalty.R1))
    settings = TrainSettings(
        masks=MaskSettings(**SMALL, backbone="toy", objective="least-squares"),
        textures=TextureSettings(network="toy", steps=2),
        threads=1,
    )
    run = train(ring_set, tmp_path / "run", settings)
    assert read_status(run).state == "finished"
    model = load_model(run / "model")
    assert isinstance(model.masks, nn.Sequential) and isinstance(model.textures, ToyPainter)
    assert model.sample(2).labels.shape == (2, 64, 64)


UNKNOWN = [
    ({"masks": {"objective": "hinge"}}, "masks.objective cannot be 'hinge': choose log or nonsaturating or wgan-gp."),
    ({"masks": {"backbone": "toy"}}, "masks.backbone cannot be 'toy': choose dcgan or resnet."),
    ({"topology": {"mode": "toy"}}, "topology.mode cannot be 'toy': choose off or likelihood or paper or binarise."),
    ({"textures": {"network": "toy"}}, "textures.network cannot be 'toy': choose unet or noisy or spade or grain."),
]
UNFIT = {"masks": {"objective": "wgan-gp"}, "augmentation": {"discriminator": "adaptive"}}


@pytest.mark.parametrize(("values", "sentence"), UNKNOWN)
def test_an_unknown_name_is_refused_before_anything_is_written(
    label_set: Path, tmp_path: Path, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        train(label_set, tmp_path / "run", validated(TrainSettings, {"part": Part.MASKS, **values}))
    with pytest.raises(InputError, match=sentence):
        run_demo(tmp_path / "demo", [], [], ({}, None), values, overwrite=False, on_event=lambda event: None)
    ((group, named),) = values.items()
    ((name, value),) = named.items()
    wanted = [str(tmp_path / "set"), str(tmp_path / "run"), "--prepare", str(tmp_path), f"--{group}-{name}", value]
    assert cli.run(["train", *wanted]) == 2
    assert not list(tmp_path.iterdir())


def test_a_run_with_an_objective_that_is_gone_is_not_resumed(
    label_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(scores: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("enough")

    settings = TrainSettings(part=Part.MASKS, masks=MaskSettings(**SMALL, objective="failing"))
    with monkeypatch.context() as patch:
        patch.setitem(OBJECTIVES, "failing", Objective(squares, fail, Penalty.R1))
        with pytest.raises(RuntimeError, match="training failed"):
            train(label_set, tmp_path / "run", settings)
    with pytest.raises(InputError, match=r"masks\.objective cannot be 'failing'"):
        resume(tmp_path / "run")
    assert read_status(tmp_path / "run").state == "failed"


def test_scores_without_a_zero_steer_no_augmentation() -> None:
    with pytest.raises(InputError, match="The scores of wgan-gp have no zero"):
        check_names(validated(TrainSettings, UNFIT))
    check_names(validated(TrainSettings, {**UNFIT, "part": "textures"}))
    check_names(validated(TrainSettings, {**UNFIT, "augmentation": {"discriminator": "fixed"}}))


@pytest.mark.parametrize("name", ["", "two words", "x" * 41, "new\nline"])
def test_what_is_no_name_is_refused_at_once(name: str) -> None:
    with pytest.raises(InputError, match=r"masks\.backbone cannot be .*dcgan is fast"):
        validated(TrainSettings, {"masks": {"backbone": name}})


@pytest.mark.parametrize(
    ("setting", "registry"),
    [
        ("masks.backbone", MASK_NETWORKS),
        ("masks.objective", OBJECTIVES),
        ("textures.network", TEXTURE_NETWORKS),
        ("topology.mode", LOSSES),
    ],
)
def test_panels_and_help_name_what_there_is(setting: str, registry: dict[str, Any]) -> None:
    (row,) = [row for row in settings_schema()["sections"]["train"] if row["name"] == setting]
    assert row["type"] == "enum"
    assert [choice["value"] for choice in row["choices"]] == list(registry)
    assert all(name in row["help"] for name in registry)
