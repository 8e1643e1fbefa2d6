"""Where volumes will be cut: one cube around all structures for each phase and pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.spatial import ConvexHull

from topogan.config import PrepareSettings
from topogan.dataset.frame import Frame
from topogan.dataset.inputs import Case
from topogan.dataset.plan import MARGIN, CasePlan, PatchPlan, beyond_image
from topogan.dataset.pose import Pose
from topogan.dataset.structure import label_map_of
from topogan.volumes import Geometry

# Of a pose's range, each further try takes this share of the one before; the last ones hardly move anything.
_SMALLER, _TRIES = 0.9, 60


def plan_volumes(case: Case, go_on: Callable[[], None]) -> CasePlan:
    """Find all structures, taken together, in every phase of a case.

    Args:
        case: opened inputs.
        go_on: is called before each phase; raises where the work is no longer wanted.

    Raises:
        InputError: all structures are absent, or lie outside the image.
    """
    cubes: list[PatchPlan] = []
    outlines: dict[int, np.ndarray] = {}
    seen: set[int] = set()
    outside = 0
    for phase, volume in enumerate(case.segmentation.volumes()):
        go_on()
        labels = label_map_of(volume, case.table.without_context, case.segmentation.path)
        del volume
        counts = np.bincount(labels.array.ravel())
        seen.update(np.flatnonzero(counts).tolist())
        ends = _row_ends(labels.array)
        if not case.extent.contains(labels.geometry.to_point(_corners(ends))).all():
            outside += 1
            continue
        content = float(counts[1:].sum() * np.prod(labels.geometry.spacing))
        cube, outlines[phase] = _cube(ends, labels.geometry, case.frame, phase, content)
        cubes.append(cube)
    if case.image and not cubes:
        raise beyond_image(case)
    return CasePlan(cubes, 0, outside, frozenset(seen - {0}), outlines)


def with_poses(plan: CasePlan, number: int, settings: PrepareSettings, pixel_size: float) -> CasePlan:
    """Add the other poses to the volumes of a case; each fits its cube.

    Args:
        plan: volumes as they lie.
        number: of the case, on which its poses depend, as on the seed and the phase.
        settings: seed, size, and number of poses.
        pixel_size: edge of a voxel in mm.
    """
    room = (settings.size / 2 - MARGIN[3]) * pixel_size
    posed: list[PatchPlan] = []
    for cube in plan.patches:
        outline = plan.outlines[cube.phase]
        seeds = ((settings.seed, number, cube.phase, pose) for pose in range(1, settings.poses))
        posed += [cube, *(replace(cube, pose=_fitting_pose(seed, outline, room)) for seed in seeds)]
    return replace(plan, patches=posed)


def _fitting_pose(seed: tuple[int, ...], outline: np.ndarray, room: float) -> Pose:
    """Draw until nothing lies farther than ``room`` mm from the middle, each time from a smaller range."""
    random, share = np.random.default_rng(seed), 1.0
    for _ in range(_TRIES):
        pose = Pose.draw(seed[-1], random, share)
        if np.abs(pose.place(outline)).max() <= room:
            return pose
        share *= _SMALLER
    return replace(Pose(), number=seed[-1])


def _cube(
    ends: np.ndarray, geometry: Geometry, frame: Frame, phase: int, content: float
) -> tuple[PatchPlan, np.ndarray]:
    """The cube around voxels with indices ``ends`` [n, 3], and their outermost corners in mm from its center."""
    steps = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    corners = (_outermost(ends)[:, None] + steps).reshape(-1, 3)
    points = frame.from_point(geometry.to_point(corners))
    low, high = points.min(axis=0), points.max(axis=0)
    # Between two points of the voxels' grid: with cubes of the same voxels, nothing is interpolated.
    center = (np.floor((low + high) / 2 / frame.pitch) + 0.5) * frame.pitch
    u, v, w = center.tolist()
    across, down, through = (high - low).tolist()
    return PatchPlan(phase, 0, (u, v, w), (across, down, through), content), points - center


def _outermost(points: np.ndarray) -> np.ndarray:
    """The points [n, 3] that span all others."""
    # Flat ones have no hull in space; those of a structure so thin are few.
    if min(np.ptp(points, axis=0)) == 0:
        return points
    # Joggled: what is flat along a slanted plane has one then.
    return np.asarray(points[ConvexHull(points, qhull_options="QJ").vertices])


def _row_ends(array: np.ndarray) -> np.ndarray:
    """Indices (x, y, z) of the first and last voxel of the structure in each row: float [n, 3].

    Those between lie on a line with them: none of them is farther out in any direction.
    """
    filled = array != 0
    slices, rows = np.nonzero(filled.any(axis=2))
    lines = filled[slices, rows]
    first, last = lines.argmax(axis=1), lines.shape[1] - 1 - lines[:, ::-1].argmax(axis=1)
    return np.concatenate([np.stack([columns, rows, slices], axis=1) for columns in (first, last)]).astype(float)


def _corners(points: np.ndarray) -> np.ndarray:
    low, high = points.min(axis=0), points.max(axis=0)
    return np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(8, 3)
