"""Diagrams keep their pixels, cannot be changed, and survive a file bit by bit."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path

import gudhi
import numpy as np
import pytest

from topogan.errors import InputError
from topogan.homology import Diagram, cubical_persistence, load_diagrams, persistence_image, save_diagrams


@pytest.fixture
def diagram() -> Diagram:
    return cubical_persistence(np.random.default_rng(0).standard_normal((15, 11)))


def assert_equal(first: Diagram, second: Diagram) -> None:
    for field in fields(Diagram):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))


def test_a_diagram_cannot_be_changed(diagram: Diagram) -> None:
    with pytest.raises(ValueError, match="read-only"):
        diagram.birth[0] = 1.0
    with pytest.raises(FrozenInstanceError):
        diagram.birth = np.zeros(3)


def test_arrays_given_stay_writable() -> None:
    birth = np.zeros(1)
    Diagram(np.zeros(1, int), birth, np.ones(1), np.zeros((1, 2), int), np.zeros((1, 2), int))
    birth[0] = 2.0


def test_arrays_of_different_length_are_refused(diagram: Diagram) -> None:
    with pytest.raises(InputError, match="rows of death"):
        replace(diagram, death=diagram.death[:-1])


def test_filters_keep_classes_whole(diagram: Diagram) -> None:
    holes = diagram.of_dimension(1)
    assert set(holes.dimension.tolist()) == {1}
    long = diagram.longer_than(0.5)
    assert 0 < len(long) < len(diagram)
    assert (long.persistence > 0.5).all()
    assert np.isinf(long.persistence[0])
    assert len(diagram[:3]) == 3
    assert len(diagram.finite_points(0)) == len(diagram.points(0)) - 1


def test_a_projection_is_the_coordinate_that_varies(diagram: Diagram) -> None:
    np.testing.assert_array_equal(diagram.projected(0), diagram.finite_points(0)[:, 1])
    np.testing.assert_array_equal(diagram.projected(1), diagram.finite_points(1)[:, 0])


def test_betti_curve_counts_what_lives_at_each_level(diagram: Diagram) -> None:
    levels = np.linspace(-3, 3, 41)
    for dimension in (0, 1):
        one_by_one = [diagram.betti_numbers(level)[dimension] for level in levels]
        assert diagram.betti_curve(dimension, levels).tolist() == one_by_one
    assert diagram.betti_numbers(np.inf) == (1, 0)
    assert diagram.betti_numbers(-np.inf) == (0, 0)
    assert diagram.betti_curve(0, [np.inf]).tolist() == [1]


def test_to_and_from_gudhi(diagram: Diagram) -> None:
    as_gudhi = diagram.to_gudhi()
    assert sorted({dim for dim, _ in as_gudhi}) == [0, 1]
    cells = gudhi.CubicalComplex(top_dimensional_cells=np.random.default_rng(0).standard_normal((15, 11)))
    assert sorted(as_gudhi) == sorted((dim, tuple(map(float, pair))) for dim, pair in cells.persistence())
    again = Diagram.from_points({dim: diagram.points(dim) for dim in (1, 0)})
    np.testing.assert_array_equal(again.birth, diagram.birth)
    np.testing.assert_array_equal(again.death, diagram.death)
    assert (again.birth_index == -1).all()
    assert again.birth_index.shape == diagram.birth_index.shape


def test_saved_diagrams_come_back_bit_by_bit(diagram: Diagram, tmp_path: Path) -> None:
    empty = Diagram.from_points({})
    infinite = cubical_persistence(np.array([[-np.inf, 1.0, np.inf], [0.1, np.inf, 0.2]]))
    path = tmp_path / "diagrams.npz"
    save_diagrams(path, [diagram, empty, infinite])
    loaded = load_diagrams(path)
    assert len(loaded) == 3
    for before, after in zip([diagram, empty, infinite], loaded, strict=True):
        assert_equal(before, after)
        assert all(getattr(after, field.name).dtype == getattr(before, field.name).dtype for field in fields(Diagram))
    assert [item.name for item in tmp_path.iterdir()] == ["diagrams.npz"]


def test_no_diagrams_can_be_saved_too(tmp_path: Path) -> None:
    save_diagrams(tmp_path / "none.npz", [])
    assert load_diagrams(tmp_path / "none.npz") == []


def test_what_holds_no_diagrams_is_refused_in_words(diagram: Diagram, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is missing"):
        load_diagrams(tmp_path / "absent.npz")
    (tmp_path / "text.npz").write_text("not a zip")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.savez(tmp_path / "pickle.npz", birth=np.array([{}], dtype=object))
    save_diagrams(tmp_path / "whole.npz", [diagram])
    (tmp_path / "half.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:200])
    with np.load(tmp_path / "whole.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "short.npz", **{**arrays, "birth": arrays["birth"][:-1]})
    np.savez(tmp_path / "negative.npz", **{**arrays, "counts": np.array([len(diagram) + 5, -5])})
    np.savez(tmp_path / "flat.npz", **{**arrays, "birth_index": arrays["birth_index"][:, 0]})
    np.savez(tmp_path / "words.npz", **{**arrays, "death": arrays["death"].astype(str)})
    for name in ("text", "other", "pickle", "half", "short", "negative", "flat", "words"):
        with pytest.raises(InputError, match="no persistence diagrams"):
            load_diagrams(tmp_path / f"{name}.npz")


def test_a_persistence_image_holds_the_persistence_of_its_points() -> None:
    diagram = Diagram.from_points({0: [[0.0, np.inf]], 1: [[2.0, 6.0], [5.0, 6.5]]})
    image = persistence_image(diagram, 1, extent=10.0, bins=20, blur=0.2)
    assert image.shape == (20, 20)
    assert image.sum() == pytest.approx(4.0 + 1.5, rel=1e-6)
    row, column = np.unravel_index(image.argmax(), image.shape)
    assert abs(row * 0.5 - 4.0) <= 0.5
    assert abs(column * 0.5 - 2.0) <= 0.5
    assert persistence_image(diagram, 0, extent=10.0).sum() == 0.0


@pytest.mark.parametrize("wrong", [{"extent": 0.0}, {"extent": 1.0, "bins": 0}, {"extent": 1.0, "blur": 0.0}])
def test_a_persistence_image_without_size_is_refused(diagram: Diagram, wrong: dict) -> None:
    with pytest.raises(InputError, match="positive"):
        persistence_image(diagram, 1, **wrong)
