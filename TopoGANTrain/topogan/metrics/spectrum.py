"""How much detail textures hold at each size: their power spectrum, radial or along one axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# Below this the window leaves nothing but rounding; it stands for "no power" (a constant texture).
_FLOOR = 1e-12


def radial_power_spectrum(images: NDArray[np.generic], window: tuple[float, float]) -> NDArray[np.float64]:
    """Mean power of the images at each spatial frequency, in dB.

    Each image is clipped and scaled to −1..1, freed of its mean, multiplied with a Hann window (the edges of a patch
    would otherwise be steps) and Fourier transformed; |F|²/(H·W) is averaged over rings of one cycle per image and
    over the images; 10·log10 of it. Source: Durall et al., CVPR 2020 ("Watch your up-convolution").

    Args:
        images: [N, H, W], HU or image units; H = W.
        window: lowest and highest intensity.

    Returns:
        float [H // 2]: 1, 2, … H // 2 cycles per image width.
    """
    size = images.shape[1]
    low, high = window
    hann = np.outer(np.hanning(size), np.hanning(size))
    frequencies = np.fft.fftfreq(size) * size
    ring = np.rint(np.hypot(frequencies[:, None], frequencies[None, :])).astype(np.int64).ravel()
    per_ring = np.bincount(ring)[1 : size // 2 + 1]
    total = np.zeros(size // 2)
    for image in images:
        scaled = np.clip((image - low) / (high - low), 0.0, 1.0) * 2.0 - 1.0
        power = np.abs(np.fft.fft2((scaled - scaled.mean()) * hann)) ** 2 / size**2
        total += np.bincount(ring, weights=power.ravel())[1 : size // 2 + 1] / per_ring
    return 10.0 * np.log10(np.maximum(total / len(images), _FLOOR))


def axis_power_spectrum(images: NDArray[np.generic], window: tuple[float, float], axis: int) -> NDArray[np.float64]:
    """Mean power along one axis at each frequency, in dB: stripes and smearing along an axis alone show here.

    Each line of pixels along the axis is treated as the images of :func:`radial_power_spectrum` are: clipped, scaled,
    freed of its mean, multiplied with a Hann window and Fourier transformed; |F|²/L is averaged over all lines.

    Args:
        images: [N, H, W] or [N, D, H, W], HU or image units.
        window: lowest and highest intensity.
        axis: which of the axes of one image, from 0; it is L pixels long.

    Returns:
        float [L // 2]: 1, 2, … L // 2 cycles per length of the axis.
    """
    length = images.shape[axis + 1]
    low, high = window
    hann = np.hanning(length)
    total = np.zeros(length // 2)
    for image in images:
        lines = np.moveaxis(np.clip((image - low) / (high - low), 0.0, 1.0) * 2.0 - 1.0, axis, -1).reshape(-1, length)
        power = np.abs(np.fft.rfft((lines - lines.mean(1, keepdims=True)) * hann)) ** 2 / length
        total += power.mean(0)[1 : length // 2 + 1]
    return 10.0 * np.log10(np.maximum(total / len(images), _FLOOR))


def directional_power(
    images: NDArray[np.generic], window: tuple[float, float], sectors: int = 12
) -> NDArray[np.float64]:
    """Mean power of the images in each direction, of the frequencies in the upper half of the spectrum, in dB.

    Images are treated as in :func:`radial_power_spectrum`. A woven pattern has the power of noise in no ring, but in
    one direction much and in the others little.

    Args:
        images: [N, H, W], HU or image units; H = W.
        window: lowest and highest intensity.
        sectors: number of equal parts of the half circle of directions.

    Returns:
        float [sectors]; the first is around the direction along rows, the middle one around that along columns.
    """
    size = images.shape[1]
    low, high = window
    hann = np.outer(np.hanning(size), np.hanning(size))
    rows, columns = np.meshgrid(*(np.fft.fftfreq(size) * size,) * 2, indexing="ij")
    fine = (np.hypot(rows, columns) > size / 4) & (np.hypot(rows, columns) <= size / 2)
    sector = np.rint(np.arctan2(rows, columns)[fine] / np.pi * sectors).astype(np.int64) % sectors
    total = np.zeros(sectors)
    for image in images:
        scaled = np.clip((image - low) / (high - low), 0.0, 1.0) * 2.0 - 1.0
        power = np.abs(np.fft.fft2((scaled - scaled.mean()) * hann)) ** 2 / size**2
        total += np.bincount(sector, weights=power[fine], minlength=sectors) / np.bincount(sector, minlength=sectors)
    return 10.0 * np.log10(np.maximum(total / len(images), _FLOOR))


def spectrum_distance(spectrum: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """Mean absolute difference of two spectra over all frequencies, in dB.

    3 dB is twice the power. Blur shows as missing power at high frequencies, checkerboards as a peak.

    Args:
        spectrum: float [K], dB.
        reference: float [K], dB.
    """
    return float(np.abs(spectrum - reference).mean())


def power_ratio(
    spectrum: NDArray[np.float64], reference: NDArray[np.float64], band: tuple[float, float]
) -> tuple[float, float, float]:
    """Power over that of a reference in a band of frequencies: in all of it, least and most at a single frequency.

    Args:
        spectrum: float [K], dB (see :func:`radial_power_spectrum`, :func:`axis_power_spectrum`).
        reference: float [K], dB.
        band: lowest and highest frequency, as shares of the highest of all (one cycle in two pixels).
    """
    found = slice(round(band[0] * len(spectrum)), round(band[1] * len(spectrum)))
    power, real = (10 ** (one[found] / 10) for one in (spectrum, reference))
    return float(power.sum() / real.sum()), float((power / real).min()), float((power / real).max())
