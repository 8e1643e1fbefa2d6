"""Slice coordinates (u, v, w) of a volume: along the columns, along the rows, from slice to slice; mm."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from topogan.errors import InputError
from topogan.volumes import Geometry

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])
# Share of a voxel, well above the rounding errors of positions (NIfTI keeps single precision: up to 4e-5 of a voxel).
_TIE_BREAK = 1e-3


@dataclass(frozen=True)
class Frame:
    """Where slices lie: slice k is the plane w = k · ``step``.

    Attributes:
        axes: unit vectors u, v, w as the columns of a 3×3 matrix (LPS).
        origin: LPS point of u = v = w = 0 in mm: the first voxel of the volume, so that with an axis-parallel plane
            the slices go through voxel centers and nothing is interpolated between them.
        pitch: smallest voxel edge of the volume in mm.
        step: distance between slices in mm.
        pixel: mm from one pixel of the volume to the next in the plane (geometric mean of its two directions).
    """

    axes: np.ndarray
    origin: np.ndarray
    pitch: float
    step: float
    pixel: float

    @classmethod
    def of(cls, geometry: Geometry, slice_to_ras: np.ndarray | None, slice_spacing: float) -> Frame:
        """Lay slices through a volume.

        Args:
            geometry: the volume's grid.
            slice_to_ras: Slicer's 4×4 SliceToRAS (mm, RAS; its columns: right, up and through on the screen), of
                which only the directions count; None for axial: columns to the patient's left, rows to the back,
                slices upwards, as Slicer's Red view shows them.
            slice_spacing: distance between slices in mm; 0 for the volume's own along the normal.
        """
        axes = np.eye(3) if slice_to_ras is None else _axes_of(slice_to_ras)
        # The step along n that crosses one voxel: 1 / |n in voxels per mm|. Exact for planes along the grid.
        u, v, w = 1.0 / np.linalg.norm((geometry.axes.T @ axes).T / geometry.spacing, axis=1)
        pitch = float(min(geometry.spacing))
        return cls(axes, np.asarray(geometry.origin), pitch, slice_spacing or float(w), float(np.sqrt(u * v)))

    def for_labels(self) -> Frame:
        """The same, moved so little that a point between two voxels falls to the same side everywhere.

        Without it, points exactly between label and background would follow rounding errors, and a mask would depend
        on the order in which a file stores its axes.
        """
        return replace(self, origin=self.origin + self.axes @ np.full(3, _TIE_BREAK * self.pitch))

    def right_handed(self) -> Frame:
        """The same, or with w reversed where u, v, w would show the patient in a mirror.

        Slicer's own planes differ in this: "through" goes up in the axial plane and to the front in the coronal one.
        """
        return self if np.linalg.det(self.axes) > 0 else replace(self, axes=self.axes * (1.0, 1.0, -1.0))

    def to_point(self, uvw: np.ndarray) -> np.ndarray:
        """Slice coordinates [n, 3] to LPS points [n, 3]; mm."""
        return np.asarray(self.origin + np.asarray(uvw) @ self.axes.T)

    def from_point(self, point: np.ndarray) -> np.ndarray:
        """LPS points [n, 3] to slice coordinates [n, 3]; mm."""
        return np.asarray((np.asarray(point) - self.origin) @ self.axes)


def _axes_of(slice_to_ras: np.ndarray) -> np.ndarray:
    matrix = np.asarray(slice_to_ras, dtype=float)
    if matrix.shape != (4, 4) or not np.allclose(matrix[:3, :3].T @ matrix[:3, :3], np.eye(3), atol=1e-4):
        raise InputError("The plane is not a 4x4 SliceToRAS matrix with orthogonal unit axes: copy it from Slicer.")
    right, up, through = (_RAS_TO_LPS @ matrix[:3, :3]).T
    return np.stack([right, -up, through], axis=1)  # image rows run down the screen
