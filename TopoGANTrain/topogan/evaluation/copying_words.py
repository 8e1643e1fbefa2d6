"""Sentences on copies and privacy."""

from __future__ import annotations

from topogan.evaluation.terms import TERMS, Terms
from topogan.metrics.membership import Membership
from topogan.metrics.memorization import MemorizationAudit
from topogan_contract.privacy import TIMES_BY_CHANCE, Privacy

# Of volumes there are few patients. A generator that leans on them comes closer to them on average, in this share of
# the pairs of a sample and a test volume (50 % without), before any sample is a copy.
_LEANS = 75.0


def privacy_of(audit: MemorizationAudit, told: Membership, terms: Terms, independent: bool = True) -> Privacy:
    """What the sentence on privacy is made of."""
    texture = audit.texture
    return Privacy(
        sample=terms.sample,
        closer_percent=audit.closer_percent,
        held_out=len(audit.reference_dice),
        copies_percent=100.0 * len(audit.all_copies) / len(audit.dice),
        auc=told.auc,
        textures=texture is not None,
        texture_copies_percent=None if texture is None else 100.0 * float(texture.beyond.mean()),
        independent=independent,
    )


def memorization_sentence(found: MemorizationAudit, terms: Terms = TERMS[2]) -> str:
    """Whether samples copy training masks."""
    count, total = len(found.all_copies), len(found.dice)
    beside = f" {_dice_beside_test(found)}." if terms is TERMS[3] else ""
    if not count:
        leans = _leans(found, terms)
        than = f"every test {terms.sample} does" if leans else f"test {terms.samples} do: no sign of copied masks"
        return f"None of {total} samples comes closer to a training mask than {than}.{beside}"
    subject = f"{count} of {total} samples {'comes' if count == 1 else 'come'}"
    changed = len(found.changed_copies)
    # Volumes are not turned.
    how = "shifted, scaled or mirrored" if terms is TERMS[3] else "shifted, scaled, turned or mirrored"
    of_them = f" ({changed} of them when {how})" if changed else ""
    sentence = (
        f"{subject} closer to a training mask than any test {terms.sample} does{of_them}: look at the pairs below"
    )
    if len(found.identical):
        equal = len(found.identical)
        return f"{sentence}; {equal} {'equals' if equal == 1 else 'equal'} one {terms.pixel} by {terms.pixel}.{beside}"
    return f"{sentence}.{beside}"


def texture_sentence(found: MemorizationAudit, terms: Terms = TERMS[2]) -> str:
    """Whether textures copy training images; empty without images."""
    if found.texture is None:
        return ""
    count, total = len(found.texture_copies), len(found.texture.value)
    test = f"any test {terms.sample}'s is"
    if not count:
        return f"The grain of none of {total} textures is more like a training image's than {test}."
    return f"The grain of {count} of {total} textures is more like a training image's than {test}."


def disclosures(found: MemorizationAudit, terms: Terms) -> list[str]:
    """What samples that come too close to training patients could disclose."""
    sentences = []
    if len(found.all_copies) > TIMES_BY_CHANCE * found.by_chance + 1:
        sentences.append(
            f"{len(found.all_copies)} of {len(found.dice)} samples look like copies of training masks: "
            "sharing them, or the model, could disclose patients."
        )
    elif _leans(found, terms):
        sentences.append(
            f"The samples are closer to the training patients than test volumes are (Dice {found.dice.mean():.3f} "
            f"beside {found.reference_dice.mean():.3f}): the model has memorized shapes, and sharing it could disclose "
            "patients."
        )
    texture = found.texture
    if texture and len(found.texture_copies) > TIMES_BY_CHANCE * len(texture.value) / (len(texture.reference) + 1) + 1:
        sentences.append(
            f"{len(found.texture_copies)} of {len(texture.value)} textures look like copies of training images: "
            "sharing them, or the model, could disclose patients."
        )
    return sentences


def _leans(found: MemorizationAudit, terms: Terms) -> bool:
    """Whether samples are closer to the training patients than test volumes are, though none need be a copy."""
    return terms is TERMS[3] and found.closer_percent >= _LEANS


def _dice_beside_test(found: MemorizationAudit) -> str:
    means = found.dice.mean(), found.reference_dice.mean()
    return "The nearest training mask has a Dice of {:.3f} on average, that of a test volume {:.3f}".format(*means)
