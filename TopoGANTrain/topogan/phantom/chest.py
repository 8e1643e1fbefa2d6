"""The part that does not move: chest wall, lungs, spine, liver."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topogan.phantom.patient import Patient
from topogan.phantom.shapes import Field, Inside, capsule, column
from topogan.phantom.tissues import Tissue

_CENTER = (12.0, -8.0)


def label_chest(patient: Patient, points: Field) -> NDArray[np.uint8]:
    """The resting tissues.

    Args:
        patient: whose chest.
        points: RAS coordinates in mm on a grid along the axes, float32 [3, z, y, x].

    Returns:
        :class:`Tissue` values, uint8 [z, y, x].
    """
    tissue = np.zeros(points.shape[1:], dtype=np.uint8)
    _place_wall(tissue, patient, points)
    _place_vessels(tissue, patient, points)
    _place_middle(tissue, points)
    _place_bones(tissue, patient, points)
    return tissue


def _place_wall(tissue: NDArray[np.uint8], patient: Patient, points: Field) -> None:
    x, y, z = points

    def shell(half_x: float, half_y: float) -> Inside:
        return column(points, _CENTER, (half_x * patient.chest, half_y * patient.chest)) < 1

    # Ribs descend towards the front; there they are cartilage.
    rib = np.cos((z + 0.5 * y + 0.2 * np.abs(x - _CENTER[0])) / 3.9)
    between = shell(131.0, 91.0) & ~shell(123.5, 83.5)
    core = shell(129.0, 89.0) & ~shell(125.5, 85.5)
    front = y > 62.0
    for where, kind in (
        (shell(150.0, 110.0), Tissue.SKIN_FAT),
        (shell(137.0, 97.0), Tissue.MUSCLE),
        (between & (rib > 0.45), Tissue.CORTICAL_BONE),
        (between & (rib > 0.45) & (core & (rib > 0.7) | front), Tissue.SPONGY_BONE),
        (shell(123.5, 83.5), Tissue.LUNG),
    ):
        tissue[where] = kind


def _place_vessels(tissue: NDArray[np.uint8], patient: Patient, points: Field) -> None:
    lung = tissue == Tissue.LUNG
    axes = points[0, 0, 0], points[1, 0, :, 0], points[2, :, 0, 0]
    for vessel in patient.vessels:
        start, end, radius, end_radius = vessel[:3], vessel[3:6], vessel[6], vessel[7]
        low, high = np.minimum(start, end) - radius, np.maximum(start, end) + radius
        near = [np.flatnonzero((axis >= low[n]) & (axis <= high[n])) for n, axis in enumerate(axes)]
        if any(len(indices) == 0 for indices in near):
            continue
        box = tuple(slice(indices[0], indices[-1] + 1) for indices in reversed(near))
        inside = capsule(points[(slice(None), *box)], start, end, radius, end_radius)
        tissue[box][inside & lung[box]] = Tissue.LUNG_VESSEL


def _place_middle(tissue: NDArray[np.uint8], points: Field) -> None:
    """The mediastinum's fat, gullet and the liver's dome."""
    x, y, z = points
    chest = tissue == Tissue.LUNG
    chest |= tissue == Tissue.LUNG_VESSEL
    # Wide around the great vessels, narrow behind the sternum and below.
    half = 14.0 + 24.0 / (1 + np.exp(-(z - 16.0) / 8.0)) - 0.5 * np.abs(y - 5.0) + 3.0 * np.sin(y / 9.0 + z / 14.0)
    half = np.maximum(half, 5.0)
    fat = np.abs(x - 14.0 + 0.06 * y) < half
    fat |= column(points, (4.0, -62.0), (34.0, 30.0)) < 1
    dome = -40.0 - 0.0045 * (x - 58.0) ** 2 - 0.0035 * (y - 2.0) ** 2
    left_dome = -58.0 - 0.004 * (x + 50.0) ** 2 - 0.0035 * (y + 4.0) ** 2
    for where, kind in (
        (fat & chest, Tissue.HEART_FAT),
        ((z < np.maximum(dome, left_dome)) & chest, Tissue.LIVER),
        (column(points, (-2.0, -45.0), (8.0, 5.5)) < 1, Tissue.MUSCLE),
    ):
        tissue[where] = kind


def _place_bones(tissue: NDArray[np.uint8], patient: Patient, points: Field) -> None:
    """Spine, sternum, and the descending aorta beside the spine."""
    middle, depth = 4.0, -84.0 * patient.chest
    body = column(points, (middle, depth), (19.0, 15.0))
    # Every 24 mm the body narrows and makes room for a disc.
    level = np.cos(points[2] * np.float32(2 * np.pi / 24.0))
    body = body * (1 + np.float32(0.06) * (1 - level))
    disc = level < -0.85
    arch = column(points, (middle, depth - 25.0), (14.0, 12.0))
    sternum = column(points, (6.0, 79.0 * patient.chest), (17.0, 6.0))
    for where, kind in (
        (column(points, (middle, depth - 8.0), (44.0, 28.0)) < 1, Tissue.MUSCLE),
        ((arch < 1) & (arch > 0.68), Tissue.CORTICAL_BONE),
        (body < 1, Tissue.CORTICAL_BONE),
        (body < 0.87, Tissue.SPONGY_BONE),
        ((body < 1) & disc, Tissue.MUSCLE),
        (column(points, (-16.0, -58.0 * patient.chest), (13.5, 13.5)) < 1, Tissue.HEART_FAT),
        (column(points, (-16.0, -58.0 * patient.chest), (11.5, 11.5)) < 1, Tissue.AORTA),
        (sternum < 1, Tissue.CORTICAL_BONE),
        (sternum < 0.74, Tissue.SPONGY_BONE),
    ):
        tissue[where] = kind
