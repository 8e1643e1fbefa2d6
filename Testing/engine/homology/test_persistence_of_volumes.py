"""Persistence of volumes is what gudhi.CubicalComplex gives over Z/2, and the voxels too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gudhi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import gaussian_filter

from topogan.errors import InputError
from topogan.homology import (
    Diagram,
    betti_numbers,
    cubical_persistence,
    cubical_persistence_of_batch,
    distance_filtration,
    euler_characteristics,
    load_diagrams,
    save_diagrams,
    signed_distance_filtration,
    tunnels,
)
from topogan.homology.persistence import pairs_of_batch

RandomImage = Callable[..., np.ndarray]
DIMENSIONS = (0, 1, 2)
plateaus = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=3, max_dims=3, max_side=5),
    elements=st.sampled_from([0.0, -0.0, 1.0, 2.0, np.sqrt(2.0), -1.0, np.inf, -np.inf]),
)


def by_gudhi(volume: np.ndarray) -> list[list[tuple[float, float]]]:
    cells = gudhi.CubicalComplex(top_dimensional_cells=volume.astype(np.float64))
    cells.compute_persistence(homology_coeff_field=2)
    return [sorted(map(tuple, cells.persistence_intervals_in_dimension(dim).tolist())) for dim in DIMENSIONS]


def assert_right(volume: np.ndarray, diagram: Diagram) -> None:
    """Same multiset as GUDHI's, true critical voxels, one essential class, Euler characteristic at every level."""
    assert [sorted(map(tuple, diagram.points(dim).tolist())) for dim in DIMENSIONS] == by_gudhi(volume)
    np.testing.assert_array_equal(volume[tuple(diagram.birth_index.T)], diagram.birth)
    mortal = ~diagram.essential
    np.testing.assert_array_equal(volume[tuple(diagram.death_index[mortal].T)], diagram.death[mortal])
    assert diagram.essential.sum() == 1
    assert diagram.birth[diagram.essential] == volume.min()
    assert (diagram.death_index[diagram.essential] == -1).all()
    levels = np.unique(volume)
    counted = euler_characteristics(volume[None] <= levels[:, None, None, None])
    numbers = np.array([diagram.betti_numbers(level, DIMENSIONS) for level in levels])
    np.testing.assert_array_equal(numbers @ [1, -1, 1], counted)
    assert tuple(numbers[len(levels) // 2]) == betti_numbers(volume <= levels[len(levels) // 2])


@settings(max_examples=300, deadline=None)
@given(plateaus)
def test_plateaus_of_any_shape_are_as_gudhi_says(volume: np.ndarray) -> None:
    assert_right(volume, cubical_persistence(volume))


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_volumes_of_every_kind_are_as_gudhi_says(random_image: RandomImage, seed: int) -> None:
    volume = random_image(np.random.default_rng(seed), longest=12, axes=3)
    assert_right(volume, cubical_persistence(volume))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_where_no_values_are_equal_the_voxels_are_those_of_gudhi(seed: int) -> None:
    rng = np.random.default_rng(seed)
    volume = rng.permutation(np.prod(shape := rng.integers(1, 11, 3))).reshape(shape).astype(np.float64)
    cells = gudhi.CubicalComplex(top_dimensional_cells=volume)
    cells.compute_persistence(homology_coeff_field=2)
    mortal, essential = cells.cofaces_of_persistence_pairs()
    pairs = pairs_of_batch(volume[None])
    # GUDHI numbers cells with the first axis fastest.
    number = np.arange(volume.size).reshape(volume.shape[::-1]).T
    for dimension in DIMENSIONS:
        expected = mortal[dimension].tolist() if dimension < len(mortal) else []
        found = pairs.pixels[(pairs.dimension == dimension) & ~pairs.essential]
        assert sorted(map(tuple, number.ravel()[found].tolist())) == sorted(map(tuple, expected))
    assert number.ravel()[pairs.birth_pixel[pairs.essential]].tolist() == essential[0].tolist()


@pytest.mark.parametrize("seed", range(20))
def test_smooth_volumes_are_as_gudhi_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    volume = gaussian_filter(rng.standard_normal((32, 32, 32)), rng.uniform(0.7, 4.0)).astype(np.float32)
    diagram = cubical_persistence(volume)
    assert [sorted(map(tuple, diagram.points(dim).tolist())) for dim in DIMENSIONS] == by_gudhi(volume)


def test_distances_to_a_mask_are_as_gudhi_says() -> None:
    mask = gaussian_filter(np.random.default_rng(0).standard_normal((20, 21, 22)), 2.0) > 0
    for filtration in (distance_filtration(mask, 0.37), signed_distance_filtration(mask), ~mask):
        assert_right(filtration, cubical_persistence(filtration))


def test_blocks_of_columns_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).standard_normal((12, 12, 12))
    whole = pairs_of_batch(noise[None])
    monkeypatch.setattr(tunnels, "_TOGETHER", 7)
    np.testing.assert_array_equal(pairs_of_batch(noise[None]).pixels, whole.pixels)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 9), (1, 9, 1), (9, 1, 1), (1, 6, 7), (6, 1, 7), (6, 7, 1)])
def test_thin_and_constant_volumes(shape: tuple[int, ...]) -> None:
    for volume in (np.random.default_rng(0).standard_normal(shape), np.full(shape, 2.5), np.full(shape, -np.inf)):
        assert_right(volume, cubical_persistence(volume))


def test_a_flat_volume_is_an_image() -> None:
    image = np.random.default_rng(0).standard_normal((14, 15))
    flat, volume = cubical_persistence(image), cubical_persistence(image[:, None])
    np.testing.assert_array_equal(volume.birth, flat.birth)
    np.testing.assert_array_equal(volume.death_index[~flat.essential][:, [0, 2]], flat.death_index[~flat.essential])


def test_a_tunnel_and_a_cavity_have_their_sizes() -> None:
    cube = np.zeros((15, 15, 15), dtype=bool)
    cube[1:14, 1:14, 1:14] = True
    cube[:, 5, 5] = False
    cube[8:11, 8:11, 8:11] = False
    diagram = cubical_persistence(distance_filtration(cube))
    assert diagram.betti_numbers(0.0, DIMENSIONS) == betti_numbers(cube) == (1, 1, 1)
    assert diagram.points(1).tolist() == [[0.0, 1.0]]
    assert diagram.points(2).tolist() == [[0.0, 2.0]]
    assert diagram.of_dimension(2).death_index.tolist() == [[9, 9, 9]]


@pytest.mark.parametrize("dimensions", [(0,), (1,), (2,), (0, 2), (2, 1)])
def test_some_dimensions_are_as_in_all(dimensions: tuple[int, ...]) -> None:
    volume = np.random.default_rng(1).standard_normal((9, 8, 7))
    every, some = cubical_persistence(volume), cubical_persistence(volume, dimensions)
    expected = every[np.isin(every.dimension, dimensions)]
    np.testing.assert_array_equal(some.dimension, expected.dimension)
    np.testing.assert_array_equal(some.death_index, expected.death_index)


def test_tunnels_only_of_the_volumes_asked_for() -> None:
    volumes = np.random.default_rng(2).standard_normal((4, 8, 8, 8))
    wanted = np.array([True, False, False, True])
    every, some = pairs_of_batch(volumes), pairs_of_batch(volumes, tunnels_of=wanted)
    np.testing.assert_array_equal(some.pixels, every.pixels[(every.dimension != 1) | wanted[every.image]])
    assert set(some.image[some.dimension == 1].tolist()) == {0, 3}
    alone = pairs_of_batch(volumes, (1,), wanted)
    np.testing.assert_array_equal(alone.pixels, some.pixels[some.dimension == 1])


def test_a_batch_is_its_volumes_one_by_one(tmp_path: Path) -> None:
    volumes = np.random.default_rng(3).integers(0, 6, (5, 6, 7, 8)).astype(np.float64)
    diagrams = cubical_persistence_of_batch(volumes)
    for volume, diagram in zip(volumes, diagrams, strict=True):
        assert_right(volume, diagram)
    save_diagrams(tmp_path / "diagrams.npz", diagrams)
    for written, read in zip(diagrams, load_diagrams(tmp_path / "diagrams.npz"), strict=True):
        np.testing.assert_array_equal(read.birth_index, written.birth_index)
    assert cubical_persistence_of_batch(np.zeros((0, 4, 4, 4))) == []


def test_what_cannot_be_filtered_is_refused_in_words() -> None:
    for value in (np.nan, np.float32("nan")):
        with pytest.raises(InputError, match="NaN"):
            cubical_persistence(np.full((2, 2, 2), value))
    with pytest.raises(InputError, match="pixels"):
        cubical_persistence(np.zeros((0, 3, 3)))
    with pytest.raises(InputError, match="dimensions 0, 1 and 2"):
        cubical_persistence(np.zeros((2, 2, 2)), (0, 3))
