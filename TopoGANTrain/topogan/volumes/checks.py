"""What every reader of volumes refuses, and the sentences that say so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from topogan.errors import InputError

# Empty label maps shrink a thousandfold, too: only what would also be large is refused.
_MAX_GROWTH = 200
_GROWTH_COUNTS_FROM = 512 << 20
# 1024 x 1024 x 1024; a header that claims more is a lie far more often than a scan.
_MAX_VOXELS = 1 << 30


def check_finite(path: Path, array: NDArray[np.generic]) -> None:
    """Refuse an array with NaN or infinity."""
    if array.dtype.kind != "f":
        return
    # The sum is finite exactly when all are: one pass without a temporary array of the volume's size.
    with np.errstate(invalid="ignore", over="ignore"):
        total = np.sum(array, dtype=np.float64)
    if not np.isfinite(total) and (count := int(np.count_nonzero(~np.isfinite(array)))):
        noun = "voxel that is not a number" if count == 1 else "voxels that are not numbers"
        raise InputError(f"{path} holds {count} {noun} (NaN or infinity): repair it first.")


def check_growth(path: Path, unpacked: int, stored: int) -> None:
    """Refuse packed data that take little of the disk and much of the memory; both in bytes."""
    if unpacked > max(_GROWTH_COUNTS_FROM, stored * _MAX_GROWTH):
        raise InputError(
            f"{path} would grow {unpacked // max(stored, 1)}-fold to {unpacked >> 20} MB when it is unpacked: "
            "if that is no mistake, save it without compression."
        )


def check_size(path: Path, sizes: tuple[int, ...]) -> None:
    """Refuse a volume of more voxels than any scan has; ``sizes`` are those of one phase."""
    if np.prod(sizes, dtype=float) > _MAX_VOXELS:
        shown = " x ".join(str(size) for size in sizes)
        raise InputError(f"{path} has {shown} voxels, more than can be read: crop it in Slicer first.")


def check_dimensions(path: Path, count: int) -> None:
    """Refuse what is neither a volume nor phases of one."""
    if count not in (3, 4):
        raise InputError(
            f"{path} has {count} dimensions where a volume has 3 (or 4 with phases): "
            "give a volume, or the folder of its PNG slices."
        )


def not_scalar(path: Path, values: int) -> InputError:
    """The sentence for colors and vectors."""
    return InputError(
        f"{path} holds {values} values per voxel (a color or vector image): give one with a single value per voxel."
    )


def cut_off(path: Path) -> InputError:
    """The sentence for data that end early."""
    return InputError(f"{path} is cut off: its data end before its header says so; copy it again.")


def wrong_header(path: Path, what: str) -> InputError:
    """The sentence for a header that contradicts itself or asks for what is not read."""
    return InputError(f"The header of {path} is wrong: {what}; save it again from Slicer.")
