"""From tissues to a CT image: Hounsfield units, blur and noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from topogan.phantom.tissues import Tissue

# Contrast-enhanced cardiac CT in the arterial phase: usual mean values in HU.
HOUNSFIELD = {
    Tissue.OUTSIDE: -1000,
    Tissue.LV_CAVITY: 380,
    Tissue.MYOCARDIUM: 110,
    Tissue.RV_CAVITY: 300,
    Tissue.LEFT_ATRIUM: 370,
    Tissue.RIGHT_ATRIUM: 280,
    Tissue.AORTA: 385,
    Tissue.PAPILLARY_MUSCLE: 115,
    Tissue.RV_WALL: 95,
    Tissue.HEART_FAT: -90,
    Tissue.LUNG: -850,
    Tissue.MUSCLE: 50,
    Tissue.SKIN_FAT: -100,
    Tissue.CORTICAL_BONE: 650,
    Tissue.SPONGY_BONE: 220,
    Tissue.LIVER: 80,
    Tissue.LUNG_VESSEL: 250,
    Tissue.PULMONARY_ARTERY: 310,
    Tissue.PULMONARY_VEIN: 370,
    Tissue.UPPER_VENA_CAVA: 330,
    Tissue.LOWER_VENA_CAVA: 140,
}
_ENHANCED = [
    Tissue.LV_CAVITY,
    Tissue.RV_CAVITY,
    Tissue.LEFT_ATRIUM,
    Tissue.RIGHT_ATRIUM,
    Tissue.AORTA,
    Tissue.PULMONARY_ARTERY,
    Tissue.PULMONARY_VEIN,
    Tissue.UPPER_VENA_CAVA,
]
# Between patients the contrast agent's concentration differs, between structures its mixing.
_CONTRAST_SPREAD = 0.07
_BLUR_MM = 0.85
_NOISE_HU = 26.0
_NOISE_BLUR_PIXELS = 0.7


def draw_contrast(random: np.random.Generator) -> NDArray[np.float32]:
    """The HU of each tissue in one patient, float32 [tissues]."""
    values = np.array([HOUNSFIELD[tissue] for tissue in Tissue], dtype=np.float32)
    values[_ENHANCED] *= 1 + random.normal(0.0, _CONTRAST_SPREAD)
    values[Tissue.MYOCARDIUM] += random.normal(0.0, 8.0)
    return values


def make_image(
    tissue: NDArray[np.uint8],
    contrast: NDArray[np.float32],
    spacing: tuple[float, float, float],
    random: np.random.Generator,
) -> NDArray[np.int16]:
    """A noisy, blurred image.

    Args:
        tissue: [z, y, x].
        contrast: HU of each tissue.
        spacing: (x, y, z) in mm.
        random: source of the noise.

    Returns:
        int16 [z, y, x] in HU.
    """
    blur = [_BLUR_MM / size for size in reversed(spacing)]
    image = gaussian_filter(contrast[tissue], blur)
    noise = gaussian_filter(random.standard_normal(tissue.shape, dtype=np.float32), _NOISE_BLUR_PIXELS)
    rounded: NDArray[np.int16] = np.rint(image + noise * (_NOISE_HU / noise.std())).astype(np.int16)
    return rounded
