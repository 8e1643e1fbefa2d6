"""Reads the files of a synthesis folder one by one: report, masks and textures, diagrams, table of samples."""

from __future__ import annotations

import csv
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from topogan_contract import diagrams, schemas, stacks, synthesis
from TopoGANLib.scene.diagrams import Diagram

# No gray value is further from 0.
_FARTHEST = 1e9
AGAIN = "the folder is incomplete or damaged, synthesize again"
"""How a sentence on a damaged file ends."""


class SynthesisFolderError(ValueError):
    """The folder cannot be shown: it is missing, damaged, of another kind, or from another version."""


def read_report(folder: Path) -> dict[str, Any]:
    """Read report.json, of a schema that is known here and with a window, if any, that can be one.

    Raises:
        SynthesisFolderError: there is no such file, or it is of something else.
    """
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
        raise SynthesisFolderError(f"{path} cannot be read: {AGAIN}.") from error
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
        raise SynthesisFolderError(f"The window in {path} is not two rising numbers: {AGAIN}.")
    return report


def axes_in(folder: Path, report: dict[str, Any]) -> int:
    """2 where a report tells of slices, 3 of volumes.

    Raises:
        SynthesisFolderError: it tells of something else.
    """
    try:
        return synthesis.axes_of(report)
    except ValueError as error:
        raise SynthesisFolderError(
            f"{folder / synthesis.REPORT_FILE} tells of no slices or volumes: {AGAIN}."
        ) from error


def _is_window(window: object) -> bool:
    """Whether it is one, or says that there is none."""
    if window is None:
        return True
    if not isinstance(window, list) or len(window) != 2 or not all(type(end) in (int, float) for end in window):
        return False
    low, high = window
    return -_FARTHEST < low < high < _FARTHEST


MasksAndTextures = tuple[stacks.Stack, np.ndarray, np.ndarray | None]
"""The grid and the structures, the masks and the textures, if there are any."""


def read_masks_and_textures(folder: Path, report: dict[str, Any]) -> MasksAndTextures:
    """Read all samples: uint8 and int16 [sample, row, column], of volumes [sample, slice, row, column].

    Raises:
        SynthesisFolderError: a file is missing or damaged, or they contradict each other or the report.
    """
    return _read_slices(folder) if axes_in(folder, report) == 2 else _read_volumes(folder, report)


def _read_slices(folder: Path) -> MasksAndTextures:
    masks = _read_stack(folder / synthesis.MASKS_FILE, np.uint8)
    if not (folder / synthesis.TEXTURES_FILE).exists():
        return masks, _array(masks, np.uint8), None
    textures = _read_stack(folder / synthesis.TEXTURES_FILE, np.int16)
    _check_same_grid(folder, (synthesis.MASKS_FILE, masks), (synthesis.TEXTURES_FILE, textures))
    return masks, _array(masks, np.uint8), _array(textures, np.int16)


def _read_volumes(folder: Path, report: dict[str, Any]) -> MasksAndTextures:
    try:
        count, size = synthesis.volumes_of(report)
    except ValueError as error:
        raise SynthesisFolderError(
            f"{folder / synthesis.REPORT_FILE} tells of no volumes that a synthesis holds: {AGAIN}."
        ) from error
    grid = _read_stack(folder / synthesis.mask_file(0), np.uint8, "volume")
    painted = (folder / synthesis.texture_file(0)).exists()
    masks = np.empty((count, size, size, size), np.uint8)
    textures = np.empty(masks.shape, np.int16) if painted else None
    if grid.size != masks.shape[1:]:
        raise SynthesisFolderError(f"{folder / synthesis.mask_file(0)} is no volume of {size} voxels: {AGAIN}.")
    for sample in range(count):
        for array, name in ((masks, synthesis.mask_file(sample)), (textures, synthesis.texture_file(sample))):
            if array is not None:
                volume = _read_stack(folder / name, array.dtype.type, "volume")
                _check_same_grid(folder, (synthesis.mask_file(0), grid), (name, volume))
                array[sample] = _array(volume, array.dtype.type)
                if array is masks and volume.segments != grid.segments:
                    raise SynthesisFolderError(f"{folder / name} names other structures than the first: {AGAIN}.")
    return grid, masks, textures


def _read_stack(path: Path, dtype: type[np.integer], kind: str = "stack of samples") -> stacks.Stack:
    if not path.is_file():
        raise SynthesisFolderError(f"{path} is missing: {AGAIN}.")
    try:
        stack = stacks.read_stack(path)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise SynthesisFolderError(f"{path} cannot be read as a {kind}: {AGAIN}.") from error
    if np.dtype(stack.dtype).newbyteorder("=") != dtype or not np.linalg.det(stack.axes):
        raise SynthesisFolderError(f"{path} is not a stack of such pictures: {AGAIN}.")
    return stack


def _array(stack: stacks.Stack, dtype: type[np.integer]) -> np.ndarray:
    """[sample, row, column], of a volume [slice, row, column], to be written to."""
    return np.frombuffer(stack.data, stack.dtype).reshape(stack.size[::-1]).astype(dtype)


_Named = tuple[str, stacks.Stack]


def _check_same_grid(folder: Path, named: _Named, other_named: _Named) -> None:
    (first, one), (second, other) = named, other_named
    if one.size != other.size:
        sizes = [" × ".join(str(n) for n in stack.size) for stack in (one, other)]
        raise SynthesisFolderError(f"In {folder} {first} is {sizes[0]} and {second} is {sizes[1]} voxels: {AGAIN}.")
    if not np.allclose([*one.axes, one.origin], [*other.axes, other.origin], atol=1e-4):
        raise SynthesisFolderError(f"In {folder} {first} and {second} lie at different places: {AGAIN}.")


def ijk_to_ras(stack: stacks.Stack) -> np.ndarray:
    """Where its pixels lie: float [4, 4], from (column, row, slice, 1) to (R, A, S, 1) in mm."""
    lps = np.eye(4)
    lps[:3] = np.array([*stack.axes, stack.origin]).T
    # The file's first two axes point to the patient's left and back, Slicer's to the right and front.
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps


def read_diagrams(path: Path, pixel_size: float, axes: int = 2) -> list[Diagram]:
    """Read all diagrams of slices (2 axes) or volumes (3), which the engine counts in pixels, in mm.

    Raises:
        SynthesisFolderError: the file is missing, damaged, or no file of diagrams.
    """
    if not path.is_file():
        raise SynthesisFolderError(f"{path} is missing: {AGAIN}.")
    try:
        diagrams.check_diagrams_size(path)
        # Never a pickle: a folder may come from anywhere.
        with np.load(path, allow_pickle=False) as file:
            counts = file[diagrams.DIAGRAM_COUNTS]
            arrays = {name: file[name] for name in diagrams.DIAGRAM_ARRAYS}
    except Exception as error:  # numpy and zipfile raise a dozen kinds of errors for what is no archive of arrays
        raise SynthesisFolderError(f"{path} cannot be read as diagrams: {AGAIN}.") from error
    if not diagrams.diagrams_fit_together(arrays, counts, axes):
        raise SynthesisFolderError(f"{path} contradicts itself: {AGAIN}.")
    dimension, birth, death, birth_index, death_index = arrays.values()
    whole = Diagram(dimension, birth * pixel_size, death * pixel_size, birth_index, death_index)
    ends = np.cumsum(counts)
    return [whole.rows(slice(end - count, end)) for end, count in zip(ends, counts, strict=True)]


def read_table(path: Path) -> dict[str, list[str]]:
    """Read samples.csv, column by column.

    Raises:
        SynthesisFolderError: the file is missing or no table.
    """
    if not path.is_file():
        raise SynthesisFolderError(f"{path} is missing: {AGAIN}.")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
    except (OSError, ValueError, csv.Error) as error:
        raise SynthesisFolderError(f"{path} cannot be read as a table: {AGAIN}.") from error
    if any(len(row) != len(header) for row in rows):
        raise SynthesisFolderError(f"{path} has rows of different lengths: {AGAIN}.")
    return {name: [row[column] for row in rows] for column, name in enumerate(header)}
