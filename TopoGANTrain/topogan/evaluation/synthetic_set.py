"""Read a synthesis folder for evaluation."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError
from topogan.files import read_json
from topogan.synthesis.reading import read_stack
from topogan_contract import schemas
from topogan_contract.synthesis import MASKS_FILE, REPORT_FILE, SAMPLES_FILE, TEXTURES_FILE


@dataclass(frozen=True)
class SyntheticSet:
    """Synthetic masks and textures with where they came from."""

    masks: NDArray[np.bool_]
    """bool [N, H, W]."""
    textures: NDArray[np.int16] | None
    """int16 [N, H, W], HU for CT; None where the model paints none."""
    seeds: list[str]
    """Seed of each sample, as written in samples.csv."""
    pixel_size: float
    """mm."""
    requested: tuple[int, ...] | None
    """The Betti numbers that were asked for; None where any was taken."""
    accepted_percent: float
    """How many of the tries had it, in %; 100 where any was taken."""
    cleaned_below: int
    """Components and holes of fewer pixels were removed from the samples; 0: none."""
    raw_betti: NDArray[np.int64] | None
    """int [N, dimensions], in no order: Betti numbers before cleaning; None where nothing was cleaned."""
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
        stack = read_stack(folder / MASKS_FILE)
        masks = stack.array
        textures = None
        if (folder / TEXTURES_FILE).exists():
            textures = read_stack(folder / TEXTURES_FILE).array
            if textures.shape != masks.shape:
                raise InputError(f"{folder} holds {len(masks)} masks and {len(textures)} textures: synthesize again.")
            textures = textures.astype(np.int16, copy=False)
        rows = _read_rows(folder / SAMPLES_FILE)
        if len(rows) != len(masks):
            raise InputError(f"{folder} holds {len(masks)} masks but lists {len(rows)} samples: synthesize again.")
        try:
            seeds, described = [row["seed"] for row in rows], _described(report, masks)
            return cls(masks != 0, textures, seeds, stack.spacing[0], **described)
        except (AttributeError, LookupError, OverflowError, TypeError, ValueError) as error:
            what = f"it lacks {error}" if isinstance(error, KeyError) else shorten(str(error), 100)
            raise InputError(f"{folder} does not say what it must ({what}): synthesize again.") from error


def _described(report: dict[str, Any], masks: NDArray[np.generic]) -> dict[str, Any]:
    """What report.json says of the samples, as fields of :class:`SyntheticSet`."""
    asked = report["requested_betti"]
    cleaned_below = int(report["settings"]["clean"])
    counts = {key: int(number) for key, number in report["betti_histogram_before_cleaning"].items()}
    # An endless histogram would fill the memory below.
    if (cleaned_below > 1 and sum(counts.values()) != len(masks)) or not 0 <= float(report["accepted_percent"]) <= 100:
        raise ValueError("numbers that contradict each other")
    raw = [_betti(key.split(","), masks.ndim - 1) for key in counts]
    return {
        "requested": None if asked is None else _betti(asked, masks.ndim - 1),
        "accepted_percent": float(report["accepted_percent"]),
        "cleaned_below": cleaned_below,
        "raw_betti": np.repeat(np.array(raw), list(counts.values()), axis=0) if cleaned_below > 1 else None,
        "model_hash": str(report["model"]["content_hash"]),
        "training_set_hash": str(report["model"]["training_set"]),
    }


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
