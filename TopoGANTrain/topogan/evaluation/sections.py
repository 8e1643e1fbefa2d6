"""The sections of an evaluation: what is measured, and from what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from topogan.evaluation.betti_section import cleaning_section, topology_section
from topogan.evaluation.cases import Case, all_cases
from topogan.evaluation.diagram_section import DrawnDiagrams, diagram_section
from topogan.evaluation.features import FeatureNetwork
from topogan.evaluation.memorization_section import (
    images_compared,
    membership_told,
    memorization_section,
    texture_copies,
)
from topogan.evaluation.report import Metric
from topogan.evaluation.sets import ThreeSets, compared_rows
from topogan.evaluation.shape_section import shape_section
from topogan.evaluation.structures_section import joint_section, real_topologies, structures_section
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.evaluation.texture_section import TextureFigures, texture_figures, texture_section
from topogan.metrics.membership import Membership
from topogan.metrics.memorization import MemorizationAudit, audit
from topogan.metrics.shape import BestMatches, best_matches
from topogan.structures import Region
from topogan.training_set import TrainingSet
from topogan.verdict import Betti, Expectation, Joint, joint_verdict

_Judged = TypeVar("_Judged", str, Betti)


@dataclass(frozen=True)
class Comparison:
    """What sections are computed from; what is costly is computed once, when it is first asked for."""

    samples: SyntheticSet
    real: TrainingSet
    labels: ThreeSets
    """Label maps."""
    network: FeatureNetwork | None = None

    @property
    def several(self) -> bool:
        """Whether there is more than one structure."""
        return len(self.real.table) > 1

    @cached_property
    def sets(self) -> ThreeSets:
        """The masks of the structure; where there are several, label maps."""
        return self.labels if self.several else self.labels.of(self.real.regions[0], 0)

    @property
    def requested(self) -> tuple[int, ...] | None:
        """Betti numbers that were asked for of the one structure."""
        asked = self.samples.requested
        return None if asked is None or asked == "real" else asked[0]

    @property
    def foreign(self) -> bool:
        """Whether the model has learned from another training set, so that nobody can tell copies."""
        return self.samples.training_set_hash != self.real.content_hash

    @property
    def expected(self) -> tuple[int, ...]:
        """Betti numbers that the one structure should have in every sample."""
        return self.requested or self.real.modal_betti[0]

    @cached_property
    def diagrams(self) -> DrawnDiagrams:
        """Persistence diagrams of equally many samples of each set."""
        return DrawnDiagrams(self.sets)

    @cached_property
    def textures(self) -> TextureFigures | None:
        """What the textures show; None without images."""
        return texture_figures(self.sets, self.network, self.real.table.names if self.several else ())

    @cached_property
    def audit(self) -> MemorizationAudit:
        """How close samples come to training masks."""
        read = self.real.masks.__getitem__ if self.several else self.real.region_masks
        sets = self.sets
        texture = texture_copies(sets, self.real, read)
        return audit(sets.samples.masks, sets.test.masks, read, self.real.train, sets.structures, texture)

    @cached_property
    def membership(self) -> Membership:
        """How well the samples tell training patients from test patients."""
        return membership_told(self.sets, self.real)

    @cached_property
    def nearest_test(self) -> BestMatches:
        """The most similar test sample of each sample, by its place in :attr:`test_rows`."""
        sets = self.sets
        return best_matches(sets.samples.masks, sets.test.masks, sets.structures)

    @property
    def test_rows(self) -> NDArray[np.int64]:
        """Rows of the training set that the test set of the comparison holds, in its order."""
        return compared_rows(self.real, self.real.test)

    @cached_property
    def cases(self) -> list[Case]:
        """Every sample with its verdict."""
        betti = self.labels.samples.betti.reshape(len(self.sets.samples), -1)
        names = [region.name for region in self.real.regions]
        verdicts = [
            joint_verdict(names, found) if self.several else found[0] for found in self._judged(Expectation.verdicts)
        ]
        return all_cases(betti, self.samples.seeds, verdicts, self.audit, self.nearest_test.dice, self.foreign)

    @cached_property
    def wanted(self) -> NDArray[np.int64]:
        """Betti numbers that each sample should have had, int [N, numbers] as in :attr:`cases`."""
        return np.array(self._judged(Expectation.wanted)).reshape(len(self.samples.labels), -1)

    def _judged(self, judge: Callable[[Expectation, Joint, float | None], list[_Judged]]) -> list[list[_Judged]]:
        asked, found = self.samples.requested, self.labels.samples
        everything: tuple[Betti | None, ...] = (None,) * len(self.real.regions)
        expectation = Expectation((self.expected,))
        if self.several:
            asked_of = everything if asked is None or asked == "real" else asked
            expectation = Expectation(asked_of, real_topologies(self.labels.test))
        levels = [None] * len(found) if found.levels is None else found.levels.tolist()
        joint = [tuple(map(tuple, betti)) for betti in found.betti.tolist()]
        return [judge(expectation, *pair) for pair in zip(joint, levels, strict=True)]


_Section = Callable[["Comparison"], list[Metric]]


def _of_one(section: _Section) -> _Section:
    return lambda found: [] if found.several else section(found)


def _of_several(section: Callable[[ThreeSets, tuple[Region, ...], SyntheticSet], list[Metric]]) -> _Section:
    return lambda found: section(found.labels, found.real.regions, found.samples) if found.several else []


SECTIONS: dict[str, _Section] = {
    "all structures": _of_several(joint_section),
    "structures": _of_several(structures_section),
    "topology": _of_one(lambda found: topology_section(found.sets, found.real.modal_betti[0], found.requested)),
    "cleaning": _of_one(lambda found: cleaning_section(found.sets, found.samples, found.expected)),
    "diagrams": _of_one(lambda found: diagram_section(found.diagrams)),
    "shape": _of_one(lambda found: shape_section(found.sets)),
    "texture": lambda found: texture_section(found.textures, found.real.intensity) if found.textures else [],
    "memorization": lambda found: memorization_section(
        found.audit, found.sets.terms, found.membership, images_compared(found.real)
    ),
}
"""Name -> section; page, JSON file and summary show the metrics of all of them, in this order.

A metric from outside is one entry more. Its ``group`` says in which chapter of the page it stands; a group that no
other metric has gets a chapter of its own.

Example:
    >>> SECTIONS["mine"] = lambda found: [Metric("shape", "Samples", len(found.sets.samples), None, "", "higher")]
"""
