"""Intensities by tissue, spectra and KID."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.stats import wasserstein_distance

from topogan.metrics.mmd import kernel_inception_distance
from topogan.metrics.spectrum import (
    axis_power_spectrum,
    directional_power,
    power_ratio,
    radial_power_spectrum,
    spectrum_distance,
)
from topogan.metrics.texture import (
    PROFILE_PIXELS,
    IntensityHistogram,
    Tissue,
    boundary_profile,
    neighbor_difference,
    tissue_histograms,
    tissue_region,
)

WINDOW = (-200.0, 600.0)


def ring() -> np.ndarray:
    rows, columns = np.indices((40, 40)) - 20
    distance = np.hypot(rows, columns)
    return (distance > 6) & (distance < 10)


def test_tissues_of_a_ring_are_wall_pool_and_rim() -> None:
    mask = ring()
    regions = {tissue: tissue_region(mask, tissue, pixel_size=5.0) for tissue in Tissue}
    rows, columns = np.indices((40, 40)) - 20
    distance = np.hypot(rows, columns)
    assert (regions[Tissue.INSIDE] == mask).all()
    assert (regions[Tissue.HOLES] == (distance <= 6)).all()
    around = regions[Tissue.AROUND]
    assert not (around & (distance < 10)).any()
    assert around[20, 31]  # 10 mm are two pixels of 5 mm
    assert not around[20, 33]


def test_an_open_ring_has_no_pool_and_an_empty_mask_no_tissue() -> None:
    opened = ring()
    opened[20:, 20] = False
    assert not tissue_region(opened, Tissue.HOLES, 1.0).any()
    empty = np.zeros((8, 8), dtype=bool)
    assert not any(tissue_region(empty, tissue, 1.0).any() for tissue in Tissue)


def test_histograms_measure_each_tissue_within_the_window() -> None:
    mask = ring()
    image = np.where(mask, 100, np.where(np.hypot(*(np.indices((40, 40)) - 20)) <= 6, 5000, -1000)).astype(np.int16)
    found = tissue_histograms(mask[None], image[None], 1.0, WINDOW)
    assert found[Tissue.INSIDE].mean == 100.0
    assert found[Tissue.HOLES].mean == 600.0
    assert found[Tissue.AROUND].mean == -200.0


def test_histogram_distance_against_scipy() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 50, 500).astype(np.int16), rng.normal(30, 70, 300).astype(np.int16)
    first, second = IntensityHistogram(), IntensityHistogram()
    for part in np.array_split(a, 3):
        first.add(part)
    second.add(b)
    assert first.distance(second) == pytest.approx(wasserstein_distance(a, b))
    assert first.mean == pytest.approx(a.mean())


def test_histogram_takes_the_whole_range_of_int16() -> None:
    histogram = IntensityHistogram()
    histogram.add(np.array([-32768, 32767], dtype=np.int16))
    assert (histogram.count, histogram.mean) == (2, -0.5)


def test_shares_sum_to_one_within_their_edges() -> None:
    histogram = IntensityHistogram()
    histogram.add(np.array([0, 10, 20, 20], dtype=np.int16))
    assert histogram.shares(np.array([0.0, 10.0, 20.0])) == [0.25, 0.75]


def test_without_values_there_is_no_mean_and_no_distance() -> None:
    histogram = IntensityHistogram()
    assert histogram.mean is None
    assert histogram.distance(histogram) is None


def test_spectrum_finds_a_wave_at_its_frequency() -> None:
    columns = np.arange(64)
    wave = np.tile(200.0 + 100.0 * np.sin(2 * np.pi * 10 * columns / 64), (64, 1))
    spectrum = radial_power_spectrum(wave[None], WINDOW)
    assert spectrum.shape == (32,)
    assert spectrum.argmax() == 9  # the first entry is one cycle per width


def test_twice_the_amplitude_is_six_decibels() -> None:
    noise = np.random.default_rng(0).normal(0, 20, (5, 32, 32))
    one, two = (radial_power_spectrum(200 + factor * noise, WINDOW) for factor in (1, 2))
    assert spectrum_distance(two, one) == pytest.approx(20 * np.log10(2), abs=1e-6)


def test_blur_loses_fine_detail() -> None:
    sharp = 200 + np.random.default_rng(1).normal(0, 60, (4, 32, 32))
    difference = radial_power_spectrum(gaussian_filter(sharp, (0, 1, 1)), WINDOW) - radial_power_spectrum(sharp, WINDOW)
    assert difference[-1] < difference[0] - 10
    assert np.isfinite(radial_power_spectrum(np.full((1, 32, 32), 50), WINDOW)).all()


def test_kernel_distance_against_a_loop() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(5, 3)), rng.normal(1, 1, size=(4, 3))

    def mean_kernel(a: np.ndarray, b: np.ndarray, same: bool) -> float:
        pairs = [(i, j) for i in range(len(a)) for j in range(len(b)) if not (same and i == j)]
        return float(np.mean([(a[i] @ b[j] / 3 + 1) ** 3 for i, j in pairs]))

    expected = mean_kernel(x, x, True) + mean_kernel(y, y, True) - 2 * mean_kernel(x, y, False)
    assert kernel_inception_distance(x, y) == pytest.approx(expected)


def test_a_boundary_profile_tells_inside_from_outside_and_shows_a_halo() -> None:
    mask = np.zeros((1, 32, 32), bool)
    mask[:, :, :16] = True
    image = np.where(mask, 300, 40).astype(np.int16)
    profile = boundary_profile(mask, image, WINDOW)
    assert profile.tolist() == [300.0] * PROFILE_PIXELS + [40.0] * PROFILE_PIXELS
    image[:, :, 17] += 60
    bump = np.zeros(2 * PROFILE_PIXELS)
    bump[PROFILE_PIXELS + 1] = 60.0
    np.testing.assert_array_equal(boundary_profile(mask, image, WINDOW) - profile, bump)
    assert np.isnan(boundary_profile(mask & False, image, WINDOW)).all()


def test_power_ratio_is_that_of_the_band() -> None:
    reference = np.zeros(32)
    spectrum = reference.copy()
    spectrum[8:16] = 10 * np.log10(2)
    np.testing.assert_allclose(power_ratio(spectrum, reference, (0.25, 0.5)), (2, 2, 2))
    np.testing.assert_allclose(power_ratio(spectrum, reference, (0.25, 0.75)), (1.5, 1, 2))
    np.testing.assert_allclose(power_ratio(spectrum, reference, (0.0, 0.25)), (1, 1, 1))


def test_the_spectrum_along_an_axis_finds_the_stripes_of_that_axis_alone() -> None:
    noise = np.random.default_rng(3).normal(200, 20, (3, 32, 32, 32))
    striped = noise + 100 * np.sin(2 * np.pi * 8 * np.arange(32) / 32)[:, None, None]
    gained = [
        axis_power_spectrum(striped, WINDOW, axis) - axis_power_spectrum(noise, WINDOW, axis) for axis in range(3)
    ]
    assert gained[0].shape == (16,)
    assert gained[0].argmax() == 7 and gained[0][7] > 10
    assert max(np.abs(one).max() for one in gained[1:]) < 1
    assert np.isfinite(axis_power_spectrum(np.full((1, 32, 32), 50), WINDOW, 1)).all()


def test_a_weave_has_its_power_in_one_direction_and_noise_in_all() -> None:
    noise = np.random.default_rng(0).normal(200, 20, (40, 64, 64))
    rows, columns = np.indices((64, 64))
    weave = noise + 40 * np.cos(2 * np.pi * (rows + columns) / 4)
    plain, woven = (directional_power(shown, WINDOW, sectors=4) for shown in (noise, weave))
    assert np.ptp(plain) < 0.5
    assert (woven - plain).argmax() == 1  # rows and columns alike
    np.testing.assert_allclose((woven - plain)[[0, 2, 3]], 0, atol=0.5)


def test_neighbors_differ_along_the_axis_of_a_flicker() -> None:
    volume = np.full((2, 4, 5, 6), 100, np.int16)
    volume[:, 1::2] += 60
    assert [neighbor_difference(volume, WINDOW, axis) for axis in range(3)] == [60.0, 0.0, 0.0]
    volume[:, 1::2] = 3000
    assert neighbor_difference(volume, WINDOW, 0) == 500.0, "within the window"


def test_tissues_of_a_volume_are_wall_cavity_and_rim() -> None:
    distance = np.linalg.norm(np.indices((24, 24, 24)) - 12, axis=0)
    shell = (distance > 4) & (distance < 7)
    regions = {tissue: tissue_region(shell, tissue, pixel_size=5.0) for tissue in Tissue}
    assert (regions[Tissue.HOLES] == (distance <= 4)).all()
    assert regions[Tissue.AROUND][12, 12, 20] and not regions[Tissue.AROUND][12, 12, 22]
    image = np.where(shell, 300, 40).astype(np.int16)
    assert boundary_profile(shell[None], image[None], WINDOW)[PROFILE_PIXELS - 1 : PROFILE_PIXELS + 1].tolist() == [
        300,
        40,
    ]
