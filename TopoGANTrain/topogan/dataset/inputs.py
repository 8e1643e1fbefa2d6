"""Open every input and check that headers, grids, phases and patients fit together, before any long work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from topogan.config import Center, PrepareSettings
from topogan.dataset.frame import Frame
from topogan.errors import InputError
from topogan.plane import Plane
from topogan.structures import StructureTable
from topogan.volumes import (
    Geometry,
    PngOptions,
    PngSlices,
    RegionChoice,
    SegmentationObject,
    StructureSet,
    VolumeSource,
    is_segmentation,
    is_structure_set,
    open_volume,
)


@dataclass(frozen=True)
class Case:
    """One segmentation with its image, if any; their paths are for messages only and never written.

    Attributes:
        table: which values of this segmentation are which structure.
        first_phase: how many phases the patient has in the files before this one.
    """

    segmentation: VolumeSource
    table: StructureTable
    image: VolumeSource | None
    patient: str
    frame: Frame
    first_phase: int = 0

    @property
    def extent(self) -> Geometry:
        """The grid that patches may show: the image's, or the segmentation's without one."""
        return (self.image or self.segmentation).geometry


def open_cases(
    segmentations: Sequence[Path],
    images: Sequence[Path] | None,
    settings: PrepareSettings,
    table: StructureTable,
    patients: Sequence[Hashable] | None,
    plane: Plane,
) -> list[Case]:
    """Read all headers.

    Args:
        segmentations: volumes of label values, or DICOM structure sets.
        images: their images in the same order, or nothing.
        settings: how they are read.
        table: the structures in them.
        patients: whom each volume belongs to (any names; they become pseudonyms); the volumes of one are its phases, in
            order. None: each volume its own patient.
        plane: ``"axial"``, a 4×4 SliceToRAS matrix, or one for each volume.

    Raises:
        InputError: the first thing that is wrong.
    """
    count = len(segmentations)
    if settings.volumes and settings.tiling:
        raise InputError("Tiles are patches of slices: leave the setting tiling out to learn volumes.")
    if settings.tiling and settings.center is Center.VOLUME:
        raise InputError("Tiles lie side by side, and around nothing: leave one of the settings tiling and center out.")
    if not count:
        raise InputError("No segmentation was given: a training set needs at least one.")
    if images and len(images) != count:
        raise InputError(
            f"There are {count} segmentations but {len(images)} images: give one image for each, in order."
        )
    if images and settings.window_low >= settings.window_high:
        raise InputError(
            f"The window from {settings.window_low:g} to {settings.window_high:g} is empty: "
            "window_low must be below window_high."
        )
    planes = plane_of_each(plane, count)
    pseudonyms = _pseudonyms(patients, count)
    _check_colors(settings, table)
    cases = []
    phases: Counter[str] = Counter()
    for row, path in enumerate(segmentations):
        image = open_volume(images[row], _png(settings)) if images else None
        segmentation, values = _open_segmentation(path, image, settings, table)
        if image:
            _check_fit(segmentation, image, settings.resample)
        reference = (image or segmentation).geometry
        frame = Frame.of(reference, planes[row], settings.slice_spacing)
        frame = frame.right_handed() if settings.volumes else frame
        patient = pseudonyms[row]
        cases.append(Case(segmentation, values, image, patient, frame, phases[patient]))
        phases[patient] += segmentation.phases
    return cases


def _png(settings: PrepareSettings, **of_masks: Any) -> PngOptions:
    return PngOptions(settings.png_pixel_size, settings.png_slice_spacing, **of_masks)


def _check_colors(settings: PrepareSettings, table: StructureTable) -> None:
    without = [one.name for one in table.structures if not one.png_colors]
    if settings.png_structure and (len(table) > 1 or not without):
        raise InputError("The setting png_structure is for a single structure: give each its colors, NAME=#ff0000.")
    if 0 < len(without) < len(table):
        raise InputError(
            f"The structure {without[0]} has no color, and others have: give each its colors, NAME=#ff0000."
        )


def _open_segmentation(
    path: Path, image: VolumeSource | None, settings: PrepareSettings, table: StructureTable
) -> tuple[VolumeSource, StructureTable]:
    """A segmentation, and which of its values are which structure."""
    inside = list(path.iterdir()) if path.is_dir() else []
    if len(inside) == 1 and is_segmentation(inside[0]):  # archives give each object a folder
        path = inside[0]
    kinds = ((StructureSet, is_structure_set), (SegmentationObject, is_segmentation))
    drawn = next((kind for kind, is_one in kinds if is_one(path)), None)
    if drawn:
        unnamed = PrepareSettings().structure
        choices = (
            RegionChoice(one.name if one.name != unnamed else "", one.labels, any_frame=settings.resample)
            for one in table.structures
        )
        return drawn.open(path, image, *choices), table.numbered
    colors = tuple(one.png_colors for one in table.structures)
    found = open_volume(path, _png(settings, structure=settings.png_structure, colors=colors if colors[0] else ()))
    if colors[0] and isinstance(found, PngSlices):
        return found, table.numbered
    without = [one.name for one in table.structures if not one.labels]
    if without:
        raise InputError(f"{path} holds label values, and {without[0]} has none: write --structure {without[0]}=1.")
    return found, table


def plane_of_each(plane: Plane, count: int) -> list[np.ndarray | None]:
    """The SliceToRAS matrix of each of ``count`` volumes; None for axial.

    Raises:
        InputError: it is no plane, or a list of another length.
    """
    if isinstance(plane, str):
        if plane != "axial":
            raise InputError(f"The plane cannot be {plane!r}: give 'axial' or a 4x4 SliceToRAS matrix.")
        return [None] * count
    matrices: list[np.ndarray | None] = list(plane)
    if isinstance(plane, np.ndarray) and plane.ndim == 2:
        matrices = [plane] * count
    if len(matrices) != count:
        raise InputError(
            f"There are {len(matrices)} planes for {count} volumes: give one plane, or one for each volume."
        )
    return matrices


def _pseudonyms(patients: Sequence[Hashable] | None, count: int) -> list[str]:
    owners: list[Hashable] = list(range(count)) if patients is None else list(patients)
    if len(owners) != count:
        raise InputError(f"There are {len(owners)} patients for {count} volumes: name the patient of each volume.")
    numbers = {owner: number for number, owner in enumerate(dict.fromkeys(owners), start=1)}
    return [f"patient_{numbers[owner]:03d}" for owner in owners]


def _check_fit(segmentation: VolumeSource, image: VolumeSource, resample: bool) -> None:
    if segmentation.phases != image.phases:
        noun = "phase" if segmentation.phases == 1 else "phases"
        raise InputError(
            f"{segmentation.path} has {segmentation.phases} {noun} and {image.path} has {image.phases}: "
            "give both with the same phases."
        )
    if not resample and not segmentation.geometry.is_same_grid(image.geometry):
        raise InputError(
            f"{segmentation.path} ({_grid(segmentation)}) does not lie on the grid of {image.path} ({_grid(image)}): "
            "choose 'resample', if both show the same patient in the same position."
        )


def _grid(source: VolumeSource) -> str:
    size = " x ".join(str(count) for count in source.geometry.size)
    spacing = " x ".join(f"{value:.4g}" for value in source.geometry.spacing)
    origin = ", ".join(f"{value:.1f}" for value in source.geometry.origin)
    return f"{size} voxels of {spacing} mm from ({origin})"
