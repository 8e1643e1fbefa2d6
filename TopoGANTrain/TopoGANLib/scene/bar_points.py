"""Where the bars of a sample lie in the persistence diagram, and where those of real masks lie behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from topogan_contract.real_bars import RealBar, RealBars

# Of the longest finite value: what never ends has its mark there, and goes on beyond the chart.
MARK, BEYOND = 1.1, 1.25
REAL_VALUE, REAL_HALF, REAL_MOST = "real (mm)", "real, middle half", "real, 90 %"
# From where to where, and a break.
_ROWS_PER_RANGE = 3
# Where real bars begin lies below the middle of a bar, where they end above.
_BELOW, _ABOVE = -0.2, 0.2
# Of the longest finite value: less could not be seen.
_SHORTEST_RANGE = 0.01


def in_diagram(death: np.ndarray, longest: float) -> np.ndarray:
    """Heights of points in the diagram, mm: float [n], those that never end at the level for them."""
    return np.where(np.isinf(death), MARK * longest, death)


def behind_bars(ranks: Sequence[RealBar | None], rows_per_bar: int, longest: float) -> dict[str, np.ndarray]:
    """Lay out between which values real bars begin and end, behind the bar of the same rank.

    Args:
        ranks: for each bar of the chart, upwards, what real masks have of its rank; None for nothing.
        rows_per_bar: rows of the table that a bar has, at least 12.
        longest: mm, of the longest finite value.

    Returns:
        columns [bars · rows_per_bar]: x in mm, always finite, and for both shares y, NaN where nothing is drawn.
    """
    shape = len(ranks), rows_per_bar
    x, half, most = np.zeros(shape), np.full(shape, np.nan), np.full(shape, np.nan)
    for bar, real in enumerate(ranks):
        if real is None or not real.births:
            continue
        (birth5, birth25, _, birth75, birth95), (death5, death25, _, death75, death95) = real.births, real.deaths
        ranges = (
            (most, _BELOW, birth5, birth95),
            (most, _ABOVE, death5, death95),
            (half, _BELOW, birth25, birth75),
            (half, _ABOVE, death25, death75),
        )
        for number, (share, offset, low, high) in enumerate(ranges):
            rows = slice(_ROWS_PER_RANGE * number, _ROWS_PER_RANGE * number + 2)
            if np.isfinite(low):
                wider = max(_SHORTEST_RANGE * longest - (high - low), 0.0) / 2
                x[bar, rows] = low - wider, min(high + wider, BEYOND * longest)
                share[bar, rows] = bar + 1 + offset
    return {REAL_VALUE: x.ravel(), REAL_MOST: most.ravel(), REAL_HALF: half.ravel()}


def ranks_of(dimension: np.ndarray, short: np.ndarray, real: RealBars | None) -> list[RealBar | None]:
    """What real masks have of the rank of each bar.

    Args:
        dimension: int [n] of the bars, ascending, in each the longest first.
        short: bool [n], those that count nowhere.
        real: of the region, if it is known.
    """
    found: list[RealBar | None] = []
    for number, one in enumerate(dimension.tolist()):
        rank = int((~short[:number] & (dimension[:number] == one)).sum())
        bars = () if real is None or short[number] else real.dimensions[one].bars
        found.append(bars[rank] if rank < len(bars) else None)
    return found


def outlines(real: RealBars | None, dimension: int) -> np.ndarray:
    """The lines around half and 90 % of the real points of a dimension: float [n, 2], NaN in y between two lines."""
    if real is None:
        return np.zeros((0, 2))
    classes = real.dimensions[dimension]
    lines = [np.array([*line, (line[-1][0], np.nan)]) for line in (*classes.most, *classes.half)]
    return np.concatenate([np.zeros((0, 2)), *lines])
