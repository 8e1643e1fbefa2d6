"""Random smooth changes: they are what they say, of images and volumes, and keep labels, sums and mostly topology."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from topogan.homology import betti_numbers_of_batch
from topogan.warping import MOST_DEFORMATION, Warp, draw_grids, warped, warped_labels

ALL = Warp(shift=0.05, turn=20.0, scale=0.1, deformation=0.05)
SHAPES = pytest.mark.parametrize("shape", [(24, 32), (12, 16, 20)])


def source(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@SHAPES
def test_no_change_is_none_and_a_seed_repeats(shape: tuple[int, ...]) -> None:
    images = torch.rand(3, 2, *shape)
    for none in (draw_grids(3, shape, Warp(), source()), draw_grids(3, shape, ALL, source(), chance=0.0)):
        torch.testing.assert_close(warped(images, none), images)
    grids = draw_grids(3, shape, ALL, source())
    assert grids.dtype == torch.float32 and torch.equal(grids, draw_grids(3, shape, ALL, source()))
    assert not torch.equal(grids, draw_grids(3, shape, ALL, source(1)))
    numpy = [draw_grids(3, shape, ALL, np.random.default_rng(0)) for _ in range(2)]
    assert torch.equal(*numpy) and numpy[0].shape == grids.shape


@SHAPES
def test_a_shift_moves_along_every_axis_and_a_flip_mirrors(shape: tuple[int, ...]) -> None:
    images = torch.rand(200, 1, *shape)
    grids = draw_grids(200, shape, Warp(shift=0.1), source())
    moved = (grids - draw_grids(200, shape, Warp(), source())).flatten(1, -2)
    pixels = moved[:, 0] * torch.tensor(shape[::-1]) / 2
    assert torch.allclose(moved, moved[:, :1], atol=1e-5), "all pixels of a sample alike"
    for along in pixels.T:
        assert 0.08 * shape[-1] < along.max() < 0.1 * shape[-1] and -0.1 * shape[-1] < along.min() < -0.08 * shape[-1]
    mirrored = warped(images, draw_grids(200, shape, Warp(flip=True), source()))
    axes = range(2, images.ndim)
    ways = [[axis for axis in axes if code >> axis & 1] for code in range(0, 1 << images.ndim, 4)]
    found = torch.stack([(mirrored - images.flip(way)).abs().amax(tuple(range(1, images.ndim))) for way in ways])
    assert (found.amin(0) < 1e-4).all() and len(found.argmin(0).unique()) == len(ways)


@SHAPES
def test_turn_and_scale_keep_shapes(shape: tuple[int, ...]) -> None:
    """Distances from pixel to pixel grow by the same factor, that of the scale, in all directions."""
    grids = draw_grids(50, shape, Warp(turn=30.0, scale=0.2), source()) * torch.tensor(shape[::-1]) / 2
    steps = torch.stack([grids.diff(dim=axis).flatten(1, -2)[:, 0] for axis in range(1, grids.ndim - 1)], 1)
    products = steps @ steps.transpose(1, 2)
    factor = products[:, 0, 0].sqrt()
    torch.testing.assert_close(products, factor.square()[:, None, None] * torch.eye(len(shape)).expand_as(products))
    assert 0.8 < factor.min() < 0.85 and 1.15 < factor.max() < 1.23
    assert (torch.linalg.det(steps) * (-1.0) ** (len(shape) // 2) > 0).all(), "nothing is mirrored"


@SHAPES
def test_the_strongest_deformation_does_not_fold(shape: tuple[int, ...]) -> None:
    grids = draw_grids(20, shape, Warp(deformation=MOST_DEFORMATION), source()).flip(-1) * torch.tensor(shape) / 2
    moved = grids - draw_grids(20, shape, Warp(), source()).flip(-1) * torch.tensor(shape) / 2
    assert 0.04 * shape[-1] < moved.abs().max() < MOST_DEFORMATION * shape[-1]
    inner = tuple(slice(0, size - 1) for size in shape)
    steps = [grids.diff(dim=axis + 1)[(slice(None), *inner)] for axis in range(len(shape))]
    assert (torch.linalg.det(torch.stack(steps, -1)) > 0).all()
    with pytest.raises(ValueError, match=r"A deformation of 0.2 of the width can fold: use 0 to 0.1."):
        Warp(deformation=0.2)


@SHAPES
def test_each_change_has_its_own_chance(shape: tuple[int, ...]) -> None:
    still = draw_grids(1, shape, Warp(), source())
    changes = {"turn": {"turn": 20.0}, "deformation": {"deformation": 0.05}, "all": {"turn": 20.0, "deformation": 0.05}}
    shares = {
        name: (draw_grids(400, shape, Warp(**one), source(), 0.3) - still).abs().flatten(1).amax(1) > 1e-4
        for name, one in changes.items()
    }
    assert shares["turn"].float().mean() == pytest.approx(0.3, abs=0.07)
    assert torch.equal(shares["turn"] | shares["deformation"], shares["all"]), "the same numbers are drawn"
    assert not torch.equal(shares["turn"], shares["deformation"])


@SHAPES
def test_probabilities_sum_to_one_and_are_differentiable(shape: tuple[int, ...]) -> None:
    probabilities = torch.rand(4, 3, *shape, dtype=torch.float64).softmax(1)[:, 1:].requires_grad_()
    moved = warped(probabilities, draw_grids(4, shape, Warp(0.3, 30.0, 0.2, 0.05), source()))
    assert moved.min() >= 0 and moved.sum(1).max() <= 1 + 1e-12 and moved.sum(1).min() == 0, "0 comes from outside"
    (gradient,) = torch.autograd.grad(moved.sum(), probabilities)
    assert gradient.min() >= 0 and gradient.max() > 0.5
    border = warped(torch.ones(4, 1, *shape), draw_grids(4, shape, Warp(shift=0.3), source()), "border")
    assert border.min() > 0.999


def test_labels_stay_labels_and_a_ring_a_ring() -> None:
    distance = np.linalg.norm(np.indices((64, 64)) - 31.5, axis=0)
    labels = np.where(distance < 10, 7, np.where(distance < 14, 2, 0)).astype(np.uint8)
    found = warped_labels(np.stack([labels] * 100), 7, draw_grids(100, (64, 64), ALL, source()))
    assert found.dtype == np.uint8 and set(np.unique(found)) == {0, 2, 7}
    assert (betti_numbers_of_batch(found == 2) == (1, 1)).all(1).mean() >= 0.97
    overlap = 2 * ((found > 0) & (labels > 0)).sum((1, 2)) / ((found > 0).sum((1, 2)) + (labels > 0).sum())
    assert 0.6 < overlap.mean() < 0.9
    ball = (np.linalg.norm(np.indices((16, 16, 16)) - 7.5, axis=0) < 5).astype(np.uint8)[None]
    assert 0.7 < warped_labels(ball, 1, draw_grids(1, (16, 16, 16), ALL, source())).sum() / ball.sum() < 1.4
