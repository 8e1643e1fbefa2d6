"""How good a model's samples are, beside real against real: ``figures`` in ``configs/metadata.json`` of its package.

The engine measures them when it writes a package, on raw samples (nothing is drawn again or cleaned). Packages of
models without masks, of training sets with fewer than two held-out samples, and older ones have none, or null.

- ``samples``: how many were drawn, with the seeds 0, 1, … of ``topogan synthesize``;
- ``held_out``: how many real samples that were not trained on they are compared with, and ``part``, of which part of
  the training set: "validation", or "test" where that is empty;
- ``regions``: for each structure, then each union, ``valid_percent``, the share of samples with Betti numbers that real
  training samples (of their level, where the model knows levels) show, and ``betti_error``, the total variation
  distance between the Betti numbers of samples and held-out ones, 0 to 1; beside each the same of real ones:
  ``real_valid_percent`` of held-out samples, ``real_betti_error`` of as many training samples as were drawn;
- ``closer_percent``: how often a sample is closer to the training set (Dice of the best match) than a held-out sample;
  50 means no copying;
- ``copies_percent``: the share of samples that are closer to it than every held-out sample. Of independent samples it
  is 100 / (``held_out`` + 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

PARTS = ("validation", "test")
_MOST = 10**9


@dataclass(frozen=True)
class RegionFigures:
    """Of a structure or a union."""

    valid_percent: float
    real_valid_percent: float
    betti_error: float
    real_betti_error: float


@dataclass(frozen=True)
class Figures:
    """Of a model; see above."""

    samples: int
    held_out: int
    part: str
    regions: tuple[RegionFigures, ...]
    closer_percent: float
    copies_percent: float

    @property
    def expected_copies_percent(self) -> float:
        """What ``copies_percent`` is of samples that copy nothing."""
        return 100.0 / (self.held_out + 1)


def read_figures(content: Any) -> Figures | None:
    """Take ``figures`` as a stranger's file gives them; None where there are none.

    Whether there are as many regions as the model has, is the caller's to see.

    Raises:
        ValueError: something is missing, or no such number.
    """
    if content is None:
        return None
    if not isinstance(content, dict):
        raise ValueError("figures are no table")
    rows = content.get("regions")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("figures.regions is no list of tables")
    if content.get("part") not in PARTS:
        raise ValueError(f"figures.part is none of {', '.join(PARTS)}")
    return Figures(
        samples=_count(content, "samples"),
        held_out=_count(content, "held_out"),
        part=content["part"],
        regions=tuple(
            RegionFigures(
                _number(row, "valid_percent", 100),
                _number(row, "real_valid_percent", 100),
                _number(row, "betti_error", 1),
                _number(row, "real_betti_error", 1),
            )
            for row in rows
        ),
        closer_percent=_number(content, "closer_percent", 100),
        copies_percent=_number(content, "copies_percent", 100),
    )


def _count(content: dict[str, Any], name: str) -> int:
    value = content.get(name)
    if type(value) is not int or not 0 < value <= _MOST:
        raise ValueError(f"figures.{name} is no count")
    return value


def _number(content: dict[str, Any], name: str, most: int) -> float:
    value = content.get(name)
    if type(value) not in (int, float) or not math.isfinite(value) or not 0 <= value <= most:
        raise ValueError(f"figures.{name} is no number from 0 to {most}")
    return float(value)
