"""The figures of the report as inline SVG: readable in grey and by the color-blind.

Every set has a color of Okabe and Ito's palette, and beside it a hatch, a line style or a marker that is its own.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from topogan.homology import Diagram
from topogan.verdict import plural

if TYPE_CHECKING:
    from matplotlib.typing import RcKeyType  # of matplotlib 3.11

_RC: dict[RcKeyType, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "hatch.linewidth": 0.6,
}


@dataclass(frozen=True)
class SetStyle:
    """How a set is drawn in every figure."""

    label: str
    color: str
    hatch: str
    line: str


STYLES = {
    "synthetic": SetStyle("synthetic", "#0072B2", "", "-"),
    "test": SetStyle("real, test", "#E69F00", "////", "--"),
    "training": SetStyle("real, trained on", "#BBBBBB", "....", ":"),
}


def betti_bars(shares: dict[str, dict[tuple[int, ...], float]], most: int = 8, name: str = "betti") -> str:
    """Share of each (b0, b1, …) in each set, the most frequent first, the rest together.

    Args:
        shares: for each set the shares, summing to 1.
        most: bars before the rest is put together.
        name: of the figure, unique in the page.
    """
    keys = sorted({key for found in shares.values() for key in found}, key=lambda key: _largest(shares, key))
    shown, rest = keys[:most], keys[most:]
    names = [", ".join(map(str, key)) for key in shown] + (["other"] if rest else [])
    figure, axes = _figure(7.0, 2.4)
    width = 0.8 / len(shares)
    for number, (of, found) in enumerate(shares.items()):
        heights = [found.get(key, 0.0) for key in shown] + ([sum(found.get(key, 0.0) for key in rest)] if rest else [])
        left = np.arange(len(names)) + (number - (len(shares) - 1) / 2) * width
        style = STYLES[of]
        filled: dict[str, Any] = {
            "facecolor": style.color,
            "edgecolor": "black",
            "linewidth": 0.6,
            "hatch": style.hatch,
        }
        axes.bar(left, [100 * height for height in heights], width, label=style.label, **filled)
    axes.set_xticks(range(len(names)), names)
    return _labelled(
        figure, axes, ", ".join(plural(dimension) for dimension in range(len(keys[0]))), "slices (%)", name
    )


def _largest(shares: dict[str, dict[tuple[int, ...], float]], key: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
    return -max(found.get(key, 0.0) for found in shares.values()), key


def distribution(values: dict[str, NDArray[np.float64]], axis: str, name: str) -> str:
    """The distributions of one figure per slice, as shares, over common bins.

    Args:
        values: for each set float [N].
        axis: what the values are, with the unit.
        name: of the figure, unique in the page.
    """
    one_slice = {key: 100.0 / len(found) for key, found in values.items()}
    return _histogram(values, one_slice, axis, "slices (%)", name)


def _histogram(values: dict[str, NDArray[np.float64]], weights: dict[str, float], x: str, y: str, name: str) -> str:
    """How many values of each set lie in 16 common bins, times the weight of a value."""
    edges = np.histogram_bin_edges(np.concatenate(list(values.values())), bins=16)
    figure, axes = _figure(7.0, 2.2)
    for key, found in values.items():
        counts, _ = np.histogram(found, bins=edges)
        _outline(axes, edges, list(weights[key] * counts), STYLES[key])
    return _labelled(figure, axes, x, y, name)


def _labelled(figure: Figure, axes: Axes, x: str, y: str, name: str) -> str:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    _legend(axes)
    return _svg(figure, name)


def _legend(axes: Axes) -> None:
    # Beside the axes: inside it would cover what it explains.
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _outline(axes: Axes, edges: NDArray[np.float64], shares: list[float], style: SetStyle) -> None:
    axes.stairs(shares, edges, color=_line_color(style), linestyle=style.line, linewidth=1.6, label=style.label)


def _line_color(style: SetStyle) -> str:
    # The light grey of a filled bar would vanish as a line.
    return "#555555" if style.color == "#BBBBBB" else style.color


def intensity_panels(histograms: dict[str, dict[str, Any]], window: tuple[float, float], unit: str) -> str:
    """The intensity histogram of each tissue that any set has.

    Args:
        histograms: for each set and tissue an :class:`IntensityHistogram`.
        window: lowest and highest intensity.
        unit: of the intensities.
    """
    tissues = [name for name in histograms["test"] if any(found[name].count for found in histograms.values())]
    edges = np.linspace(window[0], window[1], 41)
    columns = min(len(tissues), 4)
    rows = -(-len(tissues) // columns)
    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=(2.4 * columns + 1.4, 2.2 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel in panels[len(tissues) :]:
        panel.remove()
    for panel, tissue in zip(panels, tissues, strict=False):
        for name, found in histograms.items():
            if found[tissue].count:
                _outline(panel, edges, [100 * share for share in found[tissue].shares(edges)], STYLES[name])
        panel.set_title(tissue, fontsize=9, parse_math=False)
        panel.set_xlabel(unit)
    for panel in panels[::columns]:
        panel.set_ylabel("pixels (%)")
    _legend(panels[columns - 1])
    return _svg(figure, "intensity")


def spectra_lines(spectra: dict[str, NDArray[np.float64]]) -> str:
    """Power over spatial frequency.

    Args:
        spectra: for each set float [K] in dB, from 1 cycle per image width.
    """
    figure, axes = _figure(7.0, 2.2)
    for name, values in spectra.items():
        style = STYLES[name]
        cycles = np.arange(1, len(values) + 1)
        axes.plot(cycles, values, color=_line_color(style), linestyle=style.line, linewidth=1.6, label=style.label)
    axes.set_xscale("log")
    return _labelled(figure, axes, "cycles per image width", "power (dB)", "spectrum")


def hole_densities(diagrams: dict[str, list[Diagram]]) -> str:
    """Where the finite points of the holes lie: one panel a set, points per slice in one common grey-safe scale.

    Args:
        diagrams: of each set, in pixels; the sets may differ in size.
    """
    points = {name: _points(found, dimension=1) for name, found in diagrams.items()}
    top = 1.05 * max((float(found.max()) for found in points.values() if found.size), default=1.0)
    edges = np.linspace(0.0, top, 33)
    densities = {
        name: np.histogram2d(found[:, 1], found[:, 0], bins=(edges, edges))[0] / len(diagrams[name])
        for name, found in points.items()
    }
    highest = max(float(density.max()) for density in densities.values()) or 1.0
    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=(7.0, 2.9), layout="constrained")
        panels = figure.subplots(1, len(points), sharey=True)
    for panel, (name, density) in zip(panels, densities.items(), strict=True):
        image = panel.imshow(
            np.ma.masked_equal(density, 0.0),
            origin="lower",
            extent=(0.0, top, 0.0, top),
            cmap="cividis_r",
            norm=LogNorm(vmin=highest / 1000.0, vmax=highest),
            interpolation="nearest",
        )
        panel.plot([0, top], [0, top], color="black", linewidth=0.8)
        panel.set_title(STYLES[name].label, fontsize=9)
        panel.set_xlabel("birth (pixels)")
    panels[0].set_ylabel("death (pixels)")
    figure.colorbar(image, ax=list(panels), label="points per slice")
    return _svg(figure, "holes")


def gap_histogram(diagrams: dict[str, list[Diagram]]) -> str:
    """How wide the gaps between the components of a slice are; empty text where no slice has a second one.

    Args:
        diagrams: of each set, in pixels.
    """
    deaths = {name: _points(found, dimension=0)[:, 1] for name, found in diagrams.items()}
    if not any(found.size for found in deaths.values()):
        return ""
    one_gap = {name: 1.0 / len(found) for name, found in diagrams.items()}
    return _histogram(deaths, one_gap, "half the gap (pixels)", "gaps per slice", "gaps")


def _points(diagrams: list[Diagram], dimension: int) -> NDArray[np.float64]:
    """The (birth, death) of all finite points of one dimension, float [n, 2]."""
    return np.concatenate([np.empty((0, 2)), *(diagram.finite_points(dimension) for diagram in diagrams)])


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of ``width`` by ``height`` inches with one pair of axes."""
    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots()


def _svg(figure: Figure, name: str) -> str:
    """The figure as an ``<svg>`` element; ``name`` keeps its ids apart from those of the other figures."""
    buffer = io.StringIO()
    with matplotlib.rc_context({**_RC, "svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = re.sub(r"<metadata>.*?</metadata>", "", buffer.getvalue(), flags=re.DOTALL)
    return text[text.index("<svg") :]
