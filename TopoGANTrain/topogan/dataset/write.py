"""Fill the folder of a training set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np

from topogan.config import PrepareSettings
from topogan.dataset.chunks import PatchChunk, window_of
from topogan.dataset.cut import Patches
from topogan.dataset.inputs import Case
from topogan.dataset.resampling import Resampling
from topogan.dataset.store import GrowingArray, write_table
from topogan.files import content_hash, write_json
from topogan.homology import (
    Diagram,
    betti_numbers_of_batch,
    cubical_persistence_of_batch,
    distance_filtration,
    save_diagrams,
)
from topogan.structures import StructureTable
from topogan.training_set import PARTS, SCHEMA, TABLE_FILES, TRAIN, VALIDATION, betti_columns, missing_parts


class SliceRow(NamedTuple):
    """A line of the table of samples; the field names are its columns, but for the last."""

    row: int
    patient: str
    phase: int
    level: float
    split: str
    area_mm2: float
    betti: tuple[tuple[int, ...], ...]
    """Of each region; a column for each dimension."""


class VolumeRow(NamedTuple):
    """The same of volumes."""

    row: int
    patient: str
    phase: int
    pose: int
    level: float
    split: str
    volume_ml: float
    betti: tuple[tuple[int, ...], ...]


class TrainingSetWriter:
    """Writes arrays as they come, and the rest at the end; use it as a context manager, then describe.

    Attributes:
        rows: what has been written so far.
        seen: label ids in each of them.
        resampling: of volumes, what it did to their topology.
    """

    def __init__(
        self,
        folder: Path,
        settings: PrepareSettings,
        table: StructureTable,
        patches: Patches,
        with_images: bool,
    ) -> None:
        self._folder, self._settings, self._table = folder, settings, table
        self._patches, self._with_images, self._axes = patches, with_images, patches.axes
        self._volumes: list[dict[str, Any]] = []
        self._diagrams: list[Diagram] = []
        self._files = ExitStack()
        self.resampling = Resampling(table)
        self.rows: list[SliceRow | VolumeRow] = []
        self.seen: list[frozenset[int]] = []

    def __enter__(self) -> TrainingSetWriter:
        kinds = {"masks.npy": np.uint8, **({"images.npy": np.int16} if self._with_images else {})}
        self._arrays = {
            name: self._files.enter_context(GrowingArray(self._folder / name, self._patches.shape, kind))
            for name, kind in kinds.items()
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.__exit__(kind, error, trace)
        if kind is None:
            save_diagrams(self._folder / "diagrams.npz", self._diagrams)
            columns = [
                *(SliceRow if self._axes == 2 else VolumeRow)._fields[:-1],
                *(name for pair in betti_columns(self._table, self._axes) for name in pair),
            ]
            lines = [(*row[:-1], *(number for pair in row.betti for number in pair)) for row in self.rows]
            self._table_hash = write_table(self._folder / TABLE_FILES[self._axes], columns, lines)

    def add_chunk(self, chunk: PatchChunk, case: Case, splits: Sequence[str]) -> None:
        """Add the patches of a phase of a case with their diagrams and numbers; ``splits`` has an entry for each."""
        self._arrays["masks.npy"].append(chunk.masks)
        if chunk.images is not None:
            self._arrays["images.npy"].append(chunk.images)
        # [n, regions, (D,) H, W], flat: diagrams lie mask by mask, region by region.
        regions = np.stack([region.of(chunk.masks) for region in self._table.regions], axis=1)
        flat = regions.reshape(-1, *regions.shape[2:])
        self._diagrams += cubical_persistence_of_batch(np.stack([distance_filtration(mask) for mask in flat]))
        numbers = betti_numbers_of_batch(flat).reshape(*regions.shape[:2], self._axes)
        if chunk.native is not None:
            self.resampling.add(chunk.native, numbers)
        counts = np.stack([np.bincount(mask.ravel(), minlength=len(self._table) + 1) for mask in chunk.masks])
        self.seen += [frozenset(np.flatnonzero(one).tolist()) for one in counts]
        pixels = counts[:, 1 : self._table.counted + 1].sum(axis=1)
        contents = (pixels * self._patches.pixel_size**self._axes).tolist()
        for plan, split, content, found in zip(chunk.plans, splits, contents, numbers.tolist(), strict=True):
            betti = tuple(tuple(one) for one in found)
            row, level, phase = len(self.rows), round(plan.level, 4), case.first_phase + plan.phase
            self.rows.append(
                SliceRow(row, case.patient, phase, level, split, round(content, 2), betti)
                if self._axes == 2
                else VolumeRow(
                    row, case.patient, phase, plan.pose.number, level, split, round(content / 1000, 4), betti
                )
            )

    def add_volume(self, patient: str, digest: str) -> None:
        """Note that a volume has been read: pseudonym and SHA-256 of its voxels, no name."""
        self._volumes.append({"row": len(self._volumes), "patient": patient, "content_hash": digest})

    def describe(self, plane: str, independent: bool, image_pixel_size: float) -> None:
        """Write ``dataset.json``; ``plane`` is "axial" or "given", ``image_pixel_size`` in mm."""
        settings, counts = self._settings, self._counts()
        hashes = {name: array.content_hash for name, array in self._arrays.items()}
        content = {
            "table": self._table.model_dump(mode="json"),
            "axes": self._axes,
            "intensity": settings.intensity.value if self._with_images else "none",
            "pixel_size_mm": self._patches.pixel_size,
            "image_pixel_size_mm": image_pixel_size,
            "size": settings.size,
            "window": list(window_of(settings)) if self._with_images else None,
            "plane": plane,
            "independent": independent,
            "counts": counts,
            "missing_parts": missing_parts(counts[VALIDATION], independent, self._axes),
            "betti": self._betti(),
            **({"changed_by_resampling": self.resampling.changed} if self._axes == 3 else {}),
            "content_hash": content_hash({**hashes, TABLE_FILES[self._axes]: self._table_hash}),
            "settings": settings.model_dump(mode="json", exclude={"structure", "labels"}),  # the table says more
            "volumes": self._volumes,
        }
        write_json(self._folder / "dataset.json", content, SCHEMA)

    def _counts(self) -> dict[str, int]:
        splits = Counter(row.split for row in self.rows)
        patients = len({row.patient for row in self.rows})
        return {"total": len(self.rows), **{part: splits[part] for part in PARTS}, "patients": patients}

    def _betti(self) -> dict[str, Any]:
        parts = {part: [row.betti for row in self.rows if row.split == part] for part in PARTS}
        histograms = {
            part: {
                region.name: {
                    ",".join(map(str, one)): count for one, count in Counter(row[number] for row in rows).most_common()
                }
                for number, region in enumerate(self._table.regions)
            }
            for part, rows in parts.items()
        }
        return {**histograms, "modal": Counter(parts[TRAIN]).most_common(1)[0][0]}
