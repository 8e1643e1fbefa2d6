"""The contact sheet of a training set: is this what I meant to train on?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from topogan.pictures import dots_per_inch, interpolation
from topogan.training_set import TrainingSet

_COLUMNS, _ROWS = 8, 5
_CELL_INCHES = (1.5, 1.7)
_TITLE_INCHES = 0.68
_OUTLINE = "#ff5a36"
_COLORS = {"train": "black", "validation": "#b06a00", "test": "#1f6fd6"}


def write_preview(training_set: TrainingSet, path: Path) -> None:
    """Draw up to 40 patches spread over the set: the mask's outline over the image, or the mask alone.

    Args:
        training_set: what to show.
        path: PNG to write.
    """
    count = min(_COLUMNS * _ROWS, len(training_set.masks))
    chosen = np.unique(np.linspace(0, len(training_set.masks) - 1, count).round().astype(int))
    rows = -(-len(chosen) // _COLUMNS)
    width, height = _COLUMNS * _CELL_INCHES[0], rows * _CELL_INCHES[1] + _TITLE_INCHES
    figure = Figure(figsize=(width, height), dpi=dots_per_inch(training_set.size))
    FigureCanvasAgg(figure)
    # A $ in a name is no formula.
    figure.suptitle(
        _title(training_set), x=0.01, y=1.0 - 0.1 / height, ha="left", va="top", fontsize=11, parse_math=False
    )
    cells = figure.subplots(rows, _COLUMNS, squeeze=False)
    figure.subplots_adjust(
        left=0.005, right=0.995, top=1.0 - _TITLE_INCHES / height, bottom=0.01, wspace=0.04, hspace=0.16
    )
    color_of = {row: color for part, color in _COLORS.items() for row in getattr(training_set, part).tolist()}
    for cell in cells.flat:
        cell.axis("off")
    for cell, row in zip(cells.flat, chosen.tolist(), strict=False):
        _draw(cell, training_set, row)
        components, holes = training_set.betti[row, 0]
        number = training_set.patients[row].removeprefix("patient_").lstrip("0")
        title = f"P{number}  level {training_set.levels[row]:.2f}  ({components}, {holes})"
        cell.set_title(title, fontsize=7, color=color_of[row], pad=2)
    figure.savefig(path, metadata={"Software": "TopoGAN"})


def _title(training_set: TrainingSet) -> str:
    return (
        f"{training_set.table.title}: {len(training_set.train)} slices to train on, {len(training_set.validation)} for "
        f"validation (brown), {len(training_set.test)} for the test (blue). {training_set.missing_parts}\n"
        f"Patch {training_set.size} x {training_set.size} pixels of {training_set.pixel_size:.3g} mm; "
        "P = patient, (components, holes)"
    )


def _draw(cell: Axes, training_set: TrainingSet, row: int) -> None:
    (mask,) = training_set.region_masks(np.array([row]))
    if training_set.images is None or training_set.window is None:
        cell.imshow(mask, cmap="gray", vmin=0, vmax=1, interpolation=interpolation(training_set.size))
        return
    low, high = training_set.window
    cell.imshow(
        training_set.images[row], cmap="gray", vmin=low, vmax=high, interpolation=interpolation(training_set.size)
    )
    cell.contour(mask, levels=[0.5], colors=[_OUTLINE], linewidths=0.9)
