"""A contact sheet of the first samples: slices here, volumes in :mod:`topogan.synthesis.volume_gallery`."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from topogan.model import Samples
from topogan.model.metadata import Metadata
from topogan.pictures import dots_per_inch, interpolation
from topogan.structures import StructureTable
from topogan.verdict import is_valid
from topogan_contract.synthesis import VALID

Place = Literal["outside lower center", "lower center"]

SHOWN = 16
_COLUMNS = 8
_INCHES = 1.6
_GOOD, _BAD = "#1a7f37", "#b3261e"
# Letters in a line below a picture, and lines there.
_LETTERS, _LINES = 34, 4


def write_gallery(path: Path, samples: Samples, metadata: Metadata, verdicts: list[list[str]]) -> None:
    """Write a PNG of at most 16 samples: the texture with the outlines of its structures, or the structures alone.

    Below each what is wrong with its topology where something is; of one structure its pieces and holes, too.

    Args:
        path: file to write.
        samples: of which the first are shown.
        metadata: of their model.
        verdicts: on each region of each sample.
    """
    shown = min(len(samples), SHOWN)
    columns = min(shown, _COLUMNS)
    rows = -(-shown // columns)
    table = metadata.table
    several = table.counted > 1
    names = [region.name for region in metadata.regions]
    said = [
        what_is_wrong(names, verdicts[index], _LETTERS) if several else _of_one(samples, index, verdicts[index][0])
        for index in range(shown)
    ]
    below = 0.2 + 0.12 * max(text.count("\n") for text in said) if several else 0.45
    # The title needs four inches, however few the samples.
    inches = (max(columns * _INCHES, 4.0), rows * (_INCHES + below) + (0.6 if several else 0.3))
    figure = Figure(figsize=inches, dpi=dots_per_inch(metadata.size), layout="constrained")
    FigureCanvasAgg(figure)
    for index, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(color="0.6", linewidth=0.5)
        axes.set_visible(index < shown)
        if index < shown:
            texture = None if samples.textures is None else samples.textures[index]
            draw_slice(axes, samples.labels[index], texture, metadata)
            text = f"#{index}  {said[index]}"
            axes.text(
                0.5, -0.03, text, transform=axes.transAxes, ha="center", va="top", fontsize=6.5,
                color=color_of(verdicts[index]), parse_math=False,
            )  # fmt: skip
    if several:
        write_legend(figure, table, "outside lower center", columns)
    figure.suptitle(title_of(table, shown, len(samples)), fontsize=9, parse_math=False)  # a $ in a name is no formula
    figure.savefig(path, format="png", metadata={"Software": None})


def write_legend(figure: Figure, table: StructureTable, place: Place, columns: int) -> None:
    """Name the structures in their colors; ``place`` is matplotlib's ``loc``."""
    patches = [Patch(color=structure.color, label=structure.name.lstrip("_")) for structure in table.structures]
    legend = figure.legend(handles=patches, loc=place, ncols=min(len(patches), columns), fontsize=7)
    legend.set_frame_on(False)
    for word in legend.get_texts():
        word.set_parse_math(False)


def title_of(table: StructureTable, shown: int, count: int) -> str:
    """What is shown of how many."""
    return f"Synthetic {textwrap.shorten(table.title, 100, placeholder=' …')}: {shown} of {count}"


def color_of(verdicts: list[str]) -> str:
    """Green where nothing is wrong with a sample, else red."""
    return _GOOD if all(map(is_valid, verdicts)) else _BAD


def draw_slice(axes: Axes, labels: NDArray[np.uint8], texture: NDArray[np.int16] | None, metadata: Metadata) -> None:
    """Draw a slice, or a plane of a volume: labels and texture [row, column], the first row on top."""
    window, colors = metadata.window, [structure.color for structure in metadata.table.structures]
    if texture is None or window is None:
        shown = ListedColormap(["black", *(colors if len(colors) > 1 else ["white"])])
        axes.imshow(labels, cmap=shown, vmin=0, vmax=len(colors), interpolation=interpolation(len(labels)))
        return
    axes.imshow(texture, cmap="gray", vmin=window[0], vmax=window[1], interpolation=interpolation(len(labels)))
    height, width = labels.shape
    # One pixel of background around it closes the outline of a structure that reaches the border.
    around = np.pad(labels, 1)
    columns, rows = np.arange(-1, width + 1), np.arange(-1, height + 1)
    for label, color in sorted(enumerate(colors, start=1), key=lambda pair: -_extent(labels == pair[0])):
        if (around == label).any():  # matplotlib warns where there is no line to draw
            axes.contour(columns, rows, (around == label).astype(float), [0.5], colors=color, linewidths=0.9)
    axes.set(xlim=(-1, width), ylim=(height, -1))


def _extent(mask: NDArray[np.bool_]) -> int:
    """Pixels of its bounding box. The smaller box is drawn on top: what lies in another shares that one's outline."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return int(np.ptp(rows) + 1) * int(np.ptp(columns) + 1) if len(rows) else 0


def _of_one(samples: Samples, index: int, said: str) -> str:
    return numbers_of(samples, index) + ("" if said == VALID else f"\n{said.replace(', ', chr(10))}")


def numbers_of(samples: Samples, index: int) -> str:
    """The Betti numbers of the first structure: "b0 = 1, b1 = 0"."""
    return ", ".join(f"b{dimension} = {count}" for dimension, count in enumerate(samples.betti[index, 0].tolist()))


def what_is_wrong(names: list[str], verdicts: list[str], letters: int) -> str:
    """What is wrong, one structure or union a line of so many letters, the first line empty; or that nothing is."""
    wrong = [f"{name}: {said}" for name, said in zip(names, verdicts, strict=True) if not is_valid(said)]
    lines = [line for text in wrong for line in textwrap.wrap(text, letters)]
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], "…"]
    return "\n".join(["", *lines]) if lines else VALID
