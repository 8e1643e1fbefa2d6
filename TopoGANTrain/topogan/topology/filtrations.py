"""Functions on the pixels whose sublevel sets are filtered."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import distance_transform_edt


def distance_filtration(
    mask: ArrayLike, pixel_size: float | tuple[float, ...] = 1.0, frame: bool = False
) -> NDArray[np.float64]:
    """Distance of each pixel to the structure: 0 on it, positive outside (Wang et al., ECCV 2020, section 3).

    Args:
        mask: bool or labels [H, W] (or more axes); not zero is structure.
        pixel_size: unit per pixel, one for all axes or one per axis.
        frame: treat everything beyond the border as structure, as the paper's frame does; indices do not shift.

    Returns:
        float64 of the mask's shape. An empty mask (without frame) is the image's diagonal everywhere.
    """
    structure = np.asarray(mask) != 0
    spacing = np.broadcast_to(np.asarray(pixel_size, dtype=float), structure.ndim)
    if frame:
        padded = np.pad(structure, 1, constant_values=True)
        return distance_transform_edt(~padded, sampling=spacing)[(slice(1, -1),) * structure.ndim]
    if not structure.any():
        return np.full(structure.shape, float(np.linalg.norm(np.array(structure.shape) * spacing)))
    return distance_transform_edt(~structure, sampling=spacing)


def signed_distance_filtration(mask: ArrayLike, pixel_size: float | tuple[float, ...] = 1.0) -> NDArray[np.float64]:
    """Distance to the structure outside, minus the distance to the background inside; arguments as above.

    A full mask is minus the image's diagonal everywhere.
    """
    structure = np.asarray(mask) != 0
    return np.where(structure, -distance_filtration(~structure, pixel_size), distance_filtration(structure, pixel_size))
