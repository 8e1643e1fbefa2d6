"""The metrics of each section of the report, beside real against real."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from topogan.evaluation.report import Metric
from topogan.evaluation.sets import Compared, SliceSet, ThreeSets
from topogan.evaluation.textures import TextureFigures
from topogan.metrics.kernel_distance import kernel_inception_distance
from topogan.metrics.memorization import MemorizationAudit
from topogan.metrics.shape import areas, best_matches, mean_pairwise_dice
from topogan.metrics.spectrum import spectrum_distance
from topogan.metrics.texture import AROUND_MM, IntensityHistogram, Tissue
from topogan.metrics.topology import betti_error, betti_score, valid_share
from topogan.verdict import topology_in_words


def distance_metric(
    sets: ThreeSets, function: Compared, group: str, name: str, unit: str, dimension: int | None = None
) -> Metric:
    """A distance to the test patients, the lower the better, beside that of the training patients."""
    value, real = sets.compared(function)
    several = len(value) > 1
    return Metric(
        group=group,
        name=name,
        value=fmean(value.values()),
        real=fmean(real.values()),
        unit=unit,
        better="lower",
        dimension=dimension,
        by_seed=value if several else {},
        real_by_seed=real if several else {},
    )


def figure_metric(
    sets: ThreeSets, function: Callable[[SliceSet], float], group: str, name: str, unit: str, note: str = ""
) -> Metric:
    """A figure of one set: of the synthetic, the test and the training slices."""
    value, real, training = (function(found) for found in (sets.synthetic, sets.test, sets.training))
    return Metric(group, name, value, real, unit, "equal to real", training=training, note=note)


def topology_section(sets: ThreeSets, modal: tuple[int, int], requested: tuple[int, int] | None) -> list[Metric]:
    """Betti numbers: shares, error and score."""
    metrics = betti_metrics(sets, modal)
    if requested is not None and requested != modal:
        metrics.insert(1, _valid(sets, requested, "Valid (requested topology)", ""))
    return metrics


def betti_metrics(sets: ThreeSets, modal: tuple[int, int], suffix: str = "", note: str = "") -> list[Metric]:
    """Share of valid slices, Betti error, Betti score per dimension.

    Args:
        sets: what to compare.
        modal: (b0, b1) of a valid slice.
        suffix: of the metrics' names.
        note: of the first of them; it holds for all.
    """
    metrics = [
        _valid(sets, modal, f"Valid{suffix}", note),
        distance_metric(sets, lambda a, b: betti_error(a.betti, b.betti), "topology", f"Betti error{suffix}", ""),
    ]
    for dimension in (0, 1):
        metrics.append(
            distance_metric(
                sets,
                lambda a, b, dimension=dimension: betti_score(a.betti, b.betti, dimension),
                "topology",
                f"Betti score{suffix}",
                "",
                dimension=dimension,
            )
        )
    return metrics


def _valid(sets: ThreeSets, wanted: tuple[int, int], name: str, note: str) -> Metric:
    shares = (valid_share(found.betti, wanted) for found in (sets.samples, sets.test, sets.training))
    value, real, training = shares
    what = f"{topology_in_words(wanted)}{'; ' if note else ''}{note}"
    return Metric("topology", name, value, real, "%", "equal to real", training=training, note=what)


def shape_section(sets: ThreeSets) -> list[Metric]:
    """Areas, overlap with test masks, and diversity."""
    group = "shape"

    def area_of(found: SliceSet) -> NDArray[np.float64]:
        return areas(found.masks, sets.pixel_size)

    low, high = np.percentile(area_of(sets.test), (5, 95))

    def share_inside(found: SliceSet) -> float:
        return 100.0 * float(((area_of(found) >= low) & (area_of(found) <= high)).mean())

    def distance(found: SliceSet, other: SliceSet) -> float:
        return float(wasserstein_distance(area_of(found), area_of(other)))

    inside = f"between the test slices' 5 and 95 %, {low:.0f} and {high:.0f} mm²"
    return [
        figure_metric(sets, lambda found: float(area_of(found).mean()), group, "Mean area", "mm²"),
        figure_metric(sets, share_inside, group, "Area in the usual range", "%", note=inside),
        distance_metric(sets, distance, group, "Area distance", "mm²"),
        _dice_to_real(sets),
        figure_metric(sets, lambda found: mean_pairwise_dice(found.masks), group, "Mean pairwise Dice", ""),
    ]


def _dice_to_real(sets: ThreeSets) -> Metric:
    value, training = (
        float(best_matches(found.masks, sets.test.masks).dice.mean()) for found in (sets.synthetic, sets.training)
    )
    return Metric("shape", "Dice to real", value, training, "", "higher", note="best match among test slices")


def memorization_section(found: MemorizationAudit) -> list[Metric]:
    """How close samples come to single training masks, beside how close test masks come to them."""
    samples, test = len(found.dice), len(found.reference_dice)

    def share(name: str, positions: NDArray[np.int64], real: float, note: str = "") -> Metric:
        return Metric("memorization", name, 100.0 * len(positions) / samples, real, "%", "lower", note=note)

    return [
        Metric(
            group="memorization",
            name="Dice to training",
            value=float(found.dice.mean()),
            real=float(found.reference_dice.mean()),
            unit="",
            better="equal to real",
            note="best match among training slices",
        ),
        Metric(
            group="memorization",
            name="Closer to training than a test slice",
            value=found.closer_percent,
            real=50.0,
            unit="%",
            better="equal to real",
            note="50 % means no copying",
        ),
        share("Possible copies", found.copies, 0.0, f"{100.0 / (test + 1):.2g} % expected from independent slices"),
        share("Equal to a training mask", found.identical, 100.0 * len(found.test_identical) / test),
        share("Equal to another mask", found.repeats, 100.0 * len(found.test_repeats) / test),
    ]


def texture_section(textures: TextureFigures, intensity: str) -> list[Metric]:
    """Mean intensity and histogram distance per tissue, power spectrum and, with a feature network, KID."""
    unit = "HU" if intensity == "HU" else "intensity"
    metrics = []
    for tissue in Tissue:
        synthetic, test, training = (textures.histograms[name][tissue] for name in ("synthetic", "test", "training"))
        if synthetic.count or test.count or training.count:
            metrics += _tissue_metrics(tissue, synthetic, test, training, unit)
    spectra = textures.spectra
    metrics.append(
        Metric(
            group="texture",
            name="Power spectrum distance",
            value=spectrum_distance(spectra["synthetic"], spectra["test"]),
            real=spectrum_distance(spectra["training"], spectra["test"]),
            unit="dB",
            better="lower",
        )
    )
    if textures.features:
        features = textures.features
        metrics.append(
            Metric(
                group="texture",
                name="KID",
                value=kernel_inception_distance(features["synthetic"], features["test"]),
                real=kernel_inception_distance(features["training"], features["test"]),
                unit="",
                better="lower",
                note="with the feature network that was given",
            )
        )
    return metrics


def _tissue_metrics(
    tissue: Tissue,
    synthetic: IntensityHistogram,
    test: IntensityHistogram,
    training: IntensityHistogram,
    unit: str,
) -> list[Metric]:
    note = f"open background within {AROUND_MM:.0f} mm" if tissue is Tissue.AROUND else ""
    return [
        Metric(
            group="texture",
            name=f"Mean {unit} {tissue.value}",
            value=synthetic.mean,
            real=test.mean,
            unit=unit,
            better="equal to real",
            training=training.mean,
            note=note,
        ),
        Metric(
            group="texture",
            name=f"{unit} distance {tissue.value}",
            value=synthetic.distance(test),
            real=training.distance(test),
            unit=unit,
            better="lower",
            note=note,
        ),
    ]
