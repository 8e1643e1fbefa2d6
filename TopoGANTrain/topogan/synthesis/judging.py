"""What is said of samples: verdicts on their topology, the nearest training mask, and all of them in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from topogan.model import Samples
from topogan.model.asking import SamplingRequest, numbers_asked
from topogan.model.metadata import Metadata
from topogan.verdict import Expectation, is_valid, topology_in_words
from topogan_contract.figures import PARTS
from topogan_contract.privacy import GOOD_COPIES_PERCENT


@dataclass(frozen=True)
class Nearest:
    """The most similar training mask of each of n samples."""

    row: NDArray[np.int64]
    """int [n]: its row in the training set."""
    dice: NDArray[np.float64]
    """float [n]: 0 to 1; 1 is a copy."""
    training_set: str
    """Content hash of that training set."""


@dataclass(frozen=True)
class CopyBar:
    """What is closer to a training mask than all of these is a possible copy."""

    part: str
    """Of the training set, "validation" or "test"."""
    held_out: int
    """Number of its masks."""


@dataclass(frozen=True)
class Judged:
    """Samples with the verdicts on them."""

    samples: Samples
    metadata: Metadata
    """Of their model."""
    expectation: Expectation
    verdicts: list[list[str]]
    """On each region of each sample."""
    nearest: Nearest | None
    bar: CopyBar | None = None
    """Of the possible copies that were left out; None where nobody looked."""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Bool [n, R]."""
        return np.array([[is_valid(said) for said in row] for row in self.verdicts])

    def real_shares(self, region: int) -> list[float]:
        """Which part of the real samples, of slices of the same level, has the topology of each sample, 0 to 1."""
        levels = [None] * len(self.samples) if self.samples.levels is None else self.samples.levels.tolist()
        betti = map(tuple, self.samples.betti[:, region].tolist())
        return [self.metadata.real.share(one, region, level) for one, level in zip(betti, levels, strict=True)]

    @property
    def valid_percent(self) -> float:
        """Of samples of which every structure is valid."""
        return 100.0 * float(self.valid[:, : self.metadata.table.counted].all(axis=1).mean())


def judge(
    samples: Samples, metadata: Metadata, request: SamplingRequest, nearest: Nearest | None, bar: CopyBar | None = None
) -> Judged:
    """Compare each region with what was asked for, else with what real slices of its level, or real volumes, show.

    One structure of a model that knows no levels is compared with the most frequent topology of the real masks.
    """
    asked = numbers_asked(request.betti, len(metadata.regions))
    one = metadata.table.counted == 1 and samples.levels is None and request.betti != "real"
    if one or not metadata.topologies:
        asked = tuple(wanted or modal for wanted, modal in zip(asked, metadata.betti.modal, strict=True))
    expectation = Expectation(asked, metadata.real)
    levels = [None] * len(samples) if samples.levels is None else samples.levels.tolist()
    joint = [tuple(map(tuple, betti)) for betti in samples.betti.tolist()]
    verdicts = [expectation.verdicts(*pair) for pair in zip(joint, levels, strict=True)]
    return Judged(samples, metadata, expectation, verdicts, nearest, bar)


def summary(judged: Judged) -> str:
    """How many samples are valid, and how many possible copies were left out, in a sentence each."""
    return " ".join(filter(None, (_valid_in_words(judged), copies_in_words(judged.samples.copies, judged.bar))))


def _valid_in_words(judged: Judged) -> str:
    names, total = judged.metadata.table.without_context.names, len(judged.samples)
    asked = judged.expectation.asked[0]
    if len(names) == 1 and asked is not None:
        count = int(judged.valid[:, 0].sum())
        return f"{count} of {total} samples {'has' if count == 1 else 'have'} {topology_in_words(asked)}."
    shares = (f"{name} {100 * share:.0f} %" for name, share in zip(names, judged.valid.mean(axis=0), strict=False))
    real = f"that real {judged.metadata.noun}s"
    what = f"that was asked for or {real}" if any(judged.expectation.asked) else real
    level = "" if judged.samples.levels is None else " of its level"
    return (
        f"In {judged.valid_percent:.0f} % of {total} samples every structure has a topology {what}{level} show: "
        f"{', '.join(shares)}."
    )


def copies_in_words(left_out: int | None, bar: CopyBar | None) -> str:
    """How many possible copies were left out, and how many by chance; empty where nobody looked.

    Args:
        left_out: how many; None where nobody looked.
        bar: what they were compared with; None where that is not known, as of older samples.
    """
    if left_out is None:
        return ""
    said = {
        0: "No possible copies of training masks were found.",
        1: "1 possible copy of a training mask was left out, and drawn again.",
    }.get(left_out, f"{left_out} possible copies of training masks were left out, and drawn again.")
    if bar is None:
        return said
    chance = 200.0 / (bar.held_out + 1)
    few = f": by chance up to {min(chance, 100.0):.0f} % are called copies" if chance > GOOD_COPIES_PERCENT else ""
    return f"{said} The bar is that of {bar.held_out} {bar.part} mask{'' if bar.held_out == 1 else 's'}{few}."


def copies_of_report(report: dict[str, Any]) -> str:
    """The same of a ``report.json``, which may be a stranger's."""
    left_out, bar = report.get("copies_left_out"), report.get("copies_bar")
    part, held_out = (bar.get("part"), bar.get("held_out")) if isinstance(bar, dict) else (None, None)
    known = CopyBar(part, held_out) if part in PARTS and isinstance(held_out, int) and held_out > 0 else None
    return copies_in_words(left_out if type(left_out) is int else None, known)
