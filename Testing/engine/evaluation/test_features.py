"""KID with a network that the user gives."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from topogan.errors import InputError
from topogan.evaluation import evaluate
from topogan.evaluation.features import FeatureNetwork


def saved(network: torch.nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(network).save(str(path))
    return path


@pytest.fixture
def network(tmp_path: Path) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = torch.nn.Conv2d(3, 6, 5, stride=3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten()
        return saved(torch.nn.Sequential(*layers), tmp_path / "features.pt")


def test_features_are_one_vector_an_image(network: Path) -> None:
    images = np.random.default_rng(0).integers(-200, 600, (40, 32, 32)).astype(np.int16)
    features = FeatureNetwork(network, trusted=True).features(images, (-200.0, 600.0))
    assert features.shape == (40, 24)
    assert features.dtype == np.float64


def test_kid_stands_beside_real_and_only_when_asked(network: Path, synthesis: Path, training_set: Path) -> None:
    found = evaluate(synthesis, training_set, feature_network=network, trust_feature_network=True).metric("KID")
    assert found.value is not None
    assert found.real is not None
    assert "KID" not in {metric.name for metric in evaluate(synthesis, training_set).metrics}


def test_files_that_are_no_feature_network_are_refused(tmp_path: Path, training_set: Path, synthesis: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        FeatureNetwork(tmp_path / "nothing.pt")
    (tmp_path / "text.pt").write_text("no network")
    with pytest.raises(InputError, match="not a TorchScript file"):
        FeatureNetwork(tmp_path / "text.pt", trusted=True)
    with pytest.raises(InputError, match=r"is a program .* --trust-feature-network"):
        FeatureNetwork(tmp_path / "text.pt")
    images = np.zeros((2, 16, 16), np.int16)
    wide = FeatureNetwork(saved(torch.nn.Conv2d(7, 1, 3), tmp_path / "wide.pt"), trusted=True)
    with pytest.raises(InputError, match="refuses images"):
        wide.features(images, (0.0, 1.0))
    flat = FeatureNetwork(saved(torch.nn.Conv2d(3, 1, 3), tmp_path / "flat.pt"), trusted=True)
    with pytest.raises(InputError, match="one vector per image"):
        flat.features(images, (0.0, 1.0))
