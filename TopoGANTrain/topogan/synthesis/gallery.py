"""A contact sheet of the first samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from topogan.model import Samples
from topogan.model.metadata import Metadata
from topogan.pictures import dots_per_inch, interpolation
from topogan.verdict import VALID, verdict

SHOWN = 16
_COLUMNS = 8
_INCHES = 1.6
_OUTLINE = "#ffb000"
_GOOD, _BAD = "#1a7f37", "#b3261e"


def write_gallery(path: Path, samples: Samples, metadata: Metadata, expected: tuple[int, int]) -> None:
    """Write a PNG of at most 16 samples: the texture with the outline of its mask, or the mask alone.

    Below each its pieces and holes, and what is wrong with them where something is.
    """
    shown = min(len(samples), SHOWN)
    columns = min(shown, _COLUMNS)
    rows = -(-shown // columns)
    # The title needs four inches, however few the samples.
    inches = (max(columns * _INCHES, 4.0), rows * (_INCHES + 0.45) + 0.3)
    figure = Figure(figsize=inches, dpi=dots_per_inch(metadata.size), layout="constrained")
    FigureCanvasAgg(figure)
    for index, axes in enumerate(figure.subplots(rows, columns, squeeze=False).flat):
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(color="0.6", linewidth=0.5)
        axes.set_visible(index < shown)
        if index < shown:
            _draw(axes, samples, index, metadata.window)
            _label(axes, samples, index, expected)
    # A $ in a name is no formula.
    figure.suptitle(f"Synthetic {metadata.structure}: {shown} of {len(samples)}", fontsize=9, parse_math=False)
    figure.savefig(path, format="png", metadata={"Software": None})


def _draw(axes: Axes, samples: Samples, index: int, window: tuple[float, float] | None) -> None:
    mask = samples.masks[index]
    if samples.textures is None or window is None:
        axes.imshow(mask, cmap="gray", vmin=0, vmax=1, interpolation=interpolation(len(mask)))
        return
    axes.imshow(
        samples.textures[index], cmap="gray", vmin=window[0], vmax=window[1], interpolation=interpolation(len(mask))
    )
    if mask.any():  # matplotlib warns where there is no line to draw
        height, width = mask.shape
        # One pixel of background around it closes the outline of a mask that reaches the border.
        around = np.pad(mask.astype(float), 1)
        columns, rows = np.arange(-1, width + 1), np.arange(-1, height + 1)
        axes.contour(columns, rows, around, [0.5], colors=_OUTLINE, linewidths=0.9)
        axes.set(xlim=(-1, width), ylim=(height, -1))


def _label(axes: Axes, samples: Samples, index: int, expected: tuple[int, int]) -> None:
    b0, b1 = samples.betti[index].tolist()
    said = verdict((b0, b1), expected)
    text = f"#{index}  b0 = {b0}, b1 = {b1}" + ("" if said == VALID else f"\n{said.replace(', ', chr(10))}")
    colour = _GOOD if said == VALID else _BAD
    axes.text(0.5, -0.03, text, transform=axes.transAxes, ha="center", va="top", fontsize=6.5, color=colour)
