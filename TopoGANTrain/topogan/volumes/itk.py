"""What SimpleITK still reads (pixels of DICOM and PNG), without its noise."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from topogan.console import quiet_libraries
from topogan.errors import InputError


@contextmanager
def reading(path: Path, kind: str = "volume") -> Iterator[None]:
    """Turn ITK's errors into one sentence, and keep what its libraries print of damaged files off the terminal."""
    try:
        with quiet_libraries():
            yield
    except RuntimeError as error:
        raise InputError(
            f"{path} cannot be read as a {kind}: it is damaged or another kind of file than its name says."
        ) from error
