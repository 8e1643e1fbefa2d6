"""What stands on the page of one evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined
from numpy.typing import NDArray

from topogan import __version__
from topogan.evaluation import pictures, plots
from topogan.evaluation.cases import Case, best, nearest_to_training, worst
from topogan.evaluation.diagram_section import DrawnDiagrams
from topogan.evaluation.report import Metric, label, number
from topogan.evaluation.sets import ThreeSets
from topogan.evaluation.synthetic_set import SyntheticSet
from topogan.evaluation.textures import TextureFigures
from topogan.evaluation.wording import (
    area_sentence,
    comparison,
    intensity_sentence,
    memorization_sentence,
    warning_sentences,
)
from topogan.metrics.memorization import MemorizationAudit
from topogan.metrics.shape import areas
from topogan.metrics.topology import betti_histogram
from topogan.training_set import TrainingSet
from topogan.verdict import topology_in_words

_TOPOLOGY_TEXT = (
    "Pieces are counted with diagonal neighbors, holes without. Distances compare a set with the test patients: "
    "the samples under Synthetic, the training patients, which are real too, under Real. Shares are of the samples "
    "and of the test slices."
)
_SHAPE_TEXT = "Sizes and overlaps. Means and shares under Real are of the test patients."
_TEXTURE_TEXT = "Intensities are clipped to the window of the textures, and measured where the mask says."
_COPY_TEXT = (
    "A sample that repeats a patient's mask would disclose that patient. Under Real is how close "
    "test patients come to the training patients."
)
_PAIR_TEXT = (
    "Left the sample, in the middle the training mask, on the right their overlap: dark where both are, blue (dark "
    "grey on paper) the sample alone, orange (light grey) the training mask alone."
)


@dataclass(frozen=True)
class Block:
    """Something to look at under a heading: a drawing, or a row of pictures."""

    caption: str
    """Below a drawing, above pictures."""
    text: str = ""
    """Under the caption of pictures."""
    svg: str = ""
    pictures: list[tuple[str, str]] = field(default_factory=list)
    """Captions and ``data:`` addresses."""
    picture_width: str = "8rem"


@dataclass(frozen=True)
class Chapter:
    """One part of the page: what it says, its table and its figures."""

    title: str
    text: str
    metrics: list[Metric]
    blocks: list[Block]


@dataclass(frozen=True)
class Page:
    """All that the page shows, in plain text; the template escapes it."""

    title: str
    verdict: str
    findings: list[str]
    warnings: list[str]
    chapters: list[Chapter]
    provenance: dict[str, str]

    def html(self) -> str:
        """The page as text, to be written in UTF-8."""
        environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
        environment.filters |= {
            "number": lambda value: number(value).replace("-", "−"),
            "label": label,
            "comparison": comparison,
        }
        template = Path(__file__).with_name("report.html.jinja").read_text(encoding="utf-8")
        return environment.from_string(template).render(page=self)


@dataclass(frozen=True)
class Evaluation:
    """All results of one evaluation."""

    samples: SyntheticSet
    real: TrainingSet
    sets: ThreeSets
    diagrams: DrawnDiagrams
    textures: TextureFigures | None
    audit: MemorizationAudit
    cases: list[Case]
    expected: tuple[int, int]
    """(b0, b1) that samples should have."""
    verdict: str
    metrics: list[Metric]

    def of_group(self, group: str) -> list[Metric]:
        """The metrics of one group, in their order."""
        return [metric for metric in self.metrics if metric.group == group]

    def findings(self) -> list[str]:
        """What a reader should know beside the verdict, one sentence each."""
        named = {metric.name: metric for metric in self.metrics}
        sentences = [area_sentence(named["Mean area"], named["Area in the usual range"])]
        brightness = intensity_sentence(self.of_group("texture"))
        if brightness:
            sentences.append(brightness)
        return [*sentences, memorization_sentence(self.audit)]

    def warnings(self) -> list[str]:
        """What makes the figures less trustworthy."""
        return warning_sentences(self.samples, self.real, self.audit)


def make_page(result: Evaluation) -> Page:
    """Put the figures, tables and pictures of an evaluation in order."""
    chapters = [_topology_chapter(result), _shape_chapter(result)]
    if result.textures:
        chapters.append(_texture_chapter(result, result.textures))
    chapters += [_copy_chapter(result), _samples_chapter(result)]
    return Page(
        title=f"Synthetic {result.real.structure}, compared with real slices",
        verdict=result.verdict,
        findings=result.findings(),
        warnings=result.warnings(),
        chapters=chapters,
        provenance=_provenance(result),
    )


def _provenance(result: Evaluation) -> dict[str, str]:
    compared = {name: len(found) for name, found in result.sets.named.items()}
    patients = np.asarray(result.real.patients)
    return {
        "Samples": f"{len(result.samples.masks)} of {result.real.size} × {result.real.size} pixels",
        "Pixel size": f"{result.real.pixel_size:.3g} mm",
        "Training slices": f"{len(result.real.train)}, patients: {len(set(patients[result.real.train]))}",
        "Test slices": f"{len(result.real.test)}, patients: {len(set(patients[result.real.test]))}",
        "Slices compared": ", ".join(f"{count} {plots.STYLES[name].label}" for name, count in compared.items()),
        "Expected topology": topology_in_words(result.expected),
        "Training set (content hash)": result.real.content_hash,
        "Model (content hash)": result.samples.model_hash,
        "Made with": f"TopoGAN {__version__}",
    }


def _topology_chapter(result: Evaluation) -> Chapter:
    bars = plots.betti_bars({name: betti_histogram(found.betti) for name, found in result.sets.named.items()})
    both = {name: result.diagrams.of(name, 0) for name in ("synthetic", "test")}
    blocks = [
        Block("How many slices have how many pieces and holes.", svg=bars),
        Block(
            "Holes in the persistence diagrams of the distance to the structure. A hole is born at 0 where its wall is "
            "closed, else at half the width of the gap in the wall; it dies at its radius. Points near the diagonal "
            "are dents.",
            svg=plots.hole_densities(both),
        ),
    ]
    gaps = plots.gap_histogram(both)
    if gaps:
        blocks.append(Block("The gaps between the pieces of a slice.", svg=gaps))
    return Chapter("Topology", _TOPOLOGY_TEXT, result.of_group("topology"), blocks)


def _shape_chapter(result: Evaluation) -> Chapter:
    sizes = {name: areas(found.masks, result.sets.pixel_size) for name, found in result.sets.named.items()}
    blocks = [Block("Area of the structure in a slice.", svg=plots.distribution(sizes, "area (mm²)", "areas"))]
    return Chapter("Shape", _SHAPE_TEXT, result.of_group("shape"), blocks)


def _texture_chapter(result: Evaluation, textures: TextureFigures) -> Chapter:
    unit = "HU" if result.real.intensity == "HU" else "intensity"
    blocks = [
        Block("Intensities by tissue.", svg=plots.intensity_panels(textures.histograms, textures.window, unit)),
        Block(
            "Power spectrum: coarse structure on the left, fine detail and noise on the right.",
            svg=plots.spectra_lines(textures.spectra),
        ),
    ]
    return Chapter("Texture", _TEXTURE_TEXT, result.of_group("texture"), blocks)


def _copy_chapter(result: Evaluation) -> Chapter:
    dice = {"synthetic": result.audit.dice, "test": result.audit.reference_dice}

    def pair(case: Case) -> NDArray[np.uint8]:
        sample = result.samples.masks[case.sample]
        (real,) = result.real.structure_masks(np.array([case.nearest_training_row]))
        pair_of_masks = [pictures.mask_picture(sample), pictures.mask_picture(real)]
        return pictures.side_by_side([*pair_of_masks, pictures.overlap_picture(sample, real)])

    def caption(case: Case) -> str:
        patient = result.real.patients[case.nearest_training_row]
        return f"Sample {case.sample}, Dice {case.dice_to_training:.3f} with {patient}, row {case.nearest_training_row}"

    pairs = _pictures(nearest_to_training(result.cases), pair, caption)
    blocks = [
        Block(
            "Dice of each slice with its most similar training mask. Copies would lie to the right of all test slices.",
            svg=plots.distribution(dice, "Dice with the nearest training mask", "copies"),
        ),
        Block("The samples nearest to a training mask", _PAIR_TEXT, pictures=pairs, picture_width="17rem"),
    ]
    return Chapter("Copying", _COPY_TEXT, result.of_group("memorization"), blocks)


def _samples_chapter(result: Evaluation) -> Chapter:
    def picture(case: Case) -> NDArray[np.uint8]:
        parts = [pictures.mask_picture(result.samples.masks[case.sample])]
        if result.textures and result.samples.textures is not None:
            parts.append(pictures.texture_picture(result.samples.textures[case.sample], result.textures.window))
        return pictures.side_by_side(parts)

    def caption(case: Case) -> str:
        return f"Sample {case.sample}: {case.verdict}"

    width = "11rem" if result.textures else "7rem"
    bad = worst(result.cases, result.expected)
    best_text = f"{topology_in_words(result.expected)}, no copy, most similar to a test mask first.".capitalize()
    worst_text = "Most pieces and holes wrong first, then least similar to any test mask."
    blocks = [
        Block("Best", best_text, pictures=_pictures(best(result.cases), picture, caption), picture_width=width),
        Block("Worst", worst_text, pictures=_pictures(bad, picture, caption), picture_width=width),
    ]
    return Chapter("Samples", "", [], blocks)


def _pictures(
    cases: list[Case], picture: Callable[[Case], NDArray[np.uint8]], caption: Callable[[Case], str]
) -> list[tuple[str, str]]:
    return [(caption(case), pictures.data_url(picture(case))) for case in cases]
