"""Write the arrays and tables of a training set piece by piece."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

_CHUNK = 1 << 20


class GrowingArray:
    """A ``.npy`` file [N, size, size] that grows: only what is being added is in memory.

    Plain writes rather than a memory map, whose pages would count as this process's memory.
    """

    def __init__(self, path: Path, size: int, dtype: type) -> None:
        self._shape, self._dtype, self._count = (size, size), np.dtype(dtype), 0
        self._file = open(path, "wb")  # noqa: SIM115 - closed by __exit__
        self._header_end = self._write_header()

    def _write_header(self) -> int:
        # NumPy pads the header so that the first axis can be written anew in place when the array has grown.
        description = {
            "descr": np.lib.format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self._count, *self._shape),
        }
        np.lib.format.write_array_header_1_0(self._file, description)
        return self._file.tell()

    def append(self, patches: np.ndarray) -> None:
        """Add [n, size, size]."""
        self._file.write(np.ascontiguousarray(patches, dtype=self._dtype))
        self._count += len(patches)

    def __enter__(self) -> GrowingArray:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            self._file.seek(0)
            if self._write_header() != self._header_end:
                raise AssertionError("The header of the array grew into its data.")


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file with a line of column names."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def content_hash(paths: Iterable[Path]) -> str:
    """SHA-256 over files, one after the other, in hexadecimal."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()
