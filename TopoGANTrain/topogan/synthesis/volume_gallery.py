"""A contact sheet of the first volumes: three planes and a surface of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from topogan.model import Samples
from topogan.model.metadata import Metadata
from topogan.pictures import dots_per_inch
from topogan.surface_picture import shaded_surface
from topogan.synthesis.gallery import color_of, draw_slice, numbers_of, title_of, what_is_wrong, write_legend
from topogan_contract.synthesis import VALID

SHOWN = 8
_IN_A_ROW = 2
_PICTURES = 4
# Inches.
_CELL, _GAP, _BETWEEN, _TITLE, _LEGEND, _LINE = 1.5, 0.04, 0.3, 0.35, 0.3, 0.13
# Letters in a line below the four pictures of a volume.
_LETTERS = 90


def write_volume_gallery(path: Path, samples: Samples, metadata: Metadata, verdicts: list[list[str]]) -> None:
    """Write a PNG of at most 8 volumes: the planes through the middle of the structures, and their surface.

    The planes are axial, coronal and sagittal of the volume's own axes: back, head and head are down, up and up.
    Below them is what :func:`topogan.synthesis.gallery.write_gallery` writes below slices.

    Args:
        path: file to write.
        samples: of which the first are shown.
        metadata: of their model.
        verdicts: on each region of each sample.
    """
    shown = min(len(samples), SHOWN)
    names, several = [region.name for region in metadata.regions], metadata.table.counted > 1
    said = [
        _of_several(names, verdicts[index]) if several else _of_one(samples, index, verdicts[index][0])
        for index in range(shown)
    ]
    in_a_row = min(shown, _IN_A_ROW)
    rows = -(-shown // in_a_row)
    group = _PICTURES * (_CELL + _GAP) + _BETWEEN
    line = _CELL + _LINE * (2.5 + max(text.count("\n") for text in said))
    width, height = in_a_row * group + _BETWEEN, _TITLE + rows * line + _LEGEND * several
    figure = Figure(figsize=(width, height), dpi=dots_per_inch(metadata.size))
    FigureCanvasAgg(figure)
    for index in range(shown):
        row, place = divmod(index, in_a_row)
        left, bottom = _BETWEEN + place * group, height - _TITLE - row * line - _CELL
        for number in range(_PICTURES):
            corner = (left + number * (_CELL + _GAP)) / width, bottom / height
            axes = figure.add_axes((*corner, _CELL / width, _CELL / height), xticks=[], yticks=[])
            axes.spines[:].set(color="0.6", linewidth=0.5)
            _draw(axes, number, samples, index, metadata)
        figure.text(
            left / width, (bottom - 0.04) / height, f"#{index}  {said[index]}", ha="left", va="top", fontsize=7,
            color=color_of(verdicts[index]), parse_math=False,
        )  # fmt: skip
    if several:
        write_legend(figure, metadata.table, "lower center", in_a_row * _PICTURES)
    title = title_of(metadata.table, shown, len(samples))
    figure.text(0.5, 1 - 0.1 / height, title, ha="center", va="top", fontsize=9, parse_math=False)
    figure.savefig(path, format="png", metadata={"Software": None})


def planes_of(volume: NDArray[Any], middle: tuple[int, ...]) -> list[NDArray[Any]]:
    """The axial, coronal and sagittal plane of a volume [slice, row, column] through a voxel, as they are looked at."""
    depth, row, column = middle
    return [volume[depth], volume[::-1, row], volume[::-1, :, column]]


def middle_of(labels: NDArray[np.uint8]) -> tuple[int, ...]:
    """The voxel in the middle of the box around all structures; that of the volume where there are none."""
    where = np.argwhere(labels if labels.any() else np.ones_like(labels))
    return tuple(((where.min(axis=0) + where.max(axis=0)) // 2).tolist())


def _draw(axes: Axes, number: int, samples: Samples, index: int, metadata: Metadata) -> None:
    labels, texture = samples.labels[index], None if samples.textures is None else samples.textures[index]
    alone = metadata.table.without_context_in(labels)
    if number == _PICTURES - 1:
        colors = [structure.color for structure in metadata.table.structures]
        axes.imshow(shaded_surface(alone, colors, round(_CELL * dots_per_inch(metadata.size))))
        return
    middle = middle_of(alone)
    plane = planes_of(labels, middle)[number]
    draw_slice(axes, plane, None if texture is None else planes_of(texture, middle)[number], metadata)


def _of_one(samples: Samples, index: int, said: str) -> str:
    return numbers_of(samples, index) + ("" if said == VALID else f": {said}")


def _of_several(names: list[str], verdicts: list[str]) -> str:
    return what_is_wrong(names, verdicts, _LETTERS).lstrip()
