"""Read CT volumes and segmentations: NIfTI, NRRD, MetaImage, DICOM series folders and PNG slice folders."""

from topogan.volumes.geometry import Geometry, Volume
from topogan.volumes.pairs import find_pairs
from topogan.volumes.sources import PngOptions, VolumeSource, open_volume

__all__ = ["Geometry", "PngOptions", "Volume", "VolumeSource", "find_pairs", "open_volume"]
