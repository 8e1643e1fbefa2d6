"""Bodies that anatomy is put together from: which points lie inside. Points are float32 [3, ...] in mm."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Field = NDArray[np.float32]
Inside = NDArray[np.bool_]


def ellipsoid(points: Field, center: ArrayLike, half: ArrayLike, shear: ArrayLike = (0.0, 0.0, 0.0)) -> Inside:
    """An ellipsoid with half axes ``half``; ``shear`` (yz, xz, xy) tilts it, so that it is no textbook figure."""
    x, y, z = _scaled(points, center, half)
    yz, xz, xy = np.asarray(shear, dtype=np.float32)
    inside: Inside = x * x + y * y + z * z + yz * y * z + xz * x * z + xy * x * y < 1
    return inside


def capsule(points: Field, start: ArrayLike, end: ArrayLike, radius: float, end_radius: float | None = None) -> Inside:
    """A vessel with round ends from ``start`` to ``end``, tapering from ``radius`` to ``end_radius``."""
    start = np.asarray(start, dtype=np.float32)
    axis = np.asarray(end, dtype=np.float32) - start
    offset = points - _as_column(start, points)
    along = np.clip(np.tensordot(axis / (axis @ axis), offset, axes=1), 0.0, 1.0)
    offset -= _as_column(axis, points) * along
    wide = np.float32(radius) + np.float32((radius if end_radius is None else end_radius) - radius) * along
    inside: Inside = (offset * offset).sum(axis=0) < wide * wide
    return inside


def column(points: Field, center: tuple[float, float], half: tuple[float, float]) -> Field:
    """How far a point is from a vertical axis: 1 on the elliptic column around it, less inside."""
    distance: Field = np.hypot(
        (points[0] - np.float32(center[0])) / half[0], (points[1] - np.float32(center[1])) / half[1]
    )
    return distance


def _scaled(points: Field, center: ArrayLike, half: ArrayLike) -> Field:
    center, half = np.asarray(center, dtype=np.float32), np.asarray(half, dtype=np.float32)
    return (points - _as_column(center, points)) / _as_column(half, points)


def _as_column(vector: Field, points: Field) -> Field:
    return vector.reshape(3, *[1] * (points.ndim - 1))
