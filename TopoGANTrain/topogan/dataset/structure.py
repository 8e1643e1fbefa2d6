"""The voxels of the structures in a segmentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from topogan.errors import InputError
from topogan.structures import StructureTable
from topogan.volumes import Volume

_MOST_LABELS_NAMED = 12
# Some tools mark what is to be ignored with -1.
_LOWEST_LABEL = -1


def label_map_of(segmentation: Volume, table: StructureTable, path: Path) -> Volume:
    """Cut the structures out of a segmentation.

    Args:
        segmentation: label values.
        table: which of them make which structure.
        path: the file, for messages.

    Returns:
        uint8 voxels, the label ids of ``table``, cropped to the bounding box of all structures and a voxel around it.

    Raises:
        InputError: none of the labels is there, or the values are not whole numbers, or those of a scan.
    """
    array = segmentation.array
    if array.dtype.kind == "f":
        _check_whole(array, path)
    lowest = int(array.min())
    if lowest < _LOWEST_LABEL:
        raise InputError(f"{path} holds values down to {lowest}: it is a scan, give its segmentation instead.")
    ids = np.zeros(array.shape, np.uint8)
    for number, structure in enumerate(table.structures, start=1):
        labels = structure.labels
        ids[np.isin(array, labels) if len(labels) > 1 else array == labels[0]] = number
    bounds = []
    for axis in range(3):
        others = tuple(other for other in range(3) if other != axis)
        filled = np.flatnonzero(ids.any(axis=others))
        if not len(filled):
            raise absent_labels(array, [label for structure in table.structures for label in structure.labels], path)
        bounds.append((filled[0], filled[-1]))
    low, high = np.array(bounds[::-1]).T  # x, y, z
    # One voxel more, so that an interpolation at the edge of a structure sees that it ends there.
    return Volume(ids, segmentation.geometry).cropped(low - 1, high + 1)


def _check_whole(array: np.ndarray, path: Path) -> None:
    for plane in array:  # slice by slice: no temporary volume
        if not np.array_equal(plane, np.rint(plane)):
            value = float(plane[plane != np.rint(plane)][0])
            raise InputError(f"{path} holds the value {value:g}: a segmentation has whole numbers as labels.")


def absent_labels(array: np.ndarray, labels: Sequence[int], path: Path) -> InputError:
    """The sentence on labels that an array has not, with those that it has."""
    # Slice by slice: sorting all voxels of a large volume would double the memory.
    present = sorted({float(value) for plane in array for value in np.unique(plane)} - {0.0})
    wanted = f"label{'s' if len(labels) > 1 else ''} {', '.join(map(str, labels))}"
    if not present:
        return InputError(f"{path} is empty: it holds no voxel of {wanted} nor of any other; leave it out.")
    named = ", ".join(f"{value:.8g}" for value in present[:_MOST_LABELS_NAMED]) + (
        " …" if len(present) > _MOST_LABELS_NAMED else ""
    )
    return InputError(f"{path} holds no voxel of {wanted}: the labels in it are {named}.")
