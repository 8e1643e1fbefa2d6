"""What a panel shows of an evaluation: the figures, what it draws, each sample's rank, and what is nearest to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.cases import ranks
from topogan.evaluation.meanings import meaning
from topogan.evaluation.report import Metric, label
from topogan.evaluation.sections import Comparison as Evaluation
from topogan.evaluation.sets import SliceSet
from topogan.evaluation.wording import Words, comparison
from topogan.files import staged_folder, write_json
from topogan.metrics.topology import betti_histogram
from topogan.structures import Region
from topogan.synthesis.writing import segments_of, write_pictures
from topogan_contract import schemas
from topogan_contract.comparison import (
    COMPARISON_FILE,
    MOST_TOPOLOGIES,
    NEAREST_FOLDER,
    QUANTILES,
    Comparison,
    MetricRow,
    RegionFigures,
    SampleRow,
    content_of,
)

_NATURE = "Masks and images of patients from the training set: for each sample the one that is nearest to it."


def write_comparison(folder: Path, found: Evaluation, metrics: list[Metric], words: Words, overwrite: bool) -> None:
    """Write the folder that :mod:`topogan_contract.comparison` describes.

    Args:
        folder: to write.
        found: what was compared.
        metrics: of all sections.
        words: what is said of it.
        overwrite: replace an older comparison at ``folder``.

    Raises:
        InputError: ``folder`` holds something else.
        DiskFull: no space is left.
    """
    with staged_folder(folder, overwrite, schemas.COMPARISON) as temporary:
        content = content_of(_comparison(found, metrics, words))
        write_json(temporary / COMPARISON_FILE, content, schemas.COMPARISON, indent=None)
        (temporary / NEAREST_FOLDER).mkdir()
        _write_nearest(temporary / NEAREST_FOLDER, found)


def _comparison(found: Evaluation, metrics: list[Metric], words: Words) -> Comparison:
    held_out = found.audit.reference_dice
    return Comparison(
        conclusion=words.conclusion,
        findings=tuple(words.findings),
        warnings=tuple(words.warnings),
        foreign=found.foreign,
        axes=found.real.axes,
        unit=found.sets.terms.unit,
        held_out_mean=float(held_out.mean()),
        held_out_deviation=float(held_out.std()),
        held_out_largest=found.audit.threshold,
        metrics=tuple(_metric(metric, found) for metric in metrics),
        regions=tuple(_region(found, number, region) for number, region in enumerate(found.real.regions)),
        samples=tuple(_samples(found)),
    )


def _metric(metric: Metric, found: Evaluation) -> MetricRow:
    name = label(metric).removeprefix(f"{metric.structure}: ") if metric.structure else label(metric)
    return MetricRow(
        name=name,
        structure=metric.structure,
        samples=metric.value,
        real=metric.real,
        unit=metric.unit,
        better=metric.better,
        beside=comparison(metric),
        meaning=meaning(metric, found.sets.terms),
    )


def _region(found: Evaluation, number: int, region: Region) -> RegionFigures:
    samples, real = (part.of(region, number) for part in (found.labels.samples, found.labels.test))
    shares = betti_histogram(samples.betti), betti_histogram(real.betti)
    # Real ones first, the most frequent before the others.
    every = list(dict.fromkeys((*shares[1], *shares[0])))[:MOST_TOPOLOGIES]
    return RegionFigures(
        name=region.name,
        color=found.real.table.structures[region.ids[0] - 1].color,
        topologies=tuple((",".join(map(str, one)), shares[0].get(one, 0.0), shares[1].get(one, 0.0)) for one in every),
        samples=_quantiles(found, samples),
        real=_quantiles(found, real),
    )


def _quantiles(found: Evaluation, part: SliceSet) -> tuple[float, ...]:
    """Sizes of those that show the structure; none where none does."""
    sizes = found.sets.terms.sizes(part.masks[part.betti[:, 0] > 0], found.real.pixel_size)
    return tuple(np.quantile(sizes, QUANTILES).tolist()) if len(sizes) else ()


def _samples(found: Evaluation) -> Iterator[SampleRow]:
    copies = set() if found.foreign else {*found.audit.all_copies.tolist(), *found.audit.texture_copies.tolist()}
    rows = found.test_rows[found.nearest_test.index]
    for case, rank in zip(found.cases, ranks(found.cases, found.wanted, copies), strict=True):
        yield SampleRow(
            rank=rank,
            verdict=case.verdict,
            copy=case.sample in copies,
            training_row=case.nearest_training_row,
            dice_to_training=min(1.0, case.dice_to_training),
            test_row=int(rows[case.sample]),
            dice_to_test=min(1.0, case.dice_to_real),
        )


def _write_nearest(folder: Path, found: Evaluation) -> None:
    real, rows = found.real, np.array([case.nearest_training_row for case in found.cases])
    labels: NDArray[np.uint8] = real.masks[rows]
    if not found.several:
        labels = (labels == 1).astype(np.uint8)
    images = None if real.images is None else real.images[rows]
    write_pictures(folder, labels, images, real.pixel_size, _NATURE, segments_of(real.table))
