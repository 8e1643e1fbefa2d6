"""What the engine writes is what the Slicer side reads: the one place where both are imported."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from topogan.homology import cubical_persistence, distance_filtration, save_diagrams
from TopoGANLib.scene.synthesis_files import read_diagrams


def _ring_with_a_speck() -> np.ndarray:
    row, column = np.mgrid[:64, :64]
    radius = np.hypot(row - 30, column - 26)
    mask = (radius >= 8) & (radius < 13)
    mask[55, 60] = True
    return mask


def test_diagrams_are_read_back_in_mm(tmp_path: Path) -> None:
    masks = [_ring_with_a_speck(), np.zeros((64, 64), bool), np.ones((64, 64), bool)]
    written = [cubical_persistence(distance_filtration(mask)) for mask in masks]
    save_diagrams(tmp_path / "diagrams.npz", written)
    read = read_diagrams(tmp_path / "diagrams.npz", pixel_size=0.5)
    assert len(read) == 3
    for one, other in zip(read, written, strict=True):
        assert np.array_equal(one.dimension, other.dimension)
        assert np.array_equal(one.birth, other.birth * 0.5)
        assert np.array_equal(one.death, other.death * 0.5)
        assert np.array_equal(one.birth_index, other.birth_index)
        assert np.array_equal(one.death_index, other.death_index)
    hole = read[0].dimension == 1
    assert read[0].death_index[hole][0].tolist() == [30, 26], "row, column of the middle of the ring"


def test_no_samples_make_no_diagrams(tmp_path: Path) -> None:
    save_diagrams(tmp_path / "diagrams.npz", [])
    assert read_diagrams(tmp_path / "diagrams.npz", pixel_size=1.0) == []
