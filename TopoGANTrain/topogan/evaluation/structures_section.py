"""The figures of label maps: all structures together, and each structure and union by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from topogan.evaluation.betti_section import cleaned_note
from topogan.evaluation.diagram_section import DrawnDiagrams, w1_metrics
from topogan.evaluation.report import Better, Metric
from topogan.evaluation.sets import SliceSet, ThreeSets, distance_metric, figure_metric
from topogan.evaluation.shape_section import size_names
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.homology import betti_numbers_of_batch, remove_small
from topogan.metrics.shape import best_matches, mean_pairwise_dice
from topogan.metrics.topology import betti_error, shown_by_real
from topogan.structures import Region
from topogan.verdict import RealTopologies

EVERY = "Every structure valid"
GROUP = "structures"

Regions = tuple[Region, ...]


def real_topologies(found: SliceSet) -> RealTopologies:
    """What real samples of each level show."""
    assert found.levels is not None
    return RealTopologies.of(found.levels.tolist(), found.betti.tolist())


def joint_section(sets: ThreeSets, regions: Regions, samples: SyntheticSet) -> list[Metric]:
    """All structures together: topology, raw and cleaned, and overlap of the label maps."""
    structures = sets.structures

    def nearest(found: SliceSet) -> float:
        return float(best_matches(found.masks, sets.test.masks, structures).dice.mean())

    note = f"best match among test {sets.terms.samples}, of {sets.terms.pixels} with the same label"
    return [
        every_structure(sets),
        *([every_structure(cleaned(sets, regions), " (cleaned)")] if samples.raw_betti is None else []),
        Metric("shape", "Dice to real", nearest(sets.synthetic), nearest(sets.training), "", "higher", note=note),
        figure_metric(
            sets, lambda found: mean_pairwise_dice(found.masks, structures), "shape", "Mean pairwise Dice", ""
        ),
    ]


def every_structure(sets: ThreeSets, suffix: str = "") -> Metric:
    """In how many samples every structure has a topology that test samples of its level show, in %."""
    valid = _valid(sets)
    share, real = (100.0 * float(found[:, : sets.structures].all(axis=1).mean()) for found in valid)
    what = f"each has {_shown(sets)}"
    if suffix:
        what += f"; {cleaned_note(sets.terms)}"
    return Metric("topology", f"{EVERY}{suffix}", share, real, "%", "equal to real", note=what)


def _shown(sets: ThreeSets) -> str:
    of_level = "" if sets.samples.levels is None else " of its level"
    return f"a topology that test {sets.terms.samples}{of_level} show"


def _valid(sets: ThreeSets) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each region of each sample and of each training slice is as in test slices of its level, bool [N, R]."""
    real = real_topologies(sets.test)
    known = sets.samples.levels is not None
    samples, training = (
        shown_by_real(found.betti, found.levels if known else None, real) for found in (sets.samples, sets.training)
    )
    return samples, training


def cleaned(sets: ThreeSets, regions: Regions) -> ThreeSets:
    """The Betti numbers of all samples without the specks of each region; the label maps stay as they are."""
    speck = sets.terms.speck

    def of(found: SliceSet) -> SliceSet:
        # One mask at a time, so that no second stack is held.
        betti = [
            [betti_numbers_of_batch(remove_small(region.of(labels), speck)[None])[0] for region in regions]
            for labels in found.masks
        ]
        return replace(found, betti=np.array(betti))

    return sets.with_slices(*(of(found) for found in (sets.samples, sets.training, sets.test)))


def structures_section(sets: ThreeSets, regions: Regions, samples: SyntheticSet) -> list[Metric]:
    """Each structure and union: topology, diagrams, size, overlap."""
    valid = _valid(sets)
    what = _shown(sets)
    metrics: list[Metric] = []
    for number, region in enumerate(regions):
        # One region's masks at a time are in memory.
        part = sets.of(region, number)
        share, real = (100.0 * float(found[:, number].mean()) for found in valid)
        found = [Metric(GROUP, "Valid", share, real, "%", "equal to real", note=what), _betti_error(part)]
        if samples.raw_betti is not None:
            raw = replace(part.samples, betti=samples.raw_betti[:, number], levels=None)
            pixels = f"{samples.cleaned_below} {sets.terms.pixels}"
            note = f"as generated; the other figures are of samples cleaned below {pixels}"
            before = _betti_error(part.with_slices(raw, part.training, part.test))
            found.append(replace(before, name=f"{before.name} (before cleaning)", note=note))
        found += [*w1_metrics(DrawnDiagrams(part), GROUP), *_shape(part)]
        metrics += [replace(metric, structure=region.name) for metric in found]
    return metrics


def _betti_error(sets: ThreeSets) -> Metric:
    return distance_metric(sets, lambda found, other: betti_error(found.betti, other.betti), GROUP, "Betti error", "")


def _shape(sets: ThreeSets) -> list[Metric]:
    """How often a region is there, its size and its overlap with real ones, of samples that show it."""
    terms = sets.terms
    mean_name, _, distance_name = size_names(terms)
    note = f"of {terms.samples} that show it"
    name = f"In the {terms.sample}"
    figure = figure_metric(sets, lambda found: 100.0 * float(_present(found).mean()), GROUP, name, "%")
    synthetic, training, test = (found.rows(_present(found)) for found in (sets.synthetic, sets.training, sets.test))

    def compared(function: Callable[[SliceSet, SliceSet], float], name: str, unit: str, better: Better) -> Metric:
        value, real = (function(found, test) if len(found) and len(test) else None for found in (synthetic, training))
        return Metric(GROUP, name, value, real, unit, better, note=note)

    def size(found: SliceSet) -> NDArray[np.float64]:
        return terms.sizes(found.masks, sets.pixel_size)

    mean, real, trained = (float(size(found).mean()) if len(found) else None for found in (synthetic, test, training))
    return [
        figure,
        Metric(GROUP, mean_name, mean, real, terms.unit, "equal to real", training=trained, note=note),
        compared(lambda a, b: float(wasserstein_distance(size(a), size(b))), distance_name, terms.unit, "lower"),
        compared(lambda a, b: float(best_matches(a.masks, b.masks).dice.mean()), "Dice to real", "", "higher"),
    ]


def _present(found: SliceSet) -> NDArray[np.bool_]:
    return np.asarray(found.betti[:, 0] > 0)
