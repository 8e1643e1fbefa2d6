"""Writing images that are really there."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

from topogan.console import quiet_libraries
from topogan.errors import WorkError


def write_image(path: Path, image: sitk.Image, compressed: bool = True) -> None:
    """Write an image in the format of the file's ending.

    It is read again: SimpleITK 2.5 may say nothing when the disk fills up before the last bytes are out (seen with
    NIfTI and NRRD), and half an image would look like a result.

    Raises:
        WorkError: the file could not be written completely.
    """
    try:
        with quiet_libraries():
            sitk.WriteImage(image, str(path), useCompression=compressed)
            whole = sitk.Hash(sitk.ReadImage(str(path))) == sitk.Hash(image)
    except RuntimeError:
        whole = False
    if not whole:
        raise WorkError(f"{path.name} could not be written completely: free some space on the disk and run it again.")
