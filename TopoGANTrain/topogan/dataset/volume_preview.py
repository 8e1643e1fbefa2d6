"""The contact sheet of a training set of volumes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from topogan.dataset.preview import COLORS, OUTLINE, context_legend, draw_picture, legend
from topogan.pictures import dots_per_inch, middle_of, three_planes
from topogan.surface_picture import shaded_surface
from topogan.training_set import TABLE_FILES, TrainingSet

_SHOWN, _COLUMNS, _PICTURES = 12, 2, 4
_INCHES, _HEAD, _LEGEND, _LINE, _GAP = 1.55, 0.62, 0.24, 0.17, 0.12
# Names of structures in a line of the legend; topologies in a line above a volume.
_NAMES, _NUMBERS = 6, 5


def write_volume_preview(training_set: TrainingSet, path: Path) -> None:
    """Draw up to 12 volumes spread over the set: three planes through the middle of the structures, and their surface.

    Above each stand the patient, the phase and (b0, b1, b2); of several structures those that are there.

    Args:
        training_set: what to show.
        path: PNG to write.
    """
    count = min(_SHOWN, len(training_set.masks))
    chosen = np.unique(np.linspace(0, len(training_set.masks) - 1, count).round().astype(int)).tolist()
    several = len(training_set.table) > 1
    names = legend(training_set) + context_legend(training_set) if several else []
    lines = 1 + (-(-len(training_set.regions) // _NUMBERS) if several else 0)
    head = _HEAD + _LEGEND * -(-len(names) // _NAMES)
    columns = min(_COLUMNS, count)
    rows = -(-len(chosen) // columns)
    width = max(columns * (_PICTURES * _INCHES + _GAP) + _GAP, 9.0)
    height = head + rows * (_INCHES + _LINE * lines + _GAP)
    figure = Figure(figsize=(width, height), dpi=max(120, dots_per_inch(training_set.size)))
    FigureCanvasAgg(figure)
    # A $ in a name is no formula.
    figure.suptitle(
        _title(training_set), x=0.01, y=1.0 - 0.08 / height, ha="left", va="top", fontsize=10, parse_math=False
    )
    for number, (name, color) in enumerate(names):
        line, column = divmod(number, _NAMES)
        place = 0.01 + 0.98 * column / _NAMES, 1.0 - (_HEAD - 0.08 + _LEGEND * line) / height
        figure.text(*place, name, color=color, fontsize=9, weight="bold", va="top", parse_math=False)
    with (training_set.folder / TABLE_FILES[3]).open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    color_of = {row: color for part, color in COLORS.items() for row in getattr(training_set, part).tolist()}
    for number, row in enumerate(chosen):
        line, column = divmod(number, columns)
        left = _GAP + column * (_PICTURES * _INCHES + _GAP)
        bottom = height - head - (line + 1) * (_INCHES + _LINE * lines + _GAP) + _GAP / 2
        planes = figure.add_axes((left / width, bottom / height, 3 * _INCHES / width, _INCHES / height))
        surface = figure.add_axes(((left + 3 * _INCHES) / width, bottom / height, _INCHES / width, _INCHES / height))
        _draw(planes, surface, training_set, row)
        top = bottom + _INCHES + 0.03
        words = _words(training_set, row, table[row])
        figure.text(left / width, (top + _LINE * (lines - 1)) / height, words, color=color_of[row], fontsize=8)
        if several:
            _write_topologies(figure, training_set, row, (left / width, (top + _LINE * (lines - 2)) / height))
    figure.savefig(path, metadata={"Software": "TopoGAN"})


def _title(training_set: TrainingSet) -> str:
    table = training_set.table
    name = table.title if len(table) == 1 else f"{len(table)} structures"
    return (
        f"{name}: {len(training_set.train)} volumes to train on, {len(training_set.validation)} for validation "
        f"(brown), {len(training_set.test)} for the test (blue). {training_set.missing_parts}\n"
        f"{' x '.join([str(training_set.size)] * 3)} voxels of {training_set.pixel_size:.3g} mm; the slice in the "
        "middle, two planes across it, surface from the front left; b = (pieces, tunnels, cavities)"
    )


def _words(training_set: TrainingSet, row: int, line: dict[str, str]) -> str:
    number = training_set.patients[row].removeprefix("patient_").lstrip("0")
    words = f"Patient {number}, phase {line['phase']}"
    if line["pose"] != "0":
        words += f", pose {line['pose']}"
    if len(training_set.regions) == 1:
        words += f"   b = ({', '.join(map(str, training_set.betti[row, 0].tolist()))})"
    return words


def _write_topologies(figure: Figure, training_set: TrainingSet, row: int, place: tuple[float, float]) -> None:
    found = zip(legend(training_set), training_set.betti[row].tolist(), strict=True)
    shown = [(",".join(map(str, numbers)), color) for (_, color), numbers in found if any(numbers)]
    width, height = figure.get_size_inches().tolist()
    for number, (text, color) in enumerate(shown):
        line, column = divmod(number, _NUMBERS)
        x = place[0] + column * _PICTURES * _INCHES / _NUMBERS / width
        figure.text(x, place[1] - line * _LINE / height, text, color=color, fontsize=8, weight="bold")


def _draw(planes: Axes, surface: Axes, training_set: TrainingSet, row: int) -> None:
    table, labels, window = training_set.table, training_set.masks[row], training_set.window
    alone, size = table.without_context_in(labels), training_set.size
    at = middle_of(alone)
    image = None
    if training_set.images is not None and window is not None:
        image = _side_by_side(three_planes(training_set.images[row], at), round(window[1]))
    draw_picture(planes, table, _side_by_side(three_planes(labels, at), 0), image, window)
    for number in (1, 2):
        planes.axvspan(number * (size + 1) - 1.5, number * (size + 1) - 0.5, color="white", linewidth=0)
    colors = [one.color for one in table.structures] if len(table) > 1 else [OUTLINE]
    surface.imshow(shaded_surface(alone, colors))
    for axes in (planes, surface):
        axes.axis("off")


def _side_by_side(planes: Sequence[np.ndarray], between: int) -> np.ndarray:
    """Three planes [H, W] in a row, with a column of one value between them."""
    first, second, third = planes
    gap = np.full((len(first), 1), between, first.dtype)
    return np.concatenate([first, gap, second, gap, third], axis=1)
