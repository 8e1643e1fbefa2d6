"""How long bars of real masks are, which ``report.json`` of a synthesis may say for each region.

``real`` of a region is missing or null where the model knows too few real masks, as those before it are. Else it has

- ``masks``: of how many real masks, none of which the model was trained on;
- ``dimensions``: for pieces, holes (tunnels) and, of volumes, cavities:

  - ``bars``: for the longest bar of each mask, the second longest, …: ``percent``, how many masks have it, and
    ``births``, ``deaths`` and ``lengths``, its quantiles (:data:`QUANTILES`) among them, each null where too few have
    it; an end that is null is none: the bar never ends;
  - ``half`` and ``most``: outlines, lists of [birth, death], around 50 % and 90 % of all bars that end.

All lengths are in mm. Bars shorter than a pixel, noise of the grid, count nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

QUANTILES = (5, 25, 50, 75, 95)
"""In percent."""
MOST_BARS = 16
MOST_OUTLINES = 64
MOST_POINTS = 4000
"""Of all outlines together."""
LONGEST = 1e6
"""mm, beyond every body."""

Outline = tuple[tuple[float, float], ...]
"""Closed: (birth, death) in mm from point to point, the last being the first."""


class RealBar(NamedTuple):
    """The bar of one rank in each real mask: the longest, or the second longest, …"""

    percent: float
    """Of the masks that have it."""
    births: tuple[float, ...]
    deaths: tuple[float, ...]
    """inf where it never ends."""
    lengths: tuple[float, ...]
    """mm, at :data:`QUANTILES`; all three are empty where too few masks have it."""


class RealClasses(NamedTuple):
    """Of one dimension."""

    bars: tuple[RealBar, ...]
    half: tuple[Outline, ...]
    most: tuple[Outline, ...]


class RealBars(NamedTuple):
    """Of one region."""

    masks: int
    dimensions: tuple[RealClasses, ...]

    @property
    def longest(self) -> float:
        """The greatest finite value to be drawn, mm; 0 where there is none."""
        ends = [end for one in self.dimensions for bar in one.bars for end in bar.births + bar.deaths]
        ends += [
            value for one in self.dimensions for outline in one.half + one.most for point in outline for value in point
        ]
        return max((end for end in ends if math.isfinite(end)), default=0.0)


def to_json(real: RealBars) -> dict[str, Any]:
    """What ``report.json`` says, rounded to a thousandth."""
    return {
        "masks": real.masks,
        "dimensions": [
            {
                "bars": [
                    {
                        "percent": round(bar.percent, 3),
                        "births": _written(bar.births),
                        "deaths": _written(bar.deaths),
                        "lengths": _written(bar.lengths),
                    }
                    for bar in classes.bars
                ],
                "half": [[_written(point) for point in outline] for outline in classes.half],
                "most": [[_written(point) for point in outline] for outline in classes.most],
            }
            for classes in real.dimensions
        ],
    }


def from_json(value: object, axes: int) -> RealBars:
    """Read what :func:`to_json` wrote, which may be a stranger's.

    Args:
        value: of JSON.
        axes: 2 for slices, 3 for volumes.

    Raises:
        ValueError: it is something else, or larger than any.
    """
    masks, dimensions = _entries(value, "masks", "dimensions")
    if type(masks) is not int or not 0 < masks <= 1 << 30:
        raise ValueError("no number of masks")
    return RealBars(masks, tuple(_classes(one) for one in _list(dimensions, axes, axes)))


def _written(values: Sequence[float]) -> list[float | None] | None:
    return [round(value, 3) if math.isfinite(value) else None for value in values] or None


def _classes(value: object) -> RealClasses:
    bars, half, most = _entries(value, "bars", "half", "most")
    found = RealClasses(tuple(_bar(bar) for bar in _list(bars, 0, MOST_BARS)), _outlines(half), _outlines(most))
    if sum(map(len, found.half + found.most)) > MOST_POINTS:
        raise ValueError("too long outlines")
    return found


def _bar(value: object) -> RealBar:
    percent, *lists = _entries(value, "percent", "births", "deaths", "lengths")
    if any(one is None for one in lists):
        lists = [()] * 3
    else:
        lists = [tuple(math.inf if end is None else _length(end) for end in _list(one, 5, 5)) for one in lists]
    if any(tuple(sorted(one)) != one for one in lists) or math.inf in lists[0]:
        raise ValueError("quantiles do not fall")
    return RealBar(min(_length(percent), 100.0), *lists)


def _outlines(value: object) -> tuple[Outline, ...]:
    outlines = [_list(outline, 3, MOST_POINTS) for outline in _list(value, 0, MOST_OUTLINES)]
    return tuple(tuple((_length(x), _length(y)) for x, y in (_list(p, 2, 2) for p in outline)) for outline in outlines)


def _entries(value: object, *names: str) -> list[Any]:
    if not isinstance(value, dict) or any(name not in value for name in names):
        raise ValueError(f"no {', '.join(names)}")
    return [value[name] for name in names]


def _list(value: object, least: int, most: int) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise ValueError("no list of that length")
    return value


def _length(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST:
        raise ValueError("no length")
    return float(value)
