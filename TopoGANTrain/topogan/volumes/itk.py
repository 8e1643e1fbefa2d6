"""What SimpleITK still reads (DICOM pixels, PNG), without its noise."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import SimpleITK as sitk

from topogan.errors import InputError

# What ITK warns of is checked here and said in a sentence, or does not matter.
sitk.ProcessObject.SetGlobalWarningDisplay(False)

_STANDARD_ERROR = 2


@contextmanager
def reading(path: Path, kind: str = "volume") -> Iterator[None]:
    """Turn ITK's errors into one sentence, and keep what its libraries print of damaged files off the terminal."""
    try:
        with quiet():
            yield
    except RuntimeError as error:
        if "orthonormal" in str(error):
            raise InputError(f"The axes in the header of {path} are sheared: save it again from Slicer.") from error
        raise InputError(
            f"{path} cannot be read as a {kind}: it is damaged or another kind of file than its name says."
        ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Send the process's standard error nowhere: libpng, HDF5, the NIfTI and JPEG libraries write there directly."""
    try:
        kept = os.dup(_STANDARD_ERROR)
    except OSError:  # a Windows program without a console has none
        yield
        return
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), _STANDARD_ERROR)
        yield
    finally:
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)
