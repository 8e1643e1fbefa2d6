"""Sentences that a reader without mathematics understands."""

from __future__ import annotations

from itertools import compress
from typing import NamedTuple

import numpy as np

from topogan.evaluation.copying_words import disclosures, memorization_sentence, privacy_of, texture_sentence
from topogan.evaluation.report import Metric, number
from topogan.evaluation.sets import ThreeSets
from topogan.evaluation.shape_section import size_names
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.evaluation.terms import TERMS, Terms
from topogan.metrics.membership import Membership
from topogan.metrics.memorization import MemorizationAudit
from topogan.metrics.topology import valid_share
from topogan.training_set import TrainingSet
from topogan.verdict import is_valid, topology_in_words
from topogan_contract.privacy import privacy_sentence

_COPIES, _MASK, _IMAGE = "copies a training ", "mask", "image"
# Differences up to these are called "as real": percentage points; half the noise of a CT voxel; a quarter more power.
_TOLERANCE = {"%": 5.0, "HU": 10.0, "dB": 1.0}
_SAME_RATIO = 1.1
_OF_SLICES = 2
# A share of fewer moves by more than the 5 points that are called "as real" with each of them.
_FEW = 20


class Words(NamedTuple):
    """What a reader should know of an evaluation, in sentences."""

    conclusion: str
    """What to know first: how many samples have the wanted topology."""
    findings: list[str]
    """What to know beside it."""
    warnings: list[str]
    """What makes the figures less trustworthy, or the samples dangerous."""


def sample_verdict(topology: str, copies_mask: bool, copies_image: bool = False) -> str:
    """What is right or wrong with one sample: "valid", "no hole", "2 pieces instead of 1", "copies a training mask".

    Args:
        topology: the verdict on it.
        copies_mask: it comes closer to a training mask than any test mask does.
        copies_image: the same of its texture.
    """
    copied = " and ".join(compress((_MASK, _IMAGE), (copies_mask, copies_image)))
    if not copied:
        return topology
    return f"{_COPIES}{copied}" if is_valid(topology) else f"{topology}, {_COPIES}{copied}"


def is_copy(verdict: str) -> bool:
    """Whether a verdict says that the sample is a possible copy."""
    return _COPIES in verdict


def topology_sentence(sets: ThreeSets, samples: SyntheticSet, wanted: tuple[int, ...]) -> str:
    """How many samples have the wanted topology, beside real ones of test patients."""
    total = len(sets.samples)
    share = valid_share(sets.samples.betti, wanted)
    real = valid_share(sets.test.betti, wanted)
    count = round(share * total / 100.0)
    start = f"{count} of {total} samples {'has' if count == 1 else 'have'} {topology_in_words(wanted)}"
    return _beside_real(start, share, real, samples, f"real {sets.terms.samples} do")


def structures_sentence(every: Metric, samples: SyntheticSet) -> str:
    """In how many samples every structure has a topology of real ones, beside real ones that were trained on."""
    name = TERMS[samples.axes].samples
    assert every.value is not None and every.real is not None
    total = len(samples.labels)
    of_level = "" if samples.levels is None else " of its level"
    start = (
        f"In {round(every.value * total / 100.0)} of {total} samples every structure has a topology that real test "
        f"{name}{of_level} show"
    )
    return _beside_real(start, every.value, every.real, samples, f"the real {name} that were trained on do")


def _beside_real(start: str, share: float, real: float, samples: SyntheticSet, do: str) -> str:
    if samples.requested is not None:
        tries = f"{samples.accepted_percent:.0f} % of the tries had it"
        return f"{start}, as was asked for ({tries}); {real:.0f} % of {do}."
    return f"{start}, {'as' if abs(share - real) <= _TOLERANCE['%'] else 'while'} {real:.0f} % of {do}."


def findings(
    metrics: list[Metric],
    audit: MemorizationAudit,
    terms: Terms = TERMS[2],
    told: Membership | None = None,
    foreign: bool = False,
    independent: bool = True,
) -> list[str]:
    """Size, brightness, copying and privacy, a sentence each; of several structures the farthest from real.

    Args:
        metrics: of all sections.
        audit: how close samples come to training masks.
        terms: what samples are called.
        told: how well they tell whom the model has learned from.
        foreign: it has learned from others than these: nothing is said of copying and privacy.
        independent: test patients are others than those that were trained on.
    """
    named = {metric.name: metric for metric in metrics}
    mean, usual, _ = size_names(terms)
    sentences = weakest_sentences(metrics, terms) or [size_sentence(named[mean], named[usual], terms)]
    brightness = intensity_sentence(metrics)
    if foreign:
        return [*sentences, *filter(None, (brightness,))]
    privacy = None
    if told is not None:
        privacy = f"Privacy: {privacy_sentence(privacy_of(audit, told, terms, independent))}"
    copying = texture_sentence(audit, terms), memorization_sentence(audit, terms)
    return [*sentences, *filter(None, (brightness, privacy, *copying))]


def weakest_sentences(metrics: list[Metric], terms: Terms) -> list[str]:
    """The structure whose topology, and the one whose size is farthest from real; none where there is but one."""
    mean, _, _ = size_names(terms)
    valid, sizes = (
        [
            (metric, metric.value, metric.real)
            for metric in metrics
            if metric.structure and metric.name == name and metric.value is not None and metric.real is not None
        ]
        for name in ("Valid", mean)
    )
    sentences = []
    if valid:
        metric, value, real = min(valid, key=lambda found: found[1] - found[2])
        sentences.append(
            f"Least often as real is {metric.structure}: valid in {value:.0f} % of the samples, "
            f"in {real:.0f} % of the real {terms.samples} that were trained on."
        )
    if sizes:
        metric, value, real = max(sizes, key=lambda found: abs(np.log(max(found[1], 1e-9) / max(found[2], 1e-9))))
        sentences.append(
            f"Farthest from its real size is {metric.structure}: {terms.amount(value)} on average, "
            f"in real {terms.samples} {terms.amount(real)}."
        )
    return sentences


def size_sentence(mean: Metric, usual: Metric, terms: Terms) -> str:
    """How large the structure is, beside real samples."""
    assert mean.value is not None and mean.real is not None
    return (
        f"The structure {terms.fills} {terms.amount(mean.value)} on average, in real {terms.samples} "
        f"{terms.amount(mean.real)}; {usual.value:.0f} % of the samples lie in the range of 90 % of the real "
        f"{terms.samples}."
    )


def intensity_sentence(metrics: list[Metric]) -> str | None:
    """How bright the textures are in each tissue, beside real ones; None without textures."""
    tissues = []
    for metric in metrics:
        if (
            metric.group == "texture"
            and metric.name.startswith("Mean ")
            and metric.value is not None
            and metric.real is not None
        ):
            where = metric.name.split(" ", 2)[2]
            tissues.append(f"{where} {metric.value:.0f} (real {metric.real:.0f})".replace("-", "−"))
            unit = "HU" if metric.unit == "HU" else "intensity"
    return f"Mean {unit}: {', '.join(tissues)}." if tissues else None


def warning_sentences(samples: SyntheticSet, real: TrainingSet, found: MemorizationAudit) -> list[str]:
    """What a reader must know before using the samples or the figures."""
    terms, sentences = TERMS[real.axes], []
    slices = terms.samples
    foreign = samples.training_set_hash != real.content_hash
    if not foreign:
        sentences += disclosures(found, terms)
    if not real.independent and foreign:
        sentences.append(
            f"All real {slices} here are of one patient, so that they are more alike than those of different patients: "
            "the figures of real against real are too good."
        )
    elif not real.independent:
        sentences.append(
            f"The test {slices} come from a patient that was trained on: every comparison with real {slices} is too "
            "optimistic, and copies can go unnoticed."
        )
    if foreign:
        sentences.append(
            f"The model was trained on another training set than this one: the test {slices} here may have been "
            "trained on, and copying cannot be judged."
        )
    if real.axes == _OF_SLICES and samples.center is not real.center:
        sentences.append(
            f"The samples lie around {samples.center.around} and the real slices around {real.center.around}: shapes "
            f"differ for that alone; prepare the set with --center {samples.center.value}."
        )
    if len(real.test) < _FEW:
        sentences.append(f"There are only {len(real.test)} real {slices} to compare with: the figures are rough.")
    return sentences


def comparison(metric: Metric) -> str:
    """How the synthetic figure stands to the real one: "as real", "2.1 times real", "12 HU below real"."""
    if metric.value is None or metric.real is None:
        return "–"
    if _alike(metric, metric.value, metric.real):
        return "as real"
    if metric.better != "equal to real" and metric.value > 0 and metric.real > 0:
        ratio = metric.value / metric.real
        if ratio > 100:
            return "over 100 times real"
        return f"{ratio:.0f} times real" if ratio >= 10 else f"{ratio:.2g} times real"
    difference = metric.value - metric.real
    size = number(abs(difference))
    unit = {"": "", "%": " point" if size == "1" else " points"}.get(metric.unit, f" {metric.unit}")
    return f"{size}{unit} {'above' if difference > 0 else 'below'} real"


def _alike(metric: Metric, value: float, real: float) -> bool:
    """Whether the difference is too small to speak of, or the samples do better than real."""
    draws = [real, *metric.real_by_seed.values()]
    if (metric.better == "lower" and value <= max(draws)) or (metric.better == "higher" and value >= min(draws)):
        return True
    # A share that should be low, such as of copies, is not excused: one sample can matter.
    if metric.unit in _TOLERANCE and not (metric.unit == "%" and metric.better == "lower"):
        return abs(value - real) <= _TOLERANCE[metric.unit]
    larger, smaller = max(value, real), min(value, real)
    return larger == smaller or (smaller > 0 and larger / smaller <= _SAME_RATIO)
