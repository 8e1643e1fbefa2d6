"""The beating part: which tissue of the heart lies where at a phase."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from topogan.phantom.motion import BASE, Beat, beat, ejected_share, truncated_ellipsoid_volume
from topogan.phantom.patient import Patient
from topogan.phantom.shapes import Field, Inside, capsule, ellipsoid
from topogan.phantom.tissues import Tissue
from topogan.phantom.ventricles import above_annulus, left_ventricle, right_squeeze, right_ventricle

# All that moves and is worth drawing lies within this distance of the left ventricle's equator.
REACH = 100.0
_FAT = 5.0
_WALL = 2.5
_VALVE = (11.0, -46.0, -14.0)
_ATRIUM_DEPTH = 40.0


def place_heart(patient: Patient, points: Field, resting: NDArray[np.uint8], phase: float) -> NDArray[np.uint8]:
    """Put the heart into the chest.

    Args:
        patient: whose heart.
        points: RAS coordinates in mm, float32 [3, n].
        resting: :class:`Tissue` values of the chest at these points, [n].
        phase: of the cardiac cycle, 0 to 1.

    Returns:
        :class:`Tissue` values, uint8 [n].
    """
    state = beat(patient.diastolic, patient.ejection_fraction, phase)
    squeeze = right_squeeze(patient, state, _stroke(patient, ejected_share(phase)))
    # The apex rests and the base moves towards it, so that the equator moves too.
    descent = patient.diastolic.length - state.length
    heart = np.tensordot(patient.axes.T.astype(np.float32), points, axes=1)
    heart[2] -= np.float32(descent)
    above = above_annulus(patient, heart, state)
    cavity, papillary, ventricle = left_ventricle(patient, heart, state, above)
    apical = above > 0

    tissue = resting.copy()
    _place_fat(tissue, patient, heart, state, squeeze)
    _place_atria(tissue, patient, heart, state, descent, ~apical)
    for where, kind in (
        (right_ventricle(patient, heart, squeeze, _WALL) & apical, Tissue.RV_WALL),
        (right_ventricle(patient, heart, squeeze) & apical, Tissue.RV_CAVITY),
    ):
        tissue[where] = kind
    _place_arteries(tissue, patient, heart, state, descent)
    for where, kind in (
        (ventricle, Tissue.MYOCARDIUM),
        (cavity, Tissue.LV_CAVITY),
        (papillary, Tissue.PAPILLARY_MUSCLE),
    ):
        tissue[where] = kind
    return tissue


def _stroke(patient: Patient, ejected: float) -> float:
    """What the left ventricle has ejected, in mL."""
    rest = patient.diastolic
    volume = truncated_ellipsoid_volume(rest.radius, rest.length, BASE * rest.length) / 1000
    return volume * patient.ejection_fraction * ejected


def _place_fat(tissue: NDArray[np.uint8], patient: Patient, heart: Field, state: Beat, squeeze: float) -> None:
    reach = state.radius + state.wall + _FAT
    base = BASE * state.length
    around = ellipsoid(heart, (0.0, 0.0, -4.0), (reach, reach, state.length + state.wall + 3.0))
    around |= right_ventricle(patient, heart, squeeze, _WALL + _FAT)
    tissue[around & (heart[2] > -base - 10.0)] = Tissue.HEART_FAT


def _place_atria(
    tissue: NDArray[np.uint8], patient: Patient, heart: Field, state: Beat, descent: float, basal: Inside
) -> None:
    """Their roofs rest, so that they fill when the base descends; the veins enter them."""
    floor = -BASE * state.length
    roof = -BASE * patient.diastolic.length - descent - _ATRIUM_DEPTH * patient.atrium_size
    depth, middle = (floor - roof) / 2 + 2.0, (floor + roof) / 2 + 2.0
    size = patient.atrium_size
    left = (-4.0, 4.0, middle), (25.0 * size, 31.0 * size, depth), patient.atrium_shear[0]
    right = (46.0, 6.0, middle + 4.0), (21.0 * size, 28.0 * size, depth + 3.0), patient.atrium_shear[1]
    appendage = (-25.0, -16.0, floor - 11.0), (11.0, 14.0, 9.0), (0.3, 0.0, 0.5)

    for center, half, shear in (left, right):
        grown = np.asarray(half) + _FAT
        tissue[ellipsoid(heart, center, grown, shear) & basal] = Tissue.HEART_FAT
    for side, forward, rise in ((-1, -0.15, 0.35), (-1, -0.45, -0.3), (1, -0.1, 0.25), (1, -0.45, -0.25)):
        start = _moved(patient, left[0], 14.0 * side, -8.0, 12.0 * rise)
        end = _moved(patient, left[0], 58.0 * side, 58.0 * forward, 58.0 * rise)
        tissue[capsule(heart, start, end, 7.5, 5.0)] = Tissue.PULMONARY_VEIN
    for rise, kind in ((75.0, Tissue.UPPER_VENA_CAVA), (-75.0, Tissue.LOWER_VENA_CAVA)):
        away = _moved(patient, right[0], 0.0, -8.0, rise)
        tissue[capsule(heart, _moved(patient, right[0], 0.0, -8.0, 0.1 * rise), away, 9.5)] = kind
    tissue[ellipsoid(heart, *right) & basal] = Tissue.RIGHT_ATRIUM
    tissue[(ellipsoid(heart, *left) | ellipsoid(heart, *appendage)) & basal] = Tissue.LEFT_ATRIUM


def _place_arteries(tissue: NDArray[np.uint8], patient: Patient, heart: Field, state: Beat, descent: float) -> None:
    """Pulmonary trunk and its two branches, then the aorta; their far ends rest, their roots move with the base."""
    rest_base = -BASE * patient.diastolic.length - descent

    valve = np.array(_VALVE)
    fork = _moved(patient, (_VALVE[0], _VALVE[1], _VALVE[2] - descent), -2.0, -28.0, 26.0)
    root = np.array([14.0, -8.0, -BASE * state.length - 9.0])
    top = _moved(patient, (14.0, -8.0, rest_base - 9.0), 8.0, 6.0, 70.0)
    for start, end, radius, kind in (
        (valve, fork, 12.5, Tissue.PULMONARY_ARTERY),
        (fork, _moved(patient, fork, -42.0, -22.0, -4.0), 9.0, Tissue.PULMONARY_ARTERY),
        (fork, _moved(patient, fork, 62.0, -16.0, -6.0), 9.5, Tissue.PULMONARY_ARTERY),
        (root, top, 14.5, Tissue.AORTA),
    ):
        tissue[capsule(heart, start, end, radius + _WALL)] = Tissue.HEART_FAT
        tissue[capsule(heart, start, end, radius)] = kind


def _moved(patient: Patient, point: ArrayLike, right: float, forward: float, up: float) -> NDArray[np.float64]:
    """A point of the heart's frame, moved in the chest's directions (RAS, mm)."""
    return np.asarray(point) + np.array([right, forward, up]) @ patient.axes
