"""The second pass: read each phase once more and cut its patches."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from topogan.config import Intensity, PrepareSettings
from topogan.dataset.context import find_context
from topogan.dataset.cut import ARBITRARY_WINDOW, OUTSIDE_HU, ArbitraryScale, Patches, to_hu
from topogan.dataset.inputs import Case
from topogan.dataset.native import Native
from topogan.dataset.plan import PatchPlan
from topogan.dataset.structure import label_map_of
from topogan.errors import InputError
from topogan.volumes import Volume

# Patches in memory at once, whatever the number of slices or tiles in a volume; of volumes as many as these voxels are.
_PATCHES_AT_ONCE = 128
_VOXELS_AT_ONCE = 1 << 21


@dataclass(frozen=True)
class PatchChunk:
    """Some patches of one phase.

    Attributes:
        plans: where each was cut.
        masks: uint8 label ids [n, H, W] or [n, D, H, W]; none is empty.
        images: int16 of the same shape, or None.
        native: of volumes, what the segmentation is in its own voxels; else None.
    """

    plans: list[PatchPlan]
    masks: np.ndarray
    images: np.ndarray | None
    native: Native | None = None


class CaseReader:
    """Cuts the patches of a case, phase by phase, and hashes the voxels that it reads on the way.

    Attributes:
        content_hash: SHA-256 of the voxels, once :meth:`chunks` has ended.
    """

    def __init__(self, case: Case, settings: PrepareSettings, patches: Patches) -> None:
        self._case, self._settings, self._patches = case, settings, patches
        self._digest = hashlib.sha256()
        self._scale: ArbitraryScale | None = None

    @property
    def content_hash(self) -> str:
        """In hexadecimal."""
        return self._digest.hexdigest()

    def chunks(self, plans: Sequence[PatchPlan]) -> Iterator[PatchChunk]:
        """Cut the planned patches; phases without any are read for the hash only.

        Raises:
            InputError: a file is cut off, or its values cannot be what they should be.
        """
        case, together = self._case, _PATCHES_AT_ONCE
        measured = np.zeros(case.table.counted, bool)
        if self._patches.axes == 3:
            together = min(together, max(1, _VOXELS_AT_ONCE // math.prod(self._patches.shape)))
        images = case.image.volumes() if case.image else None
        for phase, segmentation in enumerate(case.segmentation.volumes()):
            self._add_to_hash(segmentation)
            labels = label_map_of(segmentation, case.table, case.segmentation.path)
            del segmentation  # one volume at a time: the image comes now
            image = self._read_image(images, case.image.path, phase) if images and case.image else None
            planned = [plan for plan in plans if plan.phase == phase]
            native = None
            if self._patches.axes == 3 and planned:
                native = Native.of(labels, case.table, with_thickness=not measured.all())
                if native.thickness is not None:
                    measured |= np.isfinite(native.thickness)
            context = None
            if self._settings.context and image is not None and planned:
                context = find_context(image, labels, self._settings.context, self._patches.pixel_size)
            for start in range(0, len(planned), together):
                yield from self._cut(labels, image, context, planned[start : start + together], native)
            del labels, image, context  # before the next phase is read

    def _cut(
        self,
        labels: Volume,
        image: Volume | None,
        context: Volume | None,
        planned: list[PatchPlan],
        native: Native | None,
    ) -> Iterator[PatchChunk]:
        frame, table = self._case.frame, self._case.table
        masks = self._patches.labels_and_context(labels, frame, planned, table)
        # A structure thinner than a pixel can fall between the samples.
        seen = np.flatnonzero(table.without_context_in(masks).any(axis=tuple(range(1, masks.ndim))))
        if not len(seen):
            return
        planned, masks = [planned[number] for number in seen], masks[seen]
        if context is not None:
            found = self._patches.labels(context, frame, planned, len(self._settings.context))
            masks = np.where((masks == 0) & (found > 0), found + len(table), masks).astype(np.uint8)
        textures = None
        if image is not None:
            outside = self._scale.low if self._scale else OUTSIDE_HU
            cut = self._patches.intensities(image, frame, planned, outside)
            textures = self._scale.apply(cut) if self._scale else to_hu(cut)
        yield PatchChunk(planned, masks, textures, native)

    def _read_image(self, images: Iterator[Volume], path: Path, phase: int) -> Volume:
        volume = next(images)
        self._add_to_hash(volume)
        if phase == 0:
            self._check_values(volume, path)
        return volume

    def _add_to_hash(self, volume: Volume) -> None:
        self._digest.update(np.ascontiguousarray(volume.array).data)

    def _check_values(self, volume: Volume, path: Path) -> None:
        if self._settings.intensity is Intensity.ARBITRARY:
            self._scale = ArbitraryScale.of(volume.array)
            if self._scale is None:
                raise InputError(f"The image {path} has the same value nearly everywhere: it shows nothing.")
        elif volume.array.min() >= 0:
            # Fat and lung are below water wherever the body is seen; only other modalities have nothing there.
            raise InputError(
                f"{path} has no value below 0, so that it cannot be CT in HU: choose the intensity 'arbitrary'."
            )


def window_of(settings: PrepareSettings) -> tuple[float, float]:
    """Return the lowest and highest value that textures show."""
    if settings.intensity is Intensity.ARBITRARY:
        return ARBITRARY_WINDOW
    return settings.window_low, settings.window_high
