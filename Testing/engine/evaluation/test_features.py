"""KID with the weights that the user gives."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from topogan.errors import InputError
from topogan.evaluation import evaluate
from topogan.evaluation.features import FeatureNetwork, _untrained
from topogan.training_set import TrainingSet


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _untrained().state_dict()


@pytest.fixture(scope="module")
def network(weights: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("features") / "resnet50.safetensors"
    save_file(weights, path)
    return path


def test_it_is_torchvisions_network(weights: dict[str, torch.Tensor]) -> None:
    """As far as that can be told without it: its entries and its parameters less those of ``fc``, and its strides."""
    assert len(weights) == 320 - 2
    parameters = [tensor for name, tensor in weights.items() if "running" not in name and "batches" not in name]
    assert sum(map(torch.Tensor.numel, parameters)) == 25_557_032 - 1000 * 2049
    assert {"conv1.weight", "bn1.bias", "layer1.0.downsample.1.running_var", "layer4.2.conv3.weight"} <= set(weights)
    shapes = []
    layers = _untrained().eval()
    for name in ("conv1", "layer1", "layer2", "layer3", "layer4"):
        layers.get_submodule(name).register_forward_hook(lambda *call: shapes.append(tuple(call[2].shape[1:])))
    layers(torch.zeros(1, 3, 224, 224))
    assert shapes == [(64, 112, 112), (256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)]


def test_features_are_one_vector_an_image(network: Path) -> None:
    images = np.random.default_rng(0).integers(-200, 600, (3, 32, 32)).astype(np.int16)
    features = FeatureNetwork(network).features(images, (-200.0, 600.0))
    assert features.shape == (3, 2048)
    assert features.dtype == np.float64
    assert not np.allclose(features[0], features[1])


def test_kid_stands_beside_real_and_only_when_asked(
    network: Path,
    real_slices: tuple[np.ndarray, np.ndarray],
    synthetic_slices: tuple[np.ndarray, np.ndarray],
    make_training_set: Callable[..., Path],
    make_synthesis: Callable[..., Path],
) -> None:
    """Of few slices: each takes the network a fifth of a second."""
    real = make_training_set(*(array[:20] for array in real_slices), trained=10)
    model = {"content_hash": "b" * 64, "training_set": TrainingSet.open(real).content_hash}
    samples = make_synthesis(*(array[:6] for array in synthetic_slices), model=model)
    found = evaluate(samples, real, feature_network=network).metric("KID")
    assert found.value is not None
    assert found.real is not None
    assert "KID" not in {metric.name for metric in evaluate(samples, real).metrics}


def test_no_program_runs(tmp_path: Path) -> None:
    """A TorchScript file and a pickle are refused unread."""

    class Program:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "ran",)

    (tmp_path / "pickle.pt").write_bytes(pickle.dumps(Program()))
    torch.jit.save(torch.jit.script(torch.nn.Conv2d(3, 1, 3)), str(tmp_path / "script.pt"))
    for name in ("pickle.pt", "script.pt"):
        with pytest.raises(InputError, match="no safetensors file"):
            FeatureNetwork(tmp_path / name)
    assert not (tmp_path / "ran").exists()


def test_other_weights_are_refused(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "other.safetensors"
    save_file({**weights, "fc.bias": torch.zeros(1000)}, path)
    with pytest.raises(InputError, match=r"another network .*'fc.bias'.* without fc"):
        FeatureNetwork(path)
    save_file({**weights, "bn1.running_var": torch.full((64,), -1.0)}, path)
    with pytest.raises(InputError, match="NaN or infinity"):
        FeatureNetwork(path).features(np.zeros((2, 16, 16), np.int16), (0.0, 1.0))
