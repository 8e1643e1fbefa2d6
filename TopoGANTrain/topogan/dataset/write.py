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
from topogan.dataset.store import GrowingArray, write_table
from topogan.files import content_hash, write_json
from topogan.homology import (
    Diagram,
    betti_numbers_of_batch,
    cubical_persistence_of_batch,
    distance_filtration,
    save_diagrams,
)
from topogan.training_set import PARTS, SCHEMA, TRAIN, VALIDATION, missing_parts


class SliceRow(NamedTuple):
    """A line of ``slices.csv``; the field names are its columns."""

    row: int
    patient: str
    phase: int
    level: float
    split: str
    area_mm2: float
    b0: int
    b1: int


class TrainingSetWriter:
    """Writes arrays as they come, and the rest at the end; use it as a context manager, then describe.

    Attributes:
        rows: what has been written so far.
    """

    def __init__(self, folder: Path, settings: PrepareSettings, patches: Patches, with_images: bool) -> None:
        self._folder, self._settings, self._patches, self._with_images = folder, settings, patches, with_images
        self._volumes: list[dict[str, Any]] = []
        self._diagrams: list[Diagram] = []
        self._files = ExitStack()
        self.rows: list[SliceRow] = []

    def __enter__(self) -> TrainingSetWriter:
        kinds = {"masks.npy": np.uint8, **({"images.npy": np.int16} if self._with_images else {})}
        self._arrays = {
            name: self._files.enter_context(GrowingArray(self._folder / name, self._patches.size, kind))
            for name, kind in kinds.items()
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._files.__exit__(kind, error, trace)
        if kind is None:
            save_diagrams(self._folder / "diagrams.npz", self._diagrams)
            self._table_hash = write_table(self._folder / "slices.csv", SliceRow._fields, self.rows)

    def add_chunk(self, chunk: PatchChunk, patient: str, splits: Sequence[str]) -> None:
        """Add the patches of a phase with their diagrams and numbers; ``splits`` has an entry for each."""
        self._arrays["masks.npy"].append(chunk.masks)
        if chunk.images is not None:
            self._arrays["images.npy"].append(chunk.images)
        filtrations = np.stack([distance_filtration(mask) for mask in chunk.masks])
        self._diagrams += cubical_persistence_of_batch(filtrations, (0, 1))
        areas = chunk.masks.sum(axis=(1, 2)) * self._patches.pixel_size**2
        numbers = betti_numbers_of_batch(chunk.masks)
        for plan, split, area, betti in zip(chunk.plans, splits, areas, numbers, strict=True):
            self.rows.append(
                SliceRow(
                    row=len(self.rows),
                    patient=patient,
                    phase=plan.phase,
                    level=round(plan.level, 4),
                    split=split,
                    area_mm2=round(float(area), 2),
                    b0=int(betti[0]),
                    b1=int(betti[1]),
                )
            )

    def add_volume(self, patient: str, digest: str) -> None:
        """Note that a volume has been read: pseudonym and SHA-256 of its voxels, no name."""
        self._volumes.append({"row": len(self._volumes), "patient": patient, "content_hash": digest})

    def describe(self, plane: str, independent: bool) -> None:
        """Write ``dataset.json``; ``plane`` is "axial" or "given"."""
        settings, counts = self._settings, self._counts()
        hashes = {name: array.content_hash for name, array in self._arrays.items()}
        content = {
            "structure": settings.structure,
            "labels": list(settings.labels),
            "intensity": settings.intensity.value if self._with_images else "none",
            "pixel_size_mm": self._patches.pixel_size,
            "size": settings.size,
            "window": list(window_of(settings)) if self._with_images else None,
            "plane": plane,
            "independent": independent,
            "counts": counts,
            "missing_parts": missing_parts(counts[VALIDATION], independent),
            "betti": self._betti(),
            "content_hash": content_hash({**hashes, "slices.csv": self._table_hash}),
            "settings": settings.model_dump(mode="json"),
            "volumes": self._volumes,
        }
        write_json(self._folder / "dataset.json", content, SCHEMA)

    def _counts(self) -> dict[str, int]:
        splits = Counter(row.split for row in self.rows)
        patients = len({row.patient for row in self.rows})
        return {"total": len(self.rows), **{part: splits[part] for part in PARTS}, "patients": patients}

    def _betti(self) -> dict[str, Any]:
        counted = {part: Counter((row.b0, row.b1) for row in self.rows if row.split == part) for part in PARTS}
        histograms = {
            part: {f"{b0},{b1}": count for (b0, b1), count in counter.most_common()}
            for part, counter in counted.items()
        }
        return {**histograms, "modal": list(counted[TRAIN].most_common(1)[0][0])}
