"""The synthesis folder: its files, and the limits within which both sides read them, for they may be a stranger's."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPORT_FILE = "report.json"
MASKS_FILE = "masks.nrrd"
TEXTURES_FILE = "textures.nrrd"
DIAGRAMS_FILE = "diagrams.npz"
SAMPLES_FILE = "samples.csv"

LONGEST_NRRD_LINE = 400
"""Bytes. ITK's reader writes beyond its memory when it quotes a longer line (measured: from 900 bytes on)."""

DIAGRAM_ARRAYS = ("dimension", "birth", "death", "birth_index", "death_index")
"""Of all diagrams one after another: [n], the pixels [n, 2]."""
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


def diagrams_fit_together(arrays: Mapping[str, Any], counts: Any) -> bool:
    """Whether numpy's arrays, by the names of :data:`DIAGRAM_ARRAYS`, are rows of diagrams of these lengths."""
    kinds = {name: "iuf" if name in ("birth", "death") else "iu" for name in DIAGRAM_ARRAYS}
    numbers = all(array.dtype.kind in kinds[name] for name, array in arrays.items()) and counts.dtype.kind in "iu"
    if not numbers or counts.ndim != 1 or len(counts) > _MAX_DIAGRAMS or (counts < 0).any():
        return False
    return all(
        array.ndim == (2 if name.endswith("_index") else 1) and len(array) == counts.sum()
        for name, array in arrays.items()
    ) and _are_classes(arrays)


def _are_classes(arrays: Mapping[str, Any]) -> bool:
    """Whether each row is a connected component or a hole that does not die before it is born; NaN is neither."""
    dimension, birth, death = (arrays[name] for name in ("dimension", "birth", "death"))
    return bool(((dimension == 0) | (dimension == 1)).all() and (birth <= death).all())
