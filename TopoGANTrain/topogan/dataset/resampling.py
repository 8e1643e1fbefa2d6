"""What is to be said of volumes whose topology resampling has changed."""

from __future__ import annotations

from collections.abc import Mapping

from topogan_contract.sizes import VOLUME_SIZES

# What is said without advice: the rest is learned from masks that are right.
_FEW = 0.1


def resampling_in_words(changed: Mapping[str, float], size: int, pixel_size: float) -> list[str]:
    """A sentence on the shares that resampling has changed, and advice where one is large.

    Args:
        changed: share of the volumes, by region; empty for slices.
        size: of a volume in voxels.
        pixel_size: edge of a voxel in mm.
    """
    if not changed:
        return []
    listed = ", ".join(f"{name} in {share:.0%}" for name, share in changed.items())
    said = [f"Resampling to voxels of {pixel_size:.3g} mm changed the topology of {listed} of the volumes."]
    larger = [other for other in VOLUME_SIZES if other > size]
    if max(changed.values()) > _FEW and larger:
        said.append(
            f"The thinnest wall should have three voxels: size {larger[0]} would have voxels of "
            f"{pixel_size * size / larger[0]:.2g} mm."
        )
    return said
