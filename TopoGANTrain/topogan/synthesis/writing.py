"""The files of a synthesis folder."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topogan import __version__
from topogan.config import SynthesisSettings
from topogan.files import write_json
from topogan.homology import save_diagrams
from topogan.metrics.shape import areas
from topogan.metrics.topology import betti_histogram
from topogan.model import Model, Samples
from topogan.model.metadata import Metadata
from topogan.model.sampling import SamplingRequest
from topogan.verdict import VALID, verdict
from topogan_contract import schemas
from topogan_contract.synthesis import (
    DIAGRAMS_FILE,
    MASKS_FILE,
    REPORT_FILE,
    SAMPLES_FILE,
    TEXTURES_FILE,
    stack_header,
)

_NATURE = "A stack of independent samples, one in each slice. It is not a volume: neighboring slices are unrelated."


@dataclass(frozen=True)
class Nearest:
    """The most similar training mask of each of n samples."""

    row: NDArray[np.int64]
    """int [n]: its row in the training set."""
    dice: NDArray[np.float64]
    """float [n]: 0 to 1; 1 is a copy."""
    training_set: str
    """Content hash of that training set."""


def expected_betti(request: SamplingRequest, model: Model) -> tuple[int, int]:
    """The (b0, b1) that verdicts are about: the one asked for, or the most frequent one of the real masks."""
    asked = request.betti[0] if isinstance(request.betti, tuple) else None
    return asked or model.metadata.betti.modal[0]


def write_samples(
    folder: Path,
    samples: Samples,
    metadata: Metadata,
    expected: tuple[int, int],
    nearest: Nearest | None,
) -> None:
    """Write the stacks, the diagrams and the table."""
    _write_stack(folder / MASKS_FILE, samples.labels, metadata.pixel_size_mm)
    if samples.textures is not None:
        _write_stack(folder / TEXTURES_FILE, samples.textures, metadata.pixel_size_mm)
    save_diagrams(folder / DIAGRAMS_FILE, samples.diagrams[:: len(metadata.regions)])
    _write_table(folder / SAMPLES_FILE, samples, metadata.pixel_size_mm, expected, nearest)


def _write_stack(path: Path, stack: NDArray[Any], pixel_size: float) -> None:
    """Write [sample, row, column] with square pixels; slices lie one pixel size apart so that viewers can scroll."""
    array = np.ascontiguousarray(stack, stack.dtype.newbyteorder("<"))
    with path.open("wb") as file:
        file.write(stack_header(array.dtype.str, array.shape[::-1], pixel_size, _NATURE))
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
            packed.write(array.data)


def _write_table(
    path: Path, samples: Samples, pixel_size: float, expected: tuple[int, int], nearest: Nearest | None
) -> None:
    columns: dict[str, list[Any]] = {
        "sample": list(range(len(samples))),
        "seed": samples.seeds.tolist(),
        "b0": samples.betti[:, 0, 0].tolist(),
        "b1": samples.betti[:, 0, 1].tolist(),
        "verdict": [verdict((b0, b1), expected) for b0, b1 in samples.betti[:, 0].tolist()],
        "area_mm2": [f"{area:.6g}" for area in areas(samples.labels == 1, pixel_size)],
    }
    if nearest is not None:
        columns["nearest_training_row"] = nearest.row.tolist()
        columns["dice_to_training"] = [f"{dice:.6f}" for dice in nearest.dice]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def write_report(
    folder: Path,
    samples: Samples,
    metadata: Metadata,
    settings: SynthesisSettings,
    request: SamplingRequest,
    expected: tuple[int, int],
    nearest: Nearest | None,
) -> None:
    """Write ``report.json``: what was asked, what came out, and of which model."""
    valid = [verdict((b0, b1), expected) == VALID for b0, b1 in samples.betti[:, 0].tolist()]
    area = areas(samples.labels == 1, metadata.pixel_size_mm)
    content: dict[str, Any] = {
        "topogan": __version__,
        "nature": _NATURE,
        "structure": metadata.structure,
        "count": len(samples),
        "size": metadata.size,
        "pixel_size_mm": metadata.pixel_size_mm,
        "intensity": metadata.intensity if samples.textures is not None else "none",
        "window": metadata.window if samples.textures is not None else None,
        "settings": settings.model_dump(mode="json"),
        "requested_betti": expected if isinstance(request.betti, tuple) else None,
        "expected_betti": expected,
        "tries": samples.tries,
        "accepted_percent": 100.0 * len(samples) / samples.tries,
        "valid_percent": 100.0 * float(np.mean(valid)),
        "betti_histogram": _counts(samples.betti[:, 0]),
        "betti_histogram_before_cleaning": _counts(samples.raw_betti[:, 0]),
        "area_mm2": {"mean": float(area.mean()), "smallest": float(area.min()), "largest": float(area.max())},
        "model": {
            "content_hash": metadata.content_hash,
            "training_set": metadata.training_set.content_hash,
            "independent": metadata.training_set.independent,
            "betti": metadata.betti.model_dump(mode="json"),
        },
    }
    if nearest is not None:
        content["dice_to_training"] = {
            "training_set": nearest.training_set,
            "mean": float(nearest.dice.mean()),
            "largest": float(nearest.dice.max()),
        }
    write_json(folder / REPORT_FILE, content, schemas.SYNTHESIS)


def _counts(betti: NDArray[np.int64]) -> dict[str, int]:
    return {f"{b0},{b1}": round(share * len(betti)) for (b0, b1), share in betti_histogram(betti).items()}
