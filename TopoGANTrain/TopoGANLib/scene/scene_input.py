"""Hands a volume and segments of the scene to the engine, as files: one scan, or one phase of it.

Looking at the scene is quick and done on the application's thread; writing is slow and may be done on any other,
because nothing of MRML is touched there: the arrays are views of the nodes' voxels, which they keep alive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from TopoGANLib.scene.grid import Grid, voxels_between, write_nrrd
from TopoGANLib.scene.voxels import InputError, empty_sentence, labelmap_grid, labelmap_of, resampled, volume_grid
from TopoGANLib.words import tr as _


@dataclass(frozen=True)
class SceneStructure:
    """One segment."""

    name: str
    color: str
    """As ``#rrggbb``."""
    terminology: str
    """Slicer's serialized entry, or nothing."""
    grid: Grid
    """Holds other segments, too."""
    label: int
    """The segment's value in ``grid``."""


@dataclass(frozen=True)
class WrittenInput:
    """The files of one scan."""

    image: Path | None
    segmentation: Path
    overlaps: dict[str, int]
    """Number of voxels that fall to a structure above, of those that have such."""


@dataclass(frozen=True)
class SceneInput:
    """One scan: segments, and the volume in which they lie.

    Usage::

        chosen = read_scene_input(volume, segmentation, segment_ids)
        written = chosen.write(folder, "p1-001", labels=[1, 2])
    """

    structures: tuple[SceneStructure, ...]
    """Where two overlap, the earlier one wins."""
    image: Grid | None

    @property
    def table(self) -> list[dict[str, Any]]:
        """The structures with labels from 1 on, as :mod:`topogan_contract.preparation` wants them."""
        return [
            {"name": one.name, "labels": [label], "color": one.color, "terminology": one.terminology}
            for label, one in zip(self._own_labels, self.structures, strict=True)
        ]

    @property
    def _own_labels(self) -> list[int]:
        return list(range(1, len(self.structures) + 1))

    def measured_volume(self) -> tuple[float, float]:
        """Longest edge of the box around all structures, and that of a cube as large as the image's voxel, in mm.

        The second is 0 without an image.
        """
        labels, _ = _merge(self.structures, self._own_labels)
        voxel = np.linalg.norm(labels.ijk_to_ras[:3, :3], axis=0)
        # The array's axes are slices, rows and columns.
        filled = [np.flatnonzero(labels.array.any(axis=others)) for others in ((0, 1), (0, 2), (1, 2))]
        longest = max(
            (float(edge * (np.ptp(one) + 1)) for edge, one in zip(voxel, filled, strict=True) if len(one)), default=0.0
        )
        own = 0.0 if self.image is None else float(np.cbrt(abs(np.linalg.det(self.image.ijk_to_ras[:3, :3]))))
        return longest, own

    def measured(self) -> tuple[float, float]:
        """Width of the widest slice of all structures together, and the image's own pixel, in mm (0 without image)."""
        labels, _ = _merge(self.structures, self._own_labels)
        # Along columns and rows.
        pixel = np.linalg.norm(labels.ijk_to_ras[:3, :2], axis=0)
        widest = 0.0
        for mask in labels.array:
            shown = [np.flatnonzero(mask.any(axis=axis)) for axis in (0, 1)]
            if len(shown[0]):
                widest = max(widest, *(pixel * [np.ptp(found) + 1 for found in shown]).tolist())
        own = 0.0 if self.image is None else float(np.linalg.norm(self.image.ijk_to_ras[:3, :2], axis=0).min())
        return widest, own

    def merged(self, labels: Sequence[int]) -> tuple[Grid, dict[str, int]]:
        """One label map of all structures, and how many voxels of each fall to one above it, where some do.

        Args:
            labels: what each structure is in the label map, 1 or more.

        Raises:
            InputError: a segment is empty, or lies under others with all its voxels.
        """
        return _merge(self.structures, labels)

    def write(self, folder: Path, stem: str, labels: Sequence[int]) -> WrittenInput:
        """Write ``<stem>-ct.nrrd`` and ``<stem>-segmentation.nrrd``.

        Args:
            folder: where they go; it need not be there.
            stem: what their names begin with.
            labels: what each structure is in the label map, 1 or more.

        Raises:
            InputError: a segment is empty, or lies under others with all its voxels.
            OSError: the folder cannot be written.
        """
        merged, overlaps = self.merged(labels)
        folder.mkdir(parents=True, exist_ok=True)
        image = None
        if self.image is not None:
            image = folder / f"{stem}-ct.nrrd"
            write_nrrd(image, self.image)
        segmentation = folder / f"{stem}-segmentation.nrrd"
        write_nrrd(segmentation, merged)
        return WrittenInput(image, segmentation, overlaps)


def read_scene_input(
    volume: slicer.vtkMRMLScalarVolumeNode | None,
    segmentation: slicer.vtkMRMLSegmentationNode,
    segment_ids: Sequence[str],
) -> SceneInput:
    """Look at what the user has chosen; nothing is copied, but for segments on a grid of their own.

    Args:
        volume: the CT; None for masks without a picture.
        segmentation: holds the segments.
        segment_ids: their ids there, not their names; where two overlap, the earlier one wins.

    Raises:
        InputError: one sentence on what cannot be used, and what to do.
    """
    for node, kind in ((volume, _("CT")), (segmentation, _("segmentation"))):
        if node is not None and node.GetParentTransformNode() is not None:
            raise InputError(
                _("The {kind} is moved by a transform: harden the transform (Data module) and try again.").format(
                    kind=kind
                )
            )
    segments = [segmentation.GetSegmentation().GetSegment(identifier) for identifier in segment_ids]
    if None in segments:
        missing = segment_ids[segments.index(None)]
        raise InputError(_("The segmentation has no segment {missing}: choose another.").format(missing=repr(missing)))
    names = [segment.GetName() for segment in segments]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(_("Two of the segments are named {twice}: rename one.").format(twice=twice))
    image = None if volume is None else volume_grid(volume)
    labelmaps = [labelmap_of(segmentation, segment) for segment in segments]
    grids = [labelmap_grid(labelmap) for labelmap in labelmaps]
    for number, (labelmap, grid) in enumerate(zip(labelmaps, grids, strict=True)):
        if voxels_between(grids[0], grid) is None:
            grids[number] = resampled(labelmap, labelmaps[0])
    return SceneInput(tuple(map(_structure, segments, grids)), image)


def plane_of(slice_node: slicer.vtkMRMLSliceNode) -> list[list[float]]:
    """The plane of a slice view, such as Red, as its SliceToRAS matrix: 4 rows of 4."""
    matrix: list[list[float]] = slicer.util.arrayFromVTKMatrix(slice_node.GetSliceToRAS()).tolist()
    return matrix


def _structure(segment: slicer.vtkSegment, grid: Grid) -> SceneStructure:
    color = "#" + "".join(f"{round(255 * part):02x}" for part in segment.GetColor())
    return SceneStructure(segment.GetName(), color, segment.GetTerminology() or "", grid, int(segment.GetLabelValue()))


def _merge(structures: Sequence[SceneStructure], values: Sequence[int]) -> tuple[Grid, dict[str, int]]:
    """One label map of all structures, and how many voxels of each fall to one above it."""
    first = structures[0].grid
    starts = np.array([voxels_between(first, one.grid) for one in structures])
    ends = starts + [one.grid.array.shape for one in structures]
    low = starts.min(axis=0)
    labels = np.zeros(ends.max(axis=0) - low, np.min_scalar_type(max(values)))
    overlaps = {}
    for label, structure, start in zip(values, structures, starts - low, strict=True):
        size = structure.grid.array.shape
        there = labels[tuple(slice(begin, begin + count) for begin, count in zip(start, size, strict=True))]
        found = covered = 0
        # Slice by slice, as above.
        for mine, taken in zip(structure.grid.array, there, strict=True):
            inside = mine == structure.label
            free = inside & (taken == 0)
            taken[free] = label
            found += np.count_nonzero(inside)
            covered += np.count_nonzero(inside) - np.count_nonzero(free)
        if not found:
            raise InputError(empty_sentence(structure.name))
        if covered == found:
            raise InputError(
                _("{structure} lies wholly under segments above it: move it up, or leave it out.").format(
                    structure=structure.name
                )
            )
        if covered:
            overlaps[structure.name] = int(covered)
    matrix = first.ijk_to_ras.copy()
    matrix[:3, 3] += matrix[:3, :3] @ low[::-1]
    return Grid(labels, matrix), overlaps
