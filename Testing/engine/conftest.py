"""What many tests share: masks drawn by hand, a small training set, and a small model that knows rings and discs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from previews import leave_out_previews
from scipy.ndimage import binary_fill_holes
from training_sets import write_training_set

from topogan.homology import distance_filtration, signed_distance_filtration

if TYPE_CHECKING:
    from topogan.model import Model

SIZE = 64
PIXEL_SIZE = 1.5


def ring(inner: float, outer: float, center: tuple[float, float] = (31.5, 31.5)) -> np.ndarray:
    """A ring, or a disc where ``inner`` is 0: bool [64, 64]; radii in pixels."""
    row, column = np.indices((SIZE, SIZE))
    distance = np.hypot(row - center[0], column - center[1])
    return (distance >= inner) & (distance < outer)


@pytest.fixture
def no_previews(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that prepare sets of their own; what a module shares is made before, with its preview."""
    leave_out_previews(monkeypatch)


@pytest.fixture(scope="session")
def ring_training_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 rings of three patients with images: 16 for training, 3 for validation, 5 for the test."""
    masks = np.stack([ring(6 + index % 5, 14 + index % 7) for index in range(24)])
    images = np.where(masks, 300, 40) + np.random.default_rng(0).normal(0, 20, masks.shape)
    folder = tmp_path_factory.mktemp("real") / "training_set"
    return write_training_set(folder, masks, images, 16, 3, pixel_size_mm=PIXEL_SIZE)


@pytest.fixture(scope="session")
def ring_model(tmp_path_factory: pytest.TempPathFactory, ring_training_set: Path) -> Path:
    """A package whose generator makes rings (b 1,1) and discs (b 1,0), about half of each.

    Its generator is fitted to a known function of z by least squares, which takes a second where a GAN takes minutes.
    """
    import torch

    from topogan.config import MaskSettings, TextureSettings, TrainSettings
    from topogan.model import save_model
    from topogan.networks import (
        make_mask_discriminator,
        make_mask_generator,
        make_texture_discriminator,
        make_texture_generator,
    )
    from topogan.training_set import TrainingSet

    settings = TrainSettings(masks=MaskSettings(width=4, latent=4), textures=TextureSettings(width=4))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator = make_mask_generator(settings.masks, SIZE)
        optimizer = torch.optim.Adam(generator.parameters(), 0.01)
        for _ in range(150):
            z = torch.randn(16, settings.masks.latent)
            wanted = [ring(8.0 if one > 0 else 0.0, 18 + 3 * np.tanh(two)) for one, two, *_ in z.tolist()]
            targets = np.stack(wanted)
            logits = generator(z).squeeze(1)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(targets).float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        masks = {"generator": generator, "discriminator": make_mask_discriminator(settings.masks, SIZE)}
        textures = {
            "generator": make_texture_generator(settings.textures),
            "discriminator": make_texture_discriminator(settings.textures),
        }
    return save_model(
        tmp_path_factory.mktemp("models") / "ring",
        settings=settings,
        training_set=TrainingSet.open(ring_training_set),
        masks=masks,
        textures=textures,
        training={"steps": {"masks": 150, "textures": 0}, "seconds": 2.5},
    )


HEART = {
    "structures": [{"name": "wall", "color": "#e69f00"}, {"name": "cavity", "color": "#56b4e9"}],
    "unions": [["wall", "cavity"]],
}


def heart(level: float, radius: float = 18.0, center: tuple[float, float] = (31.5, 31.5)) -> np.ndarray:
    """Label ids, uint8 [64, 64]: a disc of wall at the apex, a ring around a cavity above it, open near the base."""
    labels = ring(0, radius, center).astype(np.uint8)
    if level >= 0.3:
        labels[ring(0, 0.5 * radius, center)] = 2
    if level >= 0.8:
        labels[30:34, 40:][labels[30:34, 40:] == 1] = 0
    return labels


@pytest.fixture(scope="session")
def heart_training_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 label maps of a wall and a cavity with images: 60 for training, 20 for validation, 40 for the test."""
    rng = np.random.default_rng(2)
    levels = rng.random(120)
    places = 31.5 + rng.normal(0, 1.5, (120, 2))
    labels = np.stack([heart(level, rng.uniform(14, 20), place) for level, place in zip(levels, places, strict=True)])
    images = np.array([40.0, 110.0, 350.0])[labels] + rng.normal(0, 20, labels.shape)
    folder = tmp_path_factory.mktemp("real") / "heart"
    return write_training_set(folder, labels, images, 60, 20, table=HEART, levels=levels, pixel_size_mm=PIXEL_SIZE)


@pytest.fixture(scope="session")
def heart_model(tmp_path_factory: pytest.TempPathFactory, heart_training_set: Path) -> Model:
    """A model that draws such label maps of the level that it is told; every fourth or so has an open wall.

    Its mask network draws with circles; its textures are noise.
    """
    import torch

    from topogan.config import MaskSettings, TextureSettings, TrainSettings
    from topogan.model import load_model, save_model
    from topogan.networks import make_texture_discriminator, make_texture_generator
    from topogan.training_set import TrainingSet

    class Circles(torch.nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            drawn = []
            for size, *place, fault, told in z.tolist():
                labels = heart((told + 1) / 2, 17 + 1.5 * np.tanh(size), (31.5 + place[0], 31.5 + place[1]))
                if fault > 0.7:
                    labels[30:34, 40:][labels[30:34, 40:] == 1] = 0
                drawn.append(np.stack([np.where(labels == label, 5.0, -5.0) for label in (1, 2)]))
            return torch.from_numpy(np.stack(drawn)).float()

    settings = TrainSettings(masks=MaskSettings(width=4, latent=4), textures=TextureSettings(width=4))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        textures = {
            "generator": make_texture_generator(settings.textures, 2, True),
            "discriminator": make_texture_discriminator(settings.textures, 2, True),
        }
    folder = save_model(
        tmp_path_factory.mktemp("models") / "heart",
        settings=settings,
        training_set=TrainingSet.open(heart_training_set),
        masks=None,
        textures=textures,
        training={"steps": {"masks": 0, "textures": 0}, "seconds": 2.5},
    )
    return replace(load_model(folder, discriminators=False), masks=Circles())


Mask = np.ndarray


class Draw:
    """Named masks, bool [H, W]."""

    @staticmethod
    def disc(radius: float = 7.0, size: int = 24) -> Mask:
        rows, columns = np.indices((size, size)) - (size - 1) / 2
        return np.hypot(rows, columns) <= radius

    @staticmethod
    def ring(gap: int = 0, hole: int = 7, wall: int = 3, margin: int = 4) -> Mask:
        """A square ring; ``gap`` rows of its right wall are missing."""
        side = hole + 2 * wall
        mask = np.zeros((side + 2 * margin,) * 2, dtype=bool)
        mask[margin:-margin, margin:-margin] = True
        inner = slice(margin + wall, margin + wall + hole)
        mask[inner, inner] = False
        first = margin + wall + (hole - gap) // 2
        mask[first : first + gap, margin + wall + hole :] = False
        return mask

    @classmethod
    def filled_ring(cls) -> Mask:
        return binary_fill_holes(cls.ring())

    @staticmethod
    def two_blobs(apart: int = 3) -> Mask:
        """Two blocks, 12 × 6 pixels, ``apart`` background columns between them."""
        mask = np.zeros((20, 16 + apart), dtype=bool)
        mask[4:16, 2:8] = True
        mask[4:16, 8 + apart : 14 + apart] = True
        return mask

    @classmethod
    def bridged_blobs(cls) -> Mask:
        mask = cls.two_blobs()
        mask[8:11, 8:11] = True
        return mask

    @staticmethod
    def two_rings() -> Mask:
        """A ring with a hole of 9 × 9 and, 5 columns further right, one with a hole of 5 × 5; walls of 2 pixels."""
        mask = np.zeros((19, 33), dtype=bool)
        mask[3:16, 3:16], mask[5:14, 5:14] = True, False
        mask[3:12, 21:30], mask[5:10, 23:28] = True, False
        return mask

    @staticmethod
    def figure_eight() -> Mask:
        """Two holes, 5 × 5 and 3 × 5, with a wall in common."""
        mask = np.zeros((16, 11), dtype=bool)
        mask[2:14, 2:9] = True
        mask[3:8, 3:8] = False
        mask[10:13, 3:8] = False
        return mask

    @staticmethod
    def comb() -> Mask:
        """A spine with three teeth, 3 rows apart, that run out of the image on the right."""
        mask = np.zeros((15, 12), dtype=bool)
        mask[2:11, 2] = True
        mask[[2, 6, 10], 2:] = True
        return mask


@pytest.fixture(scope="session")
def draw() -> Draw:
    return Draw()


@pytest.fixture(scope="session")
def random_image() -> Callable[..., np.ndarray]:
    """Makes images, or with 3 axes volumes, of every kind that persistence meets, of random shape."""
    return _random_image


def _random_image(rng: np.random.Generator, longest: int = 16, axes: int = 2) -> np.ndarray:
    shape = tuple(rng.integers(1, longest + 1, axes))
    kind = rng.integers(10)
    mask = rng.random(shape) < rng.choice([0.05, 0.3, 0.6])
    makers = [
        lambda: rng.standard_normal(shape),
        lambda: rng.standard_normal(shape).astype(np.float32),
        lambda: rng.standard_normal(shape).astype(np.float16),
        lambda: rng.integers(0, 4, shape).astype(np.float64),
        lambda: rng.integers(-3, 4, shape),
        lambda: distance_filtration(mask, rng.choice([1.0, 0.37, 2.5]), border=bool(rng.integers(2))),
        lambda: signed_distance_filtration(mask, rng.choice([1.0, 0.7])),
        lambda: distance_filtration(mask, (0.5, 0.8, 0.7)[:axes]),
        lambda: np.full(shape, rng.standard_normal()),
        lambda: rng.choice([-np.inf, -1.0, -0.0, 0.0, 0.5, np.inf], shape),
    ]
    return makers[kind]()
