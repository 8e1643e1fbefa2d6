"""Read CT volumes and segmentations: NIfTI, NRRD, MetaImage, DICOM series and structure sets, PNG slice folders."""

from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.pairs import find_pairs
from topogan.volumes.png import PngOptions
from topogan.volumes.rtstruct import RegionChoice, StructureSet, is_structure_set
from topogan.volumes.sources import FORMATS, VolumeSource, open_volume
from topogan.volumes.writing import write_image

__all__ = [
    "FORMATS",
    "Geometry",
    "PngOptions",
    "RegionChoice",
    "StructureSet",
    "Volume",
    "VolumeSource",
    "find_pairs",
    "is_structure_set",
    "open_volume",
    "write_image",
]
