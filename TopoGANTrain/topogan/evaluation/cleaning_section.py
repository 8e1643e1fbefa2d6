"""The Betti metrics raw and cleaned: specks of a few pixels must not decide what is said of a generator."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.report import Metric
from topogan.evaluation.sections import betti_metrics
from topogan.evaluation.sets import SliceSet, ThreeSets
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.homology import betti_numbers_of_batch, remove_small

CLEANED_PIXELS = 4


def cleaning_section(sets: ThreeSets, samples: SyntheticSet, expected: tuple[int, int]) -> list[Metric]:
    """The Betti metrics once more: cleaned where the samples are raw, as generated where they were cleaned.

    Cleaning removes pieces and fills holes of fewer than 4 pixels, in samples and real slices alike.
    """
    if samples.raw_betti is not None:
        note = f"as generated; the other figures are of samples cleaned below {samples.cleaned_below} pixels"
        raw = SliceSet(sets.samples.masks, samples.raw_betti, None)
        return betti_metrics(sets.with_slices(raw, sets.training, sets.test), expected, " (before cleaning)", note)
    note = f"pieces and holes below {CLEANED_PIXELS} pixels removed, in real slices too"
    return betti_metrics(cleaned_sets(sets), expected, " (cleaned)", note)


def cleaned_sets(sets: ThreeSets) -> ThreeSets:
    """The Betti numbers of all slices without their specks; the masks themselves stay as they are."""
    return sets.with_slices(*(_cleaned(found) for found in (sets.samples, sets.training, sets.test)))


def _cleaned(found: SliceSet) -> SliceSet:
    # One mask at a time, so that no second stack is held.
    betti: list[NDArray[np.int64]] = [
        betti_numbers_of_batch(remove_small(mask, CLEANED_PIXELS)[None])[0] for mask in found.masks
    ]
    return SliceSet(found.masks, np.stack(betti), None)
