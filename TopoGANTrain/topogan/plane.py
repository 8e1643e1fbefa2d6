"""Reading the slicing plane of a training set from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from topogan.errors import InputError
from topogan_contract import schemas

Plane = Literal["axial"] | np.ndarray | list[np.ndarray | None]
"""``None`` in a list is axial, too."""

_REMEDY = "give 'axial', or a JSON file with a 4x4 SliceToRAS matrix or a list of one per volume"
# Some 3,000 matrices as Slicer writes them.
_MOST_BYTES = 1 << 20
# A point of a patient is nearer to the origin; in mm.
_FARTHEST = 1e5


def read_plane(value: str) -> Plane:
    """Read ``axial``, or a JSON file with one 4×4 SliceToRAS matrix (mm, RAS, row-major) or a list of them.

    Raises:
        InputError: neither; a file of more than 1 MB; or a matrix that is none of Slicer's.
    """
    if value == "axial":
        return "axial"
    path = Path(value)
    try:
        content = schemas.read_json(path, _MOST_BYTES)
    except FileNotFoundError as error:
        raise InputError(f"The plane {value} is neither 'axial' nor a file: {_REMEDY}.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"The plane file {value} cannot be read: {_REMEDY}.") from error
    return plane_of(content, value)


def plane_of(value: object, path: Path | str) -> Plane:
    """Make a plane of what a JSON file holds: ``"axial"``, a 4×4 SliceToRAS matrix or a list of them.

    Raises:
        InputError: it is none of them, or the axes of a matrix are not orthogonal unit vectors, its position is no
            number or farther than a patient, or its last row is not 0, 0, 0, 1; the sentence names ``path``.
    """
    if value == "axial":
        return "axial"
    try:
        given = np.asarray(value)
        if given.dtype.kind not in "iuf":  # texts, null and truth values would also become numbers
            raise ValueError(given.dtype)
        content = given.astype(float)
    except (ValueError, TypeError, OverflowError) as error:
        raise InputError(f"The plane in {path} cannot be read: {_REMEDY}.") from error
    if content.shape[-2:] != (4, 4) or content.ndim not in (2, 3):
        raise InputError(f"The plane in {path} is an array of shape {content.shape}: {_REMEDY}.")
    for matrix in content.reshape(-1, 4, 4):
        axes = matrix[:3, :3]
        # Looked at first, because the products of large numbers overflow with a warning.
        if not (np.abs(axes) < 2.0).all() or not np.allclose(axes.T @ axes, np.eye(3), atol=1e-4):
            raise InputError(
                f"The axes of a matrix in {path} are not orthogonal unit vectors: copy Slicer's SliceToRAS."
            )
        if not (np.abs(matrix[:3, 3]) < _FARTHEST).all():
            raise InputError(f"The position of a matrix in {path} is no place in a patient: copy Slicer's SliceToRAS.")
        if not np.allclose(matrix[3], (0, 0, 0, 1)):
            raise InputError(f"The last row of a matrix in {path} is not 0, 0, 0, 1: copy Slicer's SliceToRAS.")
    return content if content.ndim == 2 else list(content)
