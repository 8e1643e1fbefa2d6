"""Which pixels move a birth or a death of the distance filtration.

A distance at a critical pixel s is that to the nearest boundary. To lower it, structure must grow from there toward s;
to raise it, the boundary must draw back from s, or open at s where s is inside of the structure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class NearestPixels:
    """Of each pixel of a batch of masks, the nearest pixel of the other kind."""

    structure: NDArray[np.bool_]
    """bool [B, H, W]"""
    position: NDArray[np.int32]
    """int [B, 2, H, W]: row and column; of no meaning in a mask of one kind only."""
    signed_squares: NDArray[np.int64]
    """int [B, H, W]: squared distance to it in pixels, exact; negative inside the structure. A mask of one kind only
    has ± one value that is larger than any distance in it."""

    @classmethod
    def of(cls, structure: NDArray[np.bool_]) -> NearestPixels:
        """Measure masks, bool [B, H, W]."""
        height, width = structure.shape[1:]
        position = np.zeros((len(structure), 2, height, width), dtype=np.int32)
        for mask, nearest in zip(structure, position, strict=True):
            if mask.any() and not mask.all():
                inside = _nearest_zero(mask)
                np.copyto(nearest, _nearest_zero(~mask))
                np.copyto(nearest, inside, where=mask)
        rows, columns = np.indices((height, width))
        squares = (position[:, 0] - rows).astype(np.int64) ** 2 + (position[:, 1] - columns) ** 2
        one_kind = structure.all(axis=(1, 2)) | ~structure.any(axis=(1, 2))
        squares[one_kind] = height**2 + width**2
        return cls(structure, position, np.where(structure, -squares, squares))


@dataclass(frozen=True)
class Painted:
    """Pixels to change; arrays [n]. A pixel is there once for each point that wants it."""

    pixel: NDArray[np.int64]
    """Pixel number in the batch, C order."""
    grow: NDArray[np.bool_]
    """Whether it is to become structure, else background."""
    weight: NDArray[np.float64]
    """One over the number of pixels of its point."""


def painted_pixels(
    nearest: NearestPixels, value: NDArray[np.float64], pixel: NDArray[np.int64], moves: NDArray[np.float64]
) -> Painted:
    """Find the pixels that move births or deaths.

    The nearest boundary pixel r of a critical pixel s and the nearest one on its far side are joined with s by two
    lines one pixel wide. Growing paints the background pixels of the lines that are at least the wanted distance from
    s; shrinking paints the ends of the lines, or, where s is structure, the structure across which they lead.

    Args:
        nearest: of B masks.
        value: float [B, ...], births or deaths in pixels.
        pixel: int [B, ...], the critical pixels.
        moves: float [B, ...], how far each value is to move; 0 is not at all.
    """
    image, *_ = where = np.nonzero(moves)
    width = nearest.structure.shape[2]
    saddle = np.stack(np.divmod(pixel[where], width), axis=1)
    near = _nearest(nearest, image, saddle)
    far = _far_side(nearest, image, saddle, near)
    lines = np.concatenate([_line(near, saddle), _line(far, saddle)], axis=1)
    kind = nearest.structure[image[:, None], lines[..., 0], lines[..., 1]]
    grow = (moves[where] < 0)[:, None]
    from_saddle = np.linalg.norm(lines - saddle[:, None], axis=2)
    wanted = (value + moves)[where][:, None]
    painted = np.where(
        grow,
        ~kind & (from_saddle >= wanted),
        # From a background pixel these are the ends of the lines, from structure all that they cross.
        kind,
    )
    return _distinct(nearest.structure.shape, image, lines, painted, grow[:, 0])


def _nearest_zero(mask: NDArray[np.bool_]) -> NDArray[np.int32]:
    return distance_transform_edt(mask, return_distances=False, return_indices=True)


def _nearest(nearest: NearestPixels, image: NDArray[np.int64], position: Positions) -> Positions:
    return nearest.position[image, :, position[:, 0], position[:, 1]].astype(np.int64)


def _far_side(nearest: NearestPixels, image: NDArray[np.int64], saddle: Positions, near: Positions) -> Positions:
    """The pixel of the other kind that is nearest on the side of the saddle away from ``near``.

    A saddle lies on a ridge of the distance: one or two pixels further on, another boundary is nearer.
    """
    limits = np.array(nearest.structure.shape[1:]) - 1
    away = saddle - near
    direction = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1.0)
    saddle_kind = nearest.structure[image, saddle[:, 0], saddle[:, 1]]
    best, best_turn = near.copy(), np.full(len(near), -np.inf)
    for step in (1.0, 2.0):
        probe = np.clip(np.rint(saddle + step * direction), 0, limits).astype(np.int64)
        same_kind = nearest.structure[image, probe[:, 0], probe[:, 1]] == saddle_kind
        found = np.where(same_kind[:, None], _nearest(nearest, image, probe), probe)
        leg = found - saddle
        turn = (leg * direction).sum(axis=1) / np.maximum(np.linalg.norm(leg, axis=1), 1.0)
        better = turn > best_turn + 1e-9
        best[better], best_turn[better] = found[better], turn[better]
    return best


def _line(start: Positions, end: Positions) -> NDArray[np.int64]:
    """int [n, t, 2]: the pixels of straight lines one pixel wide; a short line repeats its end."""
    length = np.maximum(np.abs(end - start).max(axis=1), 1)
    part = np.minimum(np.arange(length.max(initial=1) + 1) / length[:, None], 1.0)[:, :, None]
    return np.rint(start[:, None] * (1.0 - part) + end[:, None] * part).astype(np.int64)


def _distinct(
    shape: tuple[int, ...],
    image: NDArray[np.int64],
    lines: NDArray[np.int64],
    painted: NDArray[np.bool_],
    grow: NDArray[np.bool_],
) -> Painted:
    """Each painted pixel of a line once."""
    pixels = shape[1] * shape[2]
    point, place = np.nonzero(painted)
    row, column = lines[point, place].T
    once = np.unique(point * pixels + row * shape[2] + column)
    point, pixel = np.divmod(once, pixels)
    count = np.bincount(point, minlength=len(image))
    return Painted(image[point] * pixels + pixel, grow[point], 1.0 / count[point])
