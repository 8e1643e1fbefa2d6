"""The persistence diagrams of real masks that a package carries for comparison."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from topogan.errors import InputError
from topogan.homology import Diagram, load_diagrams, save_diagrams
from topogan.model.archive import CautiousFile
from topogan.model.layout import MAX_REFERENCE_BYTES
from topogan.training_set import TrainingSet

# As many as the distances between sets of diagrams are computed on.
REFERENCE_DIAGRAMS = 500
_MAX_ARRAYS = 20


def write_reference(path: Path, training_set: TrainingSet) -> None:
    """Write at most 500 diagrams of validation masks, without the pixels that they come from.

    Mask by mask, region by region.
    Of the test masks only where there are no others: a package is looked at while choosing, a test should not be.
    What is left are numbers such as "a hole of radius 7": nothing of a patient's anatomy can be drawn from them.
    """
    rows = training_set.validation if len(training_set.validation) else training_set.test
    most = REFERENCE_DIAGRAMS // len(training_set.regions)
    if len(rows) > most:
        rows = rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
    diagrams = [training_set.diagrams(region) for region in range(len(training_set.regions))]
    save_diagrams(path, [_without_pixels(of_region[row]) for row in rows for of_region in diagrams])


def read_reference(path: Path, axes: int = 2) -> list[Diagram]:
    """Read the diagrams of a package that may come from a stranger; ``axes``: of slices (2) or of volumes (3).

    Raises:
        InputError: the file is damaged, unpacks to more than a reference can hold, or holds no diagrams of such masks.
    """
    try:
        _check_amount(path)
        diagrams = load_diagrams(path)
    except Exception as error:  # numpy and zipfile raise a dozen kinds of errors for what is no archive of arrays
        raise _damaged(path) from error
    if not all(_is_sound(diagram, axes) for diagram in diagrams):
        raise _damaged(path)
    return diagrams


def _check_amount(path: Path) -> None:
    """An .npz is a zip and could be a bomb of its own; and each diagram costs memory, however empty it is."""
    with CautiousFile(path) as file, zipfile.ZipFile(file) as archive:
        sizes = [entry.file_size for entry in archive.infolist()]
    if len(sizes) > _MAX_ARRAYS or sum(sizes) > MAX_REFERENCE_BYTES:
        raise _damaged(path)
    with np.load(path, allow_pickle=False) as arrays:
        counts = arrays["counts"]
    if counts.ndim != 1 or counts.dtype.kind != "i" or len(counts) > REFERENCE_DIAGRAMS or (counts < 0).any():
        raise _damaged(path)


def _is_sound(diagram: Diagram, axes: int) -> bool:
    numbers = (diagram.dimension, diagram.birth, diagram.death)
    if any(values.ndim != 1 or values.dtype.kind not in "if" for values in numbers):
        return False
    known = bool(np.isin(diagram.dimension, range(axes)).all() and np.isfinite(diagram.birth).all())
    placed = diagram.birth_index.shape == diagram.death_index.shape == (len(diagram.birth), axes)
    return known and placed and bool((diagram.death >= diagram.birth).all())


def _damaged(path: Path) -> InputError:
    return InputError(f"{path.name} holds no diagrams or is damaged")


def _without_pixels(diagram: Diagram) -> Diagram:
    nowhere = np.full_like(diagram.birth_index, -1)
    return replace(diagram, birth_index=nowhere, death_index=nowhere)
