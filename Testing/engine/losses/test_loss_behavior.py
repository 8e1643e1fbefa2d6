"""What gradient descent on the pixels does under each loss."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from topogan.config import HomologyDimensions, PointRule, TopologySettings
from topogan.homology import betti_numbers
from topogan.losses.topology_loss import TopologyLoss, TopologyTargets

STEPS = 200


def noisy_logits(mask: np.ndarray, seed: int = 0) -> torch.Tensor:
    """±0.6 by the mask, with a little noise: [1, 1, H, W]."""
    noise = np.random.default_rng(seed).normal(0.0, 0.05, mask.shape)
    return torch.tensor(np.where(mask, 0.6, -0.6) + noise, dtype=torch.float32)[None, None]


def after_descent(start: torch.Tensor, real: np.ndarray, settings: TopologySettings) -> np.ndarray:
    """The mask after at most 200 steps of Adam toward the topology of one real mask."""
    logits = start.clone().requires_grad_()
    loss, targets = TopologyLoss(settings), TopologyTargets.from_masks(real[None], settings)
    optimizer = torch.optim.Adam([logits], lr=0.05)
    for _ in range(STEPS):
        optimizer.zero_grad()
        value = loss(logits, targets)
        if float(value.detach()) == 0.0:
            break
        value.backward()
        optimizer.step()
    return logits.detach().numpy()[0, 0] >= 0


PAPER = TopologySettings(mode="paper")
RANK = TopologySettings(mode="likelihood", point_rule=PointRule.RANK)
W2 = TopologySettings(mode="likelihood", point_rule=PointRule.W2)


@pytest.mark.parametrize("settings", [PAPER, RANK], ids=["paper", "rank"])
@pytest.mark.parametrize("gap", [1, 2, 3])
def test_a_gapped_ring_is_closed(draw, settings, gap) -> None:
    found = after_descent(noisy_logits(draw.ring(gap=gap)), draw.ring(), settings)
    assert betti_numbers(found) == (1, 1)


@pytest.mark.parametrize("settings", [PAPER, RANK, W2], ids=["paper", "rank", "w2"])
def test_blobs_three_pixels_apart_are_joined(draw, settings) -> None:
    found = after_descent(noisy_logits(draw.two_blobs(apart=3)), draw.bridged_blobs(), settings)
    assert betti_numbers(found) == (1, 0)


def test_paper_does_not_touch_what_is_right(draw) -> None:
    start = noisy_logits(draw.ring())
    np.testing.assert_array_equal(after_descent(start, draw.ring(), PAPER), start.numpy()[0, 0] >= 0)
    loss = TopologyLoss(PAPER)(start, TopologyTargets.from_masks(draw.ring()[None], PAPER))
    assert float(loss) == 0.0


@pytest.mark.parametrize("settings", [RANK, W2], ids=["rank", "w2"])
@pytest.mark.parametrize("shape", ["ring", "two_blobs", "figure_eight", "two_rings"])
def test_likelihood_keeps_what_is_right(draw, settings, shape) -> None:
    mask = getattr(draw, shape)()
    assert betti_numbers(after_descent(noisy_logits(mask), mask, settings)) == betti_numbers(mask)


@pytest.mark.parametrize("settings", [RANK, W2], ids=["rank", "w2"])
def test_likelihood_opens_a_filled_ring(draw, settings) -> None:
    assert betti_numbers(draw.filled_ring()) == (1, 0)
    found = after_descent(noisy_logits(draw.filled_ring()), draw.ring(), settings)
    assert betti_numbers(found) == (1, 1)


@pytest.mark.parametrize("seed", range(3))
def test_likelihood_splits_a_bridged_pair(draw, seed) -> None:
    found = after_descent(noisy_logits(draw.bridged_blobs(), seed), draw.two_blobs(), RANK)
    assert betti_numbers(found) == (2, 0)


@pytest.mark.parametrize("real", ["ring", "two_blobs", "figure_eight"])
def test_likelihood_makes_a_topology_out_of_noise(draw, real) -> None:
    noise = np.random.default_rng(3).normal(0.0, 0.05, (20, 20))
    start = torch.tensor(0.6 + noise, dtype=torch.float32)[None, None]
    found = after_descent(start, getattr(draw, real)(), RANK)
    assert betti_numbers(found) == betti_numbers(getattr(draw, real)())


def test_w2_splits_a_pair_once_its_bridge_is_thin_in_probability(draw) -> None:
    # (b, d) is cheaper to move to (1, 0) than to the diagonal where (b + d)² + 1 < 4b: near the diagonal only at 1/2.
    start = noisy_logits(draw.bridged_blobs())
    start[0, 0, 8:11, 8:11] = 0.1
    assert betti_numbers(after_descent(start, draw.two_blobs(), W2)) == (2, 0)
    certain = noisy_logits(draw.bridged_blobs()) * 5.0
    assert betti_numbers(after_descent(certain, draw.two_blobs(), W2)) == (1, 0)


def test_paper_cannot_open_a_filled_ring(draw) -> None:
    # There is no point of dimension 1 to move: a limit of the formulation that its documentation names.
    found = after_descent(noisy_logits(draw.filled_ring()), draw.ring(), PAPER)
    assert betti_numbers(found) == (1, 0)


def test_paper_also_opens_a_ring_that_should_have_a_gap(draw) -> None:
    found = after_descent(noisy_logits(draw.ring()), draw.ring(gap=3), PAPER)
    assert betti_numbers(found) == (1, 0)


def test_paper_widens_a_gap(draw) -> None:
    found = after_descent(noisy_logits(draw.ring(gap=1)), draw.ring(gap=5), PAPER)
    assert betti_numbers(found) == (1, 0)
    assert found.sum() < draw.ring(gap=1).sum()


@pytest.mark.parametrize("settings", [PAPER, RANK], ids=["paper", "rank"])
def test_a_dimension_that_is_not_asked_for_is_left_alone(draw, settings) -> None:
    only_components = settings.model_copy(update={"dimensions": HomologyDimensions.H0})
    found = after_descent(noisy_logits(draw.ring(gap=3)), draw.ring(), only_components)
    assert betti_numbers(found) == (1, 0)
    only_holes = settings.model_copy(update={"dimensions": HomologyDimensions.H1})
    assert betti_numbers(after_descent(noisy_logits(draw.ring(gap=3)), draw.ring(), only_holes))[1] == 1


def test_binarise_pushes_every_pixel_to_its_own_side() -> None:
    settings = TopologySettings(mode="binarise")
    logits = torch.tensor([[[[0.5, -0.5], [2.0, -3.0]]]], requires_grad=True)
    targets = TopologyTargets.from_masks(np.zeros((1, 2, 2)), settings)
    TopologyLoss(settings)(logits, targets).backward()
    assert (torch.sign(logits.grad) == -torch.sign(logits.detach())).all()


def test_each_sample_gets_the_real_mask_that_costs_least(draw) -> None:
    ring, blobs = draw.ring()[:20, :19], np.zeros((20, 19), dtype=bool)
    blobs[:, :] = draw.two_blobs()
    samples = torch.cat([noisy_logits(blobs), noisy_logits(ring)])
    for settings in (PAPER, RANK, W2):
        loss = TopologyLoss(settings)
        ordered = loss(samples, TopologyTargets.from_masks(np.stack([blobs, ring]), settings))
        swapped = loss(samples, TopologyTargets.from_masks(np.stack([ring, blobs]), settings))
        assert float(ordered) == float(swapped)
        wrong = loss(samples, TopologyTargets.from_masks(np.stack([ring, ring]), settings))
        assert float(wrong) > float(ordered)
