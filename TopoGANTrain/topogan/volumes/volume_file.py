"""Volumes in one file: NIfTI, NRRD, MetaImage. ITK never sees them: the header that was checked is the one decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from topogan.errors import InputError
from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.metaimage import read_metaimage
from topogan.volumes.nifti import read_nifti
from topogan.volumes.nrrd import read_nrrd
from topogan.volumes.stored import StoredArray

HeaderReader = Callable[[Path], tuple[StoredArray, Geometry]]

FORMATS: dict[str, HeaderReader] = {
    ".nii": read_nifti,
    ".nii.gz": read_nifti,
    ".nrrd": read_nrrd,
    ".nhdr": read_nrrd,
    ".mha": read_metaimage,
    ".mhd": read_metaimage,
}
"""By the ending of a name, what reads the header. A new format is one entry."""


@dataclass(frozen=True)
class VolumeFile:
    """A file of one volume or of several phases."""

    path: Path
    geometry: Geometry
    _stored: StoredArray

    @classmethod
    def open(cls, path: Path) -> VolumeFile:
        """Read the header, and see that the data it speaks of are there.

        Raises:
            InputError: not a volume, a color image, a flat picture, or not valid.
        """
        reader = next((reader for ending, reader in FORMATS.items() if path.name.lower().endswith(ending)), None)
        if reader is None:
            raise InputError(
                f"{path} is no volume that can be read: give NIfTI, NRRD, MHA or MHD, or the folder of a DICOM series "
                "or of PNG slices."
            )
        stored, geometry = reader(path)
        geometry.check(path)
        stored.check()
        return cls(path, geometry, stored)

    @property
    def phases(self) -> int:
        """How many volumes follow each other in time."""
        return self._stored.phases

    @property
    def packed(self) -> bool:
        """Whether the data are compressed."""
        return self._stored.packing not in ("", "text")

    def volumes(self) -> Iterator[Volume]:
        """Read one phase after the other, in one pass through the file."""
        for array in self._stored.arrays():
            yield Volume(array, self.geometry)
            del array  # else it would live on while the next one is read
