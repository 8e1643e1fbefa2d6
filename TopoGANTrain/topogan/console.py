"""What the command line does to the process because it owns the terminal; a library must not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

_STANDARD_ERROR = 2
_owned = False


def own_terminal() -> None:
    """From now on the libraries that read and write images print nothing: what matters is said in a sentence."""
    global _owned  # noqa: PLW0603 - a process has one terminal
    _owned = True


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Send standard error nowhere if we own it: ITK, libpng, HDF5, the NIfTI and JPEG libraries write there directly.

    All of the process's threads write there, so that a program that uses us as a library keeps its own.
    """
    try:
        kept = os.dup(_STANDARD_ERROR) if _owned else -1
    except OSError:  # a Windows program without a console has none
        kept = -1
    if kept < 0:
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), _STANDARD_ERROR)
        yield
    finally:
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)
