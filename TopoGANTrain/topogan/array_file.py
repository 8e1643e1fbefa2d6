"""An array in a ``.npy`` file of which only the rows that are asked for are read.

By ordinary reads, not through a memory map: where a mapped file is cut off, the system ends the process without a word.
"""

from __future__ import annotations

import hashlib
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from topogan.errors import WorkError

_CHUNK = 1 << 20


class ArrayFile:
    """A ``.npy`` file [N, ...], indexed by rows as an array is: ``masks[3]``, ``masks[2:8]``, ``masks[rows]``.

    Attributes:
        path: the file.
        shape: of the array.
        dtype: of its elements.

    Raises:
        ValueError: it is no such file, or its length is another than its header says.
        OSError: it cannot be read.

    Example:
        >>> masks = ArrayFile(folder / "masks.npy")
        >>> masks[rows].mean()
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():  # a pipe would keep us waiting
            raise ValueError("no file")
        with path.open("rb") as file:
            self.shape, self.dtype = _read_header(file)
            self._offset = file.tell()
            self._state = _state_of(file)
        self.path = path
        self._highest: int | None = None
        self._row_bytes = self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=object))
        if self._offset + len(self) * self._row_bytes != self._state[0]:
            raise ValueError("another length than its header says")

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice | NDArray[Any]) -> NDArray[Any]:
        """Read rows.

        Raises:
            WorkError: the file was changed since it was opened.
        """
        chosen = np.arange(len(self))[rows]
        array = np.empty((chosen.size, *self.shape[1:]), self.dtype)
        with self._opened() as file:
            for target, row in zip(array, chosen.reshape(-1).tolist(), strict=True):
                file.seek(self._offset + row * self._row_bytes)
                if file.readinto(target) != self._row_bytes:  # type: ignore[attr-defined]
                    raise self._changed()
        if self._highest is not None:
            array[array > self._highest] = 0
        return array.reshape(chosen.shape + self.shape[1:])

    def up_to(self, highest: int) -> ArrayFile:
        """The same file; of what is read, larger numbers become 0."""
        found = copy(self)
        found._highest = highest
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype)

    def hash_into(self, digest: hashlib._Hash, header: bool = False) -> None:
        """Feed the elements to a digest, with the file's header before them if wanted.

        Raises:
            WorkError: the file was changed since it was opened.
        """
        with self._opened() as file:
            file.seek(0 if header else self._offset)
            while chunk := file.read(_CHUNK):
                digest.update(chunk)

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        try:
            with self.path.open("rb", buffering=0) as file:
                if _state_of(file) != self._state:
                    raise self._changed()
                yield file
        except OSError as error:
            raise self._changed() from error

    def _changed(self) -> WorkError:
        return WorkError(
            f"{self.path.name} of {self.path.parent} was changed or removed while it was in use: put it back as it was."
        )


def _state_of(file: IO[bytes]) -> tuple[int, int]:
    """Length and time of the last change: what is looked at before each read."""
    state = os.fstat(file.fileno())
    return state.st_size, state.st_mtime_ns


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        raise ValueError("no file")
    with warnings.catch_warnings():
        # A header that numpy has to mend, as those of Python 2, is not one that we wrote.
        warnings.simplefilter("error")
        try:
            readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
            shape, by_columns, dtype = readers[np.lib.format.read_magic(file)](file)
        except Exception as error:  # numpy and Python's parser raise a dozen kinds of errors for what is no header
            raise ValueError("no header of an array") from error
    if by_columns or dtype.hasobject or not shape or min(shape) < 0:
        raise ValueError("no plain array")
    return shape, dtype
