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


def betti_bars(
    shares: dict[str, dict[tuple[int, ...], float]], samples: str = "slices", most: int = 8, name: str = "betti"
) -> str:
    """Share of each (b0, b1, …) in each set, the most frequent first, the rest together.

    Args:
        shares: for each set the shares, summing to 1.
        samples: what they are shares of.
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
        _bars(axes, left, heights, width, STYLES[of])
    axes.set_xticks(range(len(names)), names)
    dimensions = len(keys[0])
    counted = ", ".join(plural(dimension, dimensions) for dimension in range(dimensions))
    return _labelled(figure, axes, counted, f"{samples} (%)", name)


def betti_panels(betti: dict[str, NDArray[np.int64]], samples: str, most: int = 5, name: str = "numbers") -> str:
    """Share of each b0, of each b1, of each b2 in each set: a panel for each number.

    Args:
        betti: for each set int [N, dimensions].
        samples: what they are shares of.
        most: numbers from here on are put together.
        name: of the figure, unique in the page.
    """
    dimensions = next(iter(betti.values())).shape[1]
    width = 0.8 / len(betti)
    with matplotlib.rc_context(_RC):
        figure = Figure(figsize=(8.0, 2.2), layout="constrained")
        panels = figure.subplots(1, dimensions, sharey=True, squeeze=False).ravel()
    for dimension, panel in enumerate(panels):
        highest = min(most, max(1, *(int(found[:, dimension].max()) for found in betti.values())))
        for number, (of, found) in enumerate(betti.items()):
            counts = np.bincount(np.minimum(found[:, dimension], most), minlength=highest + 1)
            left = np.arange(highest + 1) + (number - (len(betti) - 1) / 2) * width
            _bars(panel, left, list(counts / len(found)), width, STYLES[of])
        panel.set_xticks(
            range(highest + 1), [f"{count}{' +' if count == most else ''}" for count in range(highest + 1)]
        )
        panel.set_xlabel(f"{plural(dimension, dimensions)} (b{dimension})")
    panels[0].set_ylabel(f"{samples} (%)")
    _legend(panels[-1])
    return _svg(figure, name)


def _bars(axes: Axes, left: NDArray[np.floating[Any]], shares: list[float], width: float, style: SetStyle) -> None:
    filled: dict[str, Any] = {
        "facecolor": style.color,
        "edgecolor": "black",
        "linewidth": 0.6,
        "hatch": style.hatch,
    }
    axes.bar(left, [100 * share for share in shares], width, label=style.label, **filled)


def _largest(shares: dict[str, dict[tuple[int, ...], float]], key: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
    return -max(found.get(key, 0.0) for found in shares.values()), key


def distribution(values: dict[str, NDArray[np.float64]], axis: str, name: str, samples: str = "slices") -> str:
    """The distributions of one figure per sample, as shares, over common bins.

    Args:
        values: for each set float [N].
        axis: what the values are, with the unit.
        name: of the figure, unique in the page.
        samples: what they are shares of.
    """
    one_sample = {key: 100.0 / len(found) for key, found in values.items()}
    return _histogram(values, one_sample, axis, f"{samples} (%)", name)


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


def intensity_panels(
    histograms: dict[str, dict[str, Any]], window: tuple[float, float], unit: str, pixels: str = "pixels"
) -> str:
    """The intensity histogram of each tissue that any set has.

    Args:
        histograms: for each set and tissue an :class:`IntensityHistogram`.
        window: lowest and highest intensity.
        unit: of the intensities.
        pixels: what is counted.
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
        panel.set_ylabel(f"{pixels} (%)")
    _legend(panels[columns - 1])
    return _svg(figure, "intensity")


def spectra_lines(spectra: dict[str, NDArray[np.float64]], width: str = "image width", name: str = "spectrum") -> str:
    """Power over spatial frequency.

    Args:
        spectra: for each set float [K] in dB, from 1 cycle per width.
        width: what the cycles are counted in.
        name: of the figure, unique in the page.
    """
    figure, axes = _figure(7.0, 2.2)
    for of, values in spectra.items():
        style = STYLES[of]
        cycles = np.arange(1, len(values) + 1)
        axes.plot(cycles, values, color=_line_color(style), linestyle=style.line, linewidth=1.6, label=style.label)
    axes.set_xscale("log")
    return _labelled(figure, axes, f"cycles per {width}", "power (dB)", name)


def hole_densities(
    diagrams: dict[str, list[Diagram]], dimension: int = 1, sample: str = "slice", pixels: str = "pixels"
) -> str:
    """Where the finite points of one dimension lie: one panel a set, points per sample in one common grey-safe scale.

    Args:
        diagrams: of each set, in pixels; the sets may differ in size.
        dimension: 1 for holes or tunnels, 2 for cavities.
        sample: what a diagram is of.
        pixels: what births and deaths are counted in.
    """
    points = {name: _points(found, dimension) for name, found in diagrams.items()}
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
        panel.set_xlabel(f"birth ({pixels})")
    panels[0].set_ylabel(f"death ({pixels})")
    figure.colorbar(image, ax=list(panels), label=f"points per {sample}")
    return _svg(figure, "holes" if dimension == 1 else f"holes {dimension}")


def gap_histogram(diagrams: dict[str, list[Diagram]], sample: str = "slice", pixels: str = "pixels") -> str:
    """How wide the gaps between the components of a sample are; empty text where no sample has a second one.

    Args:
        diagrams: of each set, in pixels.
        sample: what a diagram is of.
        pixels: what deaths are counted in.
    """
    deaths = {name: _points(found, dimension=0)[:, 1] for name, found in diagrams.items()}
    if not any(found.size for found in deaths.values()):
        return ""
    one_gap = {name: 1.0 / len(found) for name, found in diagrams.items()}
    return _histogram(deaths, one_gap, f"half the gap ({pixels})", f"gaps per {sample}", "gaps")


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
