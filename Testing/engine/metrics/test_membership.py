"""The nearest sample tells members from others; patients, not slices, are drawn again."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from topogan.metrics.membership import membership, membership_of


def named(count: int, patients: int) -> list[str]:
    return [f"P{number % patients}" for number in range(count)]


def test_auc_is_the_share_of_pairs_that_members_win() -> None:
    rng = np.random.default_rng(0)
    members, others = rng.integers(0, 9, 60) / 9, rng.integers(0, 7, 40) / 9
    found = membership_of(members, others, named(60, 5), named(40, 4))
    assert found.auc == pytest.approx(mannwhitneyu(members, others).statistic / (60 * 40))
    assert (found.members, found.others, found.member_patients, found.other_patients) == (60, 40, 5, 4)


def test_the_interval_is_that_of_patients_however_many_slices_each_has() -> None:
    rng = np.random.default_rng(1)
    of_patient = rng.normal(size=8)
    widths = []
    for slices in (1, 50):
        scores = np.tile(of_patient, slices) + 1e-6 * rng.normal(size=8 * slices)
        found = membership_of(scores[::2], scores[1::2], named(4 * slices, 4), named(4 * slices, 4))
        assert found.low is not None and found.high is not None
        assert found.low <= found.auc <= found.high
        widths.append(found.high - found.low)
    assert widths[1] == pytest.approx(widths[0], abs=0.1)


def test_two_patients_have_no_interval() -> None:
    found = membership_of(np.ones(20), np.zeros(30), named(20, 2), named(30, 3))
    assert (found.auc, found.low, found.high) == (1.0, None, None)


def test_copies_of_the_members_give_them_away() -> None:
    rng = np.random.default_rng(2)
    masks = rng.random((12, 16, 16)) < 0.4
    found = membership(masks[:6], masks[:6], masks[6:], named(6, 3), named(6, 3))
    assert found.auc == 1.0
    independent = membership(rng.random((40, 16, 16)) < 0.4, masks[:6], masks[6:], named(6, 3), named(6, 3))
    assert independent.low is not None and independent.low < 0.9
    # All the same labels in other places: the outline alone does not tell.
    labels = masks.astype(np.uint8)
    other = np.where(masks, 1 + (np.arange(16) % 2), 0).astype(np.uint8)
    assert membership(labels[:6], labels[:6], other[:6], named(6, 3), named(6, 3), structures=2).auc == 1.0
