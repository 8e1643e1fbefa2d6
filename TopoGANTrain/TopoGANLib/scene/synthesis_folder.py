"""Reads a synthesis folder, which the engine wrote: masks, textures, diagrams, samples and report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from topogan_contract import schemas, synthesis
from topogan_contract.real_bars import RealBars, from_json
from topogan_contract.stacks import Segment, Stack
from topogan_contract.words import shown
from TopoGANLib.scene.diagrams import Diagram
from TopoGANLib.scene.synthesis_files import (
    AGAIN,
    SynthesisFolderError,
    axes_in,
    ijk_to_ras,
    read_diagrams,
    read_masks_and_textures,
    read_report,
    read_table,
)

_LONGEST_NAME = 80
# Orange of Okabe and Ito's palette for color-blind readers, far from every gray of the CT under it.
_FIRST_COLOR = "#e69f00"


@dataclass(frozen=True)
class Synthesis:
    """Everything a synthesis folder holds: samples that are slices, or volumes."""

    masks: np.ndarray
    """uint8 [sample, row, column], of volumes [sample, slice, row, column]: labels of structures, 0 between them."""
    textures: np.ndarray | None
    """int16, likewise, HU for CT; None where the model paints none."""
    ijk_to_ras: np.ndarray
    """float [4, 4], from (column, row, sample, 1), of volumes (column, row, slice, 1), to (R, A, S, 1) in mm."""
    structures: tuple[Segment, ...]
    """What the labels mean."""
    regions: tuple[str, ...]
    """Names of the structures and of unions of them: what diagrams and Betti numbers are of."""
    diagrams: list[Diagram]
    """In mm, sample by sample, region by region."""
    samples: dict[str, list[str]]
    """The columns of samples.csv, one entry a sample."""
    report: dict[str, Any]
    """The content of report.json."""
    real: tuple[RealBars | None, ...]
    """How bars of real masks are, region by region; None where the model did not know."""

    @property
    def axes(self) -> int:
        """2 for slices, 3 for volumes."""
        return self.masks.ndim - 1

    @property
    def structure(self) -> str:
        """What the masks show."""
        return shown(", ".join(one.name for one in self.structures), _LONGEST_NAME)

    @property
    def context(self) -> tuple[Segment, ...]:
        """Those of the structures that are learned and painted, and whose topology is not counted."""
        names = _context(self.report)
        return tuple(one for one in self.structures if one.name in names)

    @property
    def is_ct(self) -> bool:
        """Whether the textures are Hounsfield units."""
        return self.textures is not None and self.report.get("intensity") == "HU"

    @property
    def window(self) -> tuple[float, float] | None:
        """Lowest and highest value to tell apart, HU for CT; None where the report gives none."""
        window = self.report.get("window")
        return None if window is None else (float(window[0]), float(window[1]))


def read_synthesis_folder(folder: Path) -> Synthesis:
    """Read and check a whole synthesis folder.

    Raises:
        SynthesisFolderError: it is none, is damaged, was written by a newer TopoGAN, or its files contradict each
            other.
    """
    report = read_report(folder)
    axes = axes_in(folder, report)
    grid, masks, textures = read_masks_and_textures(folder, report)
    # The engine counts diagrams in pixels, which are square.
    pixel_size = float(np.linalg.norm(grid.axes[0]))
    diagrams = read_diagrams(folder / synthesis.DIAGRAMS_FILE, pixel_size, axes)
    samples = read_table(folder / synthesis.SAMPLES_FILE)
    structures = _structures(report, grid)
    regions = _regions(folder, report, structures)
    _check_counts(folder, len(masks), len(regions), len(diagrams), len(next(iter(samples.values()), [])))
    real = _real(folder, report, len(regions), axes)
    return Synthesis(masks, textures, ijk_to_ras(grid), structures, regions, diagrams, samples, report, real)


def read_pictures(folder: Path, report: dict[str, Any]) -> Synthesis:
    """Read masks and textures alone, as of the real samples in a comparison: without diagrams, regions and a table.

    Args:
        folder: holds them as a synthesis does.
        report: what its report.json would say of them: of volumes ``axes``, ``count`` and ``size``; of textures
            ``intensity`` and ``window``.

    Raises:
        SynthesisFolderError: a file is missing or damaged, or they contradict each other.
    """
    grid, masks, textures = read_masks_and_textures(folder, report)
    return Synthesis(masks, textures, ijk_to_ras(grid), _structures(report, grid), (), [], {}, report, ())


def _structures(report: dict[str, Any], masks: Stack) -> tuple[Segment, ...]:
    """As the masks name them; version 0.1 had one, which the report names, or nobody."""
    name = shown(report.get("structure") or "structure", _LONGEST_NAME)
    return masks.segments or (Segment(name, 1, _FIRST_COLOR),)


def _regions(folder: Path, report: dict[str, Any], structures: tuple[Segment, ...]) -> tuple[str, ...]:
    names = tuple(one.name for one in structures)
    if report["schema"] == schemas.SYNTHESIS_OF_ONE:
        return names
    try:
        regions = tuple(str(region["name"]) for region in report["regions"])
    except (KeyError, TypeError):
        regions = ()
    # Context has no topology: the masks name it, no region does.
    context = _context(report)
    names = tuple(name for name in names if name not in context)
    if regions[: len(names)] != names or len(set(regions)) < len(regions):
        raise SynthesisFolderError(
            f"{folder / synthesis.REPORT_FILE} and the masks name different structures: {AGAIN}."
        )
    return regions


def _context(report: dict[str, Any]) -> set[str]:
    """Names of the structures that are learned and painted, and whose topology is not counted."""
    table = report.get("table")
    structures = table.get("structures") if isinstance(table, dict) else None
    rows = structures if isinstance(structures, list) else []
    return {str(one.get("name")) for one in rows if isinstance(one, dict) and one.get("context") is True}


def _real(folder: Path, report: dict[str, Any], regions: int, axes: int) -> tuple[RealBars | None, ...]:
    """The first schema, and folders of before it was known, say nothing."""
    said = [None] * regions if report["schema"] == schemas.SYNTHESIS_OF_ONE else report["regions"]
    found = [None if one is None else one.get("real") for one in said]
    try:
        return tuple(None if one is None else from_json(one, axes) for one in found)
    except ValueError as error:
        raise SynthesisFolderError(
            f"{folder / synthesis.REPORT_FILE} does not say how real bars are: {AGAIN}."
        ) from error


def _check_counts(folder: Path, masks: int, regions: int, diagrams: int, rows: int) -> None:
    if masks != rows or masks * regions != diagrams:
        of_each = f" of {regions} structures and unions" if regions > 1 else ""
        raise SynthesisFolderError(
            f"{folder} holds {masks} masks{of_each}, {diagrams} diagrams and {rows} rows in samples.csv: {AGAIN}."
        )
