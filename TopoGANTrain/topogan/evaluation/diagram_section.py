"""The metrics on persistence diagrams, which also see almost-holes and the size of gaps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.report import Metric, drawn_metric
from topogan.evaluation.sets import DRAW_SEEDS, ThreeSets
from topogan.homology import Diagram
from topogan.metrics.diagrams import diagrams_of, w1_birth_matrix, w1_matrix, w1_within
from topogan.metrics.mmd import unbiased_mmd
from topogan.metrics.sampling import draw
from topogan.metrics.topology import set_distance

LARGEST_MATCHING = 500
_NO_SCALE = "not defined: most real diagrams are equal in this dimension"

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class DiagramDistance:
    """A distance between diagrams, for all pairs of two sets and inside one set."""

    name: str
    between: Callable[[list[Diagram], list[Diagram], int, int], Matrix]
    within: Callable[[list[Diagram], int, int], Matrix]


DISTANCES = (
    DiagramDistance("W1", w1_matrix, w1_within),
    DiagramDistance("W1-birth", w1_birth_matrix, lambda found, *more: w1_birth_matrix(found, found, *more)),
)


class DrawnDiagrams:
    """The diagrams of the same number of samples of each set, for each seed of the draws."""

    def __init__(self, sets: ThreeSets) -> None:
        named = sets.named
        self.terms, self.axes, self.width = sets.terms, sets.axes, sets.test.masks.shape[-1]
        self.dimensions = range(sets.test.betti.shape[1])
        self.count = min(LARGEST_MATCHING, *(len(found) for found in named.values()))
        drawing = any(len(found) > self.count for found in named.values())
        self.seeds = DRAW_SEEDS if drawing else DRAW_SEEDS[:1]
        self._rows = {
            name: [draw(np.arange(len(found)), self.count, seed) for seed in self.seeds]
            for name, found in named.items()
        }
        self._diagrams: dict[str, dict[int, Diagram]] = {}
        for name, found in named.items():
            used = np.unique(np.concatenate(self._rows[name]))
            self._diagrams[name] = dict(zip(used.tolist(), diagrams_of(found.masks[used]), strict=True))

    def of(self, name: str, draw_number: int) -> list[Diagram]:
        """The diagrams of one draw of the set ``name``."""
        return [self._diagrams[name][row] for row in self._rows[name][draw_number].tolist()]

    def matrices(
        self, distance: DiagramDistance, dimension: int, within: bool = True
    ) -> list[dict[tuple[str, str], Matrix]]:
        """For each draw the distances between and, if wanted, within the sets, by the sets' names.

        A matrix is computed once where both of its sets are taken whole.
        """
        found: list[dict[tuple[str, str], Matrix]] = []
        pairs = [("synthetic", "test"), ("training", "test")]
        pairs += [(name, name) for name in self._rows if within]
        for number in range(len(self.seeds)):
            drawn: dict[tuple[str, str], Matrix] = {}
            for first, second in pairs:
                if number > 0 and self._whole(first) and self._whole(second):
                    drawn[first, second] = found[0][first, second]
                elif first == second:
                    drawn[first, first] = distance.within(self.of(first, number), dimension, self.width)
                else:
                    both = self.of(first, number), self.of(second, number)
                    drawn[first, second] = distance.between(*both, dimension, self.width)
            found.append(drawn)
        return found

    def _whole(self, name: str) -> bool:
        return len(self._diagrams[name]) == self.count


def diagram_section(diagrams: DrawnDiagrams) -> list[Metric]:
    """W1, W1-birth and the MMD with each of them, per dimension."""
    metrics: list[Metric] = []
    for distance in DISTANCES:
        for dimension in diagrams.dimensions:
            drawn = _by_seed(diagrams, distance, dimension)
            mmd, real_mmd = (
                {seed: value for seed, found in drawn.items() if (value := _mmd(found, of)) is not None}
                for of in ("synthetic", "training")
            )
            name = f"uMMD ({distance.name})"
            metrics += [
                _between(diagrams, distance, drawn, dimension),
                drawn_metric("topology", name, "", mmd, real_mmd, dimension, "" if mmd else _NO_SCALE, diagrams.axes),
            ]
    return metrics


def w1_metrics(diagrams: DrawnDiagrams, group: str) -> list[Metric]:
    """W1 per dimension alone."""
    w1 = DISTANCES[0]
    drawn = {dimension: _by_seed(diagrams, w1, dimension, within=False) for dimension in diagrams.dimensions}
    return [_between(diagrams, w1, found, dimension, group) for dimension, found in drawn.items()]


def _by_seed(
    diagrams: DrawnDiagrams, distance: DiagramDistance, dimension: int, within: bool = True
) -> dict[str, dict[tuple[str, str], Matrix]]:
    seeds = map(str, diagrams.seeds)
    return dict(zip(seeds, diagrams.matrices(distance, dimension, within), strict=True))


def _between(
    diagrams: DrawnDiagrams,
    distance: DiagramDistance,
    drawn: dict[str, dict[tuple[str, str], Matrix]],
    dimension: int,
    group: str = "topology",
) -> Metric:
    synthetic, training = (
        {seed: set_distance(found[of, "test"]) for seed, found in drawn.items()} for of in ("synthetic", "training")
    )
    note = f"{diagrams.count} {diagrams.terms.samples} a side"
    return drawn_metric(group, distance.name, diagrams.terms.width, synthetic, training, dimension, note, diagrams.axes)


def _mmd(drawn: dict[tuple[str, str], Matrix], of: str) -> float | None:
    # One scale for both columns, from real pairs alone: the samples cannot set their own scale.
    scale = float(np.median(drawn["training", "test"]))
    return unbiased_mmd(drawn[of, of], drawn["test", "test"], drawn[of, "test"], scale)
