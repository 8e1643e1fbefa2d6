"""What a downstream segmentation found: a table, a sentence, and a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import fmean, stdev
from typing import Any

from topogan.evaluation.gain import Gain, gain, gain_in_words
from topogan.evaluation.report import number
from topogan.evaluation.segmentation import SegmentationScores

REAL = "real"
AUGMENTED = "real + augmentation"
SYNTHETIC = "real + synthetic"
BOTH = "real + synthetic + augmentation"
OWN = "real + own masks painted + augmentation"


@dataclass(frozen=True)
class DownstreamReport:
    """Scores of each kind of training data on the same test slices."""

    by_data: dict[str, list[SegmentationScores]]
    """By the kind of training data, in the order in which they are shown: one entry a seed."""
    patients: int
    """That were trained on."""
    notes: tuple[str, ...] = ()
    """Sentences on what the figures can not say."""

    def summary(self) -> str:
        """A plain table of the means over the seeds, with the standard deviation, and the sentence."""
        names = list(SegmentationScores.UNITS)
        width = max(map(len, self.by_data))
        lines = ["  ".join([f"{'trained on':{width}}", *(f"{name:>16}" for name in names)])]
        for data, scores in self.by_data.items():
            cells = [_cell([getattr(score, name) for score in scores]) for name in names]
            lines.append("  ".join([f"{data:{width}}", *(f"{cell:>16}" for cell in cells)]))
        return "\n".join([*lines, "", *self.notes, self.sentence])

    @property
    def sentence(self) -> str:
        """What synthetic slices add to real, augmented ones."""
        dice, betti = self.gain("dice", BOTH), self.gain("betti_error", BOTH)
        assert dice is not None and betti is not None  # every segmentation has both
        return gain_in_words(dice, betti, self.patients)

    def gain(self, name: str, data: str) -> Gain | None:
        """What ``data`` have over real, augmented slices in a score."""
        before, after = ([getattr(score, name) for score in self.by_data[kind]] for kind in (AUGMENTED, data))
        return gain(before, after)

    def content(self) -> dict[str, Any]:
        """What is written of it."""
        gains = {
            data: {
                name: None if (one := self.gain(name, data)) is None else asdict(one)
                for name in SegmentationScores.UNITS
            }
            for data in (BOTH, OWN)
            if data in self.by_data
        }
        return {
            "patients": self.patients,
            "notes": list(self.notes),
            "sentence": self.sentence,
            "units": SegmentationScores.UNITS,
            "by_seed": {data: [asdict(score) for score in scores] for data, scores in self.by_data.items()},
            "mean": {
                data: {name: _mean([getattr(score, name) for score in scores]) for name in SegmentationScores.UNITS}
                for data, scores in self.by_data.items()
            },
            "gain_over_augmentation": gains,
        }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _cell(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return number(_mean(values))
    return f"{number(fmean(known))} ± {number(stdev(known))}"
