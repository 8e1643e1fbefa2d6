"""The sections of an evaluation: what is measured, and from what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from topogan.evaluation.betti_section import cleaning_section, topology_section
from topogan.evaluation.cases import Case, all_cases
from topogan.evaluation.diagram_section import DrawnDiagrams, diagram_section
from topogan.evaluation.features import FeatureNetwork
from topogan.evaluation.report import Metric
from topogan.evaluation.sets import ThreeSets
from topogan.evaluation.shape_section import memorization_section, shape_section
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.evaluation.texture_section import TextureFigures, texture_figures, texture_section
from topogan.metrics.memorization import MemorizationAudit, audit
from topogan.metrics.shape import best_matches
from topogan.training_set import TrainingSet


@dataclass(frozen=True)
class Comparison:
    """What sections are computed from; what is costly is computed once, when it is first asked for."""

    samples: SyntheticSet
    real: TrainingSet
    sets: ThreeSets
    network: FeatureNetwork | None = None

    @property
    def expected(self) -> tuple[int, ...]:
        """Betti numbers that samples should have."""
        return self.samples.requested or self.real.modal_betti[0]

    @cached_property
    def diagrams(self) -> DrawnDiagrams:
        """Persistence diagrams of equally many slices of each set."""
        return DrawnDiagrams(self.sets)

    @cached_property
    def textures(self) -> TextureFigures | None:
        """What the textures show; None without images."""
        return texture_figures(self.sets, self.network)

    @cached_property
    def audit(self) -> MemorizationAudit:
        """How close samples come to training masks."""
        return audit(self.samples.masks, self.sets.test.masks, self.real.region_masks, self.real.train)

    @cached_property
    def cases(self) -> list[Case]:
        """Every sample with its verdict."""
        dice_to_real = best_matches(self.samples.masks, self.sets.test.masks).dice
        return all_cases(self.sets.samples.betti, self.samples.seeds, self.expected, self.audit, dice_to_real)


SECTIONS: dict[str, Callable[[Comparison], list[Metric]]] = {
    "topology": lambda found: topology_section(found.sets, found.real.modal_betti[0], found.samples.requested),
    "cleaning": lambda found: cleaning_section(found.sets, found.samples, found.expected),
    "diagrams": lambda found: diagram_section(found.diagrams),
    "shape": lambda found: shape_section(found.sets),
    "texture": lambda found: texture_section(found.textures, found.real.intensity) if found.textures else [],
    "memorization": lambda found: memorization_section(found.audit),
}
"""Name -> section; page, JSON file and summary show the metrics of all of them, in this order.

A metric from outside is one entry more. Its ``group`` says in which chapter of the page it stands; a group that no
other metric has gets a chapter of its own.

Example:
    >>> SECTIONS["mine"] = lambda found: [Metric("shape", "Samples", len(found.sets.samples), None, "", "higher")]
"""
