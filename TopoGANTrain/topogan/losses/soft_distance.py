"""A distance to the structure that has a gradient with respect to every probability."""

from __future__ import annotations

import math

import torch
from scipy.fft import next_fast_len
from torch import Tensor

# In pixels. Below 1 the far field needs more digits than float64 has; far above it walls of a few pixels melt.
SOFTNESS = 1.5
# What stands for "no structure": its distance, h·ln(1/ε), is about 31 pixels; nothing is told apart further off.
_EPSILON = 1e-9
# So far around the edge of the transform nothing comes that counts beside ε.
_MARGIN = math.ceil(-SOFTNESS * math.log(_EPSILON / 1000.0))


def soft_distance(probability: Tensor) -> Tensor:
    """−h · ln(ε + Σ_y p(y) · exp(−|x − y| / h)), a soft minimum of the distances to all pixels of the structure.

    Args:
        probability: float [B, H, W], of structure, 0 to 1.

    Returns:
        float64 [B, H, W], in pixels: near the Euclidean distance outside of the structure; inside it is negative, the
        more the thicker the structure is, down to −h·ln(2πh²) ≈ −4.

    Source: for h → 0 this is the distance (Varadhan, Comm. Pure Appl. Math. 20, 1967).
    """
    height, width = probability.shape[1:]
    size = (next_fast_len(height + _MARGIN, real=True), next_fast_len(width + _MARGIN, real=True))
    kernel = torch.exp(-_around_origin(*size, probability.device) / SOFTNESS)
    spectrum = torch.fft.rfft2(probability.double(), s=size) * torch.fft.rfft2(kernel)
    blurred = torch.fft.irfft2(spectrum, s=size)[:, :height, :width]
    # Rounding may leave a zero slightly negative.
    return -SOFTNESS * torch.log(blurred.clamp_min(0.0) + _EPSILON)


def _around_origin(height: int, width: int, device: torch.device) -> Tensor:
    """float64 [height, width]: distance to the pixel (0, 0) on a torus."""
    rows, columns = (torch.arange(length, dtype=torch.float64, device=device) for length in (height, width))
    rows, columns = torch.minimum(rows, height - rows), torch.minimum(columns, width - columns)
    return torch.hypot(rows[:, None], columns[None, :])
