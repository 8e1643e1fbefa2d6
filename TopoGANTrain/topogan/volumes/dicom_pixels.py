"""The pixels of a DICOM slice, decoded by what its header was found to say.

Plain pixels are read as they are. Compressed ones go to GDCM in a file that we write: their stream under a header of
ten elements that were checked. So the values are never turned round (GDCM does that to MONOCHROME1, whose HU are HU all
the same), scaled, or taken from another header than the one that was looked at.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRBigEndian, RLELossless, generate_uid

from topogan.errors import InputError
from topogan.volumes.checks import check_size
from topogan.volumes.itk import reading

# PS3.5 9.1.
_LONGEST_UID = 64
PIXEL_KEYWORDS = (
    "Modality",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "RescaleIntercept",
    "RescaleSlope",
    "ModalityLUTSequence",
)
_UNDEFINED_LENGTH = 0xFFFFFFFF
# Beyond every scanner; values outside are another unit, or a damaged header. CT is in HU, within int16 but for what
# lies around the picture: scanners store -32768 there before -1024 is added.
_LEAST_SLOPE, _LARGEST_SLOPE, _LARGEST_INTERCEPT = 1e-9, 1e9, 1e9
_LEAST_CT_SLOPE, _LARGEST_CT_SLOPE, _LARGEST_CT_INTERCEPT = 1e-3, 1e3, 2.0**15
_LOWEST_CT, _HIGHEST_CT = -(2.0**16), 2.0**15 - 1
_JPEG_START = b"\xff\xd8"
# Baseline to lossless without tables between them, and JPEG-LS.
_JPEG_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}
_TYPES = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32)


@dataclass(frozen=True)
class StoredPixels:
    """Where the pixels of one slice lie, how they are written, and what they mean.

    Attributes:
        file: the slice.
        rows: of pixels.
        columns: of pixels.
        pixel_bytes: of a pixel: 1, 2 or 4.
        bits: of them that hold the value, the lowest ones.
        signed: whether the value may be negative.
        slope: what the stored value is multiplied by.
        intercept: what is added then.
        is_ct: whether the result is in HU.
        syntax: transfer syntax.
        offset: of the pixels in the file, bytes.
        length: of them in the file, bytes; :data:`_UNDEFINED_LENGTH` for packages of compressed ones.
    """

    file: Path
    rows: int
    columns: int
    pixel_bytes: int
    bits: int
    signed: bool
    slope: float
    intercept: float
    is_ct: bool
    syntax: UID
    offset: int
    length: int

    @classmethod
    def described(cls, file: Path, header: pydicom.Dataset, found: tuple[int, int] | None) -> StoredPixels:
        """Take the description from a header.

        Args:
            file: where it was read.
            header: with the elements of :data:`PIXEL_KEYWORDS`.
            found: offset and length of its PixelData in bytes, None where there are none.

        Raises:
            InputError: it contradicts itself or the file, or asks for what is not read.
        """
        _check_kind(file, header)
        slope, intercept = (
            float(default if header.get(name) is None else header[name].value)
            for name, default in (("RescaleSlope", 1), ("RescaleIntercept", 0))
        )
        pixels = cls(
            file,
            int(header.Rows),
            int(header.Columns),
            int(header.BitsAllocated) // 8,
            int(header.BitsStored),
            bool(header.PixelRepresentation),
            slope,
            intercept,
            header.get("Modality") == "CT",
            header.file_meta.TransferSyntaxUID,
            *(found or (0, 0)),
        )
        pixels._check_scale()
        check_size(file, (pixels.columns, pixels.rows))
        return pixels

    @property
    def unpacked(self) -> int:
        """Bytes of the stored pixels."""
        return self.rows * self.columns * self.pixel_bytes

    @staticmethod
    def common_type(slices: Sequence[StoredPixels]) -> type[np.generic]:
        """The smallest type that holds the values of all: of integers where all scales are whole, else float32."""
        ends = np.array([end for one in slices for end in one._range()])
        if all(one.slope.is_integer() and one.intercept.is_integer() for one in slices):
            for kind in _TYPES:
                if np.iinfo(kind).min <= ends.min() and ends.max() <= np.iinfo(kind).max:
                    return kind
        return np.float32

    def read_into(self, plane: NDArray[np.generic]) -> None:
        """Write the values into ``plane`` [rows, columns], whose type holds them.

        Raises:
            InputError: the pixels cannot be decoded, are others than the header says, or cannot be HU.
        """
        stored = self._decompressed() if self.syntax.is_compressed else self._plain()
        spare = 8 * self.pixel_bytes - self.bits
        if spare:  # overlays may lie in the bits above the value
            stored = (stored << spare) >> spare
        values = stored if (self.slope, self.intercept) == (1, 0) else stored * self.slope + self.intercept
        if self.is_ct and (values.min() < _LOWEST_CT or values.max() > _HIGHEST_CT):
            raise InputError(
                f"{self.file} is CT, but its values lie between {values.min():g} and {values.max():g}, which cannot be "
                "HU: export the series again."
            )
        plane[...] = values

    def _range(self) -> tuple[float, float]:
        lowest = -(2 ** (self.bits - 1)) if self.signed else 0
        highest = 2 ** (self.bits - 1 if self.signed else self.bits) - 1
        return lowest * self.slope + self.intercept, highest * self.slope + self.intercept

    def _dtype(self) -> np.dtype[np.integer[Any]]:
        return np.dtype(f"{'i' if self.signed else 'u'}{self.pixel_bytes}")

    def _check_scale(self) -> None:
        least, largest, far = (
            (_LEAST_CT_SLOPE, _LARGEST_CT_SLOPE, _LARGEST_CT_INTERCEPT)
            if self.is_ct
            else (_LEAST_SLOPE, _LARGEST_SLOPE, _LARGEST_INTERCEPT)
        )
        if not (least <= abs(self.slope) <= largest and abs(self.intercept) <= far):
            what = f"its values are scaled by {self.slope:g} and moved by {self.intercept:g}"
            raise InputError(f"The header of {self.file} is wrong: {what}; export the series again.")

    def check_length(self) -> None:
        """Compare the length of the pixels with what the header says of them, and with the file.

        Raises:
            InputError: they are fewer or more, cut off, or not as compressed as the transfer syntax says.
        """
        packed = self.length == _UNDEFINED_LENGTH
        if self.syntax.is_compressed:
            if not packed:
                raise _wrong(self.file, "its pixels should be compressed, and are not")
        elif packed:
            raise _wrong(self.file, "its pixels are compressed, and should not be")
        elif self.length not in (self.unpacked, self.unpacked + self.unpacked % 2):
            if self.length < self.unpacked:
                raise _cut_off(self.file)
            raise _wrong(self.file, f"it has {self.length} bytes of pixels where {self.unpacked} are expected")
        elif self.offset + self.length > self.file.stat().st_size:
            raise _cut_off(self.file)

    def _plain(self) -> NDArray[np.integer[Any]]:
        stored_type = self._dtype().newbyteorder(">" if self.syntax == ExplicitVRBigEndian else "<")
        with self.file.open("rb") as file:
            file.seek(self.offset)
            content = file.read(self.unpacked)
        if len(content) < self.unpacked:
            raise _cut_off(self.file)
        stored = np.frombuffer(content, stored_type).reshape(self.rows, self.columns)
        return stored.astype(self._dtype(), copy=False)

    def _decompressed(self) -> NDArray[np.integer[Any]]:
        with tempfile.TemporaryDirectory(prefix="topogan-") as folder:
            copy = Path(folder, "slice.dcm")
            stream = pydicom.dcmread(self.file, specific_tags=["PixelData"]).PixelData
            self._check_stream(stream)
            self._write_canonical(copy, stream)
            reader = sitk.ImageFileReader()
            reader.SetImageIO("GDCMImageIO")
            reader.SetFileName(str(copy))
            with reading(self.file):
                stored = sitk.GetArrayFromImage(reader.Execute())
        if stored.shape != (1, self.rows, self.columns) or stored.dtype != self._dtype():
            raise self._others()
        return np.asarray(stored[0])

    def _check_stream(self, stream: bytes) -> None:
        """Compare what a stream itself says with the header: GDCM believes either.

        Packages have 8 bytes in front of them; the first is a table of the others, the second begins the picture.
        """
        frame = stream[16 + int.from_bytes(stream[4:8], "little") :]
        if self.syntax == RLELossless:
            # A part for each byte of a pixel.
            if int.from_bytes(frame[:4], "little") != self.pixel_bytes:
                raise self._others()
        elif frame[:2] == _JPEG_START:
            precision, rows, columns = _jpeg_frame(frame)
            if ((precision + 7) // 8, rows, columns) != (self.pixel_bytes, self.rows, self.columns):
                raise self._others()

    def _others(self) -> InputError:
        return InputError(f"The compressed pixels of {self.file} are others than its header says: export it again.")

    def _write_canonical(self, path: Path, stream: bytes) -> None:
        meta = FileMetaDataset()
        meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = self.syntax, CTImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        copy = pydicom.FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        copy.SOPClassUID, copy.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        copy.SamplesPerPixel, copy.PhotometricInterpretation = 1, "MONOCHROME2"
        copy.Rows, copy.Columns = self.rows, self.columns
        copy.BitsAllocated, copy.BitsStored, copy.HighBit = 8 * self.pixel_bytes, self.bits, self.bits - 1
        copy.PixelRepresentation = int(self.signed)
        copy.add_new("PixelData", "OB", stream)
        copy["PixelData"].is_undefined_length = True
        copy.save_as(path)


def _check_kind(file: Path, header: pydicom.Dataset) -> None:
    """Refuse what is no plain grey picture whose values are in the pixels themselves."""
    syntax = header.file_meta.TransferSyntaxUID
    if not syntax.is_transfer_syntax:
        raise _wrong(file, f"its transfer syntax is {str(syntax)[:_LONGEST_UID]!r}")
    if int(header.get("NumberOfFrames") or 1) > 1:
        raise InputError(f"{file} is a DICOM file with several frames: load it in Slicer and save it as NRRD.")
    colors = header.get("PhotometricInterpretation")
    if int(header.get("SamplesPerPixel") or 1) > 1 or colors not in ("MONOCHROME1", "MONOCHROME2"):
        raise InputError(f"{file} is a color image: give slices with a single value per pixel.")
    if "ModalityLUTSequence" in header:
        raise InputError(
            f"The values of {file} are to be looked up in a table (its ModalityLUTSequence), which is not read: load "
            "it in Slicer and save it as NRRD."
        )
    if not int(header.Rows) * int(header.Columns):
        raise _wrong(file, "it has no pixels")
    allocated, stored = int(header.BitsAllocated), int(header.BitsStored)
    high = int(header.get("HighBit", stored - 1))
    if allocated not in (8, 16, 32) or not 1 <= stored <= allocated or high != stored - 1:
        raise _wrong(file, f"{stored} bits of {allocated} up to bit {high} are to hold a value")
    if int(header.PixelRepresentation) not in (0, 1):
        raise _wrong(file, "it does not say whether its values have a sign")


def _jpeg_frame(content: bytes) -> tuple[int, int, int]:
    """Bits of a sample, rows and columns in a JPEG or JPEG-LS; zeros where nothing is said (ISO/IEC 10918-1, B.2.2)."""
    at = len(_JPEG_START)
    while at + 9 <= len(content) and content[at] == 0xFF:
        if content[at + 1] in _JPEG_FRAMES:
            rows, columns = (int.from_bytes(content[start : start + 2], "big") for start in (at + 5, at + 7))
            return content[at + 4], rows, columns
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return 0, 0, 0


def _wrong(file: Path, what: str) -> InputError:
    return InputError(f"The header of {file} is wrong: {what}; export the series again.")


def _cut_off(file: Path) -> InputError:
    return InputError(f"{file} is cut off: its pixels end before its header says so; copy it again.")
