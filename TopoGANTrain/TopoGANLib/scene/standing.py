"""How a bar of a sample stands among those of real masks."""

from __future__ import annotations

from typing import NamedTuple

from topogan_contract.real_bars import RealBar
from TopoGANLib.scene.barcode import Bar, bars, is_short
from TopoGANLib.scene.nodes import SynthesisNodes


class Standing(NamedTuple):
    """A bar that is long enough to count, and the real bars of its rank."""

    rank: int
    """From 1: the longest of its dimension, the second longest, …"""
    masks: int
    """How many real masks there are."""
    real: RealBar | None
    """None where none of them has so many bars."""


def standing(nodes: SynthesisNodes, bar: Bar) -> Standing | None:
    """Compare a bar of the shown sample; None where nothing is known of real masks, or it is shorter than a pixel."""
    real = nodes.plots.real(nodes.shown_region)
    if real is None or is_short(bar.birth, bar.death, nodes.image.GetSpacing()[0]):
        return None
    # The longer ones of a dimension lie below.
    rank = sum(one.dimension == bar.dimension and one.number <= bar.number for one in bars(nodes.barcode))
    ranked = real.dimensions[bar.dimension].bars
    return Standing(rank, real.masks, ranked[rank - 1] if rank <= len(ranked) else None)
