"""Which structure lies where: the heart in its own frame, and the chest around it.

The heart's frame has its origin on the equator of the left ventricle, the third axis from base to apex, the first
towards the right ventricle. World coordinates are RAS in mm, with the origin at that same point.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from topogan.phantom.motion import APICAL_WALL, BASE, Beat, beat, ejected_share

STRUCTURES = {"lv_cavity": 1, "myocardium": 2, "rv_cavity": 3, "left_atrium": 4, "right_atrium": 5, "aorta": 6}
_ANNULUS_HEIGHT = 2.0

Field = NDArray[np.float32]


class Tissue(IntEnum):
    """What fills a voxel; the first six are the labels."""

    OUTSIDE = 0
    LV_CAVITY = 1
    MYOCARDIUM = 2
    RV_CAVITY = 3
    LEFT_ATRIUM = 4
    RIGHT_ATRIUM = 5
    AORTA = 6
    RV_WALL = 7
    HEART_FAT = 8
    LUNG = 9
    MUSCLE = 10
    SKIN_FAT = 11
    CORTICAL_BONE = 12
    SPONGY_BONE = 13
    LIVER = 14
    PULMONARY_VESSEL = 15


@dataclass(frozen=True)
class Patient:
    """One heart's parameters; lengths in mm, angles in radians."""

    diastolic: Beat
    ejection_fraction: float
    axes: NDArray[np.float64]
    """3×3, columns: towards the right ventricle, the third direction, base to apex; in RAS."""
    shape_inner: NDArray[np.float64]
    shape_outer: NDArray[np.float64]
    """Fourier coefficients [2, modes 2 to 5] of the contours, as shares of the radius."""
    ripple_phase: float
    septal_flattening: float
    thin_side: float
    outflow_angle: float
    outflow_height: float
    rv_offset: float
    rv_size: float
    atrium_size: float
    chest: float
    vessels: NDArray[np.float64]
    """Lung vessels [n, 7]: a point, a direction and a radius."""


def draw_patient(seed: int, number: int) -> Patient:
    """Draw the heart of one patient; it does not depend on how many others there are."""
    random = np.random.default_rng([seed, number])
    length = random.uniform(58.0, 70.0)
    radius = random.uniform(21.5, 26.5)
    tilt = random.normal(0.0, np.deg2rad(6.0), 3)
    apex = _unit(np.array([-0.62, 0.58, -0.53]) + tilt)
    right = np.array([0.75, 0.55, 0.1]) + random.normal(0.0, 0.08, 3)
    right = _unit(right - right.dot(apex) * apex)
    return Patient(
        diastolic=Beat(radius, length, random.uniform(7.5, 11.0)),
        ejection_fraction=random.uniform(0.52, 0.66),
        axes=np.column_stack([right, np.cross(apex, right), apex]),
        shape_inner=random.normal(0.0, 1.0, (2, 4)) * np.array([0.045, 0.03, 0.02, 0.015]),
        shape_outer=random.normal(0.0, 1.0, (2, 4)) * np.array([0.03, 0.02, 0.012, 0.008]),
        ripple_phase=random.uniform(0.0, 2 * np.pi),
        septal_flattening=random.uniform(0.03, 0.12),
        thin_side=random.uniform(0.0, 2 * np.pi),
        outflow_angle=random.normal(0.5, 0.25),
        outflow_height=random.uniform(2.5, 5.0),
        rv_offset=random.uniform(24.0, 29.0),
        rv_size=random.uniform(0.92, 1.08),
        atrium_size=random.uniform(0.9, 1.12),
        chest=random.uniform(0.94, 1.06),
        vessels=_draw_vessels(random),
    )


def _draw_vessels(random: np.random.Generator) -> NDArray[np.float64]:
    count = 60
    points = random.uniform([-95, -70, -70], [95, 70, 70], (count, 3))
    directions = random.normal(0.0, 1.0, (count, 3)) + np.sign(points) * [0.8, 0.0, 0.0]
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return np.hstack([points, directions, random.gamma(2.0, 0.8, (count, 1)) + 0.6])


def label_tissues(patient: Patient, points: Field, resting: NDArray[np.uint8], phase: float) -> NDArray[np.uint8]:
    """The tissue at each point.

    Args:
        patient: whose heart.
        points: RAS coordinates in mm, [3, ...].
        resting: what :func:`label_chest` gives at these points.
        phase: of the cardiac cycle, 0 to 1.

    Returns:
        :class:`Tissue` values, of the points' shape without the first axis.
    """
    tissue = resting.copy()
    heart = np.tensordot(patient.axes.T.astype(np.float32), points, axes=1)
    state = beat(patient.diastolic, patient.ejection_fraction, phase)
    # The apex rests and the base moves towards it, so that the equator moves too.
    heart[2] -= np.float32(patient.diastolic.length - state.length)
    _place_heart(tissue, patient, heart, points, state, ejected_share(phase))
    return tissue


def _place_heart(
    tissue: NDArray[np.uint8], patient: Patient, heart: Field, points: Field, state: Beat, ejected: float
) -> None:
    across, along = np.hypot(heart[0], heart[1]), heart[2]
    angle = np.arctan2(heart[1], heart[0])
    base = -BASE * state.length
    inner, outer = (share * state.radius for share in _contours(patient, angle, along))
    outer += state.wall * (1 + 0.14 * np.cos(angle - patient.thin_side))
    # The mitral annulus is a saddle, not a plane.
    above = along > base + _ANNULUS_HEIGHT * np.cos(2 * angle)
    cavity = _inside(across, along, inner, state.length) & above
    ventricle = _inside(across, along, outer, state.length + APICAL_WALL * state.wall) & above

    right = _right_ventricle(patient, heart, state, ejected)
    right_wall = _right_ventricle(patient, heart, state, ejected, grow=3.0)
    left_atrium, right_atrium = _atria(patient, heart, base, ejected)
    whole = _inside(across, along, outer + 6.0, state.length + state.wall + 6.0) & (along > base - 12.0)

    for where, kind in (
        (whole | _grown_right(patient, heart, state, ejected), Tissue.HEART_FAT),
        (right_wall & above, Tissue.RV_WALL),
        (right & above, Tissue.RV_CAVITY),
        (right_atrium & ~above, Tissue.RIGHT_ATRIUM),
        (left_atrium & ~above, Tissue.LEFT_ATRIUM),
        (_ascending_aorta(patient, points, base), Tissue.AORTA),
        (ventricle, Tissue.MYOCARDIUM),
        (cavity, Tissue.LV_CAVITY),
        (_outflow(patient, heart, angle, base) & ventricle, Tissue.LV_CAVITY),
    ):
        tissue[where] = kind


def _contours(patient: Patient, angle: Field, along: Field) -> tuple[Field, Field]:
    """Inner and outer radius as shares of the ellipsoid's.

    The shape is fixed for a patient, turns slowly along the axis and is flatter towards the septum.
    """
    septum = patient.septal_flattening * np.exp(-((np.cos(angle / 2) ** 2 - 1) ** 2) / 0.08)
    inner, outer = 1 - septum, 1 - septum
    turn = np.exp(np.complex64(1j) * (angle + np.float32(0.006) * along))
    power = turn.copy()
    for inner_pair, outer_pair in zip(patient.shape_inner.T, patient.shape_outer.T, strict=True):
        power *= turn
        inner += _wave(power, *inner_pair)
        outer += _wave(power, *outer_pair)
    # Trabeculae: fine ripples that run along the inside of the wall.
    inner += np.float32(0.012) * np.cos(9 * angle + np.float32(0.15) * along + np.float32(patient.ripple_phase))
    return inner, outer


def _wave(power: NDArray[np.complex64], cosine: float, sine: float) -> Field:
    return np.float32(cosine) * power.real + np.float32(sine) * power.imag


def _inside(across: Field, along: Field, radius: Field | float, length: float) -> NDArray[np.bool_]:
    return (across / radius) ** 2 + (along / length) ** 2 < 1


def _outflow(patient: Patient, heart: Field, angle: Field, base: float) -> NDArray[np.bool_]:
    """The outflow tract: near the base the wall is missing towards the aortic root, so that rings open there."""
    turned = np.angle(np.exp(1j * (angle - patient.outflow_angle)))
    return (np.abs(turned) < 0.45) & (heart[2] < base + patient.outflow_height)


def _right_ventricle(
    patient: Patient, heart: Field, state: Beat, ejected: float, grow: float = 0.0
) -> NDArray[np.bool_]:
    """A crescent: an ellipsoid beside the left ventricle; what it shares with that belongs to that."""
    shrink = 1 - 0.16 * ejected
    half = np.array([27.0 * shrink, 37.0, 54.0 * (1 - 0.1 * ejected)]) * patient.rv_size + grow
    centre = np.array([patient.rv_offset, 0.0, -8.0])
    taper = 1 - 0.2 * np.clip(heart[2] / state.length, -1, 1)
    scaled = [(heart[axis] - centre[axis]) / half[axis] for axis in range(3)]
    return (scaled[0] / taper) ** 2 + (scaled[1] / taper) ** 2 + scaled[2] ** 2 < 1


def _grown_right(patient: Patient, heart: Field, state: Beat, ejected: float) -> NDArray[np.bool_]:
    return _right_ventricle(patient, heart, state, ejected, grow=9.0) & (heart[2] > -BASE * state.length - 12.0)


def _atria(patient: Patient, heart: Field, base: float, ejected: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Both fill while the ventricles eject."""
    size = patient.atrium_size * (1 + 0.1 * ejected)

    def ellipsoid(centre: tuple[float, float, float], half: tuple[float, float, float]) -> NDArray[np.bool_]:
        return sum(((heart[axis] - centre[axis]) / (half[axis] * size)) ** 2 for axis in range(3)) < 1

    left = ellipsoid((-6.0, 2.0, base - 17.0), (26.0, 30.0, 22.0))
    right = ellipsoid((46.0, -6.0, base - 15.0), (21.0, 25.0, 23.0))
    return left, right


def _ascending_aorta(patient: Patient, points: Field, base: float) -> NDArray[np.bool_]:
    """The root and the ascending part run up from the base."""
    root = patient.axes @ np.array([16.0, 6.0, base - 6.0])
    rising = np.clip((points[2] - root[2]) / 60.0, 0.0, 1.0)
    inside = np.hypot(points[0] - root[0] - 6.0 * rising, points[1] - root[1] - 4.0 * rising) < 14.5
    return inside & (points[2] > root[2] - 8.0)


def label_chest(patient: Patient, points: Field) -> NDArray[np.uint8]:
    """Everything that does not move, as :class:`Tissue` values; points as in :func:`label_tissues`."""
    x, y, z = points
    centre = (12.0, -8.0)

    def ellipse(half_x: float, half_y: float, offset_y: float = 0.0, offset_x: float = 0.0) -> NDArray[np.bool_]:
        across = (x - centre[0] - offset_x) / (half_x * patient.chest)
        return across**2 + ((y - centre[1] - offset_y) / (half_y * patient.chest)) ** 2 < 1

    tissue = np.zeros(x.shape, dtype=np.uint8)
    mediastinum = ellipse(34.0, 80.0, -4.0, -10.0) & (np.abs(x - 2.0) < 34.0 - 0.12 * z)
    ribs = ellipse(131.0, 91.0) & ~ellipse(124.0, 84.0) & (np.sin((z + 0.45 * y + 0.2 * np.abs(x)) / 3.6) > 0.35)
    spine_x, spine_y = 4.0, -84.0 * patient.chest
    body = np.hypot((x - spine_x) / 20.0, (y - spine_y) / 16.0)
    arch = np.hypot((x - spine_x) / 15.0, (y - spine_y + 27.0) / 13.0)
    sternum = np.hypot((x - 6.0) / 17.0, (y - 79.0 * patient.chest) / 6.0)
    liver = (z < -44.0 - 0.004 * ((x - 55.0) ** 2 + (y - 5.0) ** 2)) & ellipse(124.0, 84.0)
    for where, kind in (
        (ellipse(150.0, 110.0), Tissue.SKIN_FAT),
        (ellipse(137.0, 97.0), Tissue.MUSCLE),
        (ribs, Tissue.CORTICAL_BONE),
        (ellipse(124.0, 84.0), Tissue.LUNG),
        (_lung_vessels(patient, points) & ellipse(121.0, 81.0), Tissue.PULMONARY_VESSEL),
        (mediastinum, Tissue.HEART_FAT),
        (liver, Tissue.LIVER),
        (np.hypot((x - spine_x) / 44.0, (y - spine_y + 8.0) / 28.0) < 1, Tissue.MUSCLE),
        (body < 1, Tissue.CORTICAL_BONE),
        (body < 0.86, Tissue.SPONGY_BONE),
        ((arch < 1) & (arch > 0.66), Tissue.CORTICAL_BONE),
        (np.hypot(x + 16.0, y + 58.0 * patient.chest) < 11.5, Tissue.AORTA),
        (sternum < 1, Tissue.CORTICAL_BONE),
        (sternum < 0.72, Tissue.SPONGY_BONE),
    ):
        tissue[where] = kind
    return tissue


def _lung_vessels(patient: Patient, points: Field) -> NDArray[np.bool_]:
    found = np.zeros(points.shape[1:], dtype=bool)
    for *rest, radius in patient.vessels:
        start, direction = np.array(rest[:3], dtype=np.float32), np.array(rest[3:], dtype=np.float32)
        offset = points - start.reshape(3, *[1] * (points.ndim - 1))
        along = np.tensordot(direction, offset, axes=1)
        across = (offset**2).sum(axis=0) - along**2
        found |= (across < radius**2) & (np.abs(along) < 28.0)
    return found


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)
