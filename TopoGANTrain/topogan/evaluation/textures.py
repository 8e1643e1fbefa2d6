"""What the texture metrics and figures are made from, gone through once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.features import FeatureNetwork
from topogan.evaluation.sets import ThreeSets
from topogan.metrics.spectrum import radial_power_spectrum
from topogan.metrics.texture import IntensityHistogram, Tissue, tissue_histograms


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
