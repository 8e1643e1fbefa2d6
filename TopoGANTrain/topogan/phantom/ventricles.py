"""The shapes of both ventricles in the heart's frame at one moment. Points are float32 [3, n] in mm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from topogan.phantom.motion import APICAL_WALL, BASE, Beat
from topogan.phantom.patient import Patient
from topogan.phantom.shapes import Field, Inside, capsule, ellipsoid

_ANNULUS_SADDLE = 2.5
_ROUNDED_EDGE = 6.0
_TRABECULAE = 0.015
_TURN_PER_MM = 0.006
# Where the right ventricle's wall meets the left one.
_INSERTION_ANGLE = 1.1
_INSERTION_WIDTH = 0.3
# The mean of both bumps over the circle, so that they do not thicken the wall on the whole.
_INSERTION_MEAN = 0.24
_RV_CENTER = -6.0
_INFUNDIBULUM = ((30.0, -26.0, -2.0), (11.0, -46.0, -14.0))
_PAPILLARY_ANGLES = (-2.35, 1.95)
_COARSE_MM = 3.0
_LARGEST_SQUEEZE = 0.75


def above_annulus(patient: Patient, heart: Field, state: Beat) -> Field:
    """How far (mm) each point lies on the apical side of the atrioventricular plane.

    The plane is tilted, because the muscle ends lower towards the outflow tract, and bent to a saddle, as annuli are.
    """
    across, angle = np.hypot(heart[0], heart[1]), np.arctan2(heart[1], heart[0]) - np.float32(patient.outflow_angle)
    saddle = np.minimum(across / np.float32(state.radius), 1) ** 2 * np.cos(2 * angle)
    tilted = np.float32(patient.annulus_slope) * np.minimum(across, 45.0) * np.cos(angle)
    above: Field = heart[2] + np.float32(BASE * state.length) - tilted - np.float32(_ANNULUS_SADDLE) * saddle
    return above


def left_ventricle(patient: Patient, heart: Field, state: Beat, above: Field) -> tuple[Inside, Inside, Inside]:
    """The cavity, its papillary muscles, and cavity and wall together."""
    reach = 1.35 * state.radius + 1.5 * state.wall
    near = np.flatnonzero((above > 0) & (np.abs(heart[0]) < reach) & (np.abs(heart[1]) < reach))
    centered = heart[:, near]
    for axis in (0, 1):
        centered[axis] -= np.float32(patient.bend[axis]) * (centered[2] / np.float32(state.length)) ** 2
    across, angle = np.hypot(centered[0], centered[1]), np.arctan2(centered[1], centered[0])
    inner, outer = _wall_radii(patient, angle, centered[2], above[near], state)
    cavity = _inside(across, centered[2], inner, state.length)
    papillary = _papillary_muscles(patient, centered, state) & cavity
    ventricle = _inside(across, centered[2], outer, state.length + APICAL_WALL * state.wall)
    found = np.zeros((3, *above.shape), dtype=bool)
    found[:, near] = cavity, papillary, ventricle
    return found[0], found[1], found[2]


def _wall_radii(patient: Patient, angle: Field, along: Field, above: Field, state: Beat) -> tuple[Field, Field]:
    """The half axes (mm) across, of cavity and wall, around the axis."""
    outer = 1 + _contour(patient.contour, angle, along) - patient.septal_flattening * _bump(angle, 0.0, 0.45)
    inner = outer + _contour(patient.inner_contour, angle, along)
    # Trabeculae: fine ripples that run along the inside of the wall.
    inner += _TRABECULAE * np.cos(9 * angle + np.float32(0.15) * along + np.float32(patient.ripple_phase))
    inner *= np.float32(state.radius)
    thinnest = inner + np.float32(0.5 * state.wall)
    outer = np.maximum(outer * np.float32(state.radius) + _wall(patient, angle, state), thinnest)
    # The muscle ends in a rounded edge, not in a cut.
    edge = 1 - np.clip(above / np.float32(_ROUNDED_EDGE), 0, 1)
    return inner, inner + (outer - inner) * np.sqrt(1 - edge * edge)


def right_ventricle(patient: Patient, heart: Field, squeeze: float, grow: float = 0.0) -> Inside:
    """A crescent with an outflow part: what it shares with the left ventricle belongs to that.

    Args:
        squeeze: by what share the free wall has come closer; the other directions follow less.
        grow: mm to add all around.
    """
    half = patient.rv_half * [1 - squeeze, 1 - 0.35 * squeeze, 1 - 0.15 * squeeze] + grow
    taper = 1 + np.float32(0.2) * np.clip(heart[2] / 60, -1, 1)
    center = np.array([patient.rv_offset, 0.0, _RV_CENTER], dtype=np.float32)
    body = np.stack([(heart[0] - center[0]) * taper, heart[1] * taper, heart[2]])
    found = ellipsoid(body, (0.0, 0.0, center[2]), half)
    start, end = _INFUNDIBULUM
    return found | capsule(heart, start, end, 14.0 * (1 - 0.3 * squeeze) + grow, 11.5 + grow)


def right_squeeze(patient: Patient, state: Beat, stroke: float) -> float:
    """How far the right ventricle must squeeze to have ejected ``stroke`` mL, as the left one has."""
    rest = _coarse_right_volume(patient, patient.diastolic)
    volume = _coarse_right_volume(patient, state)
    wanted = rest(0.0) - stroke
    low, high = 0.0, _LARGEST_SQUEEZE
    if volume(low) <= wanted:
        return low
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if volume(middle) > wanted else (low, middle)
    return (low + high) / 2


def _coarse_right_volume(patient: Patient, state: Beat) -> Callable[[float], float]:
    """The volume (mL) of the right ventricle as a function of how far it squeezes, on a coarse grid."""
    axes = [np.arange(low, high, _COARSE_MM, dtype=np.float32) for low, high in ((-15, 72), (-66, 52), (-45, 66))]
    heart = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")])
    above = above_annulus(patient, heart, state)
    heart = heart[:, ~left_ventricle(patient, heart, state, above)[2] & (above > 0)]
    return lambda squeeze: float(right_ventricle(patient, heart, squeeze).sum() * _COARSE_MM**3 / 1000)


def _contour(coefficients: NDArray[np.float64], angle: Field, along: Field) -> Field:
    """The sum of the Fourier modes from 2 on; the shape turns slowly along the axis."""
    turn = np.exp(np.complex64(1j) * (angle + np.float32(_TURN_PER_MM) * along))
    power, contour = turn.copy(), np.zeros_like(angle)
    for cosine, sine in coefficients.T:
        power *= turn
        contour += np.float32(cosine) * power.real + np.float32(sine) * power.imag
    return contour


def _wall(patient: Patient, angle: Field, state: Beat) -> Field:
    """The thickness (mm) around the axis: septum, free wall, and where the right ventricle's wall meets it."""
    insertions = _bump(angle, _INSERTION_ANGLE, _INSERTION_WIDTH) + _bump(angle, -_INSERTION_ANGLE, _INSERTION_WIDTH)
    septum = 0.5 * patient.septal_wall * np.cos(angle)
    return np.float32(state.wall) * (1 + septum + patient.insertion_wall * (insertions - _INSERTION_MEAN))


def _bump(angle: Field, center: float, width: float) -> Field:
    """A smooth bump of height 1 around an angle (von Mises)."""
    bump: Field = np.exp((np.cos(angle - np.float32(center)) - 1) / np.float32(width**2))
    return bump


def _papillary_muscles(patient: Patient, centered: Field, state: Beat) -> Inside:
    """The anterolateral and the posteromedial one; they hang on the wall of the middle third."""
    found = np.zeros(centered.shape[1:], dtype=bool)
    for angle in _PAPILLARY_ANGLES:
        center = np.array([np.cos(angle), np.sin(angle), 0.0]) * 0.68 * state.radius + [0.0, 0.0, 0.2 * state.length]
        half = np.array([0.19 * state.radius, 0.19 * state.radius, 0.3 * state.length]) * patient.papillary_size
        found |= ellipsoid(centered, center, half)
    return found


def _inside(across: Field, along: Field, radius: Field, length: float) -> Inside:
    return (across / radius) ** 2 + (along / np.float32(length)) ** 2 < 1
