"""Where patches will be cut: a first pass over the segmentations that keeps a few numbers for each slice.

A patch is centered on the bounding box of the structures *in its own slice*; :mod:`topogan.dataset.centering` may move
it to that of all slices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import SimpleITK as sitk

from topogan.config import PrepareSettings
from topogan.dataset.frame import Frame
from topogan.dataset.inputs import Case
from topogan.dataset.pose import Pose
from topogan.dataset.structure import label_map_of
from topogan.errors import InputError
from topogan.volumes import Volume
from topogan_contract.sizes import default_pixel_size

# Pixels on each side that the structure leaves free, so that its outline closes inside the patch; in cubes, where
# voxels are dear, its surface may lie on the centers of the outermost ones.
MARGIN = {2: 1.0, 3: 0.5}
# Shapes of fewer pixels cannot be seen and are gone with the next rounding.
_MINIMUM_PIXELS = 4
# One byte each. A scan has fewer voxels; only tiny slice spacings and pixels ask for more.
_MOST_POINTS = 1 << 30
# Of one phase; a scan has at most some thousand slices, of 8 x 8 tiles. Each patch takes half a millisecond and a kB.
_MOST_SLICES, _MOST_TILES = 20_000, 100_000
_AS_IT_LIES = Pose()


@dataclass(frozen=True)
class PatchPlan:
    """One patch, or one cube, to cut.

    Attributes:
        phase: number of the phase.
        slice_number: number of the slice in its frame; 0 of volumes.
        center: (u, v, w) in mm in the frame of the case.
        sides: width and height (of volumes also depth) in mm of what the patch has to hold: the structure's bounding
            box in the slice, or in all slices of the phase, or the tile.
        content: area of the structure in the slice (or tile) in mm²; its volume in mm³.
        level: place of the slice along the structure, 0 to 1; 0 of volumes.
        pose: how a volume lies in its cube.
    """

    phase: int
    slice_number: int
    center: tuple[float, float, float]
    sides: tuple[float, ...]
    content: float
    level: float = 0.0
    pose: Pose = _AS_IT_LIES

    def box(self, pitch: float) -> tuple[np.ndarray, np.ndarray]:
        """Return (u, v) of the first point of the structure's grid in its box, and how many there are: float [2] each.

        Args:
            pitch: from one point to the next, in mm, in which both are counted. The center of an odd number of points
                is one of them, and the patch lies half a point further.
        """
        counts = np.rint(np.array(self.sides[:2]) / pitch)
        return np.rint(np.array(self.center[:2]) / pitch + 0.5 - np.ceil(counts / 2)), counts


def between_points(first: float, last: float) -> float:
    """The middle of the points from ``first`` to ``last``, or the next one that lies between two of them.

    With pixels as large as voxels, each pixel of a patch around it is exactly one voxel.
    """
    return math.floor((first + last) / 2) + 0.5


@dataclass(frozen=True)
class CasePlan:
    """The patches of a case, ordered by phase and slice; how many slices were left out and why; the structures seen.

    Attributes:
        outlines: of volumes, the outermost points [n, 3] of the structures in each phase; mm from the cube's center.
    """

    patches: list[PatchPlan]
    too_small: int
    outside: int
    seen: frozenset[int] = frozenset()
    outlines: dict[int, np.ndarray] = field(default_factory=dict)


def plan_case(case: Case, settings: PrepareSettings, tile: float, go_on: Callable[[], None]) -> CasePlan:
    """Find the slices of the structures, taken together, in every phase of a case.

    Args:
        case: opened inputs.
        settings: smallest area.
        tile: width of a tile in mm, or 0 to center patches on the structure.
        go_on: is called before each phase; raises where the work is no longer wanted.

    Raises:
        InputError: all structures are absent, or lie outside the image.
    """
    patches: list[PatchPlan] = []
    seen: set[int] = set()
    too_small = outside = 0
    path = case.segmentation.path
    grid = _tile_grid(case, tile) if tile else None  # before anything is read
    for phase, volume in enumerate(case.segmentation.volumes()):
        go_on()
        labels = label_map_of(volume, case.table.without_context, path)
        del volume
        seen.update(number for plane in labels.array for number in np.flatnonzero(np.bincount(plane.ravel())).tolist())
        structure = Volume((labels.array != 0).astype(np.uint8), labels.geometry)
        found = list(_tiles(structure, case, phase, tile, *grid) if grid else _slices(structure, case.frame, phase))
        large = [patch for patch in found if patch.content >= settings.minimum_area]
        inside = [patch for patch in large if _lies_inside(patch, case, tiled=tile > 0)]
        too_small += len(found) - len(large)
        outside += len(large) - len(inside)
        patches += _with_levels(inside)
    if outside and not patches:
        raise beyond_image(case)
    return CasePlan(patches, too_small, outside, frozenset(seen - {0}))


def beyond_image(case: Case) -> InputError:
    """What is said where no slice of a structure, or no volume, lies inside its image."""
    assert case.image
    return InputError(
        f"The structure in {case.segmentation.path} lies outside the image {case.image.path}: "
        "they do not show the same patient in the same position."
    )


def _grid_image(structure: Volume, frame: Frame, pitch: float, low: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Sample (nearest voxel) at u, v = ``low`` + i · pitch (mm) and slices ``low``[2] …: uint8 [slice, row, column]."""
    if np.prod(count) > _MOST_POINTS or count[2] > _MOST_SLICES:
        raise InputError(
            f"The structure would be cut into {count[2]:.7g} slices of {count[0]:.7g} x {count[1]:.7g} points: "
            "choose a larger slice spacing or pixel size."
        )
    spacing = (pitch, pitch, frame.step)
    start = frame.for_labels().to_point((low * spacing)[None])[0]
    sampled = sitk.Resample(
        structure.to_image(),
        tuple(int(number) for number in count),
        sitk.Transform(),
        sitk.sitkNearestNeighbor,
        start.tolist(),
        spacing,
        frame.axes.ravel().tolist(),
        0,
    )
    return sitk.GetArrayFromImage(sampled)


def _slices(structure: Volume, frame: Frame, phase: int) -> Iterator[PatchPlan]:
    pitch = frame.pitch
    corners = frame.from_point(structure.geometry.corners(margin=0.5)) / (pitch, pitch, frame.step)
    low, high = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    grid = _grid_image(structure, frame, pitch, low, high - low + 1)
    for number, picture in enumerate(grid):
        if not picture.any():
            continue
        rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
        u, v = (between_points(side[0], side[-1]) for side in (columns, rows))
        slice_number = int(low[2]) + number
        yield PatchPlan(
            phase=phase,
            slice_number=slice_number,
            center=(float(low[0] + u) * pitch, float(low[1] + v) * pitch, slice_number * frame.step),
            sides=(float(np.ptp(columns) + 1) * pitch, float(np.ptp(rows) + 1) * pitch),
            content=float(picture.sum()) * pitch**2,
        )


def _tile_grid(case: Case, tile: float) -> tuple[np.ndarray, np.ndarray]:
    """Lay tiles side by side from the first corner of the volume; an incomplete last row or column is left.

    Returns:
        u and v (mm) of the corner and the number of the first slice; how many tiles lie across and down, in how many
        slices.

    Raises:
        InputError: a tile is larger than the volume, or there would be far too many.
    """
    step = case.frame.step
    bounds = case.frame.from_point(case.extent.corners(margin=0.5))
    low, span = bounds.min(axis=0), np.ptp(bounds, axis=0)
    # Half a voxel beyond the first and last voxel there is no slice; 1e-3 absorbs rounding.
    first, last = np.ceil(low[2] / step), np.floor((low[2] + span[2]) / step - 1e-3)
    counts = np.array([*np.floor(span[:2] / tile + 1e-3), last - first + 1])
    if not counts[:2].all():
        raise InputError(
            f"The slices of {case.segmentation.path} are smaller than a patch of {tile:.4g} mm: "
            "choose a smaller pixel size or patch."
        )
    if math.prod(counts.tolist()) > _MOST_TILES:
        raise InputError(
            f"{case.segmentation.path} would be cut into {counts[2]:.7g} slices of {counts[0]:.7g} x {counts[1]:.7g} "
            f"tiles of {tile:.4g} mm: choose a larger pixel size or slice spacing."
        )
    return np.array([low[0], low[1], first]), counts.astype(int)


def _tiles(
    structure: Volume, case: Case, phase: int, tile: float, low: np.ndarray, count: np.ndarray
) -> Iterator[PatchPlan]:
    """The tiles of a grid (see :func:`_tile_grid`) that show something of the structure."""
    frame = case.frame
    across, down, first = int(count[0]), int(count[1]), int(low[2])
    pixels = max(1, round(tile / frame.pitch))
    fine = tile / pixels
    start = np.array([low[0] / fine + 0.5, low[1] / fine + 0.5, first])
    grid = _grid_image(structure, frame, fine, start, count * (pixels, pixels, 1))
    counts = grid.reshape(len(grid), down, pixels, across, pixels).sum(axis=(2, 4), dtype=np.int64)
    for number, row, column in np.argwhere(counts):
        u, v = low[0] + (column + 0.5) * tile, low[1] + (row + 0.5) * tile
        center = (float(u), float(v), float((first + number) * frame.step))
        area = float(counts[number, row, column]) * fine**2
        yield PatchPlan(phase, first + int(number), center, (tile, tile), area)


def _lies_inside(patch: PatchPlan, case: Case, tiled: bool) -> bool:
    """Tell whether the image covers the structure's bounding box (or the tile): texture is learned from there.

    Without an image nothing is; a label map may be cropped to its structures, and what is around them is background.
    """
    if case.image is None:
        return True
    if tiled:
        half = (np.array(patch.sides) - case.frame.pitch) / 2
        low, high = np.array(patch.center[:2]) - half, np.array(patch.center[:2]) + half
    else:
        first, counts = patch.box(case.frame.pitch)
        low, high = first * case.frame.pitch, (first + counts - 1) * case.frame.pitch
    corners = np.array([(u, v, patch.center[2]) for u in (low[0], high[0]) for v in (low[1], high[1])])
    return bool(case.extent.contains(case.frame.to_point(corners)).all())


def _with_levels(patches: Sequence[PatchPlan]) -> list[PatchPlan]:
    numbers = [patch.slice_number for patch in patches]
    if not numbers:
        return []
    first, span = min(numbers), max(1, max(numbers) - min(numbers))
    return [replace(patch, level=(patch.slice_number - first) / span) for patch in patches]


def choose_pixel_size(cases: Sequence[Case], plans: Sequence[CasePlan], settings: PrepareSettings) -> float:
    """Return mm per pixel: the stated size, or the default for the widest slice (or volume).

    Raises:
        InputError: the structure does not fit at the stated pixel size; the message names the size needed.
    """
    largest = [widest_slice([plan]) for plan in plans]
    row = int(np.argmax(largest))
    if settings.pixel_size == 0:
        return default_pixel_size(largest[row], settings.size, image_pixel_size(cases, settings.axes), settings.axes)
    needed = _needed(largest[row], cases[row], settings)
    if needed > settings.pixel_size:
        needed = math.ceil(needed * 100) / 100
        holder, unit, larger = ("cube", "voxels", "size") if settings.volumes else ("patch", "pixels", "patch")
        raise InputError(
            f"The structure in {cases[row].segmentation.path} is {largest[row]:.4g} mm wide, more than a {holder} of "
            f"{settings.size} {unit} of {settings.pixel_size:g} mm holds: use a pixel size of {needed:g} mm or more "
            f"(0 chooses it), or a larger {larger}."
        )
    return settings.pixel_size


def fits_stated_size(cases: Sequence[Case], plans: Sequence[CasePlan], settings: PrepareSettings) -> bool:
    """Whether patches of the stated pixel size hold their structures; where none is stated, they always do."""
    widths = ((widest_slice([plan]), case) for case, plan in zip(cases, plans, strict=True))
    return settings.pixel_size == 0 or all(_needed(*one, settings) <= settings.pixel_size for one in widths)


def smallest_pixel_size(cases: Sequence[Case], plans: Sequence[CasePlan], settings: PrepareSettings) -> float:
    """Mm per pixel below which the widest slice or volume would not fit."""
    pairs = zip(cases, plans, strict=True)
    return max(math.ceil(_needed(widest_slice([plan]), case, settings) * 100) / 100 for case, plan in pairs)


def _needed(width: float, case: Case, settings: PrepareSettings) -> float:
    # Centers lie between voxels, so that the structure may be half a voxel off the middle on either side.
    return (width + case.frame.pitch) / (settings.size - 2 * MARGIN[settings.axes])


def widest_slice(plans: Sequence[CasePlan]) -> float:
    """The width or height (or depth) in mm of the largest box that a patch must hold; 0 where there are no patches."""
    return max((max(patch.sides) for plan in plans for patch in plan.patches), default=0.0)


def image_pixel_size(cases: Sequence[Case], axes: int = 2) -> float:
    """Median over the volumes of mm per pixel of the images (the segmentations without any).

    That is in the plane for slices; for volumes (``axes`` = 3) the edge of a cube as large as a voxel.
    """
    own = [case.frame.pixel if axes == 2 else float(np.cbrt(np.prod(case.extent.spacing))) for case in cases]
    return round(float(np.median(own)), 6)


def large_enough(plan: CasePlan, pixel_size: float) -> CasePlan:
    """Leave out slices and volumes whose structure would be smaller than 4 pixels."""
    kept = [patch for patch in plan.patches if patch.content >= _MINIMUM_PIXELS * pixel_size ** len(patch.sides)]
    return replace(plan, patches=kept, too_small=plan.too_small + len(plan.patches) - len(kept))
