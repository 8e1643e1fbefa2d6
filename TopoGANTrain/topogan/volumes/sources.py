"""Open whatever a user points at: a file, a DICOM series folder or a PNG slice folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from topogan.errors import InputError
from topogan.files import check_exists
from topogan.volumes.dicom import DicomSeries, is_dicom_file, is_dicom_folder
from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.itk import ImageFile
from topogan.volumes.png import PngOptions, PngSlices, is_png_folder

__all__ = ["PngOptions", "VolumeSource", "is_volume_folder", "open_volume"]


class VolumeSource(Protocol):
    """A volume whose header has been read and found right; its voxels are read when asked for."""

    @property
    def path(self) -> Path: ...

    @property
    def geometry(self) -> Geometry: ...

    @property
    def phases(self) -> int: ...

    def volumes(self) -> Iterator[Volume]:
        """Read one phase after the other; keep none of them to hold one phase in memory.

        Raises:
            InputError: the file is cut off, or holds voxels that are not numbers (NaN, infinity).
        """


def open_volume(path: Path, png: PngOptions | None = None) -> VolumeSource:
    """Read the header of a volume.

    Args:
        path: a NIfTI, NRRD or MetaImage file (4-D: phases), a DICOM series folder or a folder of PNG slices.
        png: what PNG slices cannot say themselves; needed for them only.

    Raises:
        InputError: it does not exist, is not a volume, or its geometry is not valid.
    """
    path = Path(path)
    check_exists(path)
    if not path.is_dir():
        if not path.is_file():
            raise InputError(f"{path} is no file but a device or a pipe: give a volume.")
        if is_dicom_file(path):
            raise InputError(f"{path} is a single DICOM file: name the folder of its series.")
        return ImageFile.open(path)
    if is_dicom_folder(path):
        return DicomSeries.open(path)
    if is_png_folder(path):
        return PngSlices.open(path, png or PngOptions())
    raise InputError(f"The folder {path} is neither a DICOM series nor a folder of PNG slices: name a file in it.")


def is_volume_folder(path: Path) -> bool:
    """Tell whether a folder is one volume: a DICOM series or PNG slices."""
    return is_dicom_folder(path) or is_png_folder(path)
