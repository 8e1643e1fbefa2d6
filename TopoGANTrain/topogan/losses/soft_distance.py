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
        probability: float [B, H, W] or [B, D, H, W], of structure, 0 to 1.

    Returns:
        float64 of that shape, in pixels: near the Euclidean distance outside of the structure; inside it is negative,
        the more the thicker the structure is, down to −h·ln(2πh²) ≈ −4 (of volumes −h·ln(8πh³) ≈ −7).

    Source: for h → 0 this is the distance (Varadhan, Comm. Pure Appl. Math. 20, 1967).
    """
    shape = probability.shape[1:]
    axes = tuple(range(-len(shape), 0))
    size = tuple(next_fast_len(length + _MARGIN, real=True) for length in shape)
    kernel = torch.exp(-_around_origin(size, probability.device) / SOFTNESS)
    spectrum = torch.fft.rfftn(probability.double(), s=size, dim=axes) * torch.fft.rfftn(kernel)
    blurred = torch.fft.irfftn(spectrum, s=size, dim=axes)[(..., *map(slice, shape))]
    # Rounding may leave a zero slightly negative.
    return -SOFTNESS * torch.log(blurred.clamp_min(0.0) + _EPSILON)


def _around_origin(shape: tuple[int, ...], device: torch.device) -> Tensor:
    """float64 of ``shape``: distance to the first pixel on a torus."""
    places = (torch.arange(length, dtype=torch.float64, device=device) for length in shape)
    folded = [torch.minimum(place, length - place) for place, length in zip(places, shape, strict=True)]
    return torch.stack(torch.meshgrid(*folded, indexing="ij")).square().sum(0).sqrt()
