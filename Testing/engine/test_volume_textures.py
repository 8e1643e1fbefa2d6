"""Textures of volumes, from the training over the package to samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from training_sets import write_training_set

from topogan.config import MaskSettings, TextureSettings, TrainSettings
from topogan.model import Model, load_model, save_model
from topogan.training.stages import blank_networks
from topogan.training_set import TrainingSet

SIZE = 32
TABLE = {"structures": [{"name": "shell"}, {"name": "core"}]}


def shell(radius: float) -> np.ndarray:
    """Label ids, uint8 [32, 32, 32]: a shell (1) around a core (2)."""
    distance = np.linalg.norm(np.indices((SIZE,) * 3) - 15.5, axis=0)
    return np.where(distance < radius / 2, 2, distance < radius).astype(np.uint8)


class Shells(torch.nn.Module):
    def forward(self, z: torch.Tensor) -> torch.Tensor:
        labels = np.stack([shell(11 + np.tanh(size)) for size in z[:, 0].tolist()])
        return torch.from_numpy(np.stack([np.where(labels == label, 5, -5) for label in (1, 2)], 1)).float()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model whose textures are untrained."""
    folder = tmp_path_factory.mktemp("volume textures")
    labels = np.stack([shell(10 + number % 3) for number in range(24)])
    images = np.array([40, 110, 350])[labels]
    real = TrainingSet.open(write_training_set(folder / "set", labels, images, 16, 4, table=TABLE, levels=np.zeros(24)))
    settings = TrainSettings(masks=MaskSettings(width=4, latent=4), textures=TextureSettings(width=4))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = blank_networks("textures", settings, SIZE, 2, axes=3)
    save_model(folder / "model", settings=settings, training_set=real, masks=None, textures=networks, training={})
    return replace(load_model(folder / "model", discriminators=True), masks=Shells())


def test_samples_of_volumes_are_painted_on_their_labels(model: Model) -> None:
    samples = model.sample(2, seed=3)
    assert samples.textures is not None
    assert (samples.textures.shape, samples.textures.dtype) == (samples.labels.shape, np.int16)
    assert samples.labels.shape == (2, SIZE, SIZE, SIZE)
    low, high = model.metadata.window or (0, 0)
    assert low <= samples.textures.min() < samples.textures.max() <= high
    again = model.draw(samples.seeds[1:])
    assert again.textures is not None
    np.testing.assert_array_equal(again.textures, samples.textures[1:])


def test_noise_and_labels_change_the_texture_of_a_volume(model: Model) -> None:
    assert model.textures is not None
    labels = torch.randn(1, 2, SIZE, SIZE, SIZE).sign()
    with torch.no_grad():
        noise = torch.randn(2, 5, SIZE, SIZE, SIZE)
        painted = model.textures(labels.expand(2, -1, -1, -1, -1), noise)
        other = model.textures(-labels, noise[:1])
    assert painted[0].sub(painted[1]).abs().mean() > 0.01
    assert painted[:1].sub(other).abs().mean() > 0.01
