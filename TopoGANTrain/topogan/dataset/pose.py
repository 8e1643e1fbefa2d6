"""How a volume lies in its cube: as it is, or a little turned, scaled and moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

_MOST_TURNED = np.deg2rad(8.0)
_MOST_SCALED = 0.05
_MOST_MOVED = 2.0


@dataclass(frozen=True)
class Pose:
    """A similarity about the middle of the cube; pose 0 leaves everything where it is.

    Attributes:
        number: of the pose.
        turn: axis of the rotation times its angle in radians, in (u, v, w).
        scale: how much larger the structure becomes.
        shift: how far it moves, in mm along u, v, w.
    """

    number: int = 0
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @classmethod
    def draw(cls, number: int, random: np.random.Generator, share: float = 1.0) -> Pose:
        """Draw a pose: the axis from all directions, the rest evenly from ``share`` of its range."""
        axis = random.normal(size=3)
        turn = axis / np.linalg.norm(axis) * random.uniform(-1, 1) * share * _MOST_TURNED
        scale = 1 + random.uniform(-1, 1) * share * _MOST_SCALED
        x, y, z = turn.tolist()
        u, v, w = (random.uniform(-1, 1, 3) * share * _MOST_MOVED).tolist()
        return cls(number, (x, y, z), float(scale), (u, v, w))

    @property
    def rotation(self) -> np.ndarray:
        """Turns the structure: 3×3, applied to columns (u, v, w)."""
        return np.asarray(Rotation.from_rotvec(self.turn).as_matrix())

    def place(self, points: np.ndarray) -> np.ndarray:
        """Where points of the structure [n, 3] come to lie; mm from the middle of the cube."""
        return points if self.number == 0 else np.asarray(self.scale * points @ self.rotation.T + self.shift)

    def find(self, points: np.ndarray) -> np.ndarray:
        """Which points of the structure lie at places [n, 3] of the cube: undoes :meth:`place`."""
        if self.number == 0:
            return points
        return np.asarray((points - np.asarray(self.shift)) @ self.rotation / self.scale)
