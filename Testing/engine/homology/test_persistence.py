"""The fast path gives what gudhi.CubicalComplex gives, and the pixels too."""

from __future__ import annotations

from collections.abc import Callable

import gudhi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from topogan.errors import InputError
from topogan.homology import (
    Diagram,
    cubical_persistence,
    cubical_persistence_of_batch,
    distance_filtration,
    euler_characteristics,
    gudhi_cubical,
    index_packing,
    persistence,
    signed_distance_filtration,
)

RandomImage = Callable[[np.random.Generator], np.ndarray]
plateaus = hnp.arrays(
    np.float64,
    hnp.array_shapes(min_dims=2, max_dims=2, max_side=7),
    elements=st.sampled_from([0.0, -0.0, 1.0, 2.0, np.sqrt(2.0), -1.0, np.inf, -np.inf]),
)


def by_gudhi(image: np.ndarray, dimension: int) -> list[tuple[float, float]]:
    cells = gudhi.CubicalComplex(top_dimensional_cells=image.astype(np.float64))
    cells.compute_persistence()
    return sorted(map(tuple, cells.persistence_intervals_in_dimension(dimension).tolist()))


def assert_right(image: np.ndarray, diagram: Diagram) -> None:
    """Same multiset as GUDHI's, true critical pixels, one essential class, Euler characteristic at every level."""
    for dimension in (0, 1):
        assert sorted(map(tuple, diagram.points(dimension).tolist())) == by_gudhi(image, dimension)
    np.testing.assert_array_equal(image[tuple(diagram.birth_index.T)], diagram.birth)
    mortal = ~diagram.essential
    np.testing.assert_array_equal(image[tuple(diagram.death_index[mortal].T)], diagram.death[mortal])
    assert diagram.essential.sum() == 1
    assert diagram.birth[diagram.essential] == image.min()
    levels = np.unique(image)
    counted = euler_characteristics(image[None] <= levels[:, None, None])
    numbers = [diagram.betti_numbers(level) for level in levels]
    assert [components - holes for components, holes in numbers] == counted.tolist()


@settings(max_examples=700, deadline=None)
@given(plateaus)
def test_plateaus_of_any_shape_are_as_gudhi_says(image: np.ndarray) -> None:
    assert_right(image, cubical_persistence(image))


@settings(max_examples=1700, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_images_of_every_kind_are_as_gudhi_says(random_image: RandomImage, seed: int) -> None:
    image = random_image(np.random.default_rng(seed))
    assert_right(image, cubical_persistence(image))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_batch_is_its_images_one_by_one(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # One image of a batch may need ranks while its neighbor has exact integers.
    images = rng.integers(0, 5, (rng.integers(1, 6), *rng.integers(1, 9, 2))).astype(np.float64)
    images[0] *= rng.standard_normal()
    for image, diagram in zip(images, cubical_persistence_of_batch(images), strict=True):
        assert_right(image, diagram)


def test_large_batches_are_packed_in_blocks() -> None:
    images = np.random.default_rng(0).standard_normal((12, 64, 64)).astype(np.float32)
    for image, diagram in zip(images, cubical_persistence_of_batch(images), strict=True):
        assert len(diagram) == len(cubical_persistence(image)) > 100
        np.testing.assert_array_equal(image[tuple(diagram.birth_index.T)], diagram.birth)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_without_the_fast_path_the_public_function_gives_the_same(random_image: RandomImage, seed: int) -> None:
    image = random_image(np.random.default_rng(seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(persistence, "persistence_of_top_cells", gudhi_cubical.persistence_by_cubical_complex)
        assert_right(image, cubical_persistence(image))


def test_the_installed_gudhi_has_the_fast_path() -> None:
    assert gudhi_cubical.fast_path()


@pytest.mark.parametrize("image", [[[3.0]], [[1.0, 2.0]], [[2.0], [1.0], [3.0]], np.full((5, 4), 2.5), [[-np.inf]]])
def test_smallest_images(image: object) -> None:
    image = np.asarray(image)
    assert_right(image, cubical_persistence(image))


def test_values_beyond_what_packing_holds_are_ranked() -> None:
    tiny = np.nextafter(1.0, 2.0)
    for image in (
        np.array([[1e-200, 1.0], [0.0, 3.0]]),
        np.array([[1e300, 0.0, 1e-300, 5.0], [1.0, tiny, -1e300, 2.0], [1.0, 1.0, tiny, 0.5]]),
        np.array([[2**62, 2**62 + 1], [0, -(2**62)]]),
        np.array([[2**64 - 1, 3], [2**63, 0]], dtype=np.uint64),
    ):
        diagram = cubical_persistence(image)
        np.testing.assert_array_equal(image[tuple(diagram.birth_index.T)].astype(float), diagram.birth)
        assert len(diagram) >= 1


def test_distances_and_single_precision_need_no_sorting(draw, monkeypatch) -> None:
    def sort(_: np.ndarray) -> np.ndarray:
        raise AssertionError("sorted")

    monkeypatch.setattr(index_packing, "dense_ranks", sort)
    mask, noise = draw.ring(gap=1), np.random.default_rng(0).standard_normal((21, 21))
    for pixel_size in (1.0, 0.37, 1.3):
        filtration = [distance_filtration(one, pixel_size) for one in (mask, np.zeros_like(mask), ~mask)]
        cubical_persistence_of_batch(np.stack(filtration))
        cubical_persistence(signed_distance_filtration(mask, pixel_size))
    for values in (noise.astype(np.float32), noise.astype(np.float32).astype(np.float64), (9 * noise).astype(np.int8)):
        cubical_persistence(values)
    with pytest.raises(AssertionError, match="sorted"):
        cubical_persistence(noise)


def test_float32_extremes_keep_their_order() -> None:
    image = np.float32([[np.finfo(np.float32).max, 1e-45, -0.0], [0.0, -1e-45, np.inf], [-np.inf, 1.0, -3.0]])
    assert_right(image, cubical_persistence(image))


def test_one_dimension_alone() -> None:
    image = np.random.default_rng(1).standard_normal((9, 9))
    both = cubical_persistence(image)
    for dimension in (0, 1):
        alone = cubical_persistence(image, (dimension,))
        assert set(alone.dimension.tolist()) <= {dimension}
        np.testing.assert_array_equal(alone.points(dimension), both.points(dimension))
    reversed_order = cubical_persistence(image, (1, 0))
    np.testing.assert_array_equal(reversed_order.birth_index, both.birth_index)


def test_diagrams_come_the_most_persistent_class_first() -> None:
    diagram = cubical_persistence(np.random.default_rng(2).standard_normal((20, 20)))
    assert (np.diff(diagram.dimension) >= 0).all()
    for dimension in (0, 1):
        persistences = diagram.of_dimension(dimension).persistence
        assert (persistences[:-1] >= persistences[1:]).all()


def test_the_same_image_gives_the_same_pixels() -> None:
    image = np.random.default_rng(3).integers(0, 3, (12, 12)).astype(np.float64)
    first, second = cubical_persistence(image), cubical_persistence(image.copy())
    np.testing.assert_array_equal(first.birth_index, second.birth_index)
    np.testing.assert_array_equal(first.death_index, second.death_index)


def test_an_empty_batch_has_no_diagrams() -> None:
    assert cubical_persistence_of_batch(np.zeros((0, 4, 4))) == []


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.array([[0.0, np.nan]]), "NaN"),
        (np.array([[np.float32("nan")]]), "NaN"),
        (np.zeros(4), "shape"),
        (np.zeros((2, 2, 2, 2)), "shape"),
        (np.zeros((0, 3)), "pixels"),
        (np.zeros((2, 2), dtype=complex), "complex"),
        (np.array([["a"]]), "real numbers"),
    ],
)
def test_what_cannot_be_filtered_is_refused_in_words(image: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        cubical_persistence(image)


def test_unknown_dimensions_are_refused() -> None:
    with pytest.raises(InputError, match="dimensions 0 and 1"):
        cubical_persistence(np.zeros((2, 2)), (0, 2))


@pytest.mark.parametrize("count", [0, 1, 40])
def test_equal_persistences_keep_their_order(count: int) -> None:
    images = np.random.default_rng(0).integers(0, 4, (count, 40, 40)) / 3.0
    pairs = persistence.pairs_of_batch(images)
    assert (len(pairs.group) > persistence._FEW) == (count == 40)
    with np.errstate(invalid="ignore"):
        growth = np.where(pairs.essential, -np.inf, pairs.birth - pairs.death)
    np.testing.assert_array_equal(pairs.by_falling_persistence(), np.lexsort((growth, pairs.group)))


@pytest.mark.parametrize("values", [[], [2.0], [3.0, -np.inf, 3.0, np.inf, -0.0, 0.0], [5, 5, -1]], ids=str)
def test_ranks_are_dense(values: list[float]) -> None:
    array = np.array(values)
    np.testing.assert_array_equal(index_packing.dense_ranks(array), np.unique(array, return_inverse=True)[1])
