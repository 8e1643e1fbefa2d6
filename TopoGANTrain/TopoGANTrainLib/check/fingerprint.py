"""Tells whether what a training set was made from is still the same: the scene's nodes, and what is typed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import slicer
import vtk

_Print = tuple[Any, ...]


def fingerprint(value: Any) -> _Print:
    """What changes whenever the data change that something was made from; of paths the names alone.

    Args:
        value: a dataclass of inputs, a node, or a plain value, in lists and tuples or not.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return (type(value).__name__, *(fingerprint(getattr(value, field.name)) for field in fields))
    if isinstance(value, list | tuple):
        return tuple(fingerprint(one) for one in value)
    if isinstance(value, slicer.vtkMRMLNode):
        return value.GetID(), *_content(value)
    return (value if isinstance(value, str | int | float | bool | None) else str(value),)


def _content(node: slicer.vtkMRMLNode) -> Iterator[Any]:
    """What of a node the training set is made from: how it is shown does not count."""
    if node.IsA("vtkMRMLVolumeNode"):
        image = node.GetImageData()
        matrix = vtk.vtkMatrix4x4()
        node.GetIJKToRASMatrix(matrix)
        yield 0 if image is None else image.GetMTime()
        yield tuple(matrix.GetElement(row, column) for row in range(3) for column in range(4))
    elif node.IsA("vtkMRMLSegmentationNode"):
        segmentation = node.GetSegmentation()
        for identifier in segmentation.GetSegmentIDs():
            segment = segmentation.GetSegment(identifier)
            # Of surfaces, too: masks that are made of them on the way change nothing.
            source = segment.GetRepresentation(segmentation.GetSourceRepresentationName())
            yield identifier, segment.GetName(), tuple(segment.GetColor()), 0 if source is None else source.GetMTime()
    elif node.IsA("vtkMRMLSliceNode"):
        # Where along its normal a plane lies does not count.
        matrix = node.GetSliceToRAS()
        yield tuple(matrix.GetElement(row, column) for row in range(3) for column in range(3))
    elif node.IsA("vtkMRMLSequenceNode"):
        for number in range(node.GetNumberOfDataNodes()):
            yield from _content(node.GetNthDataNode(number))
    else:
        yield node.GetMTime()
    if node.IsA("vtkMRMLTransformableNode"):
        yield node.GetTransformNodeID()
