"""What is said of samples: verdicts on their topology, the nearest training mask, and all of them in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.model import Samples
from topogan.model.asking import SamplingRequest, numbers_asked
from topogan.model.metadata import Metadata
from topogan.possible_copies import CopyBar, copies_in_words
from topogan.verdict import Expectation, is_valid, topology_in_words


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
