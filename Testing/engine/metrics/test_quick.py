"""The small subset for training logs, and the drawing of rows."""

from __future__ import annotations

import numpy as np
import pytest

from topogan.metrics.quick import QUICK_SAMPLES, quick_metrics
from topogan.metrics.sampling import draw


def discs(count: int, seed: int, hole: bool) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((24, 24)) - 12
    distance = np.hypot(rows, columns)
    outer = rng.uniform(6, 10, count)[:, None, None]
    return (distance < outer) & ((distance > 3) | (not hole))


def test_every_name_says_that_it_is_quick() -> None:
    found = quick_metrics(discs(5, 0, True), discs(6, 1, True))
    assert all(name.startswith("quick_") for name in found)
    assert found["quick_samples"] == 5.0


def test_at_most_a_hundred_masks_are_looked_at() -> None:
    assert quick_metrics(discs(300, 0, True), discs(250, 1, True))["quick_samples"] == QUICK_SAMPLES == 100


def test_filled_holes_are_seen() -> None:
    real = discs(30, 1, True)
    good, bad = quick_metrics(discs(30, 0, True), real), quick_metrics(discs(30, 0, False), real)
    assert (good["quick_valid"], bad["quick_valid"]) == (100.0, 0.0)
    assert (good["quick_betti_error"], bad["quick_betti_error"]) == (0.0, 1.0)
    assert bad["quick_area_ratio"] > good["quick_area_ratio"]
    assert bad["quick_dice_to_reference"] < good["quick_dice_to_reference"]


def test_labels_and_empty_output_are_taken() -> None:
    found = quick_metrics(np.zeros((4, 24, 24), dtype=np.uint8), discs(6, 1, True).astype(np.uint8))
    assert found["quick_area_ratio"] == 0.0
    assert found["quick_valid"] == 0.0


def test_draw_is_seeded_ordered_and_without_repeats() -> None:
    rows = np.arange(100, 200)
    chosen = draw(rows, 30, seed=4)
    assert len(set(chosen.tolist())) == 30
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, draw(rows, 30, seed=4))
    assert chosen.tolist() != draw(rows, 30, seed=5).tolist()
    assert draw(rows, 100, seed=0) is rows


@pytest.mark.parametrize("count", [1, 7])
def test_draw_never_asks_for_more_than_there_is(count: int) -> None:
    assert len(draw(np.arange(count), 500, seed=0)) == count


def test_volumes_are_counted_in_three_dimensions() -> None:
    distance = np.linalg.norm(np.indices((16, 16, 16)) - 7.5, axis=0)
    shell, ball = (distance < 6) & (distance > 3), distance < 6
    found = quick_metrics(np.stack([shell, ball, ball, ball]), np.stack([shell] * 3))
    # Three of four lack the cavity.
    assert (found["quick_valid"], found["quick_betti_error"]) == (25.0, 0.75)
    assert found["quick_volume_ratio"] == pytest.approx((shell.sum() + 3 * ball.sum()) / (4 * shell.sum()))
    assert "quick_area_ratio" not in found
