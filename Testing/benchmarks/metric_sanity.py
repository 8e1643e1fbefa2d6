"""Does each metric move the way its docstring says, and only then?

Changes a set of simulated slices in known ways, computes every metric of the report before and after, and compares the
change with what is expected. ``python Testing/benchmarks/metric_sanity.py`` prints the table and writes it into
``Resources/Docs/metrics.md``; it ends with code 1 where a metric does not move as expected.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import binary_erosion, binary_fill_holes, gaussian_filter
from simulated import PIXEL_SIZE, WINDOW, Images, Masks, painted, simulated_masks

from topogan.evaluation.betti_section import betti_metrics
from topogan.evaluation.diagram_section import DrawnDiagrams, diagram_section
from topogan.evaluation.memorization_section import memorization_section
from topogan.evaluation.report import label, number
from topogan.evaluation.sets import SliceSet, ThreeSets
from topogan.evaluation.shape_section import shape_section
from topogan.evaluation.texture_section import texture_figures, texture_section
from topogan.homology import betti_numbers_of_batch
from topogan.metrics.memorization import audit

DOCS = Path(__file__).resolve().parents[2] / "Resources" / "Docs" / "metrics.md"
BEGIN, END = "<!-- sanity table: begin -->", "<!-- sanity table: end -->"
FRESH_DRAWS = 8
# A change counts when it exceeds this many standard deviations of fresh draws of the same size.
DEVIATIONS = 4.0

Values = dict[str, "float | None"]


@dataclass(frozen=True)
class World:
    """Real slices: a training and a test part of one population."""

    training: SliceSet
    test: SliceSet

    @classmethod
    def simulated(cls, count: int, size: int) -> World:
        """``count`` slices in either part."""
        parts = [simulated_masks(count, size, np.random.default_rng(seed)) for seed in (100, 101)]
        return cls(*(slices(masks, painted(masks, seed)) for seed, masks in enumerate(parts, start=100)))

    def values(self, masks: Masks, images: Images) -> Values:
        """Every metric of a set of samples, by its label."""
        samples = slices(masks, images)
        sets = ThreeSets(samples, samples, self.training, self.test, PIXEL_SIZE, WINDOW)
        textures = texture_figures(sets, network=None)
        assert textures is not None
        metrics = [
            *betti_metrics(sets, (2, 1)),
            *diagram_section(DrawnDiagrams(sets)),
            *shape_section(sets),
            *texture_section(textures, "HU"),
            *memorization_section(
                audit(masks, self.test.masks, self.training.masks.__getitem__, np.arange(len(self.training)))
            ),
        ]
        return {label(metric): metric.value for metric in metrics}


def slices(masks: Masks, images: Images) -> SliceSet:
    """Masks and images with their Betti numbers."""
    return SliceSet(masks, betti_numbers_of_batch(masks), images)


@dataclass(frozen=True)
class Perturbation:
    """A known change of a set of slices, and what it must do: raise metrics, lower them, or leave them.

    Metrics in ``open`` may move: nothing is claimed of them. All that are not named must stay.
    """

    name: str
    masks: Callable[[Masks], Masks]
    up: frozenset[str] = frozenset()
    down: frozenset[str] = frozenset()
    open: frozenset[str] = frozenset()
    images: Callable[[Images], Images] = lambda images: images
    step: int = 1
    """−1 turns the order of the slices round."""


def names(*groups: str | Iterable[str]) -> frozenset[str]:
    """Join names and groups of names."""
    return frozenset(name for group in groups for name in ([group] if isinstance(group, str) else group))


BETTI_HOLES = names("Betti error", "Betti score of holes")
BETTI_COMPONENTS = names("Betti error", "Betti score of pieces")
HOLES = names("W1 of holes", "uMMD (W1) of holes")
HOLE_BIRTHS = names("W1-birth of holes", "uMMD (W1-birth) of holes")
COMPONENTS = names("W1 of pieces", "uMMD (W1) of pieces")
COMPONENT_DEATHS = names("W1-birth of pieces", "uMMD (W1-birth) of pieces")
AREA = names("Mean area", "Area distance", "Area in the usual range")
NEARNESS = names("Dice to real", "Dice to training", "Closer to training than a test slice")
INSIDE = names("Mean HU inside the structure", "HU distance inside the structure")
POOL = names("Mean HU inside enclosed holes", "HU distance inside enclosed holes")
AROUND = names("Mean HU around the structure", "HU distance around the structure")
SPECTRUM = "Power spectrum distance"
PAIRWISE = "Mean pairwise Dice"
COPIES = names("Possible copies", "Equal to a training mask")
REPEATS = "Equal to another mask"


def perturbations(training: Masks) -> list[Perturbation]:
    """Every change with what it must do; ``training`` are the masks that a copy repeats."""
    return [
        Perturbation("shuffled order", lambda masks: masks, step=-1),
        Perturbation("shifted 6 pixels", _shifted, down=NEARNESS, open=names(SPECTRUM, COPIES)),
        Perturbation(
            "eroded by a pixel",
            lambda masks: np.array([binary_erosion(mask) for mask in masks]),
            up=names("Area distance", "W1 of holes", "W1 of pieces", "W1-birth of pieces"),
            down=names("Mean area", "Area in the usual range", NEARNESS, PAIRWISE),
            open=names(HOLES, COMPONENTS, COMPONENT_DEATHS, SPECTRUM, BETTI_HOLES, "Valid", HOLE_BIRTHS),
        ),
        Perturbation(
            "holes filled",
            lambda masks: np.array([binary_fill_holes(mask) for mask in masks]),
            up=names(BETTI_HOLES, HOLES, "Mean area", "Area distance", SPECTRUM, PAIRWISE),
            down=names("Valid", "Area in the usual range", NEARNESS),
            open=names(HOLE_BIRTHS, POOL, COPIES, REPEATS),
        ),
        Perturbation(
            "a component added",
            _with_component,
            up=names(BETTI_COMPONENTS, COMPONENTS, COMPONENT_DEATHS),
            down=names("Valid"),
            # The space between the new component and the ring closes late: almost-holes that were not there before.
            open=names(AREA, NEARNESS, PAIRWISE, SPECTRUM, HOLES, HOLE_BIRTHS),
        ),
        Perturbation(
            "walls opened",
            _opened,
            up=names(BETTI_HOLES, HOLES, "W1-birth of holes"),
            down=names("Valid"),
            open=names(AREA, NEARNESS, PAIRWISE, POOL, SPECTRUM, HOLE_BIRTHS, COMPONENTS, COMPONENT_DEATHS),
        ),
        Perturbation(
            "four samples repeated",
            lambda masks: np.resize(masks[:4], masks.shape),
            up=names(PAIRWISE, REPEATS, "Area distance"),
            # Four shapes have, by chance, shares and means of their own.
            open=names(
                "Valid", BETTI_HOLES, BETTI_COMPONENTS, HOLES, HOLE_BIRTHS, COMPONENTS, COMPONENT_DEATHS, AREA,
                NEARNESS, COPIES, SPECTRUM, POOL, INSIDE,
            ),
        ),
        Perturbation(
            "half are training masks",
            lambda masks: np.concatenate([masks[: len(masks) // 2], training[: len(masks) - len(masks) // 2]]),
            up=names("Dice to training", "Closer to training than a test slice", COPIES),
        ),
        Perturbation(
            "40 HU brighter",
            lambda masks: masks,
            up=names(INSIDE, POOL, AROUND),
            images=lambda images: (images + 40).astype(np.int16),
        ),
        Perturbation(
            "blurred texture",
            lambda masks: masks,
            up=names(
                SPECTRUM, "HU distance inside the structure", "HU distance inside enclosed holes",
                "HU distance around the structure",
            ),
            open=names(INSIDE, POOL, AROUND),
            images=lambda images: gaussian_filter(images.astype(float), (0, 1.5, 1.5)).astype(np.int16),
        ),
    ]  # fmt: skip


def _shifted(masks: Masks) -> Masks:
    return np.roll(masks, masks.shape[1] * 6 // 64, axis=1)


def _with_component(masks: Masks) -> Masks:
    changed = masks.copy()
    changed[:, 2:4, 2:4] = True
    return changed


def _opened(masks: Masks) -> Masks:
    changed = masks.copy()
    middle = masks.shape[2] * 26 // 64
    changed[:, masks.shape[1] // 2 :, middle - 2 : middle + 2] = False
    return changed


@dataclass(frozen=True)
class Row:
    """One metric under one perturbation."""

    perturbation: str
    metric: str
    expected: str
    """``+``, ``−``, ``0`` (stays) or ``open``."""
    before: float | None
    after: float | None
    spread: float
    """Standard deviation over fresh draws of real slices."""

    @property
    def measured(self) -> str:
        """``+``, ``−`` or ``0``."""
        if self.before is None or self.after is None:
            return "0"
        change = self.after - self.before
        if abs(change) <= DEVIATIONS * self.spread + 1e-9:
            return "0"
        return "+" if change > 0 else "−"

    @property
    def as_expected(self) -> bool:
        """Whether the metric did what it must."""
        return self.expected in ("open", self.measured)


def sanity_rows(count: int, size: int) -> list[Row]:
    """Every metric under every perturbation.

    Args:
        count: slices in each set.
        size: width of the slices in pixels.
    """
    world = World.simulated(count, size)
    draws = [simulated_masks(count, size, np.random.default_rng(seed)) for seed in range(FRESH_DRAWS)]
    fresh = [world.values(masks, painted(masks, seed)) for seed, masks in enumerate(draws)]
    base = draws[0]
    rows = []
    for change in perturbations(world.training.masks):
        masks = change.masks(base)
        images = change.images(painted(masks, 0))
        after = world.values(masks[:: change.step], images[:: change.step])
        for metric, value in after.items():
            known = [values[metric] for values in fresh if values[metric] is not None]
            spread = float(np.std(known, ddof=1)) if len(known) > 1 else 0.0
            rows.append(Row(change.name, metric, _expected(change, metric), fresh[0][metric], value, spread))
    return rows


def _expected(change: Perturbation, metric: str) -> str:
    if metric in change.up:
        return "+"
    if metric in change.down:
        return "−"
    return "open" if metric in change.open else "0"


def markdown(rows: list[Row]) -> str:
    """The table: a row a metric, a column a perturbation; ``expected measured`` where the two are not both 0."""
    changes = list(dict.fromkeys(row.perturbation for row in rows))
    metrics = list(dict.fromkeys(row.metric for row in rows))
    found = {(row.metric, row.perturbation): row for row in rows}
    lines = ["| metric | real (± s.d.) | " + " | ".join(changes) + " |", "|---" * (len(changes) + 2) + "|"]
    for metric in metrics:
        first = found[metric, changes[0]]
        cells = [_cell(found[metric, change]) for change in changes]
        lines.append(f"| {metric} | {_plain(first.before)} ± {_plain(first.spread)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _plain(value: float | None) -> str:
    return number(value).replace("-", "−")


def _cell(row: Row) -> str:
    if row.measured == "0":
        cell = "·" if row.expected in ("0", "open") else f"{row.expected} expected"
    else:
        shown = f"{row.measured} {_plain(row.after)}"
        cell = f"({shown})" if row.expected == "open" else shown
    return cell if row.as_expected else f"**{cell}**"


def main() -> int:
    """Print the table, put it into the docs, and say whether all is as expected."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--size", type=int, default=64)
    given = parser.parse_args()
    rows = sanity_rows(given.count, given.size)
    table = markdown(rows)
    print(table)
    wrong = [row for row in rows if not row.as_expected]
    for row in wrong:
        print(f"NOT AS EXPECTED: {row}")
    if DOCS.exists():
        text = DOCS.read_text(encoding="utf-8")
        start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
        DOCS.write_text(f"{text[:start]}\n{table}\n{text[end:]}", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
