"""The loss of sizes and the soft distance that it measures them on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from topogan.errors import InputError
from topogan.homology.filtrations import distance_filtration
from topogan.losses.sizes import SizeTargets, size_loss
from topogan.losses.soft_distance import soft_distance

BOTH = (0, 1)
POINTS = 16


def ring(hole: float, wall: float = 3.0, size: int = 32, gap: int = 0) -> np.ndarray:
    """Bool [size, size]: a ring around the center, with a gap of some pixels on its right."""
    rows, columns = np.indices((size, size)) - (size - 1) / 2
    radius = np.hypot(rows, columns)
    mask = (radius >= hole) & (radius < hole + wall)
    if gap:
        mask &= ~((columns > 0) & (np.abs(rows) < gap / 2))
    return mask


def discs(distance: int, size: int = 32) -> np.ndarray:
    """Bool [size, size]: two discs of radius 4, their centers ``distance`` apart."""
    rows, columns = np.indices((size, size)) - (size - 1) / 2
    return np.minimum(np.hypot(rows, columns - distance / 2), np.hypot(rows, columns + distance / 2)) < 4


def crisp(masks: np.ndarray) -> torch.Tensor:
    """Logits that are sure of the masks."""
    return torch.from_numpy(np.where(masks, 30.0, -30.0))


def targets(*masks: np.ndarray) -> SizeTargets:
    return SizeTargets.from_masks(np.stack(masks), BOTH, POINTS)


def loss(logits: torch.Tensor, real: SizeTargets) -> torch.Tensor:
    return size_loss(logits, real, BOTH, POINTS)


class TestSoftDistance:
    def test_is_near_the_distance_outside(self) -> None:
        rng = np.random.default_rng(0)
        masks = np.stack([ring(6), discs(14), ring(9, gap=4), rng.random((32, 32)) > 0.98])
        soft = soft_distance(torch.from_numpy(masks)).numpy()
        for mask, found in zip(masks, soft, strict=True):
            exact = distance_filtration(mask)
            # Many pixels at the same distance are nearer together than one: h·ln(their number).
            assert np.corrcoef(found[~mask], exact[~mask])[0, 1] > 0.95
            assert (found[~mask] < exact[~mask] + 1e-6).all()
            assert (found[~mask] > exact[~mask] - 7.0).all()

    def test_is_below_zero_inside_and_deeper_where_thicker(self) -> None:
        thin, thick = soft_distance(torch.from_numpy(np.stack([ring(8, wall=2), ring(8, wall=6)]))).numpy()
        assert thin[ring(8, wall=2)].max() <= 0.0
        assert thick.min() < thin.min() < 0.0
        full = soft_distance(torch.ones(1, 64, 64))
        assert full.min().item() == pytest.approx(-1.5 * np.log(2 * np.pi * 1.5**2), abs=0.05)

    def test_is_far_everywhere_without_structure(self) -> None:
        assert torch.allclose(soft_distance(torch.zeros(1, 16, 24)), torch.tensor(-1.5 * np.log(1e-9)), atol=1e-3)

    def test_nothing_comes_around_the_edge(self) -> None:
        mask = torch.zeros(1, 16, 100)
        mask[0, 8, 0] = 1.0
        field = soft_distance(mask)[0, 8]
        assert (field[1:] >= field[:-1] - 1e-3).all()
        assert field[-1] > 30.0


class TestLoss:
    def test_is_zero_for_equal_masks_in_any_order(self) -> None:
        masks = np.stack([ring(4), ring(9), discs(12)])
        assert loss(crisp(masks), targets(ring(9), discs(12), ring(4))).item() == pytest.approx(0.0, abs=1e-9)

    def test_grows_with_the_difference_in_size(self) -> None:
        found = [loss(crisp(ring(8)[None]), targets(ring(hole))).item() for hole in (8, 7, 6, 4)]
        assert found == sorted(found) and found[0] < 1e-9 < found[1]

    def test_by_hand(self) -> None:
        """One hole each: the squared distance of two points of the diagram."""
        logits, real = crisp(ring(8)[None]), targets(ring(5))
        field = targets(ring(8))
        expected = (field.birth[0, 1, 0] - real.birth[0, 1, 0]) ** 2 + (field.death[0, 1, 0] - real.death[0, 1, 0]) ** 2
        others = loss(crisp(ring(8)[None]), SizeTargets(field.birth.copy(), field.death.copy()))
        assert others.item() < 1e-9
        assert SizeTargets(real.birth[:, 1:], real.death[:, 1:]).persistence[0, 0, 0] > 1.0
        of_holes = size_loss(logits, SizeTargets(real.birth[:, 1:], real.death[:, 1:]), (1,), POINTS)
        assert of_holes.item() == pytest.approx(expected, abs=0.05)

    def test_a_point_without_partner_goes_to_the_diagonal(self) -> None:
        found = targets(ring(8))
        nothing = SizeTargets(np.zeros_like(found.birth), np.zeros_like(found.death))
        assert loss(crisp(ring(8)[None]), nothing).item() == pytest.approx((found.persistence**2).sum() / 2)

    @pytest.mark.parametrize("mask", [np.zeros((32, 32), bool), np.ones((32, 32), bool)], ids=["empty", "full"])
    def test_masks_without_holes_and_gaps_give_zero_and_a_gradient(self, mask: np.ndarray) -> None:
        logits = crisp(mask[None]).requires_grad_()
        value = loss(logits, targets(ring(8)))
        value.backward()
        assert value.item() == pytest.approx(0.0, abs=1e-9)
        assert torch.isfinite(logits.grad).all()

    def test_gradient_agrees_with_finite_differences(self) -> None:
        generator = torch.Generator().manual_seed(0)
        logits = 2.0 * torch.randn(2, 12, 12, generator=generator, dtype=torch.float64)
        real = SizeTargets.from_masks(np.stack([ring(3, 2, 12), discs(8, 12)]), BOTH, POINTS)
        logits.requires_grad_()
        (gradient,) = torch.autograd.grad(loss(logits, real), logits)
        step = 1e-6
        for where in [(0, 3, 4), (0, 11, 0), (1, 6, 6), (1, 0, 9)]:
            moved = [logits.detach().clone() for _ in range(2)]
            moved[0][where] += step
            moved[1][where] -= step
            numeric = (loss(moved[0], real) - loss(moved[1], real)).item() / (2 * step)
            assert gradient[where].item() == pytest.approx(numeric, rel=1e-4, abs=1e-8)

    def test_nan_is_refused(self) -> None:
        with pytest.raises(InputError):
            loss(torch.full((1, 8, 8), torch.nan), SizeTargets.from_masks(np.zeros((1, 8, 8)), BOTH, POINTS))

    def test_only_the_dimensions_asked_for(self) -> None:
        real = SizeTargets.from_masks(ring(5)[None], (0,), POINTS)
        assert size_loss(crisp(ring(8)[None]), real, (0,), POINTS).item() < loss(crisp(ring(8)[None]), targets(ring(5)))


class TestDirection:
    """Where a step down the gradient takes the distance in the middle of a hole or gap, and within a wall."""

    @staticmethod
    def change_in_middle(mask: np.ndarray, real: np.ndarray, row: int = 16) -> float:
        logits = torch.from_numpy(np.where(mask, 3.0, -3.0))[None].requires_grad_()
        (gradient,) = torch.autograd.grad(loss(logits, targets(real)), logits)
        moved = logits.detach() - 0.05 * gradient / gradient.abs().max()
        before, after = (soft_distance(each.sigmoid())[0, row, 16].item() for each in (logits.detach(), moved))
        return after - before

    @pytest.mark.parametrize(("hole", "wanted"), [(10, 5), (6, 9)])
    def test_holes_go_to_the_size_of_real_ones(self, hole: float, wanted: float) -> None:
        assert self.change_in_middle(ring(hole), ring(wanted)) * (wanted - hole) > 0

    @pytest.mark.parametrize(("apart", "wanted"), [(18, 12), (12, 18)])
    def test_gaps_go_to_the_width_of_real_ones(self, apart: int, wanted: int) -> None:
        assert self.change_in_middle(discs(apart), discs(wanted)) * (wanted - apart) > 0

    def test_thin_walls_grow(self) -> None:
        assert self.change_in_middle(ring(8, wall=1.5), ring(8, wall=4.0), row=16 + 9) < 0
