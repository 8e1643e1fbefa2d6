"""Exact squared distances of a batch of masks, several times faster than one call of SciPy for each mask.

Only the loss, which measures a batch at every step, needs that; everything else uses SciPy.
"""

from __future__ import annotations

from functools import cache
from math import isqrt

import numpy as np
from numpy.typing import NDArray

# Pixels that are worked on together, so that they stay in a core's cache.
_BLOCK = 2**16


def signed_squared_distances(structure: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Squared distance of every pixel to the nearest pixel of the other kind, negative inside the structure.

    Args:
        structure: bool [B, H, W].

    Returns:
        int32 [B, H, W], in pixels²; ± (H² + W²), more than any distance, in a mask of one kind only.
    """
    return np.where(structure, -squared_distances(~structure), squared_distances(structure))


def squared_distances(structure: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Squared distance of every pixel to the nearest structure pixel of its mask.

    The distances along the rows come first; then the columns, where a pixel k rows away contributes its value + k². No
    pixel farther away than the largest distance found so far can contribute, so that few k are tried. Masks lie beside
    each other in the last axis: every step is one pass over contiguous small integers. The separation is that of
    Felzenszwalb and Huttenlocher, Theory of Computing 2012.

    Args:
        structure: bool [B, H, W].

    Returns:
        int32 [B, H, W], in pixels²; H² + W² everywhere in an empty mask.
    """
    height, width = structure.shape[1:]
    nowhere = height**2 + width**2
    # Above the root of "nowhere", and so above every distance.
    farthest = isqrt(nowhere) + 1
    fits = farthest**2 + height**2 <= np.iinfo(np.uint16).max
    squares = np.empty(structure.shape, dtype=np.int32)
    together = max(1, _BLOCK // (height * width))
    for start in range(0, len(structure), together):
        block = structure[start : start + together]
        along_rows = _along_rows(block, farthest, np.uint16 if fits else np.int32)
        squares[start : start + together] = _across_rows(along_rows).transpose(2, 0, 1)
    np.minimum(squares, nowhere, out=squares)
    return squares


def _along_rows(structure: NDArray[np.bool_], farthest: int, kind: type[np.integer]) -> NDArray[np.integer]:
    """Squared distance within each row, [H, W, B]; ``farthest``² where the row has no structure."""
    background: NDArray[np.integer] = np.ascontiguousarray(~structure.transpose(2, 1, 0)).astype(kind)
    distance = _since_structure(background, farthest)
    np.minimum(distance, _since_structure(background[::-1], farthest)[::-1], out=distance)
    np.minimum(distance, farthest, out=distance)
    return np.ascontiguousarray((distance * distance).transpose(1, 0, 2))


def _since_structure(background: NDArray[np.integer], before: int) -> NDArray[np.integer]:
    """How many steps along the first axis ago there was structure; counted from ``before`` at the start."""
    steps = np.empty_like(background)
    last = np.full_like(background[0], before)
    for count, outside in zip(steps, background, strict=True):
        np.add(last, 1, out=count)
        np.multiply(count, outside, out=count)
        last = count
    return steps


def _across_rows(along_rows: NDArray[np.integer]) -> NDArray[np.integer]:
    squares, shifted = along_rows.copy(), np.empty_like(along_rows)
    for away in range(1, len(squares)):
        if away**2 >= squares.max():
            break
        np.add(along_rows, away**2, out=shifted)
        np.minimum(squares[away:], shifted[:-away], out=squares[away:])
        np.minimum(squares[:-away], shifted[away:], out=squares[:-away])
    return squares


def nearest_of_other_kind(
    structure: NDArray[np.bool_],
    squares: NDArray[np.integer],
    image: NDArray[np.int64],
    position: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Find, for some pixels, the nearest pixel of the other kind (of several, the first in row-major order).

    Args:
        structure: bool [B, H, W].
        squares: int [B, H, W], as :func:`signed_squared_distances` gives them.
        image: int [n], numbers of masks of both kinds.
        position: int [n, 2], (row, column) in them.

    Returns:
        int [n, 2]
    """
    limits = np.array(structure.shape[1:])
    rows, columns = position.T
    lengths = np.abs(squares[image, rows, columns])
    candidates = position[:, None] + _steps(lengths)
    inside = ((candidates >= 0) & (candidates < limits)).all(axis=2, keepdims=True)
    candidates = np.where(inside, candidates, position[:, None])
    kinds = structure[image[:, None], candidates[..., 0], candidates[..., 1]]
    first = (kinds != structure[image, rows, columns][:, None]).argmax(axis=1)
    found: NDArray[np.int64] = candidates[np.arange(len(candidates)), first]
    return found


def _steps(lengths: NDArray[np.integer]) -> NDArray[np.int64]:
    """int [n, m, 2]: all steps of each squared length, repeated to the same number."""
    distinct, which = np.unique(lengths, return_inverse=True)
    found = [_steps_of(length) for length in distinct.tolist()]
    most = max((len(steps) for steps in found), default=1)
    table = np.array([(steps * most)[:most] for steps in found], dtype=np.int64).reshape(len(found), most, 2)
    return table[which]


@cache
def _steps_of(length: int) -> list[tuple[int, int]]:
    """All (row, column) steps of a squared length, in row-major order."""
    steps = []
    for row in range(-isqrt(length), isqrt(length) + 1):
        column = isqrt(length - row**2)
        if row**2 + column**2 == length:
            steps += [(row, -column), (row, column)] if column else [(row, 0)]
    return steps
