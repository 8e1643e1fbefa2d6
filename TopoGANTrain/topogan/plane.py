"""Reading the slicing plane of a training set from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np

from topogan.errors import InputError

Plane = Literal["axial"] | np.ndarray | list[np.ndarray]

_REMEDY = "give 'axial', or a JSON file with a 4x4 SliceToRAS matrix or a list of one per volume"


def read_plane(value: str) -> Plane:
    """Read ``axial``, or a JSON file with one 4×4 SliceToRAS matrix (mm, RAS, row-major) or a list of them.

    Raises:
        InputError: neither; or a matrix whose axes are not orthogonal unit vectors (Slicer's are).
    """
    if value == "axial":
        return "axial"
    path = Path(value)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"The plane {value} is neither 'axial' nor a file: {_REMEDY}.") from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"The plane file {value} cannot be read: {_REMEDY}.") from error
    return plane_of(content, value)


def plane_of(value: object, path: Path | str) -> Plane:
    """Make a plane of what a JSON file holds: ``"axial"``, a 4×4 SliceToRAS matrix or a list of them.

    Raises:
        InputError: it is none of them; the sentence names ``path``.
    """
    if value == "axial":
        return "axial"
    try:
        content = np.asarray(value, dtype=float)
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
    return content if content.ndim == 2 else list(content)
