"""The figures of label maps: all structures together, and each structure and union by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from topogan.evaluation.betti_section import CLEANED_PIXELS
from topogan.evaluation.diagram_section import DrawnDiagrams, w1_metrics
from topogan.evaluation.report import Better, Metric
from topogan.evaluation.sets import SliceSet, ThreeSets, distance_metric, figure_metric
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.homology import betti_numbers_of_batch, remove_small
from topogan.metrics.shape import areas, best_matches, mean_pairwise_dice
from topogan.metrics.topology import betti_error, shown_by_real
from topogan.structures import Region
from topogan.verdict import RealTopologies

EVERY = "Every structure valid"
GROUP = "structures"
_SHOWN = "a topology that test slices of its level show"
_ANYWHERE = "a topology that test slices show"

Regions = tuple[Region, ...]


def real_topologies(found: SliceSet) -> RealTopologies:
    """What real slices of each level show."""
    assert found.levels is not None
    return RealTopologies.of(found.levels.tolist(), found.betti.tolist())


def joint_section(sets: ThreeSets, regions: Regions, samples: SyntheticSet) -> list[Metric]:
    """All structures together: topology, raw and cleaned, and overlap of the label maps."""
    structures = sets.structures

    def nearest(found: SliceSet) -> float:
        return float(best_matches(found.masks, sets.test.masks, structures).dice.mean())

    note = "best match among test slices, of pixels with the same label"
    return [
        every_structure(sets),
        *([every_structure(cleaned(sets, regions), " (cleaned)")] if samples.raw_betti is None else []),
        Metric("shape", "Dice to real", nearest(sets.synthetic), nearest(sets.training), "", "higher", note=note),
        figure_metric(
            sets, lambda found: mean_pairwise_dice(found.masks, structures), "shape", "Mean pairwise Dice", ""
        ),
    ]


def every_structure(sets: ThreeSets, suffix: str = "") -> Metric:
    """In how many slices every structure has a topology that test slices of its level show, in %."""
    valid = _valid(sets)
    share, real = (100.0 * float(found[:, : sets.structures].all(axis=1).mean()) for found in valid)
    what = f"each has {_ANYWHERE if sets.samples.levels is None else _SHOWN}"
    if suffix:
        what += f"; pieces and holes below {CLEANED_PIXELS} pixels removed, in real slices too"
    return Metric("topology", f"{EVERY}{suffix}", share, real, "%", "equal to real", note=what)


def _valid(sets: ThreeSets) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each region of each sample and of each training slice is as in test slices of its level, bool [N, R]."""
    real = real_topologies(sets.test)
    known = sets.samples.levels is not None
    samples, training = (
        shown_by_real(found.betti, found.levels if known else None, real) for found in (sets.samples, sets.training)
    )
    return samples, training


def cleaned(sets: ThreeSets, regions: Regions) -> ThreeSets:
    """The Betti numbers of all slices without the specks of each region; the label maps stay as they are."""

    def of(found: SliceSet) -> SliceSet:
        # One mask at a time, so that no second stack is held.
        betti = [
            [betti_numbers_of_batch(remove_small(region.of(labels), CLEANED_PIXELS)[None])[0] for region in regions]
            for labels in found.masks
        ]
        return replace(found, betti=np.array(betti))

    return sets.with_slices(*(of(found) for found in (sets.samples, sets.training, sets.test)))


def structures_section(sets: ThreeSets, regions: Regions, samples: SyntheticSet) -> list[Metric]:
    """Each structure and union: topology, diagrams, area, overlap."""
    valid = _valid(sets)
    what = _ANYWHERE if sets.samples.levels is None else _SHOWN
    metrics: list[Metric] = []
    for number, region in enumerate(regions):
        # One region's masks at a time are in memory.
        part = sets.of(region, number)
        share, real = (100.0 * float(found[:, number].mean()) for found in valid)
        found = [Metric(GROUP, "Valid", share, real, "%", "equal to real", note=what), _betti_error(part)]
        if samples.raw_betti is not None:
            raw = replace(part.samples, betti=samples.raw_betti[:, number], levels=None)
            note = f"as generated; the other figures are of samples cleaned below {samples.cleaned_below} pixels"
            before = _betti_error(part.with_slices(raw, part.training, part.test))
            found.append(replace(before, name=f"{before.name} (before cleaning)", note=note))
        found += [*w1_metrics(DrawnDiagrams(part), GROUP), *_shape(part)]
        metrics += [replace(metric, structure=region.name) for metric in found]
    return metrics


def _betti_error(sets: ThreeSets) -> Metric:
    return distance_metric(sets, lambda found, other: betti_error(found.betti, other.betti), GROUP, "Betti error", "")


def _shape(sets: ThreeSets) -> list[Metric]:
    """How often a region is there, its area and its overlap with real ones, of slices that show it."""
    figure = figure_metric(sets, lambda found: 100.0 * float(_present(found).mean()), GROUP, "In the slice", "%")
    synthetic, training, test = (found.rows(_present(found)) for found in (sets.synthetic, sets.training, sets.test))

    def compared(function: Callable[[SliceSet, SliceSet], float], name: str, unit: str, better: Better) -> Metric:
        value, real = (function(found, test) if len(found) and len(test) else None for found in (synthetic, training))
        return Metric(GROUP, name, value, real, unit, better, note="of slices that show it")

    def area(found: SliceSet) -> NDArray[np.float64]:
        return areas(found.masks, sets.pixel_size)

    mean, real, trained = (float(area(found).mean()) if len(found) else None for found in (synthetic, test, training))
    return [
        figure,
        Metric(GROUP, "Mean area", mean, real, "mm²", "equal to real", training=trained, note="of slices that show it"),
        compared(lambda a, b: float(wasserstein_distance(area(a), area(b))), "Area distance", "mm²", "lower"),
        compared(lambda a, b: float(best_matches(a.masks, b.masks).dice.mean()), "Dice to real", "", "higher"),
    ]


def _present(found: SliceSet) -> NDArray[np.bool_]:
    return np.asarray(found.betti[:, 0] > 0)
