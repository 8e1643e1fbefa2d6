"""One heart's parameters, and how hearts differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.phantom.motion import Beat

# Spread of the Fourier modes 2 to 5, as shares of the radius: of both contours of the wall, and of the inner one alone.
_CONTOUR_SPREAD = np.array([0.045, 0.030, 0.018, 0.010])
_INNER_SPREAD = np.array([0.030, 0.022, 0.016, 0.012])
_HILA = np.array([[-40.0, -36.0, 28.0], [66.0, -34.0, 26.0]])
_BRANCHINGS = 6


@dataclass(frozen=True)
class Patient:
    """One heart's parameters; lengths in mm, angles in radians.

    The heart's frame has its origin on the equator of the left ventricle at end-diastole, the third axis from base to
    apex, the first towards the right ventricle; angles are counted from the first to the second axis.
    """

    diastolic: Beat
    ejection_fraction: float
    axes: NDArray[np.float64]
    """3×3, columns: towards the right ventricle, the third direction, base to apex; in RAS."""
    contour: NDArray[np.float64]
    inner_contour: NDArray[np.float64]
    """Fourier coefficients [2, modes 2 to 5], as shares of the radius; the inner ones add to the others."""
    ripple_phase: float
    bend: NDArray[np.float64]
    """By how much the apex lies beside the axis, [2]."""
    septal_flattening: float
    septal_wall: float
    """By what share the septum is thicker (or thinner) than the free wall."""
    insertion_wall: float
    """By what share the wall is thicker where the right ventricle's wall meets it."""
    outflow_angle: float
    annulus_slope: float
    papillary_size: float
    rv_half: NDArray[np.float64]
    """Half axes of the right ventricle's ellipsoid, [3]."""
    rv_offset: float
    atrium_size: float
    atrium_shear: NDArray[np.float64]
    """[2, 3]: left, right."""
    chest: float
    vessels: NDArray[np.float64]
    """Vessels of the lungs [n, 8]: start, end, radius at both; in RAS."""


def draw_patient(seed: int, number: int) -> Patient:
    """Draw one patient, who does not depend on how many others there are."""
    random = np.random.default_rng([seed, number])
    diastolic = Beat(random.uniform(22.5, 27.5), random.uniform(58.0, 70.0), random.uniform(7.0, 11.0))
    return Patient(
        diastolic=diastolic,
        ejection_fraction=random.uniform(0.52, 0.66),
        axes=_draw_axes(random),
        contour=random.normal(0.0, 1.0, (2, 4)) * _CONTOUR_SPREAD,
        inner_contour=random.normal(0.0, 1.0, (2, 4)) * _INNER_SPREAD,
        ripple_phase=random.uniform(0.0, 2 * np.pi),
        bend=random.normal(0.0, 2.5, 2),
        septal_flattening=random.uniform(0.03, 0.13),
        septal_wall=random.uniform(-0.15, 0.25),
        insertion_wall=random.uniform(0.05, 0.2),
        outflow_angle=random.normal(-0.6, 0.25),
        annulus_slope=random.uniform(0.1, 0.18),
        papillary_size=random.uniform(0.85, 1.15),
        rv_half=np.array([41.0, 46.0, 62.0]) * random.uniform(0.95, 1.05, 3),
        # A larger left ventricle pushes the right one aside.
        rv_offset=diastolic.radius + diastolic.wall - random.uniform(6.0, 9.0),
        atrium_size=random.uniform(0.9, 1.12),
        atrium_shear=random.uniform(-0.4, 0.4, (2, 3)),
        chest=random.uniform(0.94, 1.06),
        vessels=_draw_vessels(random),
    )


def _draw_axes(random: np.random.Generator) -> NDArray[np.float64]:
    apex = _unit(np.array([-0.62, 0.58, -0.53]) + random.normal(0.0, 0.11, 3))
    right = np.array([0.75, 0.55, 0.1]) + random.normal(0.0, 0.08, 3)
    right = _unit(right - right.dot(apex) * apex)
    return np.column_stack([right, np.cross(apex, right), apex])


def _draw_vessels(random: np.random.Generator) -> NDArray[np.float64]:
    """A tree in each lung that starts at its hilum and forks several times."""
    vessels = []
    for side, hilum in zip((-1.0, 1.0), _HILA, strict=True):
        tips = [(hilum, _unit(np.array([side, lean, rise])), 4.2) for lean in (-0.6, 0.6) for rise in (-1.0, 0.4)]
        for level in range(_BRANCHINGS):
            grown = []
            for start, direction, radius in tips:
                end = start + direction * 19.0 * 0.86**level * random.uniform(0.7, 1.3)
                vessels.append([*start, *end, radius, 0.8 * radius])
                fork = random.normal(0.0, 0.55, 3)
                for sign in (-1.0, 1.0) if level % 2 == 0 else (1.0,):
                    turned = _unit(direction + sign * fork + np.array([0.12 * side, 0.0, 0.0]))
                    grown.append((end, turned, 0.8 * radius))
            tips = grown
    return np.array(vessels)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)
