"""Patients for a scene: small CTs with two segments, alone or as sequences of phases."""

from __future__ import annotations

from typing import Any

import numpy as np

SHAPE = (8, 20, 20)
_MATRIX = np.diag([1.0, 1.0, 2.0, 1.0])


def masks(shift: int = 0) -> dict[str, np.ndarray]:
    """A ring with something in it, uint8 [slice, row, column]."""
    outer, inner = np.zeros(SHAPE, np.uint8), np.zeros(SHAPE, np.uint8)
    outer[1:7, 4:16, 4:16] = 1
    inner[1:7, 8 : 12 + shift, 8:12] = 1
    return {"Blood": inner, "Myocardium": outer & ~inner & 1}


def scan(value: int = 0) -> np.ndarray:
    """Noise in HU, int16 [slice, row, column], with ``value`` in the first voxel."""
    image = np.random.default_rng(value).integers(-100, 400, SHAPE).astype(np.int16)
    image.flat[0] = value
    return image


def add_patient(name: str, value: int = 0, shift: int = 0, order: tuple[str, ...] = ("Blood", "Myocardium")) -> Any:
    """A CT, ``value`` in its first voxel, and its segmentation, which knows that it was drawn on it."""
    import slicer

    image = scan(value)
    matrix = slicer.util.vtkMatrixFromArray(_MATRIX)
    volume = slicer.util.addVolumeFromArray(image, matrix, f"CT of {name}")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"Heart of {name}")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for segment in order:
        identifier = segmentation.GetSegmentation().AddEmptySegment("", segment)
        slicer.util.updateSegmentBinaryLabelmapFromArray(masks(shift)[segment], segmentation, identifier, volume)
    return volume, segmentation


def add_sequences(name: str, count: int, value: int = 100, values: list[str] | None = None) -> Any:
    """Sequences of CTs, ``value`` and up in their first voxels, and of segmentations; no browser plays them."""
    import slicer

    volumes = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", f"CT phases of {name}")
    segmentations = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", f"Heart phases of {name}")
    for phase in range(count):
        volume, segmentation = add_patient("a phase", value + phase, shift=phase % 4)
        index = str(phase) if values is None else values[phase]
        volumes.SetDataNodeAtValue(volume, index)
        segmentations.SetDataNodeAtValue(segmentation, index)
        for node in (volume, segmentation):
            slicer.mrmlScene.RemoveNode(node)
    return volumes, segmentations
