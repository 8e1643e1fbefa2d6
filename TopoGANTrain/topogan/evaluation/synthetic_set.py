"""Read a synthesis folder for evaluation."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from topogan.config import Center
from topogan.errors import InputError
from topogan.files import read_json
from topogan.possible_copies import copies_of_report
from topogan.stored_samples import read_masks, read_textures
from topogan.structures import Structure, StructureTable
from topogan_contract import schemas
from topogan_contract.synthesis import REPORT_FILE, SAMPLES_FILE


@dataclass(frozen=True)
class SyntheticSet:
    """Synthetic label maps, in which context is background, and textures with where they came from."""

    labels: NDArray[np.uint8]
    """Label ids, uint8 [N, H, W] or [N, D, H, W]."""
    table: StructureTable
    """What the labels are."""
    textures: NDArray[np.int16] | None
    """int16 of the same shape, HU for CT; None where the model paints none."""
    seeds: list[str]
    """Seed of each sample, as written in samples.csv."""
    levels: NDArray[np.float64] | None
    """The slice level of each sample, 0 to 1, float [N]; None where the model knows none, as of volumes."""
    pixel_size: float
    """mm."""
    intensity: str | None
    """``"HU"`` or ``"arbitrary"``, ``"none"`` without textures; None where the folder does not say."""
    center: Center
    """What slices lie around, their own structures or those of all slices alike."""
    requested: tuple[tuple[int, ...] | None, ...] | Literal["real"] | None
    """The Betti numbers that were asked for of each region, or those that real slices show; None: any was taken."""
    accepted_percent: float
    """How many of the tries had it, in %; 100 where any was taken."""
    cleaned_below: int
    """Components and holes of fewer pixels were removed from the samples; 0: none."""
    raw_betti: NDArray[np.int64] | None
    """int [N, R, dimensions], each region in no order: Betti numbers before cleaning; None where nothing was."""
    copies_left_out: int | None
    """Possible copies of training samples that were not taken; None where nobody looked."""
    copies_said: str
    """The same in words; empty where nobody looked."""
    model_hash: str
    """Content hash of the model that made the samples."""
    training_set_hash: str
    """Content hash of the training set of that model."""

    @classmethod
    def open(cls, folder: Path) -> SyntheticSet:
        """Read the folder.

        Raises:
            InputError: a file is missing, damaged, or does not fit the others.
        """
        report = read_json(folder / REPORT_FILE, schemas.SYNTHESIS, schemas.SYNTHESIS_OF_ONE)
        stored, painted = read_masks(folder, report), read_textures(folder, report)
        masks, textures = stored.array, None
        if painted is not None:
            textures = painted.array.astype(np.int16, copy=False)
            if textures.shape != masks.shape:
                raise InputError(f"{folder} holds {len(masks)} masks and {len(textures)} textures: synthesize again.")
        rows = _read_rows(folder / SAMPLES_FILE)
        if len(rows) != len(masks):
            raise InputError(f"{folder} holds {len(masks)} masks but lists {len(rows)} samples: synthesize again.")
        try:
            table, described = _table(report), _described(report, masks)
            labels = table.without_context_in(_labels(report, masks))
            seeds, levels = [row["seed"] for row in rows], _levels(rows)
            return cls(labels, table.without_context, textures, seeds, levels, stored.geometry.spacing[0], **described)
        except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
            what = f"it lacks {error}" if isinstance(error, KeyError) else shorten(str(error), 100)
            raise InputError(f"{folder} does not say what it must ({what}): synthesize again.") from error

    @property
    def axes(self) -> int:
        """2 where the samples are slices, 3 where they are volumes."""
        return self.labels.ndim - 1


def _of_one(report: dict[str, Any]) -> bool:
    """Whether it is of the first schema."""
    return bool(report["schema"] == schemas.SYNTHESIS_OF_ONE)


def _table(report: dict[str, Any]) -> StructureTable:
    if _of_one(report):
        return StructureTable(structures=(Structure(name="structure"),))
    return StructureTable.model_validate(report["table"])


def _labels(report: dict[str, Any], masks: NDArray[Any]) -> NDArray[np.uint8]:
    if _of_one(report):
        return np.asarray(masks != 0, np.uint8)
    if masks.min() < 0 or masks.max() > len(_table(report)):
        raise ValueError("labels that the table lacks")
    return np.asarray(masks, np.uint8)


def _levels(rows: list[dict[str, str]]) -> NDArray[np.float64] | None:
    if not any(row.get("level") for row in rows):
        return None
    levels = np.array([float(row["level"]) for row in rows])
    if not ((levels >= 0) & (levels <= 1)).all():
        raise ValueError("levels beyond 0 to 1")
    return levels


def _described(report: dict[str, Any], masks: NDArray[np.generic]) -> dict[str, Any]:
    """What report.json says of the samples, as fields of :class:`SyntheticSet`."""
    cleaned_below = int(report["settings"]["clean"])
    regions = [report] if _of_one(report) else report["regions"]
    if not 0 <= float(report["accepted_percent"]) <= 100 or len(regions) != len(_table(report).regions):
        raise ValueError("numbers that contradict each other")
    raw = [_raw_betti(region, masks) for region in regions] if cleaned_below > 1 else None
    intensity = report.get("intensity")
    return {
        "intensity": None if intensity is None else shorten(str(intensity), 20),
        "center": Center(report.get("center", Center.SLICE)),
        "requested": _requested(report, masks.ndim - 1),
        "accepted_percent": float(report["accepted_percent"]),
        "cleaned_below": cleaned_below,
        "copies_left_out": None if report.get("copies_left_out") is None else int(report["copies_left_out"]),
        "copies_said": copies_of_report(report),
        "raw_betti": None if raw is None else np.stack(raw, axis=1),
        "model_hash": str(report["model"]["content_hash"]),
        "training_set_hash": str(report["model"]["training_set"]),
    }


def _requested(report: dict[str, Any], dimensions: int) -> tuple[tuple[int, ...] | None, ...] | Literal["real"] | None:
    asked = report["requested_betti"]
    if asked is None or asked == "real":
        return None if asked is None else "real"
    asked = [asked] if _of_one(report) else asked
    if len(asked) != len(_table(report).regions):
        raise ValueError("Betti numbers of other regions")
    # Regions of which real topologies were asked are judged as if nothing had been.
    return tuple(None if one in (None, "real") else _betti(one, dimensions) for one in asked)


def _raw_betti(region: dict[str, Any], masks: NDArray[np.generic]) -> NDArray[np.int64]:
    counts = {key: int(number) for key, number in region["betti_histogram_before_cleaning"].items()}
    # An endless histogram would fill the memory below.
    if sum(counts.values()) != len(masks) or min(counts.values()) < 0:
        raise ValueError("numbers that contradict each other")
    numbers = np.array([_betti(key.split(","), masks.ndim - 1) for key in counts])
    return np.repeat(numbers, list(counts.values()), axis=0)


def _betti(numbers: Iterable[Any], dimensions: int) -> tuple[int, ...]:
    found = tuple(int(number) for number in numbers)
    if len(found) != dimensions:
        raise ValueError(f"{len(found)} Betti numbers where masks have {dimensions}")
    return found


def _read_rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is missing or damaged: synthesize again.") from error
