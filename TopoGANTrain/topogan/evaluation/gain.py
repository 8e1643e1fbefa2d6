"""What one kind of training data has over another, seed by seed, and that in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

_FEWEST_SEEDS = 3


@dataclass(frozen=True)
class Gain:
    """A score with and without something, paired by seed."""

    before: float
    """Mean over the seeds."""
    after: float
    difference: float
    """Mean of the differences of the seeds."""
    spread: float | None
    """Standard deviation of the differences of the seeds; None of a single one."""
    seeds: int

    @property
    def clear(self) -> bool:
        """Whether the difference is larger than its spread; never of a single seed."""
        return self.spread is not None and abs(self.difference) > self.spread


def gain(before: Sequence[float | None], after: Sequence[float | None]) -> Gain | None:
    """Compare a score of the same seeds; None where no seed has both."""
    pairs = [(one, two) for one, two in zip(before, after, strict=True) if one is not None and two is not None]
    if not pairs:
        return None
    differences = [two - one for one, two in pairs]
    spread = stdev(differences) if len(differences) > 1 else None
    return Gain(fmean(one for one, _ in pairs), fmean(two for _, two in pairs), fmean(differences), spread, len(pairs))


def gain_in_words(dice: Gain, betti: Gain, patients: int) -> str:
    """Whether synthetic slices helped, in one sentence; seeds share the model and its samples, which it says.

    Args:
        dice: of the segmentations, higher is better.
        betti: Betti error of the segmentations, lower is better.
        patients: that were trained on.
    """
    whose = f"With your {'one patient' if patients == 1 else f'{patients} patients'} and this one synthesis"
    if dice.spread is None or dice.seeds < _FEWEST_SEEDS:
        seeds = "one seed" if dice.seeds == 1 else f"{dice.seeds} seeds"
        changed = f"synthetic slices changed Dice {_from_to(dice)} with {seeds}"
        return f"{whose}, {changed}, which says little: take 3 seeds or more."
    if dice.clear:
        word = "raised" if dice.difference > 0 else "lowered"
        moved = f"{word} Dice {_from_to(dice)} ({dice.seeds} seeds, spread {_short(dice.spread)})"
        at_a_cost = ": at the cost of topology" if betti.clear and betti.difference > 0 else ""
        end = at_a_cost if dice.difference > 0 else ": leave them out here"
    else:
        moved = (
            f"changed Dice by {_signed(dice.difference)}, less than the spread between seeds ({_short(dice.spread)})"
        )
        helps = betti.clear and betti.difference < 0
        end = ": they help the topology alone" if helps else ": they do not help here"
    return f"{whose}, synthetic slices {moved}, and {_topology(betti)}{end}."


def _topology(betti: Gain) -> str:
    if not betti.clear:
        return "the topology of the segmentations did not change clearly"
    word = "lowered" if betti.difference < 0 else "raised"
    return f"{word} their Betti error {_from_to(betti)}"


def _from_to(one: Gain) -> str:
    """With as many digits as tell the two apart."""
    digits = next((n for n in range(2, 7) if round(one.before, n) != round(one.after, n)), 4)
    return f"from {_short(one.before, digits)} to {_short(one.after, digits)}"


def _short(value: float, digits: int = 2) -> str:
    """Without the zero before the point: ".84"; a small value with one digit that tells it from 0."""
    text = f"{value:.{digits}f}" if value >= 10**-digits or value == 0 else f"{value:.1g}"
    return text.replace("0.", ".", 1) if value < 1 else text


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'}{_short(abs(value))}"
