"""Pictures of single samples: alone, with their texture, and beside the training mask that they are nearest to.

A slice is one picture. A volume is four: the planes across its slices, rows and columns through the middle of what it
shows, the head above, and the surface of its structures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation import pictures
from topogan.evaluation.cases import Case
from topogan.evaluation.sections import Comparison
from topogan.pictures import middle_of, three_planes

Picture = NDArray[np.uint8]
# Of a volume.
_PARTS = 4


def sample_picture(found: Comparison, case: Case) -> Picture:
    """A sample and, where it has one, its texture: beside a slice, below a volume."""
    labels, textures, window = found.samples.labels[case.sample], found.samples.textures, found.real.window
    texture = None if textures is None or window is None else textures[case.sample]
    if labels.ndim == 2:
        grey = [] if texture is None or window is None else [pictures.texture_picture(texture, window)]
        return pictures.side_by_side([_colored(found, labels), *grey])
    middle = middle_of(labels)
    rows = [_row_of_volume(found, labels, middle)]
    if texture is not None and window is not None:
        planes = three_planes(texture, middle)
        rows.append(_row([pictures.texture_picture(plane, window) for plane in planes]))
    return pictures.below_each_other(rows)


def copy_picture(found: Comparison, case: Case) -> Picture:
    """A sample, the training mask nearest to it, and their overlap: of slices in a row, of volumes a row each."""
    sample, real = found.samples.labels[case.sample], found.real.masks[found.audit.nearest[case.sample]]
    if not found.several:
        sample, real = (sample == 1).astype(np.uint8), (real == 1).astype(np.uint8)
    if sample.ndim == 2:
        overlap = pictures.overlap(sample, real)
        return pictures.side_by_side([_colored(found, sample), _colored(found, real), overlap])
    middle = middle_of(sample | real)
    planes = zip(three_planes(sample, middle), three_planes(real, middle), strict=True)
    rows = [_row_of_volume(found, labels, middle) for labels in (sample, real)]
    return pictures.below_each_other([*rows, _row([pictures.overlap(*pair) for pair in planes])])


def texture_pair_picture(found: Comparison, sample: int, row: int) -> Picture:
    """The texture of a sample and a training image: of slices beside each other, of volumes three planes of each.

    Args:
        found: with textures.
        sample: position in the synthesis.
        row: of the training set.
    """
    textures, images, window = found.samples.textures, found.real.images, found.real.window
    assert textures is not None and images is not None and window is not None
    pair = textures[sample], images[row]
    if pair[0].ndim == 2:
        return pictures.side_by_side([pictures.texture_picture(image, window) for image in pair])
    middle = middle_of(found.samples.labels[sample] | found.real.masks[row])
    planes = [[pictures.texture_picture(plane, window) for plane in three_planes(image, middle)] for image in pair]
    rows = [pictures.side_by_side([pictures.enlarged(plane) for plane in three]) for three in planes]
    return pictures.below_each_other(rows)


def _row_of_volume(found: Comparison, labels: NDArray[np.uint8], middle: tuple[int, int, int]) -> Picture:
    planes = [_colored(found, plane) for plane in three_planes(labels, middle)]
    return _row([*planes, pictures.surface_picture(labels, _colors(found))])


def _row(parts: list[Picture]) -> Picture:
    """The pictures of one volume in a row, large enough to be seen; an empty place for the surface of a texture."""
    shown = [pictures.enlarged(part) for part in parts]
    empty = [np.full_like(shown[0], 255)] * (_PARTS - len(shown))
    return pictures.side_by_side([*shown, *empty])


def _colored(found: Comparison, labels: NDArray[Any]) -> Picture:
    """A mask in black; label maps in the structures' colors."""
    return pictures.label_picture(labels, _colors(found) if found.several else [])


def _colors(found: Comparison) -> list[str]:
    return [structure.color for structure in found.real.table.structures]
