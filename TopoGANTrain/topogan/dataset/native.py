"""What a segmentation is in its own voxels: the measure of what resampling did to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, maximum_filter

from topogan.homology import betti_of
from topogan.structures import StructureTable
from topogan.volumes import Volume

# Of the thicknesses along the middle of a structure: below the lowest quarter lie the steps of its surface, too.
_THIN = 25
_MOST_VOXELS = 4_000_000


@dataclass(frozen=True)
class Native:
    """One phase of a segmentation.

    Attributes:
        betti: (b0, b1, b2) of each region: int64 [R, 3].
        thickness: of the thin parts of each structure but context in mm (see :func:`thin_parts`), nan where it is
            absent: float64 [K]; None where it was not measured.
    """

    betti: np.ndarray
    thickness: np.ndarray | None

    @classmethod
    def of(cls, labels: Volume, table: StructureTable, with_thickness: bool) -> Native:
        """Measure label ids."""
        betti = betti_of(labels.array[None], table.regions)[0]
        spacing = labels.spacing[::-1]
        thickness = None
        if with_thickness:
            thickness = np.array(
                [thin_parts(region.of(labels.array), spacing) for region in table.regions[: table.counted]]
            )
        return cls(betti, thickness)


def thin_parts(mask: np.ndarray, spacing: tuple[float, ...]) -> float:
    """How thick the thin parts of a structure are: a quarter of its walls and branches are thinner.

    The thickness is twice the distance to the background at the voxels that are farther from it than their neighbors.

    Args:
        mask: bool [slice, row, column].
        spacing: mm between voxels along these axes.

    Returns:
        In mm, to about half a voxel; nan for an empty mask.
    """
    places = np.argwhere(mask)
    if not len(places):
        return float("nan")
    step = int(np.ceil(np.cbrt(mask.size / _MOST_VOXELS)))
    spacing = tuple(step * side for side in spacing)
    mask = np.pad(mask[::step, ::step, ::step], 1)
    distance = distance_transform_edt(mask, sampling=spacing)
    ridge = mask & (distance >= maximum_filter(distance, size=3))
    # From the center of a voxel to that of the first one outside: on average a quarter of a voxel too far.
    return float(2 * np.percentile(distance[ridge], _THIN) - min(spacing) / 2) if ridge.any() else float("nan")
