"""The contact sheet of a training set: is this what I meant to train on?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from topogan.pictures import dots_per_inch, interpolation
from topogan.structures import StructureTable
from topogan.training_set import TrainingSet

_COLUMNS, _ROWS = 8, 5
_CELL_INCHES = (1.5, 1.7)
_TITLE_INCHES, _LEGEND_INCHES, _NUMBERS_INCHES = 0.68, 0.24, 0.15
# Names of structures in a line of the legend; topologies in a line below a picture.
_NAMES, _NUMBERS = 6, 6
OUTLINE, _UNION = "#ff5a36", "black"
COLORS = {"train": "black", "validation": "#b06a00", "test": "#1f6fd6"}


def write_preview(training_set: TrainingSet, path: Path) -> None:
    """Draw up to 40 patches spread over the set: outlines over the image, or the masks alone.

    Several structures are drawn in their colors; below each picture is b0,b1 of those that are there and no context,
    and of the unions in black.

    Args:
        training_set: what to show.
        path: PNG to write.
    """
    count = min(_COLUMNS * _ROWS, len(training_set.masks))
    chosen = np.unique(np.linspace(0, len(training_set.masks) - 1, count).round().astype(int))
    rows = -(-len(chosen) // _COLUMNS)
    several = len(training_set.table) > 1
    names = legend(training_set) + context_legend(training_set) if several else []
    head = _TITLE_INCHES + _LEGEND_INCHES * -(-len(names) // _NAMES)
    foot = _NUMBERS_INCHES * -(-len(training_set.regions) // _NUMBERS) * several
    width, height = _COLUMNS * _CELL_INCHES[0], rows * (_CELL_INCHES[1] + foot) + head
    figure = Figure(figsize=(width, height), dpi=dots_per_inch(training_set.size))
    FigureCanvasAgg(figure)
    # A $ in a name is no formula.
    figure.suptitle(
        _title(training_set), x=0.01, y=1.0 - 0.1 / height, ha="left", va="top", fontsize=11, parse_math=False
    )
    for number, (name, color) in enumerate(names):
        line, column = divmod(number, _NAMES)
        place = 0.01 + 0.98 * column / _NAMES, 1.0 - (_TITLE_INCHES - 0.12 + _LEGEND_INCHES * line) / height
        figure.text(*place, name, color=color, fontsize=9, weight="bold", va="top", parse_math=False)
    cells = figure.subplots(rows, _COLUMNS, squeeze=False)
    figure.subplots_adjust(
        left=0.005,
        right=0.995,
        top=1.0 - head / height,
        bottom=0.01 + foot / height,
        wspace=0.04,
        hspace=0.16 + foot / _CELL_INCHES[1],
    )
    color_of = {row: color for part, color in COLORS.items() for row in getattr(training_set, part).tolist()}
    for cell in cells.flat:
        cell.axis("off")
    for cell, row in zip(cells.flat, chosen.tolist(), strict=False):
        image = training_set.images[row] if training_set.images is not None else None
        draw_picture(cell, training_set.table, training_set.masks[row], image, training_set.window)
        number = training_set.patients[row].removeprefix("patient_").lstrip("0")
        title = f"P{number}  level {training_set.levels[row]:.2f}"
        if several:
            _write_topologies(cell, training_set, row)
        else:
            components, holes = training_set.betti[row, 0]
            title += f"  ({components}, {holes})"
        cell.set_title(title, fontsize=7, color=color_of[row], pad=2)
    figure.savefig(path, metadata={"Software": "TopoGAN"})


def _title(training_set: TrainingSet) -> str:
    table = training_set.table
    name, numbers = table.title, "(components, holes)"
    if len(table) > 1:
        name, numbers = f"{len(table)} structures", "below: components,holes of each structure that is there"
    return (
        f"{name}: {len(training_set.train)} slices to train on, {len(training_set.validation)} for "
        f"validation (brown), {len(training_set.test)} for the test (blue). {training_set.missing_parts}\n"
        f"Patch {training_set.size} x {training_set.size} pixels of {training_set.pixel_size:.3g} mm; "
        f"P = patient, {numbers}"
    )


def legend(training_set: TrainingSet) -> list[tuple[str, str]]:
    """Names and colors of the regions."""
    colors = [one.color for one in training_set.table.without_context.structures]
    return [
        (region.name, colors[number] if number < len(colors) else _UNION)
        for number, region in enumerate(training_set.regions)
    ]


def context_legend(training_set: TrainingSet) -> list[tuple[str, str]]:
    """Names and colors of the context."""
    return [(one.name, one.color) for one in training_set.table.structures if one.context]


def _write_topologies(cell: Axes, training_set: TrainingSet, row: int) -> None:
    pairs = zip(legend(training_set), training_set.betti[row].tolist(), strict=True)
    shown = [(f"{pair[0]},{pair[1]}", color) for (_, color), pair in pairs if pair != [0, 0]]
    for number, (text, color) in enumerate(shown):
        line, column = divmod(number, _NUMBERS)
        place = column / _NUMBERS, -0.02 - _NUMBERS_INCHES / _CELL_INCHES[0] * line
        cell.text(*place, text, color=color, fontsize=7, weight="bold", va="top", transform=cell.transAxes)


def draw_picture(
    cell: Axes, table: StructureTable, labels: np.ndarray, image: np.ndarray | None, window: tuple[float, float] | None
) -> None:
    """Draw a plane of label ids [H, W]: outlines over its image, or the structures alone."""
    colors = [one.color for one in table.structures]
    size = max(labels.shape)
    if image is None or window is None:
        shown = ["black", *(colors if len(table) > 1 else ["white"])]
        picture = np.array([to_rgb(color) for color in shown])[labels]
        cell.imshow(picture, interpolation=interpolation(size))
        return
    low, high = window
    cell.imshow(image, cmap="gray", vmin=low, vmax=high, interpolation=interpolation(size))
    colors = colors if len(table) > 1 else [OUTLINE]
    # The first on top: where two touch, it is the one that a reader looks for (the cavity in its wall).
    for label, color in reversed(list(enumerate(colors, start=1))):
        if (mask := labels == label).any():
            cell.contour(mask, levels=[0.5], colors=[color], linewidths=0.9)
