"""Persistence diagrams that remember the pixels which make and kill each class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from topogan.errors import InputError
from topogan.files import staged_file
from topogan_contract.diagrams import DIAGRAM_ARRAYS, DIAGRAM_COUNTS, check_diagrams_size, diagrams_fit_together


@dataclass(frozen=True, eq=False)
class Diagram:
    """The persistence pairs of one image; row i of every array is one class. The arrays cannot be written.

    Diagrams made by this package are sorted by dimension, the most persistent class first.
    """

    dimension: NDArray[np.int64]
    """int [n]: 0 for connected components, 1 for holes (of a volume, tunnels), 2 for cavities."""
    birth: NDArray[np.float64]
    """float [n], in the unit of the filtration."""
    death: NDArray[np.float64]
    """float [n]; inf for a class that never dies (essential) and for one that dies at a pixel of value inf."""
    birth_index: NDArray[np.int64]
    """int [n, axes]: (row, column) or (slice, row, column) of the pixel whose value is the birth; −1 if unknown."""
    death_index: NDArray[np.int64]
    """int [n, axes]: the same of the pixel whose value is the death; −1 where there is none."""

    def __post_init__(self) -> None:
        count = len(self.dimension)
        for name in DIAGRAM_ARRAYS:
            array = getattr(self, name).view()
            if len(array) != count:
                raise InputError(f"A diagram of {count} classes cannot have {len(array)} rows of {name}.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def from_points(cls, points: dict[int, ArrayLike], axes: int = 2) -> Diagram:
        """Make a diagram without pixels.

        Args:
            points: dimension → float [n, 2] of (birth, death), such as GUDHI's ``persistence_intervals_in_dimension``.
            axes: of the image.

        Example:
            >>> Diagram.from_points({0: [[0.0, float("inf")], [0.0, 2.0]], 1: [[0.0, 5.0]]}).betti_numbers(1.0)
            (2, 1)
        """
        arrays = {dim: np.asarray(found, dtype=np.float64).reshape(-1, 2) for dim, found in sorted(points.items())}
        joined = np.concatenate([np.zeros((0, 2)), *arrays.values()])
        dimension = np.repeat(list(arrays), [len(found) for found in arrays.values()]).astype(np.int64)
        nowhere = np.full((len(joined), axes), -1, dtype=np.int64)
        return cls(dimension, joined[:, 0], joined[:, 1], nowhere, nowhere)

    def __len__(self) -> int:
        return len(self.dimension)

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.int64] | slice) -> Diagram:
        """Return the chosen classes, ``rows`` being a mask, indices or a slice."""
        return Diagram(*(getattr(self, name)[rows] for name in DIAGRAM_ARRAYS))

    @property
    def persistence(self) -> NDArray[np.float64]:
        """float [n]: death − birth, inf for an essential class."""
        with np.errstate(invalid="ignore"):
            return np.where(np.isinf(self.death), np.inf, self.death - self.birth)

    @property
    def essential(self) -> NDArray[np.bool_]:
        """bool [n]: classes that never die; an image has one, its first component."""
        return np.isinf(self.death) & (self.death_index < 0).all(axis=1)

    def of_dimension(self, dimension: int) -> Diagram:
        """The classes of one dimension."""
        return self[self.dimension == dimension]

    def longer_than(self, persistence: float) -> Diagram:
        """The classes whose persistence is above ``persistence`` (in the unit of the filtration)."""
        return self[self.persistence > persistence]

    def points(self, dimension: int) -> NDArray[np.float64]:
        """float [n, 2] of (birth, death) in one dimension, infinite deaths included: GUDHI's form of a diagram."""
        chosen = self.dimension == dimension
        return np.stack([self.birth[chosen], self.death[chosen]], axis=1)

    def finite_points(self, dimension: int) -> NDArray[np.float64]:
        """float [n, 2] of (birth, death) in one dimension, of the classes with finite values."""
        points = self.points(dimension)
        return points[np.isfinite(points).all(axis=1)]

    def projected(self, dimension: int) -> NDArray[np.float64]:
        """float [n]: what a distance filtration tells by one number of each finite class.

        Deaths of components (half the gap to the next; all are born at 0), births of holes (half the gap in the wall).
        """
        return self.finite_points(dimension)[:, 1 if dimension == 0 else 0]

    def to_gudhi(self) -> list[tuple[int, tuple[float, float]]]:
        """The form of GUDHI's ``persistence()`` and of its plots: (dimension, (birth, death)) of each class."""
        return [
            (int(dim), (float(birth), float(death)))
            for dim, birth, death in zip(self.dimension, self.birth, self.death, strict=True)
        ]

    def betti_numbers(self, level: float, dimensions: Sequence[int] | None = None) -> tuple[int, ...]:
        """How many classes of each dimension live at ``level``: birth ≤ level < death.

        Args:
            level: of the filtration.
            dimensions: None for all that its image or volume has.
        """
        dimensions = range(self.birth_index.shape[1]) if dimensions is None else dimensions
        alive = (self.birth <= level) & ((level < self.death) | self.essential)
        return tuple(int((alive & (self.dimension == dim)).sum()) for dim in dimensions)

    def betti_curve(self, dimension: int, levels: ArrayLike) -> NDArray[np.int64]:
        """int [k]: how many classes of ``dimension`` live at each of the ``levels`` (float [k])."""
        chosen = self.dimension == dimension
        levels = np.asarray(levels, dtype=np.float64)
        born = np.searchsorted(np.sort(self.birth[chosen]), levels, side="right")
        dead = np.searchsorted(np.sort(self.death[chosen & ~self.essential]), levels, side="right")
        return born - dead


def save_diagrams(path: Path, diagrams: Iterable[Diagram]) -> None:
    """Write diagrams to one ``.npz``: the arrays of all one after another, and ``counts``, the length of each.

    Args:
        path: ends in ``.npz``; replaced in one step.
        diagrams: of images with the same number of axes.
    """
    diagrams = list(diagrams)
    axes = diagrams[0].birth_index.shape[1] if diagrams else 2
    empty = Diagram.from_points({}, axes)
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(one, name) for one in (empty, *diagrams)]) for name in DIAGRAM_ARRAYS
    }
    arrays[DIAGRAM_COUNTS] = np.array([len(one) for one in diagrams], dtype=np.int64)
    # Positions and dimensions are small numbers; births and deaths keep every bit.
    for name in ("dimension", "birth_index", "death_index"):
        arrays[name] = arrays[name].astype(np.int32)
    with staged_file(Path(path)) as temporary:
        np.savez_compressed(temporary, **arrays)


def load_diagrams(path: Path) -> list[Diagram]:
    """Read what :func:`save_diagrams` wrote.

    Raises:
        InputError: the file is missing, damaged, or not such a file.
    """
    try:
        check_diagrams_size(path)
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in (*DIAGRAM_ARRAYS, DIAGRAM_COUNTS)}
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing: is {Path(path).parent} the right folder?") from error
    except Exception as error:  # numpy and zipfile raise a dozen kinds of errors for what is no archive of arrays
        raise InputError(f"{path} holds no persistence diagrams: it is damaged or another kind of file.") from error
    counts = arrays.pop(DIAGRAM_COUNTS)
    if not diagrams_fit_together(arrays, counts):
        raise InputError(f"{path} holds no persistence diagrams: its arrays do not fit together.")
    for name in ("dimension", "birth_index", "death_index"):
        arrays[name] = arrays[name].astype(np.int64)
    ends = np.cumsum(counts).tolist()
    spans = zip([0, *ends], ends, strict=False)
    return [Diagram(*(arrays[name][start:end] for name in DIAGRAM_ARRAYS)) for start, end in spans]
