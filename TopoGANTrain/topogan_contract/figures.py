"""How good a model's samples are, beside real against real: ``figures`` in ``configs/metadata.json`` of its package.

The engine measures them when it writes a package, on raw samples (nothing is drawn again or cleaned). Packages of
models without masks, of training sets with fewer than two held-out samples, and older ones have none, or null; so have
those where the measuring failed, for want of memory say.

- ``samples``: how many were drawn, with the seeds 0, 1, … of ``topogan synthesize``;
- ``held_out``: how many real samples that were not trained on they are compared with, and ``part``, of which part of
  the training set: "validation", or "test" where that is empty;
- ``regions``: for each structure, then each union, ``valid_percent``, the share of samples with Betti numbers that real
  training samples (of their level, where the model knows levels) show, and ``betti_error``, the total variation
  distance between the Betti numbers of samples and held-out ones, 0 to 1; beside each the same of real ones:
  ``real_valid_percent`` of held-out samples, ``real_betti_error`` of as many training samples as were drawn;
- ``dice_to_training``: mean Dice of a sample with its most similar training sample, 0 to 1;
  ``real_dice_to_training`` of held-out samples; ``closer_percent``: how often it is larger for a sample than for a
  held-out one; 50: no copying;
- ``identical_percent``: the share of samples that equal a training sample, pixel by pixel, and
  ``real_identical_percent`` of held-out ones;
- ``copies_percent``: the share of samples that are possible copies: closer to a training sample than every held-out one
  is, as they lie or shifted, scaled, turned (slices) or mirrored; ``membership_auc``: how well the nearest sample
  tells as many training samples from the held-out ones, 0.5: not at all. Both are missing, or null, in older packages;
  some of these were measured before slices were turned, and may have more copies than they say.

Pixels are compared of as many samples, and of as many held-out ones, as have those of 96 images of 256² (3 volumes of
128³), two at least and 300 at most; with training samples that have the pixels of 16,000 such images (500 volumes of
128³) at most. Of larger sets they are drawn, the same ones each time.
"""

from __future__ import annotations

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
    dice_to_training: float
    real_dice_to_training: float
    closer_percent: float
    identical_percent: float
    real_identical_percent: float
    copies_percent: float | None = None
    membership_auc: float | None = None


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
        dice_to_training=_number(content, "dice_to_training", 1),
        real_dice_to_training=_number(content, "real_dice_to_training", 1),
        closer_percent=_number(content, "closer_percent", 100),
        identical_percent=_number(content, "identical_percent", 100),
        real_identical_percent=_number(content, "real_identical_percent", 100),
        copies_percent=_optional(content, "copies_percent", 100),
        membership_auc=_optional(content, "membership_auc", 1),
    )


def _optional(content: dict[str, Any], name: str, most: int) -> float | None:
    return None if content.get(name) is None else _number(content, name, most)


def _count(content: dict[str, Any], name: str) -> int:
    value = content.get(name)
    if type(value) is not int or not 0 < value <= _MOST:
        raise ValueError(f"figures.{name} is no count")
    return value


def _number(content: dict[str, Any], name: str, most: int) -> float:
    value = content.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"figures.{name} is no number from 0 to {most}")
    return float(value)
