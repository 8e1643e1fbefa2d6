"""A contact sheet of the first samples."""

from __future__ import annotations

import textwrap
from pathlib import Path

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
    several = len(table) > 1
    names = [region.name for region in metadata.regions]
    said = [
        _of_several(names, verdicts[index]) if several else _of_one(samples, index, verdicts[index][0])
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
            _draw(axes, samples, index, table, metadata.window)
            color = _GOOD if all(map(is_valid, verdicts[index])) else _BAD
            text = f"#{index}  {said[index]}"
            axes.text(
                0.5, -0.03, text, transform=axes.transAxes, ha="center", va="top", fontsize=6.5, color=color,
                parse_math=False,
            )  # fmt: skip
    if several:
        patches = [Patch(color=structure.color, label=structure.name.lstrip("_")) for structure in table.structures]
        legend = figure.legend(
            handles=patches, loc="outside lower center", ncols=min(len(patches), columns), fontsize=7
        )
        legend.set_frame_on(False)
        for word in legend.get_texts():
            word.set_parse_math(False)
    # A $ in a name is no formula.
    title = f"Synthetic {textwrap.shorten(table.title, 100, placeholder=' …')}: {shown} of {len(samples)}"
    figure.suptitle(title, fontsize=9, parse_math=False)
    figure.savefig(path, format="png", metadata={"Software": None})


def _draw(axes: Axes, samples: Samples, index: int, table: StructureTable, window: tuple[float, float] | None) -> None:
    labels = samples.labels[index]
    colors = [structure.color for structure in table.structures]
    if samples.textures is None or window is None:
        shown = ListedColormap(["black", *(colors if len(colors) > 1 else ["white"])])
        axes.imshow(labels, cmap=shown, vmin=0, vmax=len(colors), interpolation=interpolation(len(labels)))
        return
    axes.imshow(
        samples.textures[index], cmap="gray", vmin=window[0], vmax=window[1], interpolation=interpolation(len(labels))
    )
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
    b0, b1 = samples.betti[index, 0].tolist()
    return f"b0 = {b0}, b1 = {b1}" + ("" if said == VALID else f"\n{said.replace(', ', chr(10))}")


def _of_several(names: list[str], verdicts: list[str]) -> str:
    """What is wrong, one structure or union a line."""
    wrong = [f"{name}: {said}" for name, said in zip(names, verdicts, strict=True) if not is_valid(said)]
    lines = [line for text in wrong for line in textwrap.wrap(text, _LETTERS)]
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], "…"]
    return "\n".join(["", *lines]) if lines else VALID
