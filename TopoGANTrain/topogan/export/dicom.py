"""Samples as DICOM: a CT series and a segmentation object each, which say everywhere that they are synthetic.

Each sample has a series of its own, also where it is one slice: unrelated slices of one series would be taken for a
volume.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import topogan
from topogan.config import Context
from topogan.errors import InputError
from topogan.export.samples import ExportedSamples
from topogan.structures import Structure

_CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
_MANUFACTURER = "TopoGAN"
_LONGEST = 64
_ANATOMY = ("123037004", "SCT", "Anatomical Structure")
# What any structure of a heart is.
_HEART = ("80891009", "SCT", "Heart")
# Context lies around the heart; the codes of what is found in CT are those of Slicer's DICOM master list.
_CONTEXT = {
    Context.BODY.value: (_ANATOMY, ("38266002", "SCT", "Entire body")),
    Context.LUNGS.value: (_ANATOMY, ("39607008", "SCT", "Lung")),
    Context.BONE.value: (("85756007", "SCT", "Tissue"), ("272673000", "SCT", "Bone")),
}


def write_dicom(samples: ExportedSamples, folder: Path) -> None:
    """``sample_000000/ct/0000.dcm`` … and ``sample_000000/seg.dcm``, by pydicom and highdicom.

    ``SyntheticData`` (0008,001C) is YES, the image type DERIVED, the patient ``Synthetic``; the derivation names model
    and seed. A sample without any structure has no segmentation object.

    Raises:
        InputError: highdicom is not installed, or the samples have no textures in HU.
    """
    try:
        import highdicom  # noqa: F401
    except ImportError as error:
        raise InputError("DICOM needs highdicom: pip install 'topogan[seg]', or choose nifti.") from error
    if samples.textures is None or not samples.is_ct:
        raise InputError(f"{samples.synthesis} has no textures in HU, and CT is in HU: choose nifti or nrrd.")
    for number in samples.numbers:
        place = folder / f"sample_{number:06d}"
        (place / "ct").mkdir(parents=True)
        images = _images(samples, number)
        for row, image in enumerate(images):
            image.save_as(place / "ct" / f"{row:04d}.dcm", enforce_file_format=True)
        labels = samples.masks.volume(number).array
        if labels.any():
            _segmentation(samples, number, images, labels).save_as(place / "seg.dcm")


def _images(samples: ExportedSamples, number: int) -> list[Any]:
    assert samples.textures is not None
    volume = samples.textures.volume(number)
    geometry = volume.geometry
    low, high = samples.report.get("window") or (-200.0, 600.0)
    found = []
    for row, pixels in enumerate(volume.array):
        image = _plain(samples, number, f"ct {row}")
        image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = _CT_IMAGE_STORAGE
        image.Modality, image.SeriesNumber, image.InstanceNumber = "CT", number + 1, row + 1
        image.SeriesInstanceUID = _uid(samples, number, "series")
        image.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
        image.FrameOfReferenceUID, image.PositionReferenceIndicator = _uid(samples, number, "frame"), ""
        # Unknown, and asked for: nobody lay in a scanner.
        image.PatientPosition = image.Laterality = ""
        image.PixelSpacing = [_number(geometry.spacing[1]), _number(geometry.spacing[0])]
        image.SliceThickness = _number(geometry.spacing[2])
        # The index axes x and y, each a column of the directions.
        image.ImageOrientationPatient = [_number(value) for value in geometry.axes.T[:2].ravel()]
        position = geometry.to_point(np.array([[0.0, 0.0, float(row)]]))[0]
        image.ImagePositionPatient = [_number(value) for value in position]
        image.Rows, image.Columns = pixels.shape
        image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
        image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 16, 15, 1
        image.RescaleIntercept, image.RescaleSlope, image.RescaleType = 0, 1, "HU"
        image.WindowCenter, image.WindowWidth = _number((low + high) / 2), _number(high - low)
        image.KVP, image.AcquisitionNumber = None, None
        image.BurnedInAnnotation, image.LossyImageCompression = "NO", "00"
        image.PixelData = np.ascontiguousarray(pixels.astype("<i2")).tobytes()
        found.append(image)
    return found


def _plain(samples: ExportedSamples, number: int, kind: str) -> Any:
    """What every object has."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta: Any = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = _uid(samples, number, kind)
    image: Any = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    image.SpecificCharacterSet = "ISO_IR 192"
    image.SyntheticData = "YES"
    image.PatientName, image.PatientID = "Synthetic^TopoGAN", "SYNTHETIC"
    image.PatientBirthDate = image.PatientSex = ""
    image.StudyInstanceUID = _uid(samples, 0, "study")
    image.StudyDate = image.StudyTime = image.StudyID = image.AccessionNumber = image.ReferringPhysicianName = ""
    image.StudyDescription = "Synthetic images, TopoGAN"
    image.SeriesDescription = f"Synthetic sample {number}"
    image.Manufacturer, image.ManufacturerModelName = _MANUFACTURER, "TopoGAN"
    image.SoftwareVersions = topogan.__version__
    image.DerivationDescription = samples.origin
    return image


def _segmentation(samples: ExportedSamples, number: int, images: list[Any], labels: np.ndarray) -> Any:
    import highdicom as hd
    from pydicom.sr.coding import Code

    algorithm = hd.AlgorithmIdentificationSequence(
        name="TopoGAN",
        version=topogan.__version__,
        family=Code("123109", "DCM", "Artificial Intelligence"),
    )
    structures = samples.table.structures
    present = [label for label in range(1, len(structures) + 1) if (labels == label).any()]
    descriptions = []
    for segment, label in enumerate(present, start=1):
        structure = structures[label - 1]
        category, kind = (Code(value, scheme, meaning) for value, scheme, meaning in _codes(structure))
        described = hd.seg.SegmentDescription(
            segment_number=segment,
            segment_label=structure.name[:_LONGEST],
            segmented_property_category=category,
            segmented_property_type=kind,
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm_identification=algorithm,
        )
        descriptions.append(described)
    masks = np.stack([labels == label for label in present], axis=-1).astype(np.uint8)
    segmentation = hd.seg.Segmentation(
        source_images=images,
        pixel_array=masks,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=descriptions,
        series_instance_uid=_uid(samples, number, "seg series"),
        series_number=len(samples.masks.array) + number + 1,
        sop_instance_uid=_uid(samples, number, "seg"),
        instance_number=1,
        manufacturer=_MANUFACTURER,
        manufacturer_model_name="TopoGAN",
        software_versions=topogan.__version__,
        device_serial_number="0",
        series_description=f"Synthetic sample {number}, structures",
    )
    segmentation.SyntheticData = "YES"
    segmentation.DerivationDescription = samples.origin
    return segmentation


def _codes(structure: Structure) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Category and type of a structure: Slicer's terminology entry, or a structure of the heart, or what context is."""
    parts = [tuple(part.split("^")) for part in structure.terminology.split("~")[1:3]]
    if len(parts) == 2 and all(len(part) == 3 and all(part) for part in parts):
        (category_scheme, category, category_name), (scheme, kind, name) = parts
        return (category, category_scheme, category_name[:_LONGEST]), (kind, scheme, name[:_LONGEST])
    return _CONTEXT.get(structure.name, (_ANATOMY, _ANATOMY)) if structure.context else (_ANATOMY, _HEART)


def _uid(samples: ExportedSamples, number: int, what: str) -> str:
    """The same for the same sample of the same model: exporting twice makes no second patient."""
    from pydicom.uid import generate_uid

    settings = samples.report.get("settings", {})
    return str(generate_uid(entropy_srcs=[samples.model, str(settings), str(number), what]))


def _number(value: float) -> str:
    """A decimal string of at most 16 letters."""
    from pydicom.valuerep import format_number_as_ds

    return format_number_as_ds(float(value))
