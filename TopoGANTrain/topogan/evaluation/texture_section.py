"""The metrics and figures of the textures, gone through once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.features import FeatureNetwork
from topogan.evaluation.report import Metric
from topogan.evaluation.sets import SliceSet, ThreeSets
from topogan.metrics.mmd import kernel_inception_distance
from topogan.metrics.spectrum import axis_power_spectrum, radial_power_spectrum, spectrum_distance
from topogan.metrics.texture import (
    AROUND_MM,
    IntensityHistogram,
    Tissue,
    label_histograms,
    neighbor_difference,
    tissue_histograms,
)

_Found = TypeVar("_Found")
_AROUND = Tissue.AROUND.value
_NEIGHBORS = "slices", "rows", "columns"
"""What follows one another along the axes of a volume."""


@dataclass(frozen=True)
class TextureFigures:
    """Histograms, spectra and features of each set, by its name."""

    window: tuple[float, float]
    histograms: dict[str, dict[str, IntensityHistogram]]
    """By the words for the tissue."""
    spectra: dict[str, dict[str, NDArray[np.float64]]]
    """By the direction, float [H // 2], dB: of slices there is one, "", of volumes three, such as ", across rows"."""
    differences: dict[str, dict[str, float]]
    """Of volumes, by "slices", "rows" and "columns": mean absolute difference of neighboring ones."""
    features: dict[str, NDArray[np.float64]]
    """float [N, d]; empty without a feature network, and of volumes."""


def texture_figures(
    sets: ThreeSets, network: FeatureNetwork | None, names: tuple[str, ...] = ()
) -> TextureFigures | None:
    """Go through the images of the test set and of as many synthetic as training samples; None without images.

    Args:
        sets: what to compare.
        network: for features.
        names: of the structures, where the sets hold label maps.
    """
    count = sets.common_count
    compared = {
        "synthetic": sets.synthetic.drawn(count, seed=0),
        "training": sets.training.drawn(count, seed=0),
        "test": sets.test,
    }
    images = {name: found.images for name, found in compared.items() if found.images is not None}
    if sets.window is None or len(images) < len(compared):
        return None
    histograms = {name: _histograms(compared[name], found, sets, names) for name, found in images.items()}
    if images["test"].ndim == 4:
        return _figures_of_volumes(images, sets.window, histograms)
    window = sets.window
    return TextureFigures(
        window=window,
        histograms=histograms,
        spectra={"": {name: radial_power_spectrum(found, window) for name, found in images.items()}},
        differences={},
        features={name: network.features(found, window) for name, found in images.items()} if network else {},
    )


def _figures_of_volumes(
    images: dict[str, NDArray[np.int16]],
    window: tuple[float, float],
    histograms: dict[str, dict[str, IntensityHistogram]],
) -> TextureFigures:
    axes = list(enumerate(_NEIGHBORS))
    return TextureFigures(
        window=window,
        histograms=histograms,
        spectra={
            f", across {kind}": {name: axis_power_spectrum(found, window, axis) for name, found in images.items()}
            for axis, kind in axes
        },
        differences={
            kind: {name: neighbor_difference(found, window, axis) for name, found in images.items()}
            for axis, kind in axes
        },
        features={},
    )


def _histograms(
    found: SliceSet, images: NDArray[np.int16], sets: ThreeSets, names: tuple[str, ...]
) -> dict[str, IntensityHistogram]:
    assert sets.window is not None
    if not names:
        tissues = tissue_histograms(found.masks, images, sets.pixel_size, sets.window)
        return {tissue.value: histogram for tissue, histogram in tissues.items()}
    histograms = label_histograms(found.masks, images, sets.pixel_size, sets.window, len(names))
    return dict(zip([*(f"in {name}" for name in names), f"{_AROUND}s"], histograms, strict=True))


def texture_section(textures: TextureFigures, intensity: str) -> list[Metric]:
    """Mean intensity and histogram distance per tissue, power spectrum, in volumes difference of
    neighboring slices, and with a feature network KID."""
    unit = "HU" if intensity == "HU" else "intensity"
    metrics = []
    for tissue in textures.histograms["test"]:
        found = {name: histograms[tissue] for name, histograms in textures.histograms.items()}
        if any(histogram.count for histogram in found.values()):
            note = f"open background within {AROUND_MM:.0f} mm" if tissue.startswith(_AROUND) else ""
            value, real, training = (found[name].mean for name in ("synthetic", "test", "training"))
            name = f"Mean {unit} {tissue}"
            metrics += [
                Metric("texture", name, value, real, unit, "equal to real", training=training, note=note),
                _distance(f"{unit} distance {tissue}", unit, found, IntensityHistogram.distance, note),
            ]
    for direction, spectra in textures.spectra.items():
        metrics.append(_distance(f"Power spectrum distance{direction}", "dB", spectra, spectrum_distance))
    for kind, of in textures.differences.items():
        name = f"{unit} difference of neighboring {kind}"
        metrics.append(
            Metric("texture", name, of["synthetic"], of["test"], unit, "equal to real", training=of["training"])
        )
    if textures.features:
        note = "with the feature network that was given"
        metrics.append(_distance("KID", "", textures.features, kernel_inception_distance, note))
    return metrics


def _distance(
    name: str, unit: str, found: dict[str, _Found], distance: Callable[[_Found, _Found], float | None], note: str = ""
) -> Metric:
    value, real = (distance(found[of], found["test"]) for of in ("synthetic", "training"))
    return Metric("texture", name, value, real, unit, "lower", note=note)
