"""Body, lungs and bone, found in a CT by its HU: what a texture is told of the places that nobody has segmented."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from topogan.config import Context
from topogan.structures import Structure
from topogan.volumes import Volume

# Between lung (-850 to -500 HU) and fat (-120 to -80 HU), and where one airway's wall or a skin's voxel is half air.
_AIR_BELOW = -400.0
# Spongy bone has 100 to 300 HU, cortical bone more than 500; soft tissue without contrast medium stays below 100.
_BONE_ABOVE = 250.0
# What is thinner than twice this is no body (tables, wires, clothes), and no gap in a lung (its vessels): mm.
_REACH = 3.0
# Air around the patient has -1000 HU, less where it was not scanned; a lung, even an emphysematous one, more.
_LUNG_ABOVE, _UNSCANNED_BELOW = -930.0, -1020.0
# Of the body: a lung has a tenth of a chest, and a trachea a three-hundredth.
_LUNG_SHARE = 0.01

_COLORS = {Context.BONE: "#f1d691", Context.LUNGS: "#c5a591", Context.BODY: "#b17a65"}
"""Slicer's for bone, lung and skin, in the order in which they win."""


def context_structures(kinds: Sequence[Context]) -> tuple[Structure, ...]:
    """The structures of a table that stand for what is to be found, in the order in which they win."""
    return tuple(
        Structure(name=kind.value, color=color, context=True) for kind, color in _COLORS.items() if kind in kinds
    )


def find_context(image: Volume, structures: Volume, kinds: Sequence[Context], pixel_size: float) -> Volume:
    """Find what surrounds the structures.

    - *body*: the largest component of what is denser than -400 HU, opened; what is large, less dense and not air either
      (lungs that the edge of the image cuts); and the holes of both, slice by slice;
    - *lungs*: what is less dense within it, where it is large, closed; airways may be part of it, and so are large
      pockets of gas in stomach and bowel;
    - *bone*: what is denser than 250 HU within it and no structure. That is also contrast medium in vessels that are no
      structure, calcium, and metal.

    Args:
        image: CT in HU.
        structures: label ids; what is not 0 is no bone. Any grid.
        kinds: what to find.
        pixel_size: of the patches in mm; means over voxels that are smaller are looked at.

    Returns:
        uint8, on the grid of these means: ids from 1 on in the order of :func:`context_structures`. Structures are
        body.
    """
    mean = _mean_over(image, pixel_size)
    reach = tuple(round(_REACH / side) for side in mean.spacing[::-1])
    upright = 2 - int(np.abs(mean.geometry.axes[2]).argmax())
    body = _body(mean.array, reach, upright)
    found = {Context.BODY: body}
    if Context.LUNGS in kinds:
        found[Context.LUNGS] = _lungs(body & (mean.array < _AIR_BELOW), body, reach)
    if Context.BONE in kinds:
        found[Context.BONE] = body & (mean.array > _BONE_ABOVE) & ~_on_grid_of(mean, structures)
    ids = np.zeros(body.shape, np.uint8)
    order = [kind for kind in _COLORS if kind in kinds]
    for number, kind in reversed(list(enumerate(order, start=1))):
        ids[found[kind]] = number
    return Volume(ids, mean.geometry)


def _mean_over(image: Volume, pixel_size: float) -> Volume:
    """Means over as many voxels along each axis as a pixel holds; what is left over at the far edges is left out."""
    sizes = zip(image.spacing, image.geometry.size, strict=True)
    counts = [min(max(1, int(pixel_size / side + 1e-3)), size) for side, size in sizes]
    if max(counts) == 1:
        return image
    return Volume.of_image(sitk.BinShrink(sitk.Cast(image.to_image(), sitk.sitkFloat32), counts))


def _on_grid_of(grid: Volume, structures: Volume) -> NDArray[np.bool_]:
    size, axes = grid.geometry.size, grid.direction
    where = Volume(structures.array != 0, structures.geometry).to_image()
    nearest = sitk.Resample(where, size, sitk.Transform(), sitk.sitkNearestNeighbor, grid.origin, grid.spacing, axes, 0)
    return np.asarray(sitk.GetArrayFromImage(nearest) != 0)


def _body(hu: NDArray[Any], reach: Sequence[int], upright: int) -> NDArray[np.bool_]:
    """The largest piece of tissue, the lungs, and what slices of both across the axis ``upright`` enclose."""
    parts, count = ndimage.label(_opened(hu > _AIR_BELOW, reach))
    if not count:
        return np.zeros(hu.shape, bool)
    sizes = _sizes(parts, count)
    sizes[0] = 0
    body = parts == sizes.argmax()
    del parts  # before the next ones, which are as large
    # A field of view as small as the heart's cuts the lungs, and nothing encloses them.
    around = _opened(hu < _UNSCANNED_BELOW, reach)
    around |= body
    parts, count = ndimage.label(np.logical_not(around, out=around))
    del around
    wanted = _are_large(parts, count, body)
    for number in np.flatnonzero(wanted).tolist():
        wanted[number] = np.median(hu[parts == number]) > _LUNG_ABOVE
    for number, plane in enumerate(parts):
        body[number] |= wanted[plane]
    del parts
    planes = np.moveaxis(body, upright, 0)
    for number, plane in enumerate(planes):
        planes[number] = ndimage.binary_fill_holes(plane)
    return np.asarray(body)


def _lungs(gas: NDArray[np.bool_], body: NDArray[np.bool_], reach: Sequence[int]) -> NDArray[np.bool_]:
    """What is large of the gas in the body, closed; ``gas`` is overwritten."""
    parts, count = ndimage.label(gas)
    large = _are_large(parts, count, body)
    for number, plane in enumerate(parts):
        gas[number] = large[plane]
    del parts
    closed = _grown(_grown(gas, reach, 1), reach, -1)
    closed &= body
    return closed


def _sizes(parts: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Voxels of the parts 0 to ``count``; plane by plane, because NumPy counts in copies of eight bytes a voxel."""
    sizes = np.zeros(count + 1, np.int64)
    for plane in parts:
        sizes += np.bincount(plane.ravel(), minlength=count + 1)
    return sizes


def _are_large(parts: NDArray[np.integer], count: int, body: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the parts 0 to ``count`` are as large as a lung; the part 0 is none."""
    large = _sizes(parts, count) >= max(1.0, _LUNG_SHARE * np.count_nonzero(body))
    large[0] = False
    return np.asarray(large)


def _opened(mask: NDArray[np.bool_], reach: Sequence[int]) -> NDArray[np.bool_]:
    return _grown(_grown(mask, reach, -1), reach, 1)


def _grown(mask: NDArray[np.bool_], reach: Sequence[int], way: int) -> NDArray[np.bool_]:
    """Grown (``way`` = 1) or shrunk (-1) by a box; beyond the edges it goes on as it is there."""
    size = [2 * count + 1 for count in reach]
    change = ndimage.maximum_filter if way > 0 else ndimage.minimum_filter
    return np.asarray(change(mask.view(np.uint8), size=size, mode="nearest").view(bool))
