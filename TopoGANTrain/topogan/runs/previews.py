"""Contact sheets: pictures of samples, for eyes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from topogan.files import staged_file

_GAP = 2
# A panel shows a sheet some hundred pixels wide; one of 64 masks of 512 pixels would be 4,000 wide.
_WIDEST = 1600


def contact_sheet(images: np.ndarray, columns: int) -> np.ndarray:
    """Lay images float [N, H, W] (or [N, H, W, 3]) in [0, 1] out in rows, two mid-grey pixels apart, as float32.

    Images that would make the sheet wider than 1,600 pixels are halved (means of 2×2 pixels) as often as it takes.
    """
    while columns * images.shape[2] > _WIDEST:
        images = (images[:, ::2] + images[:, 1::2]) / 2
        images = (images[:, :, ::2] + images[:, :, 1::2]) / 2
    count, height, width, *colors = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, *colors), 0.5, np.float32)
    for index, image in enumerate(images):
        top = _GAP + index // columns * (height + _GAP)
        left = _GAP + index % columns * (width + _GAP)
        sheet[top : top + height, left : left + width] = image
    return sheet


def middle_planes(volumes: np.ndarray) -> np.ndarray:
    """The three planes through the middle of volumes [N, K, D, H, W], side by side: [N, K, D, 3·D] of cubes.

    Pictures [N, K, H, W] stay as they are.
    """
    if volumes.ndim == 4:
        return volumes
    depth, height, width = (length // 2 for length in volumes.shape[2:])
    # The patient's head is up.
    across, along = volumes[:, :, ::-1, height], volumes[:, :, ::-1, :, width]
    return np.concatenate([volumes[:, :, depth], across, along], axis=-1)


def in_colors(probabilities: np.ndarray, colors: Sequence[str]) -> np.ndarray:
    """Mix the colors ("#rrggbb") of K structures by their probabilities [N, K, H, W] -> [N, H, W, 3].

    One structure stays grey: [N, H, W].
    """
    if len(colors) == 1:
        return probabilities[:, 0]
    table = np.array([list(bytes.fromhex(color[1:])) for color in colors], np.float32) / 255
    mixed: np.ndarray = np.einsum("nkhw,kc->nhwc", probabilities, table)
    return mixed.clip(0.0, 1.0)


def write_preview(path: Path, sheet: np.ndarray) -> None:
    """Write a sheet of values in [0, 1] as a PNG, grey where it has no colors."""
    # Imported here: only the engine process that draws needs matplotlib.
    from matplotlib.image import imsave

    with staged_file(path) as temporary:
        imsave(temporary, sheet, cmap="gray", vmin=0.0, vmax=1.0, format="png")
