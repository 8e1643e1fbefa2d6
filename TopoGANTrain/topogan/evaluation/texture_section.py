"""The metrics and figures of the textures, gone through once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.features import FeatureNetwork
from topogan.evaluation.report import Metric
from topogan.evaluation.sets import ThreeSets
from topogan.metrics.mmd import kernel_inception_distance
from topogan.metrics.spectrum import radial_power_spectrum, spectrum_distance
from topogan.metrics.texture import AROUND_MM, IntensityHistogram, Tissue, tissue_histograms

_Found = TypeVar("_Found")


@dataclass(frozen=True)
class TextureFigures:
    """Histograms, spectra and features of each set, by its name."""

    window: tuple[float, float]
    histograms: dict[str, dict[Tissue, IntensityHistogram]]
    spectra: dict[str, NDArray[np.float64]]
    """float [H // 2], dB."""
    features: dict[str, NDArray[np.float64]]
    """float [N, d]; empty without a feature network."""


def texture_figures(sets: ThreeSets, network: FeatureNetwork | None) -> TextureFigures | None:
    """Go through the images of the test set and of as many synthetic as training slices; None without images."""
    count = sets.common_count
    compared = {
        "synthetic": sets.synthetic.drawn(count, seed=0),
        "training": sets.training.drawn(count, seed=0),
        "test": sets.test,
    }
    images = {name: found.images for name, found in compared.items() if found.images is not None}
    if sets.window is None or len(images) < len(compared):
        return None
    window = sets.window
    return TextureFigures(
        window=window,
        histograms={
            name: tissue_histograms(compared[name].masks, found, sets.pixel_size, window)
            for name, found in images.items()
        },
        spectra={name: radial_power_spectrum(found, window) for name, found in images.items()},
        features={name: network.features(found, window) for name, found in images.items()} if network else {},
    )


def texture_section(textures: TextureFigures, intensity: str) -> list[Metric]:
    """Mean intensity and histogram distance per tissue, power spectrum and, with a feature network, KID."""
    unit = "HU" if intensity == "HU" else "intensity"
    metrics = []
    for tissue in Tissue:
        found = {name: histograms[tissue] for name, histograms in textures.histograms.items()}
        if any(histogram.count for histogram in found.values()):
            note = f"open background within {AROUND_MM:.0f} mm" if tissue is Tissue.AROUND else ""
            value, real, training = (found[name].mean for name in ("synthetic", "test", "training"))
            name = f"Mean {unit} {tissue.value}"
            metrics += [
                Metric("texture", name, value, real, unit, "equal to real", training=training, note=note),
                _distance(f"{unit} distance {tissue.value}", unit, found, IntensityHistogram.distance, note),
            ]
    metrics.append(_distance("Power spectrum distance", "dB", textures.spectra, spectrum_distance))
    if textures.features:
        note = "with the feature network that was given"
        metrics.append(_distance("KID", "", textures.features, kernel_inception_distance, note))
    return metrics


def _distance(
    name: str, unit: str, found: dict[str, _Found], distance: Callable[[_Found, _Found], float | None], note: str = ""
) -> Metric:
    value, real = (distance(found[of], found["test"]) for of in ("synthetic", "training"))
    return Metric("texture", name, value, real, unit, "lower", note=note)
