"""Where the voxels of a volume lie in the patient: SimpleITK's conventions, (x, y, z) order, LPS, mm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from topogan.errors import InputError

# Two grids count as the same when no corner differs by more than this share of the smallest voxel edge. Headers
# store single precision and rounded decimals (some 1e-3 of a voxel); a wrong grid differs by half a voxel or more.
SAME_GRID_TOLERANCE = 0.1
_ORTHONORMAL_TOLERANCE = 1e-3
# Beyond every scanner and microscope; a header outside has another unit or is damaged. Both in mm.
_SMALLEST_SPACING, _LARGEST_SPACING = 1e-6, 100.0
_FARTHEST_ORIGIN = 1e5


@dataclass(frozen=True)
class Geometry:
    """The grid of a volume: ``size`` in voxels, ``spacing`` and ``origin`` in mm, ``direction`` row by row (9)."""

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: tuple[float, ...]

    @classmethod
    def of_image(cls, image: Any) -> Geometry:
        """Take the spatial part of SimpleITK's image or file reader (3-D, or 4-D with the phases last)."""
        count = image.GetDimension()
        direction = np.asarray(image.GetDirection()).reshape(count, count)[:3, :3]
        return cls(
            tuple(image.GetSize()[:3]),
            tuple(image.GetSpacing()[:3]),
            tuple(image.GetOrigin()[:3]),
            tuple(float(value) for value in direction.ravel()),
        )

    @property
    def axes(self) -> np.ndarray:
        """Unit vectors of the index axes x, y, z as the columns of a 3×3 matrix (LPS)."""
        return np.array(self.direction, dtype=float).reshape(3, 3)

    def to_point(self, index: np.ndarray) -> np.ndarray:
        """Continuous indices [n, 3] (x, y, z; voxel centers are whole numbers) to LPS points [n, 3] in mm."""
        point: np.ndarray = np.asarray(self.origin) + (np.asarray(index) * self.spacing) @ self.axes.T
        return point

    def to_index(self, point: np.ndarray) -> np.ndarray:
        """LPS points [n, 3] in mm to continuous indices [n, 3] (x, y, z)."""
        index: np.ndarray = (np.asarray(point) - self.origin) @ self.axes / self.spacing
        return index

    def corners(self, margin: float = 0.0) -> np.ndarray:
        """The 8 corner points [8, 3] in mm: voxel centers, moved outwards by ``margin`` voxels."""
        ends = [(-margin, count - 1 + margin) for count in self.size]
        return self.to_point(np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(8, 3))

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Tell for LPS points [n, 3] whether they lie inside the volume, outer voxels' edges included: bool [n]."""
        index = self.to_index(points)
        slack = 0.5 + SAME_GRID_TOLERANCE
        inside: np.ndarray = (index >= -slack) & (index <= np.asarray(self.size) - 1 + slack)
        return np.asarray(inside.all(axis=1))

    def is_same_grid(self, other: Geometry) -> bool:
        """Tell whether both have their voxel centers at the same places, whichever way the axes are stored.

        DICOM readers and NIfTI writers order the same voxels differently; sampling happens in space, so that only
        the places matter.
        """
        if sorted(self.size) != sorted(other.size):
            return False
        away = np.linalg.norm(self.corners()[:, None] - other.corners()[None], axis=2)
        return bool(away.min(axis=1).max() <= SAME_GRID_TOLERANCE * min(self.spacing))

    def check(self, path: Path) -> None:
        """Refuse what cannot be a place in a patient.

        Raises:
            InputError: spacing, origin or directions are zero, negative, not finite, beyond measure or not at right
                angles.
        """
        check_spacing(path, self.spacing)
        if min(self.spacing) < _SMALLEST_SPACING or max(self.spacing) > _LARGEST_SPACING:
            shown = " x ".join(f"{value:g}" for value in self.spacing)
            raise InputError(f"The voxel spacing of {path} is {shown} mm: correct its header, its unit must be mm.")
        if not (np.abs(self.origin) < _FARTHEST_ORIGIN).all():
            shown = ", ".join(f"{value:g}" for value in self.origin)
            raise InputError(f"The position of {path} is ({shown}) mm: correct its header, no scan lies there.")
        check_axes(path, self.axes)


def check_spacing(path: Path, spacing: Sequence[float] | np.ndarray) -> None:
    """Refuse distances (mm) that are not positive numbers."""
    if not all(np.isfinite(value) and value > 0 for value in spacing):
        shown = " x ".join(f"{value:g}" for value in spacing)
        raise InputError(f"The voxel spacing of {path} is {shown} mm: correct its header, it must be above 0.")


def check_axes(path: Path, axes: np.ndarray) -> None:
    """Refuse axes (columns of a 3×3 matrix) that are not unit vectors at right angles."""
    if not np.allclose(axes.T @ axes, np.eye(3), atol=_ORTHONORMAL_TOLERANCE):
        raise InputError(
            f"The axes in the header of {path} are not at right angles: load it in Slicer, resample it and save it."
        )


def geometry_of_axes(size: tuple[int, ...], steps: np.ndarray, origin: np.ndarray) -> Geometry:
    """A grid from its steps.

    Args:
        size: voxels along x, y, z.
        steps: [3, 3], column k is the way from a voxel to the next along index axis k: LPS, mm.
        origin: center of the first voxel: LPS, mm.
    """
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        spacing = np.linalg.norm(steps, axis=0)
        directions = steps / spacing
    x, y, z = size
    return Geometry((x, y, z), tuple(spacing.tolist()), tuple(origin.tolist()), tuple(directions.ravel().tolist()))


@dataclass(frozen=True)
class Volume:
    """One phase: ``array`` [slice, row, column] of numbers, and its grid (``spacing``, ``origin``: mm, LPS)."""

    array: np.ndarray
    geometry: Geometry

    @classmethod
    def of_image(cls, image: sitk.Image) -> Volume:
        """Copy a 3-D scalar image."""
        return cls(sitk.GetArrayFromImage(image), Geometry.of_image(image))

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance between voxel centers along x, y, z in mm."""
        return self.geometry.spacing

    @property
    def origin(self) -> tuple[float, float, float]:
        """Center of the first voxel in mm, LPS."""
        return self.geometry.origin

    @property
    def direction(self) -> tuple[float, ...]:
        """Direction cosines as SimpleITK gives them (9 numbers, row by row)."""
        return self.geometry.direction

    def cropped(self, low: np.ndarray, high: np.ndarray) -> Volume:
        """Take the voxels from index ``low`` to index ``high`` (x, y, z; both included, cut at the volume's edge)."""
        size = np.asarray(self.geometry.size)
        low = np.clip(np.asarray(low, dtype=int), 0, size - 1)
        high = np.clip(np.asarray(high, dtype=int), low, size - 1)
        x, y, z = (slice(first, last + 1) for first, last in zip(low, high, strict=True))
        columns, rows, slices = (high - low + 1).tolist()
        left, back, up = self.geometry.to_point(low[None])[0].tolist()
        geometry = Geometry((columns, rows, slices), self.geometry.spacing, (left, back, up), self.geometry.direction)
        return Volume(self.array[z, y, x], geometry)

    def to_image(self) -> sitk.Image:
        """Copy into a SimpleITK image; bool arrays become uint8."""
        array = self.array.astype(np.uint8) if self.array.dtype == bool else self.array
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(self.spacing)
        image.SetOrigin(self.origin)
        image.SetDirection(self.direction)
        return image
