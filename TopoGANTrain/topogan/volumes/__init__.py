"""Read CT volumes and segmentations: NIfTI, NRRD, MetaImage, DICOM (series, SEG, structure sets), PNG slice folders."""

from topogan.volumes.dicom_seg import SegmentationObject, is_segmentation
from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.pairs import find_pairs
from topogan.volumes.png import PngOptions, PngSlices
from topogan.volumes.regions import Drawn, RegionChoice
from topogan.volumes.rtstruct import StructureSet, is_structure_set
from topogan.volumes.sources import FORMATS, VolumeSource, open_volume
from topogan.volumes.writing import write_image

__all__ = [
    "FORMATS",
    "Drawn",
    "Geometry",
    "PngOptions",
    "PngSlices",
    "RegionChoice",
    "SegmentationObject",
    "StructureSet",
    "Volume",
    "VolumeSource",
    "find_pairs",
    "is_segmentation",
    "is_structure_set",
    "open_volume",
    "write_image",
]
