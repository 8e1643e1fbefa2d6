"""Reads a synthesis folder, which the engine wrote: masks, textures, diagrams, samples and report."""

from __future__ import annotations

import csv
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from topogan_contract import schemas, synthesis
from topogan_contract.real_bars import RealBars, from_json
from topogan_contract.synthesis import Segment
from topogan_contract.words import shown
from TopoGANLib.scene.diagrams import Diagram

# No gray value is further from 0.
_FARTHEST = 1e9
_LONGEST_NAME = 80
# Orange of Okabe and Ito's palette for color-blind readers, far from every gray of the CT under it.
_FIRST_COLOR = "#e69f00"
_AGAIN = "the folder is incomplete or damaged, synthesize again"


class SynthesisFolderError(ValueError):
    """The folder cannot be shown: it is missing, damaged, of another kind, or from another version."""


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
    report = _read_report(folder)
    axes = _axes(folder, report)
    grid, masks, textures = _read_slices(folder) if axes == 2 else _read_volumes(folder, report)
    # The engine counts diagrams in pixels, which are square.
    pixel_size = float(np.linalg.norm(grid.axes[0]))
    diagrams = read_diagrams(folder / synthesis.DIAGRAMS_FILE, pixel_size, axes)
    samples = _read_samples(folder / synthesis.SAMPLES_FILE)
    structures = _structures(report, grid)
    regions = _regions(folder, report, structures)
    _check_counts(folder, len(masks), len(regions), len(diagrams), len(next(iter(samples.values()), [])))
    real = _real(folder, report, len(regions), axes)
    return Synthesis(masks, textures, _ijk_to_ras(grid), structures, regions, diagrams, samples, report, real)


def read_pictures(folder: Path, report: dict[str, Any]) -> Synthesis:
    """Read masks and textures alone, as of the real samples in a comparison: without diagrams, regions and a table.

    Args:
        folder: holds them as a synthesis does.
        report: what its report.json would say of them: of volumes ``axes``, ``count`` and ``size``; of textures
            ``intensity`` and ``window``.

    Raises:
        SynthesisFolderError: a file is missing or damaged, or they contradict each other.
    """
    grid, masks, textures = _read_slices(folder) if _axes(folder, report) == 2 else _read_volumes(folder, report)
    return Synthesis(masks, textures, _ijk_to_ras(grid), _structures(report, grid), (), [], {}, report, ())


def read_diagrams(path: Path, pixel_size: float, axes: int = 2) -> list[Diagram]:
    """Read all diagrams of slices (2 axes) or volumes (3), which the engine counts in pixels, in mm.

    Raises:
        SynthesisFolderError: the file is missing, damaged, or no file of diagrams.
    """
    if not path.is_file():
        raise SynthesisFolderError(f"{path} is missing: {_AGAIN}.")
    try:
        synthesis.check_diagrams_size(path)
        # Never a pickle: a folder may come from anywhere.
        with np.load(path, allow_pickle=False) as file:
            counts = file[synthesis.DIAGRAM_COUNTS]
            arrays = {name: file[name] for name in synthesis.DIAGRAM_ARRAYS}
    except Exception as error:  # numpy and zipfile raise a dozen kinds of errors for what is no archive of arrays
        raise SynthesisFolderError(f"{path} cannot be read as diagrams: {_AGAIN}.") from error
    if not synthesis.diagrams_fit_together(arrays, counts, axes):
        raise SynthesisFolderError(f"{path} contradicts itself: {_AGAIN}.")
    dimension, birth, death, birth_index, death_index = arrays.values()
    whole = Diagram(dimension, birth * pixel_size, death * pixel_size, birth_index, death_index)
    ends = np.cumsum(counts)
    return [whole.rows(slice(end - count, end)) for end, count in zip(ends, counts, strict=True)]


def _read_report(folder: Path) -> dict[str, Any]:
    path = folder / synthesis.REPORT_FILE
    if not folder.is_dir():
        raise SynthesisFolderError(f"There is no folder {folder}: choose one that 'topogan synthesize' has written.")
    if not path.is_file():
        raise SynthesisFolderError(
            f"{folder} holds no report.json: it is not a synthesis folder, choose one that 'topogan synthesize' wrote."
        )
    try:
        report = schemas.read_json(path)
    except (OSError, ValueError) as error:
        raise SynthesisFolderError(f"{path} cannot be read: {_AGAIN}.") from error
    schema = str(report.get("schema", "")) if isinstance(report, dict) else ""
    name, _, major = schema.partition("/")
    if name != schemas.SYNTHESIS.partition("/")[0] or not re.fullmatch(r"[0-9]{1,9}", major):
        raise SynthesisFolderError(
            f"{folder} is not a synthesis folder: its report.json has the schema {schema[:60]!r}."
        )
    if schema not in (schemas.SYNTHESIS, schemas.SYNTHESIS_OF_ONE):
        raise SynthesisFolderError(
            f"{folder} has the format {schema}, and this TopoGAN reads {schemas.SYNTHESIS}: "
            "update the TopoGAN extension, or synthesize again with its own engine."
        )
    if not _is_window(report.get("window")):
        raise SynthesisFolderError(f"The window in {path} is not two rising numbers: {_AGAIN}.")
    return report


def _axes(folder: Path, report: dict[str, Any]) -> int:
    try:
        return synthesis.axes_of(report)
    except ValueError as error:
        raise SynthesisFolderError(
            f"{folder / synthesis.REPORT_FILE} tells of no slices or volumes: {_AGAIN}."
        ) from error


_Samples = tuple[synthesis.Stack, np.ndarray, np.ndarray | None]
"""The grid and the structures, the masks and the textures."""


def _read_slices(folder: Path) -> _Samples:
    masks = _read_stack(folder / synthesis.MASKS_FILE, np.uint8)
    if not (folder / synthesis.TEXTURES_FILE).exists():
        return masks, _array(masks, np.uint8), None
    textures = _read_stack(folder / synthesis.TEXTURES_FILE, np.int16)
    _check_same_grid(folder, (synthesis.MASKS_FILE, masks), (synthesis.TEXTURES_FILE, textures))
    return masks, _array(masks, np.uint8), _array(textures, np.int16)


def _read_volumes(folder: Path, report: dict[str, Any]) -> _Samples:
    try:
        count, size = synthesis.volumes_of(report)
    except ValueError as error:
        raise SynthesisFolderError(
            f"{folder / synthesis.REPORT_FILE} tells of no volumes that a synthesis holds: {_AGAIN}."
        ) from error
    grid = _read_stack(folder / synthesis.mask_file(0), np.uint8, "volume")
    painted = (folder / synthesis.texture_file(0)).exists()
    masks = np.empty((count, size, size, size), np.uint8)
    textures = np.empty(masks.shape, np.int16) if painted else None
    if grid.size != masks.shape[1:]:
        raise SynthesisFolderError(f"{folder / synthesis.mask_file(0)} is no volume of {size} voxels: {_AGAIN}.")
    for sample in range(count):
        for array, name in ((masks, synthesis.mask_file(sample)), (textures, synthesis.texture_file(sample))):
            if array is not None:
                volume = _read_stack(folder / name, array.dtype.type, "volume")
                _check_same_grid(folder, (synthesis.mask_file(0), grid), (name, volume))
                array[sample] = _array(volume, array.dtype.type)
                if array is masks and volume.segments != grid.segments:
                    raise SynthesisFolderError(f"{folder / name} names other structures than the first: {_AGAIN}.")
    return grid, masks, textures


def _structures(report: dict[str, Any], masks: synthesis.Stack) -> tuple[Segment, ...]:
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
    if regions[: len(names)] != names or len(set(regions)) < len(regions):
        raise SynthesisFolderError(
            f"{folder / synthesis.REPORT_FILE} and the masks name different structures: {_AGAIN}."
        )
    return regions


def _real(folder: Path, report: dict[str, Any], regions: int, axes: int) -> tuple[RealBars | None, ...]:
    """The first schema, and folders of before it was known, say nothing."""
    said = [None] * regions if report["schema"] == schemas.SYNTHESIS_OF_ONE else report["regions"]
    found = [None if one is None else one.get("real") for one in said]
    try:
        return tuple(None if one is None else from_json(one, axes) for one in found)
    except ValueError as error:
        raise SynthesisFolderError(
            f"{folder / synthesis.REPORT_FILE} does not say how real bars are: {_AGAIN}."
        ) from error


def _is_window(window: object) -> bool:
    """Whether it is one, or says that there is none."""
    if window is None:
        return True
    if not isinstance(window, list) or len(window) != 2 or not all(type(end) in (int, float) for end in window):
        return False
    low, high = window
    return -_FARTHEST < low < high < _FARTHEST


def _read_stack(path: Path, dtype: type[np.integer], kind: str = "stack of samples") -> synthesis.Stack:
    if not path.is_file():
        raise SynthesisFolderError(f"{path} is missing: {_AGAIN}.")
    try:
        stack = synthesis.read_stack(path)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise SynthesisFolderError(f"{path} cannot be read as a {kind}: {_AGAIN}.") from error
    if np.dtype(stack.dtype).newbyteorder("=") != dtype or not np.linalg.det(stack.axes):
        raise SynthesisFolderError(f"{path} is not a stack of such pictures: {_AGAIN}.")
    return stack


def _array(stack: synthesis.Stack, dtype: type[np.integer]) -> np.ndarray:
    """[sample, row, column], of a volume [slice, row, column], to be written to."""
    return np.frombuffer(stack.data, stack.dtype).reshape(stack.size[::-1]).astype(dtype)


_Named = tuple[str, synthesis.Stack]


def _check_same_grid(folder: Path, named: _Named, other_named: _Named) -> None:
    (first, one), (second, other) = named, other_named
    if one.size != other.size:
        sizes = [" × ".join(str(n) for n in stack.size) for stack in (one, other)]
        raise SynthesisFolderError(f"In {folder} {first} is {sizes[0]} and {second} is {sizes[1]} voxels: {_AGAIN}.")
    if not np.allclose([*one.axes, one.origin], [*other.axes, other.origin], atol=1e-4):
        raise SynthesisFolderError(f"In {folder} {first} and {second} lie at different places: {_AGAIN}.")


def _read_samples(path: Path) -> dict[str, list[str]]:
    if not path.is_file():
        raise SynthesisFolderError(f"{path} is missing: {_AGAIN}.")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
    except (OSError, ValueError, csv.Error) as error:
        raise SynthesisFolderError(f"{path} cannot be read as a table: {_AGAIN}.") from error
    if any(len(row) != len(header) for row in rows):
        raise SynthesisFolderError(f"{path} has rows of different lengths: {_AGAIN}.")
    return {name: [row[column] for row in rows] for column, name in enumerate(header)}


def _check_counts(folder: Path, masks: int, regions: int, diagrams: int, rows: int) -> None:
    if masks != rows or masks * regions != diagrams:
        of_each = f" of {regions} structures and unions" if regions > 1 else ""
        raise SynthesisFolderError(
            f"{folder} holds {masks} masks{of_each}, {diagrams} diagrams and {rows} rows in samples.csv: {_AGAIN}."
        )


def _ijk_to_ras(stack: synthesis.Stack) -> np.ndarray:
    lps = np.eye(4)
    lps[:3] = np.array([*stack.axes, stack.origin]).T
    # The file's first two axes point to the patient's left and back, Slicer's to the right and front.
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps
