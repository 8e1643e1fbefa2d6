"""Which pixels move a birth or a death of the distance filtration.

A distance at a critical pixel s is that to the nearest boundary. To lower it, structure must grow from there toward s;
to raise it, the boundary must draw back from s, or open at s where s is inside of the structure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.losses.paper.squared_distances import nearest_of_other_kind, signed_squared_distances

Positions = NDArray[np.int64]


@dataclass(frozen=True)
class MeasuredMasks:
    """A batch of masks and the distances in them."""

    structure: NDArray[np.bool_]
    """bool [B, H, W]"""
    signed_squares: NDArray[np.int32]
    """int [B, H, W], see :func:`topogan.losses.paper.squared_distances.signed_squared_distances`."""

    @classmethod
    def of(cls, structure: NDArray[np.bool_]) -> MeasuredMasks:
        """Measure masks, bool [B, H, W]."""
        return cls(structure, signed_squared_distances(structure))

    def is_structure(self, image: NDArray[np.int64], position: Positions) -> NDArray[np.bool_]:
        """bool [...]: the kind of pixels [..., 2] of images [...]."""
        return self.structure[image, position[..., 0], position[..., 1]]

    def nearest(self, image: NDArray[np.int64], position: Positions) -> Positions:
        """int [n, 2]: the nearest pixel of the other kind."""
        return nearest_of_other_kind(self.structure, self.signed_squares, image, position)


@dataclass(frozen=True)
class PixelTargets:
    """Pixels to change; arrays [n]. A pixel is there once for each point that wants it."""

    pixel: NDArray[np.int64]
    """Pixel number in the batch, C order."""
    grow: NDArray[np.bool_]
    """Whether it is to become structure, else background."""
    weight: NDArray[np.float64]
    """One over the number of pixels of its point."""


def pixel_targets(
    masks: MeasuredMasks, value: NDArray[np.float64], pixel: NDArray[np.int64], moves: NDArray[np.float64]
) -> PixelTargets:
    """Find the pixels that move births or deaths.

    The nearest boundary pixel of a critical pixel s and the nearest one on the far side of s are joined with s by two
    lines one pixel wide. Growing targets the background pixels of the lines that are at least the wanted distance from
    s; shrinking targets the ends of the lines, or, where s is structure, the structure across which they lead.

    Args:
        masks: B of them.
        value: float [B, ...], births or deaths in pixels.
        pixel: int [B, ...], the critical pixels.
        moves: float [B, ...], how far each value is to move; 0 is not at all.
    """
    image, *_ = where = np.nonzero(moves)
    saddle = np.stack(np.divmod(pixel[where], masks.structure.shape[2]), axis=1)
    near = masks.nearest(image, saddle)
    lines = np.concatenate([_line(near, saddle), _line(_far_side(masks, image, saddle, near), saddle)], axis=1)
    structure = masks.is_structure(image[:, None], lines)
    grow = moves[where] < 0
    far_enough = np.linalg.norm(lines - saddle[:, None], axis=2) >= (value + moves)[where][:, None]
    # Of lines from a background pixel the ends are structure, of those from structure all that they cross.
    wanted = np.where(grow[:, None], ~structure & far_enough, structure)
    return _distinct(masks.structure.shape, image, lines, wanted, grow)


def _far_side(masks: MeasuredMasks, image: NDArray[np.int64], saddle: Positions, near: Positions) -> Positions:
    """The pixel of the other kind that is nearest on the side of the saddle away from ``near``.

    A saddle lies on a ridge of the distance: one or two pixels further on, another boundary is nearer.
    """
    limits = np.array(masks.structure.shape[1:]) - 1
    away = saddle - near
    direction = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1.0)
    kind = masks.is_structure(image, saddle)
    best, best_turn = near.copy(), np.full(len(near), -np.inf)
    for step in (1.0, 2.0):
        probe = np.clip(np.rint(saddle + step * direction), 0, limits).astype(np.int64)
        same_kind = masks.is_structure(image, probe) == kind
        found = np.where(same_kind[:, None], masks.nearest(image, probe), probe)
        leg = found - saddle
        turn = (leg * direction).sum(axis=1) / np.maximum(np.linalg.norm(leg, axis=1), 1.0)
        better = turn > best_turn + 1e-9
        best[better], best_turn[better] = found[better], turn[better]
    return best


def _line(start: Positions, end: Positions) -> NDArray[np.int64]:
    """int [n, t, 2]: the pixels of straight lines one pixel wide; a short line repeats its end."""
    length = np.maximum(np.abs(end - start).max(axis=1), 1)
    part = np.minimum(np.arange(length.max(initial=1) + 1) / length[:, None], 1.0)[:, :, None]
    pixels: NDArray[np.int64] = np.rint(start[:, None] * (1.0 - part) + end[:, None] * part).astype(np.int64)
    return pixels


def _distinct(
    shape: tuple[int, ...],
    image: NDArray[np.int64],
    lines: NDArray[np.int64],
    wanted: NDArray[np.bool_],
    grow: NDArray[np.bool_],
) -> PixelTargets:
    """Each wanted pixel of a line once."""
    pixels = shape[1] * shape[2]
    point, place = np.nonzero(wanted)
    row, column = lines[point, place].T
    once = np.unique(point * pixels + row * shape[2] + column)
    point, pixel = np.divmod(once, pixels)
    count = np.bincount(point, minlength=len(image))
    return PixelTargets(image[point] * pixels + pixel, grow[point], 1.0 / count[point])
