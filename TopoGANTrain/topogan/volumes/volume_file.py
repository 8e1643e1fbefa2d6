"""Volumes in one file: NIfTI, NRRD, MetaImage. ITK never sees them: the header that was checked is the one decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.stored import StoredArray

HeaderReader = Callable[[Path], tuple[StoredArray, Geometry]]
"""Reads the header of a file of one format: where its numbers are, and where they lie in the patient."""


@dataclass(frozen=True)
class VolumeFile:
    """A file of one volume or of several phases."""

    path: Path
    geometry: Geometry
    _stored: StoredArray

    @classmethod
    def open(cls, path: Path, read_header: HeaderReader) -> VolumeFile:
        """Read the header, and see that the data it speaks of are there.

        Raises:
            InputError: not a volume, a color image, a flat picture, or not valid.
        """
        stored, geometry = read_header(path)
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
