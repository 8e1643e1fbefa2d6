"""CT series of DICOM with any voxels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid


def voxels(seed: int = 0, shape: tuple[int, int, int] = (5, 6, 7)) -> np.ndarray:
    """HU, int16 [slice, row, column]."""
    return np.random.default_rng(seed).integers(-1000, 2000, shape).astype(np.int16)


def write_dicom(
    folder: Path,
    array: np.ndarray,
    positions: list[float] | None = None,
    series: str | None = None,
    change: Callable[[int, pydicom.Dataset], None] | None = None,
) -> None:
    """Write [slice, row, column] of HU as a CT series; file names do not tell the order."""
    folder.mkdir(exist_ok=True)
    series = series or generate_uid()
    positions = positions or [2.5 * number for number in range(len(array))]
    for number, (plane, position) in enumerate(zip(array, positions, strict=True)):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
        meta.MediaStorageSOPInstanceUID = generate_uid()
        header = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
        header.Modality, header.SeriesInstanceUID = "CT", series
        header.Rows, header.Columns = plane.shape
        header.PixelSpacing, header.ImageOrientationPatient = [0.8, 0.6], [1, 0, 0, 0, 1, 0]
        header.ImagePositionPatient = [-10.0, -20.0, position]
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.BitsAllocated = header.BitsStored = 16
        header.HighBit, header.PixelRepresentation = 15, 0
        header.RescaleSlope, header.RescaleIntercept = "2", "-1024"
        header.PixelData = ((plane.astype(int) + 1024) // 2).astype(np.uint16).tobytes()
        if change:
            change(number, header)
        header.save_as(folder / f"IM{(number * 7) % 100:03d}_{series[-4:]}", enforce_file_format=True)
