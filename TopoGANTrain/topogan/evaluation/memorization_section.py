"""How close samples come to the training set, and what that tells of who was trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.report import Metric
from topogan.evaluation.sets import ThreeSets, compared_rows
from topogan.evaluation.terms import TERMS, Terms
from topogan.metrics.closeness import Closeness
from topogan.metrics.membership import FEWEST_PATIENTS, Membership, membership
from topogan.metrics.memorization import MemorizationAudit
from topogan.metrics.sampling import draw
from topogan.metrics.shape import ReadMasks
from topogan.metrics.texture_copies import texture_audit
from topogan.training_set import TrainingSet


def membership_told(sets: ThreeSets, real: TrainingSet) -> Membership:
    """How well the samples tell the training patients of a set from its test patients.

    Args:
        sets: the comparison; its training and test samples are those of :func:`compared_rows`.
        real: where they are from.
    """
    training, test = ([real.patients[row] for row in compared_rows(real, rows)] for rows in (real.train, real.test))
    return membership(sets.samples.masks, sets.training.masks, sets.test.masks, training, test, sets.structures)


def memorization_section(
    found: MemorizationAudit, terms: Terms = TERMS[2], told: Membership | None = None, trained: str = "all"
) -> list[Metric]:
    """How close samples come to single training masks, beside how close test masks come to them; whom that tells of.

    Args:
        found: what was compared.
        terms: what samples are called.
        told: how well they tell whom the model has learned from.
        trained: with how many of the training images textures were compared, as "1000 of 5000".
    """
    samples, test = len(found.dice), len(found.reference_dice)
    auc = Metric("memorization", "Membership AUC", told.auc, 0.5, "", "lower", note=_interval(told)) if told else None

    def share(name: str, positions: NDArray[np.int64], real: float, note: str = "") -> Metric:
        return Metric("memorization", name, 100.0 * len(positions) / samples, real, "%", "lower", note=note)

    return [
        Metric(
            group="memorization",
            name="Dice to training",
            value=float(found.dice.mean()),
            real=float(found.reference_dice.mean()),
            unit="",
            better="equal to real",
            note=f"best match among training {terms.samples}",
        ),
        Metric(
            group="memorization",
            name=f"Closer to training than a test {terms.sample}",
            value=found.closer_percent,
            real=50.0,
            unit="%",
            better="equal to real",
            note="50 % means no copying",
        ),
        share(
            "Possible copies",
            found.all_copies,
            0.0,
            f"at most {200.0 / (test + 1):.2g} % expected from independent {terms.samples}",
        ),
        share("Possible copies, changed", found.changed_copies, 0.0),
        *_of_textures(found, terms, trained),
        *([auc] if auc else []),
        share("Equal to a training mask", found.identical, 100.0 * len(found.test_identical) / test),
        share("Equal to another mask", found.repeats, 100.0 * len(found.test_repeats) / test),
    ]


# Training images whose grain is made, which takes .05 s of one of 256²: they have the pixels of 1,000 of those (250
# volumes of 64³) at most.
_MOST_PIXELS, _FEWEST = 1000 * 256**2, 8


def texture_rows(real: TrainingSet) -> NDArray[np.int64]:
    """The training rows whose images textures are compared with: all, or of many a part, always the same one."""
    return draw(real.train, max(_FEWEST, _MOST_PIXELS // real.size**real.axes), seed=0)


def images_compared(real: TrainingSet) -> str:
    """How many training images those are, such as "1000 of 5000"; "all"."""
    compared = len(texture_rows(real))
    return "all" if compared == len(real.train) else f"{compared} of {len(real.train)}"


def texture_copies(sets: ThreeSets, real: TrainingSet, read: ReadMasks) -> Closeness | None:
    """How much the images of samples repeat those that were trained on; None where samples or the set have none.

    Args:
        sets: the comparison.
        real: the training set.
        read: gives masks as ``sets`` hold them.
    """
    images, test, trained = sets.samples.images, sets.test.images, real.images
    if images is None or test is None or trained is None or sets.window is None:
        return None
    return texture_audit(
        (sets.samples.masks, images),
        (sets.test.masks, test),
        lambda rows: (read(rows), trained[rows]),
        texture_rows(real),
        real.pixel_size,
        sets.window,
    )


def _of_textures(found: MemorizationAudit, terms: Terms, trained: str) -> list[Metric]:
    texture = found.texture
    if texture is None:
        return []
    group, expected = "memorization", 100.0 / (len(texture.reference) + 1)
    return [
        Metric(
            group=group,
            name="Grain like a training image's",
            value=float(texture.value.mean()),
            real=float(texture.reference.mean()),
            unit="",
            better="equal to real",
            note=f"correlation with the most similar one; {len(texture.value)} {terms.samples} were compared with "
            f"{trained} training images",
        ),
        Metric(
            group=group,
            name="Possible copies of textures",
            value=100.0 * float(texture.beyond.mean()),
            real=0.0,
            unit="%",
            better="lower",
            note=f"{expected:.2g} % expected from independent {terms.samples}",
        ),
    ]


def _interval(told: Membership) -> str:
    """Between what the membership AUC of other patients would probably lie."""
    patients = f"{told.member_patients} training and {told.other_patients} test patients"
    if told.low is None or told.high is None:
        return f"95 % interval unknown: {patients}, at least {FEWEST_PATIENTS} of each are needed"
    return f"95 % interval {told.low:.2f} to {told.high:.2f} over {patients}"
