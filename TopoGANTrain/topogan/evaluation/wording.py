"""Sentences that a reader without mathematics understands."""

from __future__ import annotations

from topogan.evaluation.sets import ThreeSets
from topogan.metrics.topology import valid_share


def topology_in_words(betti: tuple[int, int]) -> str:
    """``(1, 1)`` as "1 piece and 1 hole"."""
    pieces, holes = betti
    return f"{pieces} piece{'' if pieces == 1 else 's'} and {holes or 'no'} hole{'' if holes == 1 else 's'}"


def verdict_sentence(sets: ThreeSets, wanted: tuple[int, int]) -> str:
    """How many samples have the wanted topology, beside real slices of held-out patients."""
    share = valid_share(sets.synthetic.betti, wanted)
    count = round(share * len(sets.synthetic) / 100.0)
    real = valid_share(sets.held_out.betti, wanted)
    return (
        f"{count} of {len(sets.synthetic)} samples have {topology_in_words(wanted)}, "
        f"as {real:.0f} % of real slices do."
    )
