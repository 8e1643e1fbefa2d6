"""Where the gradient lies, that it is the function's own, and that no input breaks it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from topogan.config import PointRule, TopologySettings
from topogan.errors import InputError
from topogan.homology import cubical_persistence, distance_filtration
from topogan.losses.topology_loss import LOSSES, TopologyLoss, TopologyTargets

ALL = {
    "paper": TopologySettings(mode="paper"),
    "rank": TopologySettings(mode="likelihood", point_rule=PointRule.RANK),
    "w2": TopologySettings(mode="likelihood", point_rule=PointRule.W2),
    "binarise": TopologySettings(mode="binarise"),
}
every_loss = pytest.mark.parametrize("settings", ALL.values(), ids=ALL)
likelihoods = pytest.mark.parametrize("settings", [ALL["rank"], ALL["w2"]], ids=["rank", "w2"])


def smooth_logits(rng: np.random.Generator, count: int, size: int = 24) -> np.ndarray:
    """Grey images of blobs and rings, with noise."""
    coarse = rng.standard_normal((count, 1, size // 4, size // 4))
    fine = np.kron(coarse, np.ones((4, 4)))
    return fine + 0.3 * rng.standard_normal(fine.shape)


def targets_for(settings: TopologySettings, count: int, shape: tuple[int, int] = (24, 24)) -> TopologyTargets:
    masks = np.zeros((count, *shape), dtype=bool)
    masks[:, 1:-1, 1:-1] = True
    masks[::2, 3:-3, 3:-3] = False
    return TopologyTargets.from_masks(masks, settings)


def gradient_of(logits: torch.Tensor, targets: TopologyTargets, settings: TopologySettings) -> torch.Tensor:
    leaf = logits.detach().clone().requires_grad_()
    TopologyLoss(settings)(leaf, targets).backward()
    return leaf.grad


@every_loss
@pytest.mark.parametrize("seed", range(3))
def test_autograd_agrees_with_finite_differences(settings, seed) -> None:
    logits = torch.tensor(smooth_logits(np.random.default_rng(seed), 2, size=12), requires_grad=True)
    targets = targets_for(settings, 2, (12, 12))
    loss = TopologyLoss(settings)
    assert torch.autograd.gradcheck(lambda x: loss(x, targets), (logits,), eps=1e-7, atol=1e-5)


@likelihoods
def test_all_of_the_gradient_lies_on_critical_pixels(settings) -> None:
    logits = torch.tensor(smooth_logits(np.random.default_rng(0), 8), dtype=torch.float32)
    gradient = gradient_of(logits, targets_for(settings, 8), settings).numpy()[:, 0]
    total = on_critical = 0.0
    for image, pull in zip(logits.numpy()[:, 0], gradient, strict=True):
        diagram = cubical_persistence(-image)
        critical = np.zeros(image.shape, dtype=bool)
        critical[tuple(diagram.birth_index.T)] = True
        critical[tuple(diagram.death_index[~diagram.essential].T)] = True
        total += np.abs(pull).sum()
        on_critical += np.abs(pull[critical]).sum()
        assert 0 < np.count_nonzero(pull) <= 2 * 2 * settings.max_points
    assert on_critical == total > 0.0


def test_paper_pulls_only_on_lines_between_critical_pixels_and_the_boundary() -> None:
    settings = ALL["paper"]
    logits = torch.tensor(smooth_logits(np.random.default_rng(1), 8), dtype=torch.float32)
    gradient = gradient_of(logits, targets_for(settings, 8), settings).numpy()[:, 0]
    total = on_lines = 0.0
    for image, pull in zip(logits.numpy()[:, 0], gradient, strict=True):
        mask = image >= 0
        diagram = cubical_persistence(distance_filtration(mask))
        moving = np.where(diagram.dimension == 1, diagram.birth, diagram.death)
        index = np.where((diagram.dimension == 1)[:, None], diagram.birth_index, diagram.death_index)
        pixels = np.argwhere(pull != 0)
        # A hole that is there from the start may open at any pixel of its wall: all of the structure is critical.
        free = mask & (moving == 0).any()
        for row, column in pixels:
            apart = np.hypot(*(index - (row, column)).T)
            near = ((apart <= moving + 2.0) & (moving > 0)).any()
            total += abs(pull[row, column])
            on_lines += abs(pull[row, column]) * (near or free[row, column])
        # Descent raises background and lowers structure: nothing is pushed to the side where it is.
        assert (np.sign(pull[pixels[:, 0], pixels[:, 1]]) == np.where(mask, 1, -1)[tuple(pixels.T)]).all()
    assert on_lines == total > 0.0


@every_loss
@pytest.mark.parametrize(
    "logits",
    [
        np.full((2, 1, 24, 24), -3.0),
        np.full((2, 1, 24, 24), 3.0),
        np.zeros((2, 1, 24, 24)),
        np.random.default_rng(0).standard_normal((1, 1, 24, 24)),
        np.random.default_rng(0).standard_normal((3, 1, 17, 40)),
        np.random.default_rng(0).standard_normal((2, 1, 1, 9)),
        np.random.default_rng(0).standard_normal((2, 1, 1, 1)),
        np.random.default_rng(0).standard_normal((2, 1, 24, 24)) * 1e4,
    ],
    ids=["background", "structure", "zero", "one sample", "not square", "one row", "one pixel", "huge"],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_no_input_breaks_the_loss(settings, logits, dtype) -> None:
    leaf = torch.tensor(logits, dtype=dtype, requires_grad=True)
    loss = TopologyLoss(settings)(leaf, targets_for(settings, len(logits), logits.shape[2:]))
    loss.backward()
    assert loss.shape == ()
    assert loss.dtype == (torch.float64 if dtype is torch.float64 else torch.float32)
    assert torch.isfinite(loss)
    assert leaf.grad is not None
    assert leaf.grad.dtype == dtype
    assert torch.isfinite(leaf.grad).all()


@every_loss
@pytest.mark.parametrize("fill", [False, True])
def test_empty_and_full_real_masks_are_targets_like_others(settings, fill) -> None:
    targets = TopologyTargets.from_masks(np.full((2, 24, 24), fill), settings)
    logits = torch.tensor(smooth_logits(np.random.default_rng(2), 2), dtype=torch.float32)
    assert torch.isfinite(gradient_of(logits, targets, settings)).all()


def test_an_empty_real_mask_pulls_the_last_component_down() -> None:
    settings = ALL["rank"]
    logits = torch.full((1, 1, 8, 8), -1.0)
    logits[0, 0, 3, 4] = 2.0
    gradient = gradient_of(logits, TopologyTargets.from_masks(np.zeros((1, 8, 8)), settings), settings)
    assert gradient[0, 0, 3, 4] > 0


def test_one_pixel_alone_is_one_component() -> None:
    settings = ALL["rank"]
    mask = np.zeros((1, 8, 8), dtype=bool)
    mask[0, 3, 4] = True
    gradient = gradient_of(
        torch.where(torch.tensor(mask), 1.0, -1.0)[None], TopologyTargets.from_masks(mask, settings), settings
    )
    assert gradient[0, 0, 3, 4] < 0
    assert int((gradient != 0).sum()) == 1


@every_loss
def test_autocast_changes_nothing(settings) -> None:
    logits = torch.tensor(smooth_logits(np.random.default_rng(3), 4), dtype=torch.float32)
    targets = targets_for(settings, 4)
    plain = TopologyLoss(settings)(logits, targets)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = TopologyLoss(settings)(logits, targets)
    assert inside.dtype == torch.float32
    assert float(inside) == float(plain)


@every_loss
def test_a_batch_is_the_mean_of_its_samples_where_all_targets_are_equal(settings) -> None:
    logits = torch.tensor(smooth_logits(np.random.default_rng(4), 4), dtype=torch.float64)
    real = np.zeros((4, 24, 24), dtype=bool)
    real[:, 4:20, 4:20] = True
    targets = TopologyTargets.from_masks(real, settings)
    loss = TopologyLoss(settings)
    alone = [float(loss(logits[[i]], targets.select(np.array([i])))) for i in range(4)]
    assert float(loss(logits, targets)) == pytest.approx(np.mean(alone))


@every_loss
def test_targets_are_selected_in_order(settings) -> None:
    masks = np.random.default_rng(5).random((6, 12, 12)) < 0.4
    targets = TopologyTargets.from_masks(masks, settings)
    assert len(targets) == 6
    chosen = np.array([4, 0, 4])
    selected, again = targets.select(chosen), TopologyTargets.from_masks(masks[chosen], settings)
    assert selected.mode == again.mode == settings.mode
    for one, other in zip(selected.arrays, again.arrays, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_loss_moves_as_a_module() -> None:
    loss = TopologyLoss(ALL["rank"])
    assert isinstance(loss, torch.nn.Module)
    assert list(loss.parameters()) == []


def test_wrong_input_is_refused_in_words() -> None:
    settings = ALL["rank"]
    loss, targets = TopologyLoss(settings), targets_for(settings, 2)
    with pytest.raises(InputError, match=r"\[B, 1, row, column\]"):
        loss(torch.zeros(2, 24, 24), targets)
    with pytest.raises(InputError, match="3 samples need as many real masks, not 2"):
        loss(torch.zeros(3, 1, 24, 24), targets)
    with pytest.raises(InputError, match="NaN"):
        loss(torch.full((2, 1, 24, 24), torch.nan), targets)
    with pytest.raises(InputError, match="made for likelihood, not for paper"):
        TopologyLoss(ALL["paper"])(torch.zeros(2, 1, 24, 24), targets)
    with pytest.raises(InputError, match=r"masks \[N, row, column\]"):
        TopologyTargets.from_masks(np.zeros((8, 8)), settings)
    with pytest.raises(InputError, match="'area': choose off or likelihood or paper or binarise"):
        TopologyLoss(TopologySettings(mode="area"))


def test_the_mode_off_is_zero_with_a_gradient_of_zero() -> None:
    settings = TopologySettings(mode="off")
    gradient = gradient_of(torch.randn(2, 1, 8, 8), targets_for(settings, 2, (8, 8)), settings)
    assert (gradient == 0).all()


class Area:
    """A toy from outside: the soft area of each sample goes to that of its real mask."""

    def measure(self, masks: np.ndarray, settings: TopologySettings) -> tuple[np.ndarray]:
        return (masks.sum(axis=(1, 2)),)

    def loss(
        self, images: torch.Tensor, targets: tuple[np.ndarray], settings: TopologySettings, apart: None = None
    ) -> torch.Tensor:
        return (images.sigmoid().sum(dim=(1, 2)) - torch.from_numpy(targets[0])).square().mean()


def test_a_loss_from_outside_is_one_entry(monkeypatch) -> None:
    monkeypatch.setitem(LOSSES, "area", Area())
    settings = TopologySettings(mode="area")
    targets = TopologyTargets.from_masks(np.ones((2, 8, 8)), settings)
    assert targets.select(np.array([1])).arrays[0].tolist() == [64]
    assert (gradient_of(torch.zeros(2, 1, 8, 8), targets, settings) < 0).all()
