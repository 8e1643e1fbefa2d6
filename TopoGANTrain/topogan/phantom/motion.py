"""How the left ventricle beats: volume, length, radius and wall over a cardiac cycle.

Phase 0 is end-diastole. Lengths in mm, volumes in mL, times in fractions of the cycle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

# Share of the stroke volume that has left, over the cycle: ejection until 0.36, rapid filling, diastasis, atrial kick.
# The knots follow the textbook (Wiggers) curve of left ventricular volume at 60 to 70 beats a minute.
_CURVE_TIME = (0.0, 0.06, 0.20, 0.36, 0.42, 0.56, 0.66, 0.86, 1.0)
_CURVE_EJECTED = (0.0, 0.03, 0.66, 1.0, 1.0, 0.36, 0.24, 0.20, 0.0)

# Long-axis shortening in systole, a share of the length (12 to 18 % in health; the base descends, the apex rests).
SHORTENING = 0.14
# How far the cavity reaches behind the equator of its ellipsoid, as a share of the long half axis.
BASE = 0.35
# The wall is thinnest at the apex; there as a share of its thickness elsewhere.
APICAL_WALL = 0.4


@dataclass(frozen=True)
class Beat:
    """The left ventricle at one phase: half axes of the cavity and the wall's thickness."""

    radius: float
    length: float
    wall: float


def ejected_share(phase: float) -> float:
    """Share (0 to 1) of the stroke volume that has left the ventricle at ``phase`` (0 to 1)."""
    return float(PchipInterpolator(_CURVE_TIME, _CURVE_EJECTED)(phase % 1.0))


def truncated_ellipsoid_volume(radius: float, length: float, base: float) -> float:
    """Volume (mm³) of an ellipsoid of revolution from its apex to a plane ``base`` mm behind its equator."""
    return float(np.pi * radius**2 * (2 / 3 * length + base - base**3 / (3 * length**2)))


def beat(diastolic: Beat, ejection_fraction: float, phase: float) -> Beat:
    """The ventricle at a phase: the cavity follows the volume curve and the wall thickens so that its volume stays."""
    ejected = ejected_share(phase)
    length = diastolic.length * (1 - SHORTENING * ejected)
    # The truncated volume is proportional to radius² · length, because the base moves with the length.
    radius = diastolic.radius * np.sqrt((1 - ejection_fraction * ejected) * diastolic.length / length)
    wanted = _wall_volume(diastolic)
    walls = np.linspace(0.5, 3.0, 501) * diastolic.wall
    volumes: NDArray[np.float64] = np.array([_wall_volume(Beat(radius, length, wall)) for wall in walls])
    return Beat(float(radius), float(length), float(np.interp(wanted, volumes, walls)))


def _wall_volume(state: Beat) -> float:
    base = BASE * state.length
    outer = truncated_ellipsoid_volume(state.radius + state.wall, state.length + APICAL_WALL * state.wall, base)
    return outer - truncated_ellipsoid_volume(state.radius, state.length, base)
