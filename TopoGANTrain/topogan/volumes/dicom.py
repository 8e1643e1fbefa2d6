"""A folder that holds one DICOM series: headers through pydicom, pixels (in HU, by their rescale) through GDCM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK as sitk
from pydicom.errors import InvalidDicomError
from pydicom.misc import is_dicom

from topogan.errors import InputError
from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.itk import check_numbers, reading

# Scanners round positions to 0.01-0.1 mm; a missing slice changes a gap by 100 %.
_GAP_TOLERANCE = 0.1
# How far slices may shift sideways from one to the next, in mm: more is a tilted gantry, which needs shearing.
_SHIFT_TOLERANCE = 0.1
_HEADER_TAGS = [
    "SeriesInstanceUID",
    "Rows",
    "Columns",
    "NumberOfFrames",
    "SamplesPerPixel",
    "PixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
]


def is_dicom_folder(path: Path) -> bool:
    """Tell whether a folder holds a DICOM file (names do not matter)."""
    return any(is_dicom_file(file) for file in sorted(path.iterdir()))


def is_dicom_file(path: Path) -> bool:
    """Tell by the file's own mark."""
    return path.is_file() and is_dicom(path)


@dataclass(frozen=True)
class _Slice:
    """One file: its path and the header values that place it."""

    file: Path
    header: pydicom.Dataset
    position: np.ndarray


@dataclass(frozen=True)
class DicomSeries:
    """A series of slices, sorted by position along their normal."""

    path: Path
    geometry: Geometry
    files: tuple[str, ...]
    phases: int = 1

    @classmethod
    def open(cls, path: Path) -> DicomSeries:
        """Read every header of the folder.

        Raises:
            InputError: several series, several frames in a file, missing or doubled slices, uneven gaps, a tilted
                gantry, or values missing in a header.
        """
        slices = _read_headers(path)
        first = slices[0].header
        axes = _axes(path, slices)
        slices.sort(key=lambda entry: float(entry.position @ axes[:, 2]))
        gap = _even_gap(path, np.stack([entry.position for entry in slices]), axes)
        rows, columns = (float(value) for value in first.PixelSpacing)
        geometry = Geometry(
            (int(first.Columns), int(first.Rows), len(slices)),
            (columns, rows, gap),
            tuple(float(value) for value in slices[0].position),
            tuple(float(value) for value in axes.ravel()),
        )
        geometry.check(path)
        return cls(path, geometry, tuple(str(entry.file) for entry in slices))

    def volumes(self) -> Iterator[Volume]:
        """Read the whole series (one phase)."""
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(self.files)
        with reading(self.path):
            array = sitk.GetArrayFromImage(reader.Execute())
        check_numbers(self.path, array)
        # Our own geometry: ITK takes the distance of the first two slices for all.
        yield Volume(array, self.geometry)


def _read_headers(path: Path) -> list[_Slice]:
    slices = []
    for file in sorted(path.iterdir()):
        if not is_dicom_file(file):
            continue
        try:
            header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_HEADER_TAGS)
        except (InvalidDicomError, EOFError, OSError, ValueError) as error:
            raise InputError(f"{file} cannot be read as DICOM: it is damaged or cut off.") from error
        if "Rows" in header:  # structure sets and reports lie beside the images and have no pixels
            slices.append(_Slice(file, header, _position(file, header)))
    if not slices:
        raise InputError(f"The DICOM files in {path} hold no images: name the folder of the CT series.")
    series = {entry.header.get("SeriesInstanceUID") for entry in slices}
    if len(series) > 1:
        raise InputError(f"The folder {path} holds {len(series)} DICOM series: give a folder with one series.")
    if len(slices) < 2:
        raise InputError(f"The DICOM series in {path} has one slice only: a volume needs at least two.")
    return slices


def _position(file: Path, header: pydicom.Dataset) -> np.ndarray:
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise InputError(f"{file} is a DICOM file with several frames: load it in Slicer and save it as NRRD.")
    if int(header.get("SamplesPerPixel") or 1) > 1:
        raise InputError(f"{file} is a color image: give slices with a single value per pixel.")
    missing = [tag for tag in _HEADER_TAGS[5:] if not header.get(tag)]
    if missing:
        raise InputError(f"{file} says nothing of its {missing[0]}: it cannot be placed in the patient; leave it out.")
    return np.asarray(header.ImagePositionPatient, dtype=float)


def _axes(path: Path, slices: list[_Slice]) -> np.ndarray:
    """Return the directions of columns, rows and slices as columns of a 3×3 matrix (LPS)."""
    first = slices[0].header
    for entry in slices:
        same = all(
            np.allclose(np.asarray(entry.header[tag].value, float), np.asarray(first[tag].value, float), atol=1e-3)
            for tag in ("Rows", "Columns", "PixelSpacing", "ImageOrientationPatient")
        )
        if not same:
            raise InputError(f"Slices in {path} differ in size, spacing or orientation: leave out {entry.file.name}.")
    row, column = np.asarray(first.ImageOrientationPatient, dtype=float).reshape(2, 3)
    return np.stack([row, column, np.cross(row, column)], axis=1)


def _even_gap(path: Path, positions: np.ndarray, axes: np.ndarray) -> float:
    """Return the distance between neighboring slices in mm; ``positions`` [n, 3] are sorted along the normal."""
    steps = np.diff(positions, axis=0)
    gaps, shifts = steps @ axes[:, 2], np.abs(steps @ axes[:, :2])
    gap = float(np.median(gaps))
    if (gaps < 1e-3).any():
        raise InputError(
            f"{int((gaps < 1e-3).sum())} slices in {path} lie at the place of another one: "
            "put each phase or reconstruction into a folder of its own."
        )
    if shifts.max() > _SHIFT_TOLERANCE:
        raise InputError(f"The slices in {path} were taken with a tilted gantry: load them in Slicer and save as NRRD.")
    worst = int(np.argmax(np.abs(gaps - gap)))
    if abs(gaps[worst] - gap) > _GAP_TOLERANCE * gap:
        raise InputError(
            f"Slices {worst + 1} and {worst + 2} of {len(positions)} in {path} are {gaps[worst]:.2f} mm apart, "
            f"the others {gap:.2f} mm: a slice is missing or the spacing is uneven."
        )
    return float(gaps.mean())
