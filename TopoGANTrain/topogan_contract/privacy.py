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
"""Up to both, copying is called none to speak of; beyond either, samples are looked at before they are shared."""

CALM_CLOSER_PERCENT = 60.0
"""The same of ``closer``, for figures of earlier versions, which know neither."""

# Of few held-out samples independent samples are beyond these bars, too: so many times what is expected of them, and so
# many standard deviations, are no chance.
_TIMES, _DEVIATIONS = 3.0, 2.0

CLOSER = "{closer} % of the samples are closer to a training {sample} than a real {sample} of another patient is"
COPIES = "possible copies {copies} %"
TEXTURES = "possible copies of textures {copies} %"
MEMBERSHIP = "the nearest sample tells who was trained on with an AUC of {auc} (0.50: not at all)"
GOOD, GOOD_MASKS = "no sign of copying", "no sign of copied masks"
BEWARE = "look at the copies before you share samples or model"
UNSURE = f"too few real ones were held out to tell this from chance; {BEWARE}"
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
        copies = _TIMES * 200.0 / (self.held_out + 1)
        # Of the Mann-Whitney statistic of twice M alike ones.
        auc = 0.5 + _DEVIATIONS * math.sqrt((2 * self.held_out + 1) / 12.0) / self.held_out
        for share in (self.copies_percent, self.texture_copies_percent):
            if share is not None:
                yield share, GOOD_COPIES_PERCENT, copies
        if self.auc is not None:
            yield self.auc, GOOD_AUC, auc
        if self.copies_percent is None and self.auc is None:
            # Older figures know how often samples are closer alone: half of the time without copying.
            yield self.closer_percent, CALM_CLOSER_PERCENT, 100.0 * auc


def privacy_sentence(found: Privacy) -> str:
    """How close samples come to patients, in one sentence with what to do.

    Example:
        >>> privacy_sentence(Privacy("slice", 84.0, 400, 17.0, 0.71))  # doctest: +NORMALIZE_WHITESPACE
        '84 % of the samples are closer to a training slice than a real slice of another patient is, possible copies
        17 %, the nearest sample tells who was trained on with an AUC of 0.71 (0.50: not at all): look at the copies
        before you share samples or model.'
    """
    parts = [CLOSER.format(closer=f"{found.closer_percent:.0f}", sample=found.sample)]
    if found.copies_percent is not None:
        parts.append(COPIES.format(copies=f"{found.copies_percent:.2g}"))
    if found.texture_copies_percent is not None:
        parts.append(TEXTURES.format(copies=f"{found.texture_copies_percent:.2g}"))
    if found.auc is not None:
        parts.append(MEMBERSHIP.format(auc=f"{found.auc:.2f}"))
    seen = found.texture_copies_percent is not None
    verdict = BEWARE if found.clear else UNSURE
    if found.good:
        verdict = GOOD if seen else GOOD_MASKS
    return f"{', '.join(parts)}: {verdict}{UNSEEN if found.textures and not seen else ''}."


def sentence_of_figures(figures: Figures, sample: str, textures: bool) -> str:
    """The same of a model's figures, which are of masks alone.

    Args:
        figures: of the model.
        sample: what one of its samples is called.
        textures: whether it paints.
    """
    # Of large samples no more than ``samples`` held-out ones are compared.
    held_out = min(figures.held_out, figures.samples)
    copies, auc = figures.copies_percent, figures.membership_auc
    return privacy_sentence(Privacy(sample, figures.closer_percent, held_out, copies, auc, textures))
