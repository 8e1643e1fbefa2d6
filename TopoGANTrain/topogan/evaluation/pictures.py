"""Masks and textures as small PNG pictures inside the page."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from matplotlib.image import imsave
from numpy.typing import NDArray

from topogan.surface_picture import shaded_surface

_BLUE = (0, 114, 178)
_ORANGE = (230, 159, 0)
_GREEN = (0, 158, 115)
_WHITE = (255, 255, 255)
_GAP = 4
# Planes of a volume are enlarged by a whole number to at least this many pixels.
_LEAST = 96


def label_picture(labels: NDArray[Any], colors: list[str]) -> NDArray[np.uint8]:
    """Label ids in their colors (``#rrggbb``) on white, or a mask in black where there are none, uint8 [H, W, 3]."""
    if not colors:
        return np.where(labels[..., None], np.uint8(40), np.uint8(235)).repeat(3, axis=-1).astype(np.uint8)
    table = np.full((256, 3), 235, np.uint8)
    table[1 : len(colors) + 1] = [tuple(bytes.fromhex(color[1:])) for color in colors]
    return np.asarray(table[labels])


def texture_picture(texture: NDArray[np.int16], window: tuple[float, float]) -> NDArray[np.uint8]:
    """A texture in grey, ``window`` from black to white, uint8 [H, W, 3]."""
    low, high = window
    grey: NDArray[np.float64] = np.clip((texture - low) / (high - low), 0.0, 1.0) * 255.0
    return grey.astype(np.uint8)[..., None].repeat(3, axis=-1)


def overlap(sample: NDArray[Any], real: NDArray[Any]) -> NDArray[np.uint8]:
    """Where two masks or label maps agree (dark), where only the sample shows something (blue), only the real (orange).

    In grey the three are dark, middle and light. Where both show different labels it is green.
    """
    picture = np.full((*sample.shape, 3), 245, dtype=np.uint8)
    picture[(sample != 0) & (real != 0)] = _GREEN
    picture[(sample != 0) & (sample == real)] = (40, 40, 40)
    picture[(sample != 0) & (real == 0)] = _BLUE
    picture[(real != 0) & (sample == 0)] = _ORANGE
    return picture


def side_by_side(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures of equal size in one row with a white gap, uint8 [H, W', 3]."""
    gap = np.full((pictures[0].shape[0], _GAP, 3), _WHITE, dtype=np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.concatenate(parts, axis=1)


def below_each_other(pictures: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures of equal size in one column with a white gap, uint8 [H', W, 3]."""
    turned = [picture.transpose(1, 0, 2) for picture in pictures]
    return side_by_side(turned).transpose(1, 0, 2)


def surface_picture(labels: NDArray[np.uint8], colors: list[str]) -> NDArray[np.uint8]:
    """The surfaces of a volume [D, H, W] in the structures' colors, as large as its enlarged planes, uint8."""
    picture = shaded_surface(labels, colors, pixels=labels.shape[0] * _enlargement(labels.shape[0]))
    return np.rint(255.0 * picture).astype(np.uint8)


def enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture [H, W, 3] with each pixel as a square of several, so that it has at least 96 in a row."""
    factor = _enlargement(picture.shape[1])
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def _enlargement(width: int) -> int:
    return -(-_LEAST // width)


def data_url(picture: NDArray[np.uint8]) -> str:
    """The picture as a PNG inside a ``data:`` address."""
    buffer = io.BytesIO()
    imsave(buffer, picture, format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
