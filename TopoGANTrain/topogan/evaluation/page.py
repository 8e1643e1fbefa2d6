"""What stands on the page of one evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined
from numpy.typing import NDArray

from topogan import __version__
from topogan.evaluation import plots
from topogan.evaluation.blocks import FOUR, Block, captioned
from topogan.evaluation.case_pictures import sample_picture
from topogan.evaluation.cases import Case, best, worst
from topogan.evaluation.copying_figures import copying_figures
from topogan.evaluation.report import Metric, label, number
from topogan.evaluation.sections import Comparison
from topogan.evaluation.structures_section import GROUP
from topogan.evaluation.terms import TERMS, Terms
from topogan.evaluation.wording import Words, comparison
from topogan.metrics.topology import betti_histogram
from topogan.verdict import topology_in_words


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
    terms = found.sets.terms
    groups: dict[str, list[Metric]] = {}
    for metric in metrics:
        groups.setdefault(metric.group, []).append(metric)
    chapters = []
    for group, members in groups.items():
        if group == GROUP:
            chapters += _structure_chapters(found, members)
            continue
        title, text, figures = _CHAPTERS.get(group, (group.capitalize(), "", lambda found: []))
        chapters.append(Chapter(title, text.format(**_COUNTED[found.real.axes]), members, figures(found)))
    return Page(
        title=f"Synthetic {found.real.table.title}, compared with real {terms.samples}",
        words=words,
        chapters=[*chapters, Chapter("Samples", "", [], _samples(found))],
        provenance=_provenance(found),
    )


def _structure_chapters(found: Comparison, metrics: list[Metric]) -> list[Chapter]:
    """One table of all structures, then a chapter for each structure and union."""
    rows: dict[str, list[Metric]] = {region.name: [] for region in found.real.regions}
    for metric in metrics:
        rows[metric.structure].append(replace(metric, structure=""))
    terms = found.sets.terms
    text = f"Under each figure, the same of real {terms.samples}; each structure has a chapter of its own below."
    chapters = [Chapter("Structures", text, [], [], rows)]
    for region, (name, members) in enumerate(rows.items()):
        betti = {of: part.betti[:, region] for of, part in found.sets.named.items()}
        chapters.append(Chapter(name, "", members, _betti_figures(betti, terms, f" {region}")))
    return chapters


def _betti_figures(betti: dict[str, NDArray[np.int64]], terms: Terms, suffix: str = "") -> list[Block]:
    """How many samples have which Betti numbers together; of volumes also each number by itself."""
    shares = {of: betti_histogram(numbers) for of, numbers in betti.items()}
    bars = plots.betti_bars(shares, terms.samples, name=f"betti{suffix}")
    counted = f"How many {terms.samples} have how many pieces"
    if terms is TERMS[2]:
        return [Block(f"{counted} and holes.", svg=bars)]
    panels = plots.betti_panels(betti, terms.samples, name=f"numbers{suffix}")
    return [
        Block(f"{counted}, tunnels and cavities: the three together.", svg=bars),
        Block("The same for each of the three by itself.", svg=panels),
    ]


def _provenance(found: Comparison) -> dict[str, str]:
    real, terms = found.real, found.sets.terms
    compared = {name: len(part) for name, part in found.sets.named.items()}
    patients = np.asarray(real.patients)
    return {
        "Samples": f"{len(found.samples.labels)} of {' × '.join([str(real.size)] * real.axes)} {terms.pixels}",
        f"{terms.pixel.capitalize()} size": f"{real.pixel_size:.3g} mm",
        f"Training {terms.samples}": f"{len(real.train)}, patients: {len(set(patients[real.train]))}",
        f"Test {terms.samples}": f"{len(real.test)}, patients: {len(set(patients[real.test]))}",
        f"{terms.samples.capitalize()} compared": ", ".join(
            f"{count} {plots.STYLES[name].label}" for name, count in compared.items()
        ),
        "Expected topology": f"as in real {terms.samples}" if found.several else topology_in_words(found.expected),
        "Training set (content hash)": found.real.content_hash,
        "Model (content hash)": found.samples.model_hash,
        "Made with": f"TopoGAN {__version__}",
    }


def _topology_figures(found: Comparison) -> list[Block]:
    if found.several:
        return []
    terms = found.sets.terms
    both = {name: found.diagrams.of(name, 0) for name in ("synthetic", "test")}
    blocks = _betti_figures({name: part.betti for name, part in found.sets.named.items()}, terms)
    for dimension, caption in enumerate(_DENSITIES[found.real.axes], start=1):
        blocks.append(Block(caption, svg=plots.hole_densities(both, dimension, terms.sample, terms.pixels)))
    gaps = plots.gap_histogram(both, terms.sample, terms.pixels)
    return [*blocks, Block(f"The gaps between the pieces of a {terms.sample}.", svg=gaps)] if gaps else blocks


def _shape_figures(found: Comparison) -> list[Block]:
    if found.several:
        return []
    terms = found.sets.terms
    sizes = {name: terms.sizes(part.masks, found.sets.pixel_size) for name, part in found.sets.named.items()}
    drawn = plots.distribution(sizes, f"{terms.size} ({terms.unit})", f"{terms.size}s", terms.samples)
    where = "" if terms is TERMS[3] else " in a slice"
    return [Block(f"{terms.size.capitalize()} of the structure{where}.", svg=drawn)]


def _texture_figures(found: Comparison) -> list[Block]:
    textures = found.textures
    if textures is None:
        return []
    terms, unit = found.sets.terms, "HU" if found.real.intensity == "HU" else "intensity"
    panels = plots.intensity_panels(textures.histograms, textures.window, unit, terms.pixels)
    return [
        Block("Intensities by tissue.", svg=panels),
        *(
            Block(
                f"Power spectrum{direction}: coarse structure on the left, fine detail and noise on the right.",
                svg=plots.spectra_lines(spectra, terms.width.removesuffix("s"), f"spectrum{direction}"),
            )
            for direction, spectra in textures.spectra.items()
        ),
    ]


def _samples(found: Comparison) -> list[Block]:
    terms = found.sets.terms
    width = "26rem" if terms is TERMS[3] else "11rem" if found.textures else "7rem"

    def row(title: str, text: str, cases: list[Case]) -> Block:
        shown = captioned(
            cases, lambda case: sample_picture(found, case), lambda case: f"Sample {case.sample}: {case.verdict}"
        )
        return Block(title, text, pictures=shown, picture_width=width)

    right = "every structure valid" if found.several else topology_in_words(found.expected)
    best_text = f"{right}, no copy, most similar to a test mask first.".capitalize() + _PLANES[found.real.axes]
    counted = "pieces and holes" if terms is TERMS[2] else "pieces, tunnels and cavities"
    worst_text = f"Most {counted} wrong first, then least similar to any test mask."
    return [
        row("Best", best_text, best(found.cases)),
        row("Worst", worst_text, worst(found.cases, found.wanted)),
    ]


_COUNTED = {
    2: {"counted": "holes without", "samples": "slices"},
    3: {
        "counted": "cavities (enclosed background) without; tunnels are openings through a structure, and the handles "
        "that make them",
        "samples": "volumes",
    },
}
# What the points of each dimension from 1 on are.
_DENSITIES = {
    2: [
        "Holes in the persistence diagrams of the distance to the structure. A hole is born at 0 where its wall is "
        "closed, else at half the width of the gap in the wall; it dies at its radius. Points near the diagonal "
        "are dents.",
    ],
    3: [
        "Tunnels in the persistence diagrams of the distance to the structure. A tunnel is born at 0 where the ring "
        "around it is closed, else at half the width of the gap in the ring; it dies at the radius of its opening. "
        "Points near the diagonal are dents.",
        "Cavities in the same diagrams. A cavity is born at 0 where its wall is closed, else at half the width of the "
        "hole in the wall; it dies at its radius.",
    ],
}
_PLANES = {2: "", 3: f" From left to right {FOUR}."}
# Group of metrics -> title, text and figures of its chapter.
_CHAPTERS: dict[str, tuple[str, str, Callable[[Comparison], list[Block]]]] = {
    "topology": (
        "Topology",
        "Pieces (connected components) are counted with diagonal neighbors, {counted}. Distances compare a set "
        "with the test patients: the samples under Synthetic, the training patients, which are real too, under Real. "
        "Shares are of the samples and of the test {samples}.",
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
        copying_figures,
    ),
}
