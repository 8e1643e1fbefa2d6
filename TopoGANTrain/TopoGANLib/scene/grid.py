"""Voxels and their place, and the file that they are handed on in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
# Written in portions: one write of a whole volume would keep other threads waiting.
_SLICES_AT_ONCE = 8
# The names of NRRD's numbers are numpy's, but for these.
_NRRD_TYPES = {"float32": "float", "float64": "double"}


@dataclass(frozen=True)
class Grid:
    """Voxels and their place."""

    array: np.ndarray
    """[slice, row, column]"""
    ijk_to_ras: np.ndarray
    """float [4, 4], from (column, row, slice, 1) to (R, A, S, 1) in mm."""


def voxels_between(one: Grid, other: Grid) -> np.ndarray | None:
    """int [3], (slice, row, column) of ``one`` where ``other`` begins; None if their voxels do not fall together."""
    matrix = np.linalg.inv(one.ijk_to_ras) @ other.ijk_to_ras
    steps = np.round(matrix[:3, 3])
    # A hundredth of a voxel: matrices come out of files with few digits.
    aligned = np.allclose(matrix[:3, :3], np.eye(3), atol=1e-4) and np.allclose(matrix[:3, 3], steps, atol=1e-2)
    return steps[::-1].astype(int) if aligned else None


def placed_on(reference: Grid, grid: Grid) -> Grid:
    """The same voxels on a larger grid, with zeros around them; as they are where they do not fall together with it."""
    start = voxels_between(reference, grid)
    if start is None or (start < 0).any() or (start + grid.array.shape > reference.array.shape).any():
        return grid
    array = np.zeros(reference.array.shape, grid.array.dtype)
    array[tuple(slice(begin, begin + n) for begin, n in zip(start, grid.array.shape, strict=True))] = grid.array
    return Grid(array, reference.ijk_to_ras)


def write_nrrd(path: Path, grid: Grid) -> None:
    """Write voxels as they are, uncompressed: fast, and without the copies that a library would make."""
    lps = _TO_LPS @ grid.ijk_to_ras
    kind = grid.array.dtype.newbyteorder("<")
    slices, rows, columns = grid.array.shape
    header = [
        "NRRD0004",
        f"type: {_NRRD_TYPES.get(kind.name, kind.name)}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {columns} {rows} {slices}",
        "space directions: " + " ".join(_vector(lps[:3, axis]) for axis in range(3)),
        "kinds: domain domain domain",
        "endian: little",
        "encoding: raw",
        f"space origin: {_vector(lps[:3, 3])}",
    ]
    with path.open("wb") as file:
        file.write(("\n".join(header) + "\n\n").encode("ascii"))
        for start in range(0, slices, _SLICES_AT_ONCE):
            np.ascontiguousarray(grid.array[start : start + _SLICES_AT_ONCE], dtype=kind).tofile(file)


def _vector(values: np.ndarray) -> str:
    return "(" + ",".join(repr(float(value)) for value in values) + ")"
