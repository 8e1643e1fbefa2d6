"""Persistence diagrams that carry their pairing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError
from topogan.files import staged_file

_FIELDS = ("dimension", "birth", "death", "birth_index", "death_index")


@dataclass(frozen=True)
class Diagram:
    """Births and deaths of the classes of one filtered image, with the pixels that cause them.

    ``dimension`` int64 [n]: 0 for pieces, 1 for holes. ``birth``, ``death`` float64 [n] in the filtration's unit;
    an essential class has death +inf. ``birth_index``, ``death_index`` int64 [n, ndim] in array axis order
    (row, column in 2-D); −1 where there is no such pixel.
    """

    dimension: NDArray[np.int64]
    birth: NDArray[np.float64]
    death: NDArray[np.float64]
    birth_index: NDArray[np.int64]
    death_index: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.birth)

    @property
    def persistence(self) -> NDArray[np.float64]:
        """Death − birth, +inf for essential classes."""
        return self.death - self.birth

    def where(self, chosen: NDArray[np.bool_]) -> Diagram:
        """The points for which ``chosen`` (bool [n]) holds."""
        return Diagram(*(getattr(self, field)[chosen] for field in _FIELDS))

    def of_dimension(self, dimension: int) -> Diagram:
        """The points of one homology dimension."""
        return self.where(self.dimension == dimension)

    def finite(self) -> Diagram:
        """The points that die."""
        return self.where(np.isfinite(self.death))

    def points(self, dimension: int) -> NDArray[np.float64]:
        """(birth, death) float64 [k, 2] of the finite points of one dimension."""
        chosen = (self.dimension == dimension) & np.isfinite(self.death)
        return np.column_stack([self.birth[chosen], self.death[chosen]])


def save_diagrams(path: Path, diagrams: Sequence[Diagram]) -> None:
    """Write diagrams to one ``.npz``: ``counts`` int64 [N] and the five arrays, one diagram after the other."""
    arrays = {"counts": np.array([len(diagram) for diagram in diagrams], dtype=np.int64)}
    for field in _FIELDS:
        parts = [getattr(diagram, field) for diagram in diagrams]
        arrays[field] = np.concatenate(parts) if parts else np.zeros(0)
    with staged_file(path) as temporary:
        np.savez_compressed(temporary, **arrays)


def load_diagrams(path: Path) -> list[Diagram]:
    """Read what :func:`save_diagrams` wrote.

    Raises:
        InputError: the file is missing, damaged or of another kind.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            counts = stored["counts"]
            arrays = [stored[field] for field in _FIELDS]
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing: is {Path(path).parent} the right folder?") from error
    except Exception as error:  # numpy and zipfile raise a dozen kinds for a damaged archive
        raise InputError(f"{path} cannot be read as diagrams: it is damaged or not a TopoGAN file.") from error
    total = int(counts.sum()) if counts.size else 0
    if counts.ndim != 1 or (counts < 0).any() or any(len(array) != total for array in arrays):
        raise InputError(f"{path} cannot be read as diagrams: its arrays do not fit each other.")
    ends = np.cumsum(counts)
    return [
        Diagram(*(array[end - count : end] for array in arrays)) for count, end in zip(counts, ends, strict=True)
    ]
