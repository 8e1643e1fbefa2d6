"""The file of diagrams, ``.npz``, and the limits within which both sides read it, for it may be a stranger's."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DIAGRAM_ARRAYS = ("dimension", "birth", "death", "birth_index", "death_index")
"""Of all diagrams one after another: [n], the pixels [n, axes]."""
DIAGRAM_COUNTS = "counts"
"""Int [diagrams]: how many rows belong to each."""
# Beyond every training set: 7 million classes of 36 bytes; a diagram costs memory of its own, however empty it is.
_MAX_BYTES = 256 << 20
_MAX_DIAGRAMS = 1 << 20


def check_diagrams_size(path: Path) -> None:
    """Refuse an ``.npz`` that would grow beyond measure: it is a zip and may be a bomb.

    Raises:
        OSError, zipfile.BadZipFile: it cannot be read.
        ValueError: it is larger than the diagrams of any set.
    """
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _MAX_BYTES:
            raise ValueError("larger than the diagrams of any set")


def diagrams_fit_together(arrays: Mapping[str, Any], counts: Any, axes: int | None = None) -> bool:
    """Whether numpy's arrays, by the names of :data:`DIAGRAM_ARRAYS`, are rows of diagrams of these lengths.

    With ``axes``, of slices (2) or volumes (3) alone.
    """
    kinds = {name: "iuf" if name in ("birth", "death") else "iu" for name in DIAGRAM_ARRAYS}
    numbers = all(array.dtype.kind in kinds[name] for name, array in arrays.items()) and counts.dtype.kind in "iu"
    if not numbers or counts.ndim != 1 or len(counts) > _MAX_DIAGRAMS or (counts < 0).any():
        return False
    return (
        all(
            array.ndim == (2 if name.endswith("_index") else 1) and len(array) == counts.sum()
            for name, array in arrays.items()
        )
        and arrays["birth_index"].shape == arrays["death_index"].shape
        and axes in (None, arrays["birth_index"].shape[1])
        and _are_classes(arrays)
    )


def _are_classes(arrays: Mapping[str, Any]) -> bool:
    """Whether each row is a class of an image or a volume that does not die before it is born; NaN is none."""
    dimension, birth, death = (arrays[name] for name in ("dimension", "birth", "death"))
    axes = arrays["birth_index"].shape[1]
    return bool(((dimension >= 0) & (dimension < axes)).all() and axes <= 3 and (birth <= death).all())
