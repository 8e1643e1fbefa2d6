"""Image and label map of each sample as two files of one name: for ITK, Slicer and most tools of deep learning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from topogan.errors import InputError
from topogan.export.samples import ExportedSamples
from topogan.stored_samples import StoredSamples
from topogan.volumes import write_image

# NIfTI keeps 79 letters of a description, NRRD any number.
# By these names ITK finds them.
_NIFTI_KEY, _NRRD_KEY = "ITK_FileNotes", "description"


def write_nifti(samples: ExportedSamples, folder: Path) -> None:
    """``images/sample_000000.nii.gz`` and ``labels/sample_000000.nii.gz``; without textures, labels alone."""
    _write_volumes(samples, folder, ".nii.gz", _NIFTI_KEY, "Synthetic, TopoGAN: not of a patient")


def write_nrrd(samples: ExportedSamples, folder: Path) -> None:
    """The same as ``.nrrd``, with model and seed in the header."""
    _write_volumes(samples, folder, ".nrrd", _NRRD_KEY, samples.origin)


def write_png(samples: ExportedSamples, folder: Path) -> None:
    """``images/sample_000000.png`` (8 bits over the model's window) and ``labels/…`` (label ids).

    Raises:
        InputError: the samples are volumes.
    """
    if samples.masks.array.ndim != 3:
        raise InputError("PNG pictures are of slices, and these samples are volumes: choose nifti, nrrd or dicom.")
    low, high = samples.report.get("window") or (0.0, 1.0)
    for index in samples.numbers:
        for name, part in _parts(samples).items():
            (folder / name).mkdir(exist_ok=True)
            picture = part.array[index]
            if name == "images":
                shown = (picture.astype(float) - low) / (high - low)
                picture = np.rint(255 * np.clip(shown, 0.0, 1.0))
            image = sitk.GetImageFromArray(picture.astype(np.uint8))
            write_image(folder / name / f"sample_{index:06d}.png", image)


def _write_volumes(samples: ExportedSamples, folder: Path, ending: str, key: str, words: str) -> None:
    for index in samples.numbers:
        for name, part in _parts(samples).items():
            (folder / name).mkdir(exist_ok=True)
            image = part.volume(index).to_image()
            image.SetMetaData(key, words)
            write_image(folder / name / f"sample_{index:06d}{ending}", image)


def _parts(samples: ExportedSamples) -> dict[str, StoredSamples]:
    labels = {"labels": samples.masks}
    return labels if samples.textures is None else {"images": samples.textures, **labels}
