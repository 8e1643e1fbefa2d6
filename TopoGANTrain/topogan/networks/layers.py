"""Layers of two or three dimensions, so that one network is written for images and for volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn


@dataclass(frozen=True)
class Layers:
    """Makes layers for images [B, C, H, W] or volumes [B, C, D, H, W]."""

    axes: int
    """2 or 3."""

    def conv(self, before: int, after: int, *sizes: Any, **options: Any) -> nn.Conv2d | nn.Conv3d:
        """A convolution; arguments as PyTorch's."""
        return (nn.Conv2d if self.axes == 2 else nn.Conv3d)(before, after, *sizes, **options)

    def norm(self, channels: int) -> nn.BatchNorm2d | nn.BatchNorm3d:
        """Batch normalization."""
        return (nn.BatchNorm2d if self.axes == 2 else nn.BatchNorm3d)(channels)

    def doubling(self) -> nn.Module:
        """Linear interpolation to twice the resolution."""
        return nn.Upsample(scale_factor=2, mode="bilinear" if self.axes == 2 else "trilinear")

    def halving(self) -> nn.Module:
        """Means of 2×2 (×2) pixels."""
        return (nn.AvgPool2d if self.axes == 2 else nn.AvgPool3d)(2)
