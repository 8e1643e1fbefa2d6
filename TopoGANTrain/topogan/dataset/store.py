"""Write the arrays and tables of a training set as they come, and hash what is written on the way.

The content hash of a training set is :func:`topogan.files.content_hash` over ``masks.npy``, ``images.npy`` (if any)
and ``slices.csv`` (of volumes ``volumes.csv``), where an array's hash is the SHA-256 of its voxels without the file's
header. Sets of the schema before have the SHA-256 of the two arrays' files, one after the other, in its place. Who
opens a set compares.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np


class GrowingArray:
    """A ``.npy`` file [N, *shape] that grows: only what is being added is in memory.

    Plain writes rather than a memory map, whose pages would count as this process's memory.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: type) -> None:
        self._shape, self._dtype, self._count = shape, np.dtype(dtype), 0
        self._digest = hashlib.sha256()
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

    @property
    def content_hash(self) -> str:
        """SHA-256 of the voxels so far, in hexadecimal."""
        return self._digest.hexdigest()

    def append(self, patches: np.ndarray) -> None:
        """Add [n, *shape]."""
        voxels = np.ascontiguousarray(patches, dtype=self._dtype).data
        self._file.write(voxels)
        self._digest.update(voxels)
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


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a CSV file with a line of column names; return the SHA-256 of its bytes in hexadecimal."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    content = text.getvalue().encode("utf-8")
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()
