"""Open whatever a user points at: a file, a DICOM series folder or a PNG slice folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from topogan.errors import InputError
from topogan.files import check_exists
from topogan.volumes.dicom import DicomSeries, is_dicom_file, is_dicom_folder
from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.metaimage import read_metaimage
from topogan.volumes.nifti import read_nifti
from topogan.volumes.nrrd import read_nrrd
from topogan.volumes.png import PngOptions, PngSlices, is_png_folder


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


FORMATS: dict[str, Callable[[Path], VolumeSource]] = {
    ".nii": read_nifti,
    ".nii.gz": read_nifti,
    ".nrrd": read_nrrd,
    ".seg.nrrd": read_nrrd,
    ".seq.nrrd": read_nrrd,
    ".nhdr": read_nrrd,
    ".mha": read_metaimage,
    ".mhd": read_metaimage,
}
"""What opens a file, by the ending of its name (the longest that fits): reads the header, raises InputError."""


def ending_of(path: Path) -> str:
    """The ending of a file's name that stands in :data:`FORMATS`; empty where none does."""
    return max((ending for ending in FORMATS if path.name.lower().endswith(ending)), key=len, default="")


def open_volume(path: Path, png: PngOptions | None = None) -> VolumeSource:
    """Read the header of a volume.

    Args:
        path: a file of one of the :data:`FORMATS` (4-D: phases), a DICOM series folder or a folder of PNG slices.
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
        if not ending_of(path):
            raise InputError(
                f"{path} is no volume that can be read: give one of {', '.join(FORMATS)}, or the folder of a DICOM "
                "series or of PNG slices."
            )
        return FORMATS[ending_of(path)](path)
    if is_dicom_folder(path):
        return DicomSeries.open(path)
    if is_png_folder(path):
        return PngSlices.open(path, png or PngOptions())
    raise InputError(f"The folder {path} is neither a DICOM series nor a folder of PNG slices: name a file in it.")


def is_volume_folder(path: Path) -> bool:
    """Tell whether a folder is one volume: a DICOM series or PNG slices."""
    return is_dicom_folder(path) or is_png_folder(path)
