"""What stands on the page of one evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from numpy.typing import NDArray

from topogan import __version__
from topogan.evaluation import pictures, plots
from topogan.evaluation.cases import Case, best, nearest_to_training, worst
from topogan.evaluation.report import Metric, label, number
from topogan.evaluation.sections import Comparison
from topogan.evaluation.structures_section import GROUP
from topogan.evaluation.wording import Words, comparison
from topogan.metrics.shape import areas
from topogan.metrics.topology import betti_histogram
from topogan.verdict import topology_in_words


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
    overview: dict[str, list[Metric]] = field(default_factory=dict)
    """Rows of a table with one column a metric, by what they are of."""


@dataclass(frozen=True)
class Page:
    """All that the page shows, in plain text; the template escapes it."""

    title: str
    words: Words
    chapters: list[Chapter]
    provenance: dict[str, str]

    def html(self) -> str:
        """The page as text, to be written in UTF-8."""
        environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
        environment.filters.update(number=_printed, label=label, comparison=comparison)
        template = Path(__file__).with_name("report.html.jinja").read_text(encoding="utf-8")
        return environment.from_string(template).render(page=self)


def _printed(value: float | None) -> str:
    return number(value).replace("-", "−")


def make_page(found: Comparison, metrics: list[Metric], words: Words) -> Page:
    """Put the figures, tables and pictures of an evaluation in order."""
    groups: dict[str, list[Metric]] = {}
    for metric in metrics:
        groups.setdefault(metric.group, []).append(metric)
    chapters = []
    for group, members in groups.items():
        if group == GROUP:
            chapters += _structure_chapters(found, members)
            continue
        title, text, figures = _CHAPTERS.get(group, (group.capitalize(), "", lambda found: []))
        chapters.append(Chapter(title, text, members, figures(found)))
    return Page(
        title=f"Synthetic {found.real.table.title}, compared with real slices",
        words=words,
        chapters=[*chapters, Chapter("Samples", "", [], _samples(found))],
        provenance=_provenance(found),
    )


def _structure_chapters(found: Comparison, metrics: list[Metric]) -> list[Chapter]:
    """One table of all structures, then a chapter for each structure and union."""
    rows: dict[str, list[Metric]] = {region.name: [] for region in found.real.regions}
    for metric in metrics:
        rows[metric.structure].append(replace(metric, structure=""))
    text = "Under each figure, the same of real slices; each structure has a chapter of its own below."
    chapters = [Chapter("Structures", text, [], [], rows)]
    for region, (name, members) in enumerate(rows.items()):
        shares = {of: betti_histogram(part.betti[:, region]) for of, part in found.sets.named.items()}
        bars = plots.betti_bars(shares, name=f"betti {region}")
        chapters.append(Chapter(name, "", members, [Block(f"{_BARS}.", svg=bars)]))
    return chapters


def _provenance(found: Comparison) -> dict[str, str]:
    compared = {name: len(part) for name, part in found.sets.named.items()}
    patients = np.asarray(found.real.patients)
    return {
        "Samples": f"{len(found.samples.labels)} of {found.real.size} × {found.real.size} pixels",
        "Pixel size": f"{found.real.pixel_size:.3g} mm",
        "Training slices": f"{len(found.real.train)}, patients: {len(set(patients[found.real.train]))}",
        "Test slices": f"{len(found.real.test)}, patients: {len(set(patients[found.real.test]))}",
        "Slices compared": ", ".join(f"{count} {plots.STYLES[name].label}" for name, count in compared.items()),
        "Expected topology": "as in real slices" if found.several else topology_in_words(found.expected),
        "Training set (content hash)": found.real.content_hash,
        "Model (content hash)": found.samples.model_hash,
        "Made with": f"TopoGAN {__version__}",
    }


def _topology_figures(found: Comparison) -> list[Block]:
    if found.several:
        return []
    bars = plots.betti_bars({name: betti_histogram(part.betti) for name, part in found.sets.named.items()})
    both = {name: found.diagrams.of(name, 0) for name in ("synthetic", "test")}
    blocks = [
        Block(f"{_BARS}.", svg=bars),
        Block(
            "Holes in the persistence diagrams of the distance to the structure. A hole is born at 0 where its wall is "
            "closed, else at half the width of the gap in the wall; it dies at its radius. Points near the diagonal "
            "are dents.",
            svg=plots.hole_densities(both),
        ),
    ]
    gaps = plots.gap_histogram(both)
    return [*blocks, Block("The gaps between the pieces of a slice.", svg=gaps)] if gaps else blocks


def _shape_figures(found: Comparison) -> list[Block]:
    if found.several:
        return []
    sizes = {name: areas(part.masks, found.sets.pixel_size) for name, part in found.sets.named.items()}
    return [Block("Area of the structure in a slice.", svg=plots.distribution(sizes, "area (mm²)", "areas"))]


def _texture_figures(found: Comparison) -> list[Block]:
    textures = found.textures
    if textures is None:
        return []
    unit = "HU" if found.real.intensity == "HU" else "intensity"
    return [
        Block("Intensities by tissue.", svg=plots.intensity_panels(textures.histograms, textures.window, unit)),
        *(
            Block(
                f"Power spectrum{direction}: coarse structure on the left, fine detail and noise on the right.",
                svg=plots.spectra_lines(spectra),
            )
            for direction, spectra in textures.spectra.items()
        ),
    ]


def _copying_figures(found: Comparison) -> list[Block]:
    dice = {"synthetic": found.audit.dice, "test": found.audit.reference_dice}

    def pair(case: Case) -> NDArray[np.uint8]:
        sample, real = found.samples.labels[case.sample], found.real.masks[case.nearest_training_row]
        if not found.several:
            sample, real = sample == 1, real == 1
        return pictures.side_by_side([_picture(found, sample), _picture(found, real), pictures.overlap(sample, real)])

    def caption(case: Case) -> str:
        patient = found.real.patients[case.nearest_training_row]
        return f"Sample {case.sample}, Dice {case.dice_to_training:.3f} with {patient}, row {case.nearest_training_row}"

    return [
        Block(
            "Dice of each slice with its most similar training mask. Copies would lie to the right of all test slices.",
            svg=plots.distribution(dice, "Dice with the nearest training mask", "copies"),
        ),
        Block(
            "The samples nearest to a training mask",
            "Left the sample, in the middle the training mask, on the right their overlap: dark where both are, blue "
            "(dark grey on paper) the sample alone, orange (light grey) the training mask alone"
            f"{', green where both show something else' if found.several else ''}.",
            pictures=_pictures(nearest_to_training(found.cases), pair, caption),
            picture_width="17rem",
        ),
    ]


def _samples(found: Comparison) -> list[Block]:
    def picture(case: Case) -> NDArray[np.uint8]:
        parts = [_picture(found, found.samples.labels[case.sample])]
        if found.textures and found.samples.textures is not None:
            parts.append(pictures.texture_picture(found.samples.textures[case.sample], found.textures.window))
        return pictures.side_by_side(parts)

    def row(title: str, text: str, cases: list[Case]) -> Block:
        shown = _pictures(cases, picture, lambda case: f"Sample {case.sample}: {case.verdict}")
        return Block(title, text, pictures=shown, picture_width="11rem" if found.textures else "7rem")

    right = "every structure valid" if found.several else topology_in_words(found.expected)
    best_text = f"{right}, no copy, most similar to a test mask first.".capitalize()
    worst_text = "Most pieces and holes wrong first, then least similar to any test mask."
    return [
        row("Best", best_text, best(found.cases)),
        row("Worst", worst_text, worst(found.cases, found.wanted)),
    ]


def _picture(found: Comparison, labels: NDArray[Any]) -> NDArray[np.uint8]:
    """A mask in black; label maps in the structures' colors."""
    colors = [structure.color for structure in found.real.table.structures]
    return pictures.label_picture(labels, colors if found.several else [])


def _pictures(
    cases: list[Case], picture: Callable[[Case], NDArray[np.uint8]], caption: Callable[[Case], str]
) -> list[tuple[str, str]]:
    return [(caption(case), pictures.data_url(picture(case))) for case in cases]


_BARS = "How many slices have how many pieces and holes"
# Group of metrics -> title, text and figures of its chapter.
_CHAPTERS: dict[str, tuple[str, str, Callable[[Comparison], list[Block]]]] = {
    "topology": (
        "Topology",
        "Pieces (connected components) are counted with diagonal neighbors, holes without. Distances compare a set "
        "with the test patients: the samples under Synthetic, the training patients, which are real too, under Real. "
        "Shares are of the samples and of the test slices.",
        _topology_figures,
    ),
    "shape": (
        "Shape",
        "Sizes and overlaps. Means and shares under Real are of the test patients.",
        _shape_figures,
    ),
    "texture": (
        "Texture",
        "Intensities are clipped to the window of the textures, and measured where the mask says.",
        _texture_figures,
    ),
    "memorization": (
        "Copying",
        "A sample that repeats a patient's mask would disclose that patient. Under Real is how close test patients "
        "come to the training patients.",
        _copying_figures,
    ),
}
