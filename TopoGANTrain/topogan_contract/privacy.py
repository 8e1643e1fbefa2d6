"""What is said of privacy before samples or a model are shared: one bar, one sentence, on both sides.

``possible copies`` are samples that come closer to a training sample than every held-out real one does; ``closer`` is
how often a random sample is closer to the training samples than a random held-out one (50 %: no copying); the
``membership AUC`` is how well the nearest sample tells who was trained on (0.5: not at all).
"""

from __future__ import annotations

from topogan_contract.figures import Figures

GOOD_COPIES_PERCENT = 2.0
GOOD_AUC = 0.60
"""Up to both, copying is called none to speak of; beyond either, samples are looked at before they are shared."""

CALM_CLOSER_PERCENT = 60.0
"""The same of ``closer``, for figures of earlier versions, which know neither."""

CLOSER = "{closer} % of the samples are closer to a training {sample} than a real {sample} of another patient is"
COPIES = "possible copies {copies} %"
MEMBERSHIP = "the nearest sample tells who was trained on with an AUC of {auc} (0.50: not at all)"
GOOD = "no sign of copying."
BEWARE = "look at the copies before you share samples or model."


def is_good(copies_percent: float | None, auc: float | None) -> bool | None:
    """Whether both figures stay within the bar; None where neither was measured.

    Args:
        copies_percent: share of possible copies, in %; None where it was not measured.
        auc: membership AUC, likewise.
    """
    if copies_percent is None and auc is None:
        return None
    return (copies_percent or 0.0) <= GOOD_COPIES_PERCENT and (auc or 0.0) <= GOOD_AUC


def privacy_sentence(sample: str, closer_percent: float, copies_percent: float | None, auc: float | None) -> str:
    """How close samples come to patients, in one sentence with what to do.

    Args:
        sample: what one is called: "slice" or "volume".
        closer_percent: see above, in %.
        copies_percent: in %; None where it was not measured, as in packages of earlier versions.
        auc: likewise.

    Example:
        >>> privacy_sentence("slice", 84.0, 17.0, 0.71)  # doctest: +NORMALIZE_WHITESPACE
        '84 % of the samples are closer to a training slice than a real slice of another patient is, possible copies
        17 %, the nearest sample tells who was trained on with an AUC of 0.71 (0.50: not at all): look at the copies
        before you share samples or model.'
    """
    parts = [CLOSER.format(closer=f"{closer_percent:.0f}", sample=sample)]
    if copies_percent is not None:
        parts.append(COPIES.format(copies=f"{copies_percent:.2g}"))
    if auc is not None:
        parts.append(MEMBERSHIP.format(auc=f"{auc:.2f}"))
    good = is_good(copies_percent, auc)
    # Older figures know how often samples are closer alone: half of the time without copying.
    calm = good if good is not None else closer_percent <= CALM_CLOSER_PERCENT
    return f"{', '.join(parts)}: {GOOD if calm else BEWARE}"


def sentence_of_figures(figures: Figures, sample: str) -> str:
    """The same of a model's figures.

    Args:
        figures: of the model.
        sample: what one of its samples is called.
    """
    return privacy_sentence(sample, figures.closer_percent, figures.copies_percent, figures.membership_auc)
