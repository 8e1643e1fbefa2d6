"""How long the bars of real masks are: quantiles, and outlines around most of their points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from contourpy import contour_generator
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from topogan.homology import Diagram
from topogan_contract.real_bars import (
    LONGEST,
    MOST_BARS,
    MOST_OUTLINES,
    QUANTILES,
    Outline,
    RealBar,
    RealBars,
    RealClasses,
)

# The 5 % quantile of fewer is their smallest.
FEWEST = 20
# Cells along each axis of the density; it is smoothed by a pixel, at least by two cells.
_CELLS = 64
_SMOOTHING = 1.0
_SHARES = (0.5, 0.9)


def real_bars(reference: Sequence[Diagram], regions: int, axes: int, pixel_size: float) -> list[RealBars | None]:
    """Describe the bars of each region.

    Args:
        reference: diagrams in pixels, mask by mask, region by region, as a model package carries them.
        regions: how many there are.
        axes: 2 for slices, 3 for volumes.
        pixel_size: mm.

    Returns:
        one entry a region; None where there are fewer than ``FEWEST`` masks, or a stranger's package has numbers that
        are no distances in a body.
    """
    masks, rest = divmod(len(reference), regions)
    if masks < FEWEST or rest or not all(_are_distances(diagram, pixel_size) for diagram in reference):
        return [None] * regions
    found: list[RealBars | None] = []
    for region in range(regions):
        dimensions = []
        for dimension in range(axes):
            of_masks = [_long_bars(diagram.points(dimension)) for diagram in reference[region::regions]]
            dimensions.append(_classes(of_masks, pixel_size))
        found.append(RealBars(masks, tuple(dimensions)))
    return found


def _classes(of_masks: list[NDArray[np.float64]], pixel_size: float) -> RealClasses:
    """Of the bars of each mask in one dimension, the longest first: float [n, 2] in pixels."""
    bars = []
    for rank in range(min(MOST_BARS, max(map(len, of_masks)))):
        ranked = np.array([points[rank] for points in of_masks if len(points) > rank])
        bars.append(_bar(ranked * pixel_size, 100.0 * len(ranked) / len(of_masks)))
    points = np.concatenate(of_masks)
    ending = points[np.isfinite(points).all(axis=1)]
    half, most = (
        ([], [])
        if len(ending) < FEWEST
        else ([_in_mm(line, pixel_size) for line in lines] for lines in _outlines(ending))
    )
    return RealClasses(tuple(bars), tuple(half), tuple(most))


def _are_distances(diagram: Diagram, pixel_size: float) -> bool:
    values = np.concatenate([diagram.birth, diagram.death])
    return bool(((values >= 0) & ((values * pixel_size <= LONGEST) | np.isinf(values))).all())


def _long_bars(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Those of at least a pixel, float [n, 2], the longest first."""
    lengths = points[:, 1] - points[:, 0]
    order = np.argsort(-lengths, kind="stable")
    return points[order[lengths[order] >= 1.0]]


def _bar(points: NDArray[np.float64], percent: float) -> RealBar:
    if len(points) < FEWEST:
        return RealBar(percent, (), (), ())
    births, deaths = points.T
    # Of values that are there, for between a number and infinity lies none.
    quantiles = (
        np.quantile(values, np.divide(QUANTILES, 100), method="inverted_cdf").tolist()
        for values in (births, deaths, deaths - births)
    )
    return RealBar(percent, *map(tuple, quantiles))


def _outlines(points: NDArray[np.float64]) -> list[list[NDArray[np.float64]]]:
    """The smallest areas in which half and 90 % of points, float [n, 2], lie: for each, float [m, 2] a line around.

    Highest density regions (R. J. Hyndman, Computing and graphing highest density regions, The American Statistician
    50(2), 1996, 120-126): where the smoothed density of the points is above that of all but a share of them. Births
    cannot be below 0, so the density is mirrored there (B. W. Silverman, Density Estimation, 1986, section 2.10).
    """
    step = (points.max() + 4 * _SMOOTHING) / (_CELLS - 4)
    cells = np.floor(points / step).astype(np.int64)
    density = np.zeros((_CELLS, _CELLS))
    np.add.at(density, (cells[:, 0], cells[:, 1]), 1.0)
    density = gaussian_filter(density, max(_SMOOTHING / step, 2.0), mode=("reflect", "constant"))
    # A value is that of a cell's middle; the cell before the first is its mirror image.
    density = np.pad(density, ((1, 0), (1, 0)), mode="symmetric")
    middles = (np.arange(_CELLS + 1) - 0.5) * step
    contours = contour_generator(middles, middles, density.T)
    at_points = map_coordinates(density, (points / step + 0.5).T, order=1)
    found = []
    for share in _SHARES:
        # A hair below, so that the points of this very density lie within.
        level = np.quantile(at_points, 1.0 - share, method="inverted_cdf") * (1 - 1e-9)
        lines = [np.asarray(line) for line in contours.lines(level)]
        found.append(sorted(lines, key=len, reverse=True)[:MOST_OUTLINES])
    return found


def _in_mm(line: NDArray[np.float64], pixel_size: float) -> Outline:
    # A line that leaves on the left is closed there.
    closed = line if (line[0] == line[-1]).all() else np.concatenate([line, line[:1]])
    return tuple((float(birth), float(death)) for birth, death in closed.clip(0.0) * pixel_size)
