"""The files of a synthesis folder."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topogan import __version__
from topogan.config import SynthesisSettings
from topogan.files import write_json
from topogan.homology import Diagram, save_diagrams
from topogan.metrics.shape import areas, volumes
from topogan.metrics.topology import betti_histogram
from topogan.model.asking import SamplingRequest
from topogan.structures import Region, StructureTable
from topogan.synthesis.judging import Judged, summary
from topogan.synthesis.real_bars import real_bars
from topogan_contract import real_bars as contract
from topogan_contract import schemas
from topogan_contract.stacks import Segment, stack_header
from topogan_contract.synthesis import (
    DIAGRAMS_FILE,
    MASKS_FILE,
    REPORT_FILE,
    SAMPLES_FILE,
    SIZE_NAMES,
    TEXTURES_FILE,
    mask_file,
    real_column,
    region_columns,
    size_column,
    texture_file,
)

_NATURE = {
    2: "A stack of independent samples, one in each slice. It is not a volume: neighboring slices are unrelated.",
    3: "A synthetic volume. It is of no patient, and unrelated to the other volumes of its folder.",
}


def write_samples(folder: Path, judged: Judged) -> None:
    """Write the stacks (of volumes a mask and a texture each), the diagrams and the table."""
    samples, metadata = judged.samples, judged.metadata
    segments = segments_of(metadata.table)
    write_pictures(folder, samples.labels, samples.textures, metadata.pixel_size_mm, _NATURE[metadata.axes], segments)
    save_diagrams(folder / DIAGRAMS_FILE, samples.diagrams)
    _write_table(folder / SAMPLES_FILE, judged)


def segments_of(table: StructureTable) -> list[Segment]:
    """What the label ids of a table mean, for the masks' files."""
    return [
        Segment(structure.name, label, structure.color, structure.terminology)
        for label, structure in enumerate(table.structures, start=1)
    ]


def write_pictures(
    folder: Path,
    labels: NDArray[np.uint8],
    textures: NDArray[np.int16] | None,
    pixel_size: float,
    nature: str,
    segments: Sequence[Segment],
) -> None:
    """Write masks and textures as a synthesis holds them: a stack of each, of volumes a file of each volume.

    Args:
        folder: where they go.
        labels: label ids, uint8 [N, H, W] or [N, D, H, W].
        textures: int16 of the same shape; None where there are none.
        pixel_size: mm.
        nature: what they are, one line of the files' headers.
        segments: what the labels mean.
    """
    for name, array in _stacks(labels, textures):
        path, of_labels = folder / name, array.dtype == np.uint8
        path.parent.mkdir(exist_ok=True)
        _write_stack(path, array, pixel_size, nature, segments if of_labels else ())


def _stacks(labels: NDArray[np.uint8], textures: NDArray[np.int16] | None) -> Iterator[tuple[str, NDArray[Any]]]:
    """The name of each file of pictures and what it holds: all slices, or one volume."""
    if labels.ndim == 3:
        yield MASKS_FILE, labels
        if textures is not None:
            yield TEXTURES_FILE, textures
        return
    for number, mask in enumerate(labels):
        yield mask_file(number), mask
        if textures is not None:
            yield texture_file(number), textures[number]


def _write_stack(path: Path, stack: NDArray[Any], pixel_size: float, content: str, segments: Iterable[Segment]) -> None:
    """Write [sample, row, column] with square pixels; slices lie one pixel size apart so that viewers can scroll.

    Or a volume [slice, row, column].
    """
    array = np.ascontiguousarray(stack, stack.dtype.newbyteorder("<"))
    with path.open("wb") as file:
        file.write(stack_header(array.dtype.str, array.shape[::-1], pixel_size, content, segments))
        with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
            packed.write(array.data)


def _write_table(path: Path, judged: Judged) -> None:
    samples, metadata, nearest = judged.samples, judged.metadata, judged.nearest
    levels = [""] * len(samples) if samples.levels is None else [f"{level:.6f}" for level in samples.levels]
    columns: dict[str, list[Any]] = {
        "sample": list(range(len(samples))),
        "seed": samples.seeds.tolist(),
        "level": levels,
    }
    for number, region in enumerate(metadata.regions):
        *betti, verdict = region_columns(region.name, metadata.axes)
        columns |= zip(betti, samples.betti[:, number].T.tolist(), strict=True)
        columns[verdict] = [row[number] for row in judged.verdicts]
    for region in metadata.regions[: metadata.table.counted]:
        sizes = _sizes(judged, region)
        columns[size_column(region.name, metadata.axes)] = [f"{size:.6g}" for size in sizes]
    for number, region in enumerate(metadata.regions if metadata.topologies else ()):
        columns[real_column(region.name)] = [f"{100 * share:.4g}" for share in judged.real_shares(number)]
    if nearest is not None:
        columns["nearest_training_row"] = nearest.row.tolist()
        columns["dice_to_training"] = [f"{dice:.6f}" for dice in nearest.dice]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def write_report(
    folder: Path, judged: Judged, settings: SynthesisSettings, request: SamplingRequest, reference: Sequence[Diagram]
) -> None:
    """Write ``report.json``: what was asked, what came out, and of which model."""
    samples, metadata, nearest = judged.samples, judged.metadata, judged.nearest
    levels = samples.levels
    content: dict[str, Any] = {
        "topogan": __version__,
        "nature": _NATURE[metadata.axes],
        "summary": summary(judged),
        "structure": metadata.table.title,
        "table": metadata.table.model_dump(mode="json"),
        "count": len(samples),
        "size": metadata.size,
        "pixel_size_mm": metadata.pixel_size_mm,
        "intensity": metadata.intensity if samples.textures is not None else "none",
        "window": metadata.window if samples.textures is not None else None,
        "settings": settings.model_dump(mode="json"),
        "requested_betti": request.betti,
        "levels": None if levels is None else {"lowest": float(levels.min()), "highest": float(levels.max())},
        "tries": samples.tries,
        "accepted_percent": 100.0 * (len(samples) + (samples.copies or 0)) / samples.tries,
        "valid_percent": judged.valid_percent,
        "regions": _regions(judged, reference),
        "model": {
            "content_hash": metadata.content_hash,
            "training_set": metadata.training_set.content_hash,
            "independent": metadata.training_set.independent,
            "betti": metadata.betti.model_dump(mode="json"),
        },
    }
    if metadata.axes == 3:
        content["axes"] = 3
    else:
        content["center"] = metadata.center.value
    if metadata.privacy:
        content["privacy"] = metadata.privacy
    if samples.copies is not None:
        content["copies_left_out"] = samples.copies
    if judged.bar is not None:
        content["copies_bar"] = asdict(judged.bar)
    if nearest is not None:
        content["dice_to_training"] = {
            "training_set": nearest.training_set,
            "mean": float(nearest.dice.mean()),
            "largest": float(nearest.dice.max()),
        }
    write_json(folder / REPORT_FILE, content, schemas.SYNTHESIS)


def _regions(judged: Judged, reference: Sequence[Diagram]) -> list[dict[str, Any]]:
    metadata = judged.metadata
    real = real_bars(reference, len(metadata.regions), metadata.axes, metadata.pixel_size_mm)
    written = (None if one is None else contract.to_json(one) for one in real)
    return [{**_region(judged, number), "real": one} for number, one in enumerate(written)]


def _region(judged: Judged, number: int) -> dict[str, Any]:
    samples, region = judged.samples, judged.metadata.regions[number]
    sizes = _sizes(judged, region)
    return {
        "name": region.name,
        "valid_percent": 100.0 * float(judged.valid[:, number].mean()),
        "expected_betti": judged.expectation.asked[number],
        "betti_histogram": _counts(samples.betti[:, number]),
        "betti_histogram_before_cleaning": _counts(samples.raw_betti[:, number]),
        SIZE_NAMES[judged.metadata.axes]: {
            "mean": float(sizes.mean()),
            "smallest": float(sizes.min()),
            "largest": float(sizes.max()),
        },
    }


def _sizes(judged: Judged, region: Region) -> NDArray[np.float64]:
    """Areas in mm², of volumes their volumes in ml: float [n]."""
    measure = areas if judged.metadata.axes == 2 else volumes
    return measure(region.of(judged.samples.labels), judged.metadata.pixel_size_mm)


def _counts(betti: NDArray[np.int64]) -> dict[str, int]:
    return {",".join(map(str, one)): round(share * len(betti)) for one, share in betti_histogram(betti).items()}
