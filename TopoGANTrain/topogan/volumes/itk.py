"""Volumes in one file: NIfTI, NRRD, MetaImage, through SimpleITK."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from topogan.errors import InputError
from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.meta_header import check_meta
from topogan.volumes.nifti_header import check_nifti
from topogan.volumes.nrrd_header import check_nrrd
from topogan.volumes.stored import check_size, not_finite

# What ITK warns of is checked here and said in a sentence, or does not matter.
sitk.ProcessObject.SetGlobalWarningDisplay(False)

# ITK reads a part of these from disk. Measured, 10 phases of 4.6 MB each: NIfTI and MetaImage need 13 MB for a
# phase, compressed or not; NRRD always reads all (55 MB).
_STREAMABLE = (".nii", ".nii.gz", ".mha", ".mhd")
# Slicer writes a sequence with its phases as a "list" axis, which ITK reads as the components of each voxel.
_PHASE_KINDS = {"list", "time"}
_STANDARD_ERROR = 2


# By the ending: what checks the header, and ITK's reader, which it would else choose by what the content pretends.
_KINDS: dict[str, tuple[Callable[[Path], None], str]] = {
    ".nii": (check_nifti, "NiftiImageIO"),
    ".nii.gz": (check_nifti, "NiftiImageIO"),
    ".nrrd": (check_nrrd, "NrrdImageIO"),
    ".nhdr": (check_nrrd, "NrrdImageIO"),
    ".mha": (check_meta, "MetaImageIO"),
    ".mhd": (check_meta, "MetaImageIO"),
}


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
class ImageFile:
    """A file of one volume or of several phases."""

    path: Path
    geometry: Geometry
    phases: int
    _components: bool

    @classmethod
    def open(cls, path: Path) -> ImageFile:
        """Read the header.

        Raises:
            InputError: not a volume, a color image, a flat picture, or not valid.
        """
        check, _ = _kind(path)
        check(path)
        reader = _reader(path)
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
        return cls(path, geometry, size[3] if len(size) == 4 else components, components > 1)

    def volumes(self) -> Iterator[Volume]:
        """Read one phase after the other."""
        for image in self._images():
            volume = Volume.of_image(image)
            del image
            check_numbers(self.path, volume.array)
            yield volume
            del volume  # else it would live on while the next one is read

    def _images(self) -> Iterator[sitk.Image]:
        if self.path.name.lower().endswith(_STREAMABLE) and not self._components:
            for phase in range(self.phases):
                with reading(self.path):
                    image = _read_phase(self.path, phase)
                yield image
                del image
            return
        with reading(self.path):
            whole = _reader(self.path).Execute()
        for phase in range(self.phases):
            if self._components:
                yield sitk.VectorIndexSelectionCast(whole, phase)
            else:
                yield whole[:, :, :, phase] if whole.GetDimension() == 4 else whole


def _reader(path: Path) -> sitk.ImageFileReader:
    reader = sitk.ImageFileReader()
    reader.SetImageIO(_kind(path)[1])
    reader.SetFileName(str(path))
    return reader


def _kind(path: Path) -> tuple[Callable[[Path], None], str]:
    found = [kind for ending, kind in _KINDS.items() if path.name.lower().endswith(ending)]
    if not found:
        raise InputError(
            f"{path} is no volume that can be read: give NIfTI, NRRD, MHA or MHD, or the folder of a DICOM series or "
            "of PNG slices."
        )
    return found[0]


def _read_phase(path: Path, phase: int) -> sitk.Image:
    reader = _reader(path)
    reader.ReadImageInformation()
    size = list(reader.GetSize())
    if len(size) == 4:
        reader.SetExtractSize([*size[:3], 0])
        reader.SetExtractIndex([0, 0, 0, phase])
    return reader.Execute()


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
