"""Sorting by digits is a stable sort, whatever the numbers."""

from __future__ import annotations

import numpy as np
import pytest

from topogan.homology.sorting import FEW, stable_order

COUNT = 2 * FEW


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).standard_normal(COUNT),
        np.random.default_rng(1).integers(0, 9, COUNT).astype(float),
        np.exp(np.random.default_rng(2).normal(0, 100, COUNT)),
        np.random.default_rng(3).choice([-np.inf, 0.0, 1.0, np.inf], COUNT),
        np.random.default_rng(4).choice([-1.7e308, -0.0, 0.0, 1.7e308], COUNT),
        1.0 + np.random.default_rng(5).integers(0, 5, COUNT) * 2.0**-52,
        np.random.default_rng(6).integers(0, 5, COUNT) * 5e-324,
        np.where(np.random.default_rng(7).random(COUNT) < 0.01, 1e300, np.random.default_rng(8).random(COUNT)),
        np.zeros(COUNT),
        np.random.default_rng(9).integers(-5, 5, COUNT),
        np.random.default_rng(10).standard_normal(5),
        np.zeros(0),
    ],
    ids=[
        "normal",
        "ties",
        "wide",
        "infinite",
        "extreme",
        "last bits",
        "tiny",
        "outliers",
        "equal",
        "int",
        "few",
        "none",
    ],
)
def test_it_is_numpys_stable_sort(values: np.ndarray) -> None:
    np.testing.assert_array_equal(stable_order(values), np.argsort(values, kind="stable"))
