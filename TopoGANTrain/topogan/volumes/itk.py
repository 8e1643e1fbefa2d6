"""Volumes in one file, read through SimpleITK."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from topogan.console import quiet_libraries
from topogan.errors import InputError
from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.stored import check_size, not_finite

# Slicer writes a sequence with its phases as a "list" axis, which ITK reads as the components of each voxel.
_PHASE_KINDS = {"list", "time"}


@contextmanager
def reading(path: Path, kind: str = "volume") -> Iterator[None]:
    """Turn ITK's errors into one sentence, and keep what its libraries print of damaged files off the terminal."""
    try:
        with quiet_libraries():
            yield
    except RuntimeError as error:
        if "orthonormal" in str(error):
            raise InputError(f"The axes in the header of {path} are sheared: save it again from Slicer.") from error
        raise InputError(
            f"{path} cannot be read as a {kind}: it is damaged or another kind of file than its name says."
        ) from error


def check_numbers(path: Path, array: np.ndarray) -> None:
    """Refuse an array with NaN or infinity.

    Raises:
        InputError: one sentence that names the file.
    """
    # The sum is finite exactly when all are: one pass without a temporary array of the volume's size.
    if array.dtype.kind != "f":
        return
    with np.errstate(invalid="ignore"):
        total = np.sum(array, dtype=np.float64)
    if not np.isfinite(total):
        raise not_finite(path, int(np.count_nonzero(~np.isfinite(array))))


@dataclass(frozen=True)
class ImageFormat:
    """A format of volumes that ITK reads."""

    check: Callable[[Path], None]
    """Refuses a file whose header is wrong, before ITK believes it."""
    image_io: str
    """ITK's reader, which it would else choose by what the content pretends."""
    streamable: bool
    """Whether ITK reads one phase without the others. Measured, 10 phases of 4.6 MB each: NIfTI and MetaImage need
    13 MB for a phase, compressed or not; NRRD always reads all (55 MB)."""

    def open(self, path: Path) -> ImageFile:
        """Read the header.

        Raises:
            InputError: not a volume, a color image, a flat picture, or not valid.
        """
        self.check(path)
        reader = self.reader(path)
        with reading(path):
            reader.ReadImageInformation()
        size, components = reader.GetSize(), reader.GetNumberOfComponents()
        if len(size) not in (3, 4):
            raise InputError(
                f"{path} has {len(size)} dimensions where a volume has 3 (or 4 with phases): "
                "give a volume, or the folder of its PNG slices."
            )
        if components > 1:
            _check_components_are_phases(path, reader)
        geometry = Geometry.of_image(reader)
        geometry.check(path)
        check_size(path, geometry.size)
        return ImageFile(path, geometry, size[3] if len(size) == 4 else components, components > 1, self)

    def reader(self, path: Path) -> sitk.ImageFileReader:
        """A reader for the file that has read nothing yet."""
        reader = sitk.ImageFileReader()
        reader.SetImageIO(self.image_io)
        reader.SetFileName(str(path))
        return reader


@dataclass(frozen=True)
class ImageFile:
    """A file of one volume or of several phases."""

    path: Path
    geometry: Geometry
    phases: int
    _components: bool
    _format: ImageFormat

    def volumes(self) -> Iterator[Volume]:
        """Read one phase after the other."""
        for image in self._images():
            volume = Volume.of_image(image)
            del image
            check_numbers(self.path, volume.array)
            yield volume
            del volume  # else it would live on while the next one is read

    def _images(self) -> Iterator[sitk.Image]:
        if self._format.streamable and not self._components:
            for phase in range(self.phases):
                with reading(self.path):
                    image = self._read_phase(phase)
                yield image
                del image
            return
        with reading(self.path):
            whole = self._format.reader(self.path).Execute()
        for phase in range(self.phases):
            if self._components:
                yield sitk.VectorIndexSelectionCast(whole, phase)
            else:
                yield whole[:, :, :, phase] if whole.GetDimension() == 4 else whole

    def _read_phase(self, phase: int) -> sitk.Image:
        reader = self._format.reader(self.path)
        reader.ReadImageInformation()
        size = list(reader.GetSize())
        if len(size) == 4:
            reader.SetExtractSize([*size[:3], 0])
            reader.SetExtractIndex([0, 0, 0, phase])
        image: sitk.Image = reader.Execute()
        return image


def _check_components_are_phases(path: Path, reader: sitk.ImageFileReader) -> None:
    keys = reader.GetMetaDataKeys()
    if "Segment0_ID" in keys:
        raise InputError(f"The segments in {path} overlap: export them from Slicer as a label map.")
    kind = reader.GetMetaData("NRRD_kinds[pixel]") if "NRRD_kinds[pixel]" in keys else ""
    if kind not in _PHASE_KINDS or len(reader.GetSize()) != 3:
        raise InputError(
            f"{path} holds {reader.GetNumberOfComponents()} values per voxel (a color or vector image): "
            "give one with a single value per voxel."
        )
