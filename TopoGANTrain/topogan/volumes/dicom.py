"""A folder that holds one DICOM series: headers through pydicom, pixels by what the headers were found to say."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.filereader import read_file_meta_info, read_partial
from pydicom.misc import is_dicom
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from topogan.errors import InputError
from topogan.files import check_name
from topogan.volumes.checks import check_growth, check_size
from topogan.volumes.dicom_pixels import PIXEL_KEYWORDS, StoredPixels
from topogan.volumes.geometry import Geometry, Volume, check_axes

# Scanners round positions to 0.01-0.1 mm; a missing slice changes a gap by 100 %.
_GAP_TOLERANCE = 0.1
# How far slices may shift sideways from one to the next, in mm: more is a tilted gantry, which needs shearing.
_SHIFT_TOLERANCE = 0.1
# What places a slice, and how many numbers each holds.
_PLACE = {"PixelSpacing": 2, "ImagePositionPatient": 3, "ImageOrientationPatient": 6}
_HEADER_TAGS = [
    Tag(name) for name in ("SeriesInstanceUID", "FrameOfReferenceUID", "SliceThickness", *PIXEL_KEYWORDS, *_PLACE)
]
_ROWS, _PIXELS = Tag("Rows"), Tag("PixelData")


def is_dicom_folder(path: Path) -> bool:
    """Tell whether a folder holds a DICOM file (names do not matter)."""
    return any(is_dicom_file(file) for file in sorted(path.iterdir()))


def is_dicom_file(path: Path) -> bool:
    """Tell by the file's own mark."""
    try:
        return path.is_file() and is_dicom(path)
    except OSError as error:
        raise InputError(f"{path} cannot be opened ({error.strerror}): check its permissions.") from error


@contextmanager
def reading_dicom(path: Path) -> Iterator[None]:
    """Turn pydicom's errors into one sentence, and keep its warnings to ourselves."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except Exception as error:  # a damaged file makes pydicom raise a dozen kinds of errors
        raise InputError(f"{path} cannot be read as DICOM: it is damaged or cut off; copy it again.") from error


def read_dicom(path: Path, keywords: Sequence[str] = ()) -> pydicom.Dataset:
    """Read a file; use it within :func:`reading_dicom`.

    Args:
        path: the file.
        keywords: of the elements that are wanted; nothing behind the last of them is read. All by default.

    Raises:
        InputError: it is deflated as a whole: it would have to be unpacked to whatever size before its first value.
    """
    _check_not_deflated(path)
    if not keywords:
        return pydicom.dcmread(path)
    wanted: list[BaseTag | int] = [Tag(keyword) for keyword in keywords]
    last = max(wanted)
    with path.open("rb") as file:
        return read_partial(file, stop_when=lambda tag, _vr, _length: tag > last, specific_tags=wanted)


def _check_not_deflated(path: Path) -> None:
    if read_file_meta_info(path).get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        raise InputError(f"{path} is a deflated DICOM file: export it with another transfer syntax.")


@dataclass(frozen=True)
class _Slice:
    """One file with what its header says.

    Attributes:
        spacing: of rows and columns, mm.
        position: of the first pixel: LPS, mm.
        orientation: directions of a row and of a column, 6 numbers.
        thickness: mm; 0 where it is not said.
    """

    file: Path
    series: str
    frame_of_reference: str
    pixels: StoredPixels
    spacing: np.ndarray
    position: np.ndarray
    orientation: np.ndarray
    thickness: float


@dataclass(frozen=True)
class DicomSeries:
    """A series of slices, sorted by position along their normal."""

    path: Path
    geometry: Geometry
    pixels: tuple[StoredPixels, ...]
    frame_of_reference: str = ""
    phases: int = 1

    @classmethod
    def open(cls, path: Path) -> DicomSeries:
        """Read every header of the folder.

        Raises:
            InputError: several series, several frames in a file, missing or doubled slices, uneven gaps, a tilted
                gantry, values missing or senseless in a header, or files that are cut off.
        """
        slices = _read_headers(path)
        first = slices[0]
        axes = _axes(path, slices)
        for entry in slices:
            entry.pixels.check_length()
        slices.sort(key=lambda entry: float(entry.position @ axes[:, 2]))
        gap = _even_gap(path, np.stack([entry.position for entry in slices]), axes) if slices[1:] else first.thickness
        rows, columns = first.spacing.tolist()
        geometry = Geometry(
            (first.pixels.columns, first.pixels.rows, len(slices)),
            (columns, rows, gap),
            tuple(slices[0].position.tolist()),
            tuple(axes.ravel().tolist()),
        )
        geometry.check(path)
        check_size(path, geometry.size)
        pixels = tuple(entry.pixels for entry in slices)
        check_growth(path, sum(one.unpacked for one in pixels), sum(one.file.stat().st_size for one in pixels))
        return cls(path, geometry, pixels, first.frame_of_reference)

    def volumes(self) -> Iterator[Volume]:
        """Read the whole series (one phase): each slice by its own header, in the smallest type that holds them all."""
        columns, rows, count = self.geometry.size
        array = np.empty((count, rows, columns), StoredPixels.common_type(self.pixels))
        for plane, pixels in zip(array, self.pixels, strict=True):
            with reading_dicom(pixels.file):
                pixels.read_into(plane)
        yield Volume(array, self.geometry)


def _read_headers(path: Path) -> list[_Slice]:
    found = (_read_slice(file) for file in sorted(path.iterdir()) if is_dicom_file(file))
    slices = [entry for entry in found if entry is not None]
    if not slices:
        raise InputError(f"The DICOM files in {path} hold no images: name the folder of the CT series.")
    series = {entry.series for entry in slices}
    if len(series) > 1:
        raise InputError(f"The folder {path} holds {len(series)} DICOM series: give a folder with one series.")
    if len(slices) == 1 and not slices[0].thickness > 0:
        raise InputError(f"The DICOM series in {path} has one slice only, of unknown thickness: a volume needs two.")
    return slices


def _read_slice(file: Path) -> _Slice | None:
    """Read a header; None for what has no pixels: structure sets and reports lie beside the images."""
    check_name(file)
    with reading_dicom(file):
        found: tuple[int, int] | None = None

        def at_the_end(tag: BaseTag, _vr: str | None, length: int) -> bool:
            nonlocal found
            seen.add(tag)
            if tag == _PIXELS:
                found = stream.tell(), length
            return tag >= _PIXELS or (tag > _ROWS and _ROWS not in seen)

        seen: set[BaseTag] = set()
        _check_not_deflated(file)
        with file.open("rb") as stream:
            header = read_partial(stream, stop_when=at_the_end, specific_tags=list(_HEADER_TAGS))
        if "Rows" not in header:
            _check_has_no_pixels(file, header)
            return None
        pixels = StoredPixels.described(file, header, found)
        place = {name: _numbers(file, header, name, count) for name, count in _PLACE.items()}
        return _Slice(
            file,
            str(header.get("SeriesInstanceUID", "")),
            str(header.get("FrameOfReferenceUID", "")),
            pixels,
            place["PixelSpacing"],
            place["ImagePositionPatient"],
            place["ImageOrientationPatient"],
            float(header.get("SliceThickness") or 0.0),
        )


def _check_has_no_pixels(file: Path, header: pydicom.Dataset) -> None:
    """Refuse a slice that was cut off before its size: left out in silence, it would be missing from the volume."""
    kind = header.file_meta.get("MediaStorageSOPClassUID", "")
    if not kind or "Image Storage" in UID(kind).name:
        raise InputError(f"{file} cannot be read as DICOM: it is damaged or cut off; copy it again.")


def _numbers(file: Path, header: pydicom.Dataset, name: str, count: int) -> np.ndarray:
    if not header.get(name):
        raise InputError(f"{file} says nothing of its {name}: it cannot be placed in the patient; leave it out.")
    values = np.atleast_1d(np.asarray(header[name].value, dtype=float))
    if len(values) != count or not np.isfinite(values).all():
        raise InputError(f"{file} has no {name} of {count} numbers: it cannot be placed; leave it out.")
    return values


def _axes(path: Path, slices: list[_Slice]) -> np.ndarray:
    """Return the directions of columns, rows and slices as columns of a 3×3 matrix (LPS)."""
    first = slices[0]
    for entry in slices:
        if not (
            (entry.pixels.rows, entry.pixels.columns) == (first.pixels.rows, first.pixels.columns)
            and np.allclose(entry.spacing, first.spacing, atol=1e-3)
            and np.allclose(entry.orientation, first.orientation, atol=1e-3)
        ):
            raise InputError(f"Slices in {path} differ in size, spacing or orientation: leave out {entry.file.name}.")
    row, column = first.orientation.reshape(2, 3)
    axes = np.stack([row, column, np.cross(row, column)], axis=1)
    check_axes(path, axes)
    return axes


def _even_gap(path: Path, positions: np.ndarray, axes: np.ndarray) -> float:
    """Return the distance between neighboring slices in mm; ``positions`` [n, 3] are sorted along the normal."""
    steps = np.diff(positions, axis=0)
    gaps, shifts = steps @ axes[:, 2], np.abs(steps @ axes[:, :2])
    gap = float(np.median(gaps))
    if (gaps < 1e-3).any():
        raise InputError(
            f"{int((gaps < 1e-3).sum())} of {len(positions)} slices in {path} lie at the place of another one: "
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
