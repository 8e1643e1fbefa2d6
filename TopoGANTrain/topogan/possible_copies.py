"""What is said of possible copies that a synthesis left out, by whoever writes it and by whoever reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from topogan_contract.figures import PARTS
from topogan_contract.privacy import GOOD_COPIES_PERCENT


@dataclass(frozen=True)
class CopyBar:
    """What is closer to a training mask than all of these is a possible copy."""

    part: str
    """Of the training set, "validation" or "test"."""
    held_out: int
    """Number of its masks."""


def copies_in_words(left_out: int | None, bar: CopyBar | None) -> str:
    """How many possible copies were left out, and how many by chance; empty where nobody looked.

    Args:
        left_out: how many; None where nobody looked.
        bar: what they were compared with; None where that is not known, as of older samples.
    """
    if left_out is None:
        return ""
    said = {
        0: "No possible copies of training masks were found.",
        1: "1 possible copy of a training mask was left out, and drawn again.",
    }.get(left_out, f"{left_out} possible copies of training masks were left out, and drawn again.")
    if bar is None:
        return said
    chance = 200.0 / (bar.held_out + 1)
    few = f": by chance up to {min(chance, 100.0):.0f} % are called copies" if chance > GOOD_COPIES_PERCENT else ""
    return f"{said} The bar is that of {bar.held_out} {bar.part} mask{'' if bar.held_out == 1 else 's'}{few}."


def copies_of_report(report: dict[str, Any]) -> str:
    """The same of a ``report.json``, which may be a stranger's."""
    left_out, bar = report.get("copies_left_out"), report.get("copies_bar")
    part, held_out = (bar.get("part"), bar.get("held_out")) if isinstance(bar, dict) else (None, None)
    known = CopyBar(part, held_out) if part in PARTS and isinstance(held_out, int) and held_out > 0 else None
    return copies_in_words(left_out if type(left_out) is int else None, known)
