"""What is said of privacy before samples or a model are shared: one bar, one sentence, on both sides.

``possible copies`` are samples that come closer to a training sample than every held-out real one does; ``closer`` is
how often a random sample is closer to the training samples than a random held-out one (50 %: no copying); the
``membership AUC`` is how well the nearest sample tells who was trained on (0.5: not at all).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from topogan_contract.figures import Figures

GOOD_COPIES_PERCENT = 2.0
GOOD_AUC = 0.60
GOOD_CLOSER_PERCENT = 60.0
"""Up to all, copying is called none to speak of; beyond one, samples are looked at before they are shared. What
counts is the figure as it is shown."""

# Of few held-out samples independent samples are beyond these bars, too: so many times what is expected of them, and so
# many standard deviations, are no chance.
TIMES_BY_CHANCE, _DEVIATIONS = 3.0, 2.0

CLOSER = (
    "a random sample is closer to a training {sample} than a random held-out {sample} in {closer} % of the comparisons"
)
COPIES = "possible copies {copies} %"
TEXTURES = "possible copies of textures {copies} %"
MEMBERSHIP = "the nearest sample tells who was trained on with an AUC of {auc} (0.50: not at all)"
GOOD, GOOD_MASKS = "no sign of copying", "no sign of copied masks"
BEWARE = "look at the copies before you share samples or model"
UNSURE = f"too few real ones were held out to tell this from chance; {BEWARE}"
DEPENDENT = ", but the held-out ones are of the same patient, so that copies can go unnoticed"
UNSEEN = "; textures were not looked at"


@dataclass(frozen=True)
class Privacy:
    """How close samples come to patients."""

    sample: str
    """What one is called: "slice" or "volume"."""
    closer_percent: float
    """See above, in %."""
    held_out: int
    """How many held-out samples that is compared with, at least 1."""
    copies_percent: float | None = None
    """Of masks, in %; None where it was not measured, as in packages of earlier versions."""
    auc: float | None = None
    """Likewise."""
    textures: bool = False
    """Whether samples have textures."""
    texture_copies_percent: float | None = None
    """Of textures, in %; None where they were not looked at."""
    independent: bool = True
    """Whether the held-out samples are of other patients than the training samples."""

    @property
    def good(self) -> bool:
        """Whether what was measured stays within the bar."""
        return all(value <= bar for value, bar, _ in self._measured())

    @property
    def clear(self) -> bool:
        """Whether it is so far beyond the bar that independent samples hardly ever are."""
        return any(value > max(bar, chance) for value, bar, chance in self._measured())

    def _measured(self) -> Iterator[tuple[float, float, float]]:
        """Each figure with its bar, and with what independent samples may reach."""
        # A sample is closer than all of M alike ones once in M + 1 times, as it lies or changed twice as often.
        copies = TIMES_BY_CHANCE * 200.0 / (self.held_out + 1)
        # Of the Mann-Whitney statistic of twice M alike ones.
        auc = 0.5 + _DEVIATIONS * math.sqrt((2 * self.held_out + 1) / 12.0) / self.held_out
        for share in (self.copies_percent, self.texture_copies_percent):
            if share is not None:
                yield _shown(share), GOOD_COPIES_PERCENT, copies
        if self.auc is not None:
            yield round(self.auc, 2), GOOD_AUC, auc
        yield _shown(self.closer_percent), GOOD_CLOSER_PERCENT, 100.0 * auc


def _shown(percent: float) -> float:
    """As it is shown: 99.6 as 100, 2.04 as 2, 0.44 as 0.4."""
    return round(percent, 0 if percent >= 10 else 1)


def privacy_sentence(found: Privacy) -> str:
    """How close samples come to patients, in one sentence with what to do.

    Example:
        >>> privacy_sentence(Privacy("slice", 84.0, 400, 17.0, 0.71))  # doctest: +NORMALIZE_WHITESPACE
        'a random sample is closer to a training slice than a random held-out slice in 84 % of the comparisons,
        possible copies 17 %, the nearest sample tells who was trained on with an AUC of 0.71 (0.50: not at all): look
        at the copies before you share samples or model.'
    """
    parts = [CLOSER.format(closer=f"{_shown(found.closer_percent):g}", sample=found.sample)]
    if found.copies_percent is not None:
        parts.append(COPIES.format(copies=f"{_shown(found.copies_percent):g}"))
    if found.texture_copies_percent is not None:
        parts.append(TEXTURES.format(copies=f"{_shown(found.texture_copies_percent):g}"))
    if found.auc is not None:
        parts.append(MEMBERSHIP.format(auc=f"{found.auc:.2f}"))
    seen = found.texture_copies_percent is not None
    verdict = BEWARE if found.clear else UNSURE
    if found.good:
        verdict = (GOOD if seen else GOOD_MASKS) + ("" if found.independent else DEPENDENT)
    return f"{', '.join(parts)}: {verdict}{UNSEEN if found.textures and not seen else ''}."


def sentence_of_figures(figures: Figures, sample: str, textures: bool, independent: bool) -> str:
    """The same of a model's figures, which are of masks alone.

    Args:
        figures: of the model.
        sample: what one of its samples is called.
        textures: whether it paints.
        independent: whether the held-out samples of its training set are of other patients.
    """
    # Of large samples no more than ``samples`` held-out ones are compared.
    held_out = min(figures.held_out, figures.samples)
    copies, auc = figures.copies_percent, figures.membership_auc
    found = Privacy(sample, figures.closer_percent, held_out, copies, auc, textures, independent=independent)
    return f"Of the model's raw samples: {privacy_sentence(found)}"
