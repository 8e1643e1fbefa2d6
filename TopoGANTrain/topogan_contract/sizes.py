"""Sizes of patches, the pixel size that each means by default, and how both are said to people."""

from __future__ import annotations

import math

SIZES = (64, 128, 256, 512)
"""Width and height of a patch in pixels."""
VOLUME_SIZES = (32, 48, 64, 96, 128)
"""Width, height and depth of a volume in voxels."""
# Of the patch's width, the widest slice of the structures fills this share: the rest shows the surroundings. In volumes
# they fill more, where every voxel counts: at 4.3 in place of 3.4 mm, resampling broke the topology of eight times as
# many of the phantom's myocardia.
_FILL = {2: 0.75, 3: 0.9}
# It may fill this much, so that pixels are no coarser than that many of the image's own.
_FULLEST, _COARSEST = 0.9, 2.0
# Pixels finer than the image's own show nothing more; they are taken where the structures would fill less than this.
_EMPTIEST = 0.375


def default_pixel_size(width: float, size: int, own: float, axes: int = 2) -> float:
    """Return mm per pixel for structures ``width`` mm wide in a patch of ``size`` pixels.

    The structures fill three quarters of the patch, of a volume nine tenths, but

    - pixels are not coarser than two of the images' unless the structures would then fill more than nine tenths;
    - pixels are not finer than the images' (where equal, nothing is interpolated) unless the structures would then
      fill less than three eighths.

    Args:
        width: of the widest slice.
        size: of the patch in pixels.
        own: mm per pixel of the images themselves; 0 where it is not known.
        axes: 2 for slices, 3 for volumes.
    """
    filling = width / (_FILL[axes] * size)
    if own > 0 and filling > _COARSEST * own >= width / (_FULLEST * size):
        return _COARSEST * own
    if own > 0 and filling < own:
        return min(own, _rounded_up(width / (_EMPTIEST * size)))
    return _rounded_up(filling)


def pixel_size_in_words(size: int, pixel_size: float, width: float, own: float, axes: int = 2) -> str:
    """Say what a choice means: "64 pixels: 2.5 mm, 7 times coarser than the images (0.35 mm); …".

    Args:
        size: of the patch in pixels, or of the volume in voxels.
        pixel_size: mm per pixel of the patch.
        width: of the widest slice of the structures in mm; 0 where it is not known.
        own: mm per pixel of the images themselves; 0 where it is not known.
        axes: 2 for slices, 3 for volumes.
    """
    sizes, unit = (SIZES, "pixels") if axes == 2 else (VOLUME_SIZES, "voxels")
    said = f"{size} {unit}: {_mm(pixel_size)}"
    if own <= 0:
        return said
    if pixel_size < own * 0.99:
        said += f", finer than the images ({_mm(own)})"
        as_much = [other for other in sizes if other < size and 0 < default_pixel_size(width, other, own, axes) <= own]
        return f"{said}: {as_much[0]} {unit} show as much" if as_much else f"{said}, or the structures would be small"
    if pixel_size <= own * 1.01:
        return f"{said}, as the images"
    said += f", {_times(pixel_size / own)} coarser than the images ({_mm(own)})"
    larger = [other for other in sizes if other > size]
    if pixel_size <= _COARSEST * own * 1.001 or not larger or width <= 0:
        return said
    defaults = {other: default_pixel_size(width, other, own, axes) for other in larger}
    enough = next((other for other, found in defaults.items() if found <= _COARSEST * own), larger[-1])
    return f"{said}; {enough} {unit} would show {_mm(defaults[enough])}"


def _rounded_up(millimeters: float) -> float:
    return math.ceil(millimeters * 100) / 100


def _mm(millimeters: float) -> str:
    return f"{millimeters:.2g} mm"


def _times(factor: float) -> str:
    return f"{factor:.0f} times" if factor >= 2.5 else f"{factor:.1f} times"
