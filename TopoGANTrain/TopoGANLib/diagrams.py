"""Persistence diagrams as the engine writes them: one ``diagrams.npz`` for all samples."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from TopoGANLib.errors import SynthesisFolderError

_ARRAYS = ("dimension", "birth", "death", "birth_index", "death_index")
# As the engine reads them: beyond every synthesis.
_MAX_BYTES = 256 << 20
_MAX_DIAGRAMS = 1 << 20
_AGAIN = "the folder is incomplete or damaged, synthesize again"


@dataclass(frozen=True)
class Diagram:
    """Births and deaths of the pieces (dimension 0) and holes (dimension 1) of one sample.

    ``dimension`` int [n]; ``birth``, ``death`` float [n] in mm, infinite where nothing kills it; ``birth_index``,
    ``death_index`` int [n, 2], the pixel (row, column) that makes or kills it, −1 where there is none.
    """

    dimension: np.ndarray
    birth: np.ndarray
    death: np.ndarray
    birth_index: np.ndarray
    death_index: np.ndarray

    def rows(self, chosen: np.ndarray | slice) -> Diagram:
        """The chosen classes: a mask, indices or a slice."""
        return Diagram(*(array[chosen] for array in vars(self).values()))

    @classmethod
    def empty(cls) -> Diagram:
        """A diagram of nothing."""
        pixels = np.zeros((0, 2), int)
        return cls(np.zeros(0, int), np.zeros(0), np.zeros(0), pixels, pixels)


def read_diagrams(path: Path, pixel_size: float) -> list[Diagram]:
    """Read the diagrams of all samples, which the engine counts in pixels, in mm.

    Raises:
        SynthesisFolderError: the file is missing, damaged, or no file of diagrams.
    """
    if not path.is_file():
        raise SynthesisFolderError(f"{path} is missing: {_AGAIN}.")
    try:
        # Never a pickle: a folder may come from anywhere.
        with zipfile.ZipFile(path) as archive:
            # An .npz is a zip and may be a bomb, which would go off in Slicer's memory.
            if sum(entry.file_size for entry in archive.infolist()) > _MAX_BYTES:
                raise ValueError("larger than the diagrams of any synthesis")
        with np.load(path, allow_pickle=False) as file:
            counts = file["counts"]
            arrays = [file[name] for name in _ARRAYS]
    except Exception as error:  # numpy and zipfile raise a dozen kinds of errors for what is no archive of arrays
        raise SynthesisFolderError(f"{path} cannot be read as diagrams: {_AGAIN}.") from error
    if not _fit_together(counts, arrays):
        raise SynthesisFolderError(f"{path} contradicts itself: {_AGAIN}.")
    dimension, birth, death, birth_index, death_index = arrays
    whole = Diagram(dimension, birth * pixel_size, death * pixel_size, birth_index, death_index)
    ends = np.cumsum(counts)
    return [whole.rows(slice(end - count, end)) for end, count in zip(ends, counts, strict=True)]


def _fit_together(counts: np.ndarray, arrays: list[np.ndarray]) -> bool:
    if counts.ndim != 1 or counts.dtype.kind not in "iu" or len(counts) > _MAX_DIAGRAMS or (counts < 0).any():
        return False
    axes = [2 if name.endswith("_index") else 1 for name in _ARRAYS]
    return all(
        array.dtype.kind in "iuf" and array.ndim == wanted and len(array) == counts.sum()
        for array, wanted in zip(arrays, axes, strict=True)
    )
