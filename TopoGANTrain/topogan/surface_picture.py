"""A shaded picture of the surfaces in a label volume, made with NumPy and SciPy alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates, minimum_filter

# Seen from the front, a little from the patient's left and from above.
_TURN, _TILT = np.deg2rad(30.0), np.deg2rad(20.0)
# Towards the light, of column, row (down) and depth: above and to the left of the viewer.
_LIGHT = np.array([-0.5, -0.45, -0.74])
_AMBIENT, _FADE = 0.3, 0.25
# Smooths the stairs of voxels. A voxel keeps a share that is seen, and all of itself where it is (part of) a thread.
_SMOOTH, _KEPT, _THREAD = 0.75, 0.6, 0.3
# Half of the width shown, as a share of the cube's; more where a structure needs it.
_SHOWN = 0.5
# At most this many steps of at least half a voxel along each ray.
_FINEST, _STEPS = 0.5, 240
# A voxel's center is at most this far from its corners, and its blurred surface from both.
_VOXEL = 1.5

Field = NDArray[np.float32]


def shaded_surface(
    labels: NDArray[np.uint8], colors: Sequence[str], pixels: int = 192, background: str = "white"
) -> NDArray[np.float64]:
    """Draw the structures of a volume as opaque surfaces under one light (orthographic, Lambert's law).

    Args:
        labels: label ids [slice, row, column] of a cube, axes towards the patient's head, back and left.
        colors: of the structures 1 … K, as matplotlib takes them.
        pixels: width and height of the picture.
        background: its color, also where nothing is.

    Returns:
        RGB [pixels, pixels, 3], 0 to 1; the patient's head is up and the left on the right side.
    """
    picture = np.empty((pixels, pixels, 3))
    picture[:] = to_rgb(background)
    filled = labels != 0
    if not filled.any():
        return picture
    # One voxel of nothing around: what touches the border of the cube has a surface there.
    labels, filled = np.pad(labels, 1), np.pad(filled, 1)
    smooth = gaussian_filter(filled.astype(np.float32), _SMOOTH, mode="constant")
    solid = np.maximum(smooth, np.where(smooth < _THREAD, 1.0, _KEPT) * filled).astype(np.float32)
    axes, middle = _view(), (np.array(filled.shape) - 1) / 2
    placed = (np.argwhere(filled) - middle) @ axes.T
    half = max(_SHOWN * max(filled.shape), float(np.abs(placed[:, :2]).max()) + 1.5)
    hit, points = _first_hits(solid, axes, placed, half, pixels)
    if not hit.any():
        return picture
    shade = _shade(smooth, axes, points)
    near, far = points[:, 2].min(), points[:, 2].max()
    shade *= 1.0 - _FADE * (points[:, 2] - near) / max(far - near, 1.0)
    rgb = np.array([to_rgb(color) for color in colors])[_label_at(labels, axes, middle, points) - 1]
    picture[hit] = rgb * shade[:, None]
    return picture


def _view() -> NDArray[np.float64]:
    """The directions of column, row and depth of the picture, as rows, in (slice, row, column) of the volume."""
    turn, tilt = (np.array([np.cos(angle), np.sin(angle)]) for angle in (_TURN, _TILT))
    column = np.array([0.0, turn[1], turn[0]])
    into = np.array([0.0, turn[0], -turn[1]])  # horizontally away from the viewer
    depth = tilt[0] * into + tilt[1] * np.array([-1.0, 0.0, 0.0])
    down = tilt[0] * np.array([-1.0, 0.0, 0.0]) - tilt[1] * into
    return np.stack([column, down, depth])


def _first_hits(
    solid: Field, axes: NDArray[np.float64], placed: NDArray[np.float64], half: float, pixels: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Where rays first meet a share of a half: bool [pixels, pixels], and (column, row, depth) of each [n, 3].

    ``placed`` [m, 3] are the centers of the structures' voxels: rays begin before the first that is near them.
    """
    pixel, middle = 2 * half / pixels, (np.array(solid.shape) - 1) / 2
    near, far = np.full((pixels, pixels), np.inf), placed[:, 2].max() + _VOXEL
    across, down = ((placed[:, :2] + half) / pixel).astype(int).clip(0, pixels - 1).T
    np.minimum.at(near, (down, across), placed[:, 2])
    near = minimum_filter(near, size=2 * int(np.ceil(_VOXEL / pixel)) + 1) - _VOXEL
    rows, columns = np.nonzero(np.isfinite(near))
    rays = np.stack([(columns + 0.5) * pixel - half, (rows + 0.5) * pixel - half], axis=1)
    at, before, depth = near[rows, columns], np.zeros(len(rays)), np.full(len(rays), np.nan)
    left = np.arange(len(rays))
    step = max(_FINEST, float(far - near.min()) / _STEPS)
    while len(left):
        found = _sample(solid, axes, middle, np.column_stack([rays[left], at[left]]))
        inside = found >= 0.5
        rise = np.maximum(found[inside] - before[left[inside]], 1e-6)
        depth[left[inside]] = at[left[inside]] - step * (found[inside] - 0.5) / rise
        before[left] = found
        at[left] += step
        left = left[~inside & (at[left] <= far)]
    hit = np.zeros((pixels, pixels), dtype=bool)
    met = np.isfinite(depth)
    hit[rows[met], columns[met]] = True
    return hit, np.column_stack([rays[met], depth[met]])


def _sample(
    field: NDArray[np.generic], axes: NDArray[np.float64], middle: NDArray[np.float64], points: NDArray[np.float64],
    order: int = 1,
) -> NDArray[np.float64]:  # fmt: skip
    """A field at points [n, 3] of the picture: (column, row, depth) in voxels from the middle."""
    return np.asarray(map_coordinates(field, (points @ axes + middle).T, order=order, mode="constant"), np.float64)


def _shade(smooth: Field, axes: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brightness of each point [n], 0 to 1."""
    middle = (np.array(smooth.shape) - 1) / 2
    slope = np.stack([_sample(np.gradient(smooth, axis=axis), axes, middle, points) for axis in range(3)], axis=1)
    outwards = -slope @ axes.T
    outwards /= np.maximum(np.linalg.norm(outwards, axis=1, keepdims=True), 1e-6)
    return np.asarray(_AMBIENT + (1 - _AMBIENT) * np.clip(outwards @ _LIGHT / np.linalg.norm(_LIGHT), 0.0, 1.0))


def _label_at(
    labels: NDArray[np.uint8], axes: NDArray[np.float64], middle: NDArray[np.float64], points: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The structure of the nearest voxel that has one, from half a voxel before each point to two behind."""
    found = np.zeros(len(points), dtype=np.int64)
    for further in (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, -0.5):
        at = _sample(labels, axes, middle, points + np.array([0.0, 0.0, further]), order=0).astype(np.int64)
        found = np.where(found == 0, at, found)
    return np.maximum(found, 1)
