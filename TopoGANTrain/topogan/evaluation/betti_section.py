"""The metrics on Betti numbers, raw and cleaned: specks of a few pixels must not decide what is said of a generator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.report import Metric
from topogan.evaluation.sets import SliceSet, ThreeSets, distance_metric
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.evaluation.terms import Terms
from topogan.homology import betti_numbers_of_batch, remove_small
from topogan.metrics.topology import betti_error, betti_score, valid_share
from topogan.verdict import topology_in_words


def topology_section(sets: ThreeSets, modal: tuple[int, ...], requested: tuple[int, ...] | None) -> list[Metric]:
    """Betti numbers: shares, error and score."""
    metrics = betti_metrics(sets, modal)
    if requested is not None and requested != modal:
        metrics.insert(1, _valid(sets, requested, "Valid (requested topology)", ""))
    return metrics


def betti_metrics(sets: ThreeSets, modal: tuple[int, ...], suffix: str = "", note: str = "") -> list[Metric]:
    """Share of valid samples, Betti error, Betti score per dimension.

    Args:
        sets: what to compare.
        modal: Betti numbers of a valid sample.
        suffix: of the metrics' names.
        note: of the first of them; it holds for all.
    """

    def score(dimension: int) -> Metric:
        def function(found: SliceSet, other: SliceSet) -> float:
            return betti_score(found.betti, other.betti, dimension)

        return distance_metric(sets, function, "topology", f"Betti score{suffix}", "", dimension)

    return [
        _valid(sets, modal, f"Valid{suffix}", note),
        distance_metric(sets, lambda a, b: betti_error(a.betti, b.betti), "topology", f"Betti error{suffix}", ""),
        *(score(dimension) for dimension in range(len(modal))),
    ]


def _valid(sets: ThreeSets, wanted: tuple[int, ...], name: str, note: str) -> Metric:
    value, real, training = (valid_share(found.betti, wanted) for found in (sets.samples, sets.test, sets.training))
    what = f"{topology_in_words(wanted)}{'; ' if note else ''}{note}"
    return Metric("topology", name, value, real, "%", "equal to real", training=training, note=what)


def cleaning_section(sets: ThreeSets, samples: SyntheticSet, expected: tuple[int, ...]) -> list[Metric]:
    """The Betti metrics once more: cleaned where the samples are raw, as generated where they were cleaned.

    Cleaning removes components and fills holes of fewer than 4 pixels, in volumes cavities of fewer than 8 voxels; in
    samples and real ones alike.
    """
    terms = sets.terms
    if samples.raw_betti is not None:
        note = f"as generated; the other figures are of samples cleaned below {samples.cleaned_below} {terms.pixels}"
        raw = SliceSet(sets.samples.masks, samples.raw_betti[:, 0], None)
        return betti_metrics(sets.with_slices(raw, sets.training, sets.test), expected, " (before cleaning)", note)
    return betti_metrics(cleaned_sets(sets), expected, " (cleaned)", cleaned_note(terms))


def cleaned_note(terms: Terms) -> str:
    """What was done for the cleaned figures."""
    return f"{terms.specks} below {terms.speck} {terms.pixels} removed, in real {terms.samples} too"


def cleaned_sets(sets: ThreeSets) -> ThreeSets:
    """The Betti numbers of all samples without their specks; the masks themselves stay as they are."""
    speck = sets.terms.speck
    return sets.with_slices(*(_cleaned(found, speck) for found in (sets.samples, sets.training, sets.test)))


def _cleaned(found: SliceSet, speck: int) -> SliceSet:
    # One mask at a time, so that no second stack is held.
    betti: list[NDArray[np.int64]] = [
        betti_numbers_of_batch(remove_small(mask, speck)[None])[0] for mask in found.masks
    ]
    return SliceSet(found.masks, np.stack(betti), None)
