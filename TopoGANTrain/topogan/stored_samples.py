"""Reading the samples of a synthesis, which may come from a stranger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from topogan.errors import InputError
from topogan.volumes import Geometry, Volume, open_volume
from topogan_contract.synthesis import MASKS_FILE, TEXTURES_FILE, axes_of, mask_file, texture_file, volumes_of


@dataclass(frozen=True)
class StoredSamples:
    """The masks or the textures of a synthesis."""

    array: np.ndarray
    """Whole numbers [sample, row, column], of volumes [sample, slice, row, column]."""
    geometry: Geometry
    """Of each sample; a slice is one pixel thick."""

    def volume(self, index: int) -> Volume:
        """One sample; a slice as a volume of one slice."""
        one = self.array[index]
        return Volume(one.reshape(self.geometry.size[::-1]), self.geometry)


def read_masks(folder: Path, report: dict[str, Any]) -> StoredSamples:
    """Read the label ids of the synthesis ``folder``, of which ``report`` is the content of ``report.json``.

    Raises:
        InputError: a file is missing, damaged, or does not fit the others.
    """
    volumes = _said_of_volumes(folder, report)
    if volumes is None:
        return _slices(read_stack(folder / MASKS_FILE))
    return _volumes(folder, *volumes, mask_file, np.uint8)


def read_textures(folder: Path, report: dict[str, Any]) -> StoredSamples | None:
    """Read the intensities, likewise; None where the model paints none."""
    volumes = _said_of_volumes(folder, report)
    if volumes is None:
        return _slices(read_stack(folder / TEXTURES_FILE)) if (folder / TEXTURES_FILE).exists() else None
    painted = any((folder / texture_file(index)).exists() for index in range(volumes[0]))
    return _volumes(folder, *volumes, texture_file, np.int16) if painted else None


def read_stack(path: Path) -> Volume:
    """Read ``masks.nrrd`` or ``textures.nrrd``: whole numbers [sample, row, column]; or a file of a volume.

    Raises:
        InputError: it is missing, damaged, or no such stack.
    """
    if not path.exists():
        raise InputError(f"{path} is missing: is {path.parent} a folder made by 'topogan synthesize'?")
    try:
        volumes = list(open_volume(path).volumes())
    except InputError as error:
        raise InputError(f"{path} cannot be read: it is damaged; synthesize again.") from error
    if len(volumes) != 1 or volumes[0].array.dtype.kind not in "iu":
        raise InputError(f"{path} is no stack of samples: synthesize again.")
    return volumes[0]


def _said_of_volumes(folder: Path, report: dict[str, Any]) -> tuple[int, int] | None:
    """How many volumes there are said to be, and their edge in voxels; None of slices."""
    try:
        return volumes_of(report) if axes_of(report) == 3 else None
    except ValueError as error:
        raise InputError(f"{folder} does not say what it must ({error}): synthesize again.") from error


def _slices(stack: Volume) -> StoredSamples:
    # Samples are unrelated: each gets the same place instead of its place in the stack.
    grid = replace(stack.geometry, size=(*stack.geometry.size[:2], 1), origin=(0.0, 0.0, 0.0))
    return StoredSamples(stack.array, grid)


def _volumes(
    folder: Path, count: int, size: int, name: Callable[[int], str], dtype: type[np.integer[Any]]
) -> StoredSamples:
    found, grids = np.empty((count, size, size, size), dtype), set()
    for index in range(count):
        path = folder / name(index)
        if not path.is_file():
            raise InputError(f"{path} is missing where {count} volumes are said to be: synthesize again.")
        volume = read_stack(path)
        grids.add(volume.geometry)
        if volume.array.shape != found.shape[1:] or volume.array.dtype != dtype or len(grids) > 1:
            what = f"{np.dtype(dtype)} {size} × {size} × {size}"
            raise InputError(f"{path} is no volume of {what} on the grid of all others: synthesize again.")
        found[index] = volume.array
    return StoredSamples(found, grids.pop())
