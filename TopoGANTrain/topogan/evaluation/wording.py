"""Sentences that a reader without mathematics understands."""

from __future__ import annotations

from topogan.evaluation.report import Metric
from topogan.evaluation.sets import ThreeSets
from topogan.metrics.memorization import MemorizationAudit
from topogan.metrics.topology import valid_share
from topogan.verdict import topology_in_words, verdict

COPY = "copies a training mask"
# Within this many percentage points two shares are called alike, within this ratio two figures.
_SAME_POINTS = 5.0
_SAME_RATIO = 1.1
_SAME_HU = 10.0


def sample_verdict(betti: tuple[int, int], expected: tuple[int, int], is_copy: bool) -> str:
    """What is right or wrong with one sample: "valid", "no hole", "2 pieces instead of 1", "copies a training mask".

    Args:
        betti: (b0, b1) of the sample.
        expected: (b0, b1) that it should have.
        is_copy: it comes closer to a training mask than any held-out mask does.
    """
    topology = verdict(betti, expected)
    if not is_copy:
        return topology
    return COPY if topology == "valid" else f"{topology}, {COPY}"


def topology_sentence(sets: ThreeSets, wanted: tuple[int, int]) -> str:
    """How many samples have the wanted topology, beside real slices of held-out patients."""
    total = len(sets.samples)
    share = valid_share(sets.samples.betti, wanted)
    real = valid_share(sets.held_out.betti, wanted)
    count = round(share * total / 100.0)
    verb = "has" if count == 1 else "have"
    start = f"{count} of {total} samples {verb} {topology_in_words(wanted)}, "
    if abs(share - real) <= _SAME_POINTS:
        return f"{start}as {real:.0f} % of real slices do."
    return f"{start}while {real:.0f} % of real slices do."


def area_sentence(mean: Metric, usual: Metric) -> str:
    """How large the structure is, beside real slices."""
    return (
        f"The structure covers {mean.value:.0f} mm² on average, in real slices {mean.real:.0f} mm²; "
        f"{usual.value:.0f} % of the samples lie in the range of 90 % of the real slices."
    )


def intensity_sentences(metrics: list[Metric]) -> list[str]:
    """How bright the textures are in each tissue, beside real slices."""
    sentences = []
    for metric in metrics:
        if metric.name.startswith("Mean ") and metric.value is not None and metric.real is not None:
            where = metric.name.split(" ", 2)[2]
            unit = "HU" if metric.unit == "HU" else "units"
            sentences.append(
                f"{where[0].upper()}{where[1:]} the textures have {metric.value:.0f} {unit} on average, "
                f"real slices {metric.real:.0f} {unit}."
            )
    return sentences


def memorization_sentence(found: MemorizationAudit) -> str:
    """Whether samples copy training masks."""
    count, total = len(found.copies), len(found.dice)
    if not count:
        return f"None of {total} samples comes closer to a training mask than held-out slices do: no sign of copying."
    subject = f"{count} of {total} samples {'comes' if count == 1 else 'come'}"
    sentence = f"{subject} closer to a training mask than any held-out slice does: look at the pairs below"
    if len(found.identical):
        return f"{sentence}; {len(found.identical)} equal one pixel by pixel."
    return f"{sentence}."


def independence_sentence(independent: bool) -> str | None:
    """A warning where held-out slices come from patients that were trained on."""
    if independent:
        return None
    return (
        "The held-out slices come from a patient that was trained on: "
        "every comparison with real slices is too optimistic, and copying cannot be judged."
    )


def comparison(metric: Metric) -> str:
    """How the synthetic figure stands to the real one: "as real", "2.1 times real", "12 below real"."""
    if metric.value is None or metric.real is None:
        return "–"
    if metric.better == "equal to real":
        return _difference(metric)
    better, worse = (metric.value, metric.real) if metric.better == "higher" else (metric.real, metric.value)
    if better >= worse or (worse > 0 and better > 0 and worse / better <= _SAME_RATIO):
        return "as real"
    if metric.value > 0 and metric.real > 0:
        return f"{metric.value / metric.real:.2g} times real"
    return f"{metric.value - metric.real:+.2g} against real".replace("-", "−")


def _difference(metric: Metric) -> str:
    if metric.value is None or metric.real is None:
        return "–"
    difference = metric.value - metric.real
    if metric.unit == "%" and abs(difference) <= _SAME_POINTS:
        return "as real"
    if metric.unit == "%":
        return f"{abs(difference):.0f} points {'above' if difference > 0 else 'below'} real"
    if metric.real and 1 / _SAME_RATIO <= metric.value / metric.real <= _SAME_RATIO:
        return "as real"
    unit = f" {metric.unit}" if metric.unit else ""
    return f"{abs(difference):.2g}{unit} {'above' if difference > 0 else 'below'} real"
