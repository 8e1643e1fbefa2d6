"""Finds the CT of each segmentation of the scene, for the button that adds all patients at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import slicer
import vtk

from TopoGANLib.scene.own import own_nodes
from TopoGANTrainLib.data.patients import ScenePatient, next_number
from TopoGANTrainLib.data.sequence_input import items_of

_CLOSE = 1e-3


def fitting_patients(scene: slicer.vtkMRMLScene, listed: Sequence[ScenePatient]) -> list[ScenePatient]:
    """Pairs of a CT and a segmentation that are not listed yet, sequences first.

    A segmentation belongs to the volume that it was drawn on, else to the only one of its study or patient in the
    subject hierarchy, else to the only one on its grid. A sequence of segmentations belongs to the sequence of CTs that
    one browser plays with it, else to the only one of as many phases in its study or patient, with its index values, or
    at all. Where several would do, none is taken; and of a CT that is listed, nothing more. Samples of models, and what
    was made to look at them, are no patients.

    Args:
        scene: where to look.
        listed: what is there already; nodes of one patient in the subject hierarchy get one number.
    """
    used = {node.GetID() for one in listed for node in one.nodes}
    own = own_nodes(scene)
    found: list[ScenePatient] = []
    proxies = _proxies(scene)
    sequences = [node for node in _nodes(scene, "vtkMRMLSequenceNode", own) if node.GetNumberOfDataNodes()]
    masks = [node for node in sequences if _holds(node, "vtkMRMLSegmentationNode")]
    scans = [node for node in sequences if _holds(node, "vtkMRMLScalarVolumeNode")]
    plain_masks = _nodes(scene, "vtkMRMLSegmentationNode", own | proxies)
    plain_scans = [node for node in _nodes(scene, "vtkMRMLScalarVolumeNode", own) if _is_scan(node)]
    for segmentation in (*masks, *plain_masks):
        is_sequence = segmentation.IsA("vtkMRMLSequenceNode")
        volume = _scan_of_sequence(segmentation, scans) if is_sequence else _scan_of(segmentation, plain_scans)
        if volume is not None and not {volume.GetID(), segmentation.GetID()} & used:
            used |= {volume.GetID(), segmentation.GetID()}
            number = number_of(segmentation, volume, [*listed, *found])
            found.append(ScenePatient(segmentation, volume, number=number))
    return found


def first_unlisted(scene: slicer.vtkMRMLScene, listed: Sequence[ScenePatient]) -> ScenePatient:
    """What a row that is added by hand begins with: the first segmentation that is in none, and the CT of it."""
    used = {node.GetID() for one in listed for node in one.nodes}
    own = own_nodes(scene)
    segmentations = _nodes(scene, "vtkMRMLSegmentationNode", own | used)
    scans = [node for node in _nodes(scene, "vtkMRMLScalarVolumeNode", own) if _is_scan(node)]
    segmentation = segmentations[0] if segmentations else None
    volume = None if segmentation is None else _scan_of(segmentation, scans)
    return ScenePatient(segmentation, volume, number=number_of(segmentation, volume, listed))


def number_of(
    segmentation: slicer.vtkMRMLNode | None, volume: slicer.vtkMRMLNode | None, listed: Sequence[ScenePatient]
) -> int:
    """The number of the row with the same CT or of the same patient in the hierarchy, else one that nobody has."""
    for one in listed:
        if volume is not None and one.volume is volume:
            return one.number
    own = {_ancestor(node, _patient_level()) for node in (segmentation, volume)} - {0}
    for one in listed:
        if own & {_ancestor(node, _patient_level()) for node in one.nodes}:
            return one.number
    return next_number(one.number for one in listed)


def _scan_of(segmentation: Any, scans: Sequence[Any]) -> Any:
    reference = segmentation.GetNodeReference(segmentation.GetReferenceImageGeometryReferenceRole())
    if reference in scans:
        return reference
    return _only_of(_in_one_branch(segmentation, scans)) or _only_of(
        scan for scan in scans if _has_grid_of(scan, segmentation)
    )


def _scan_of_sequence(segmentations: Any, scans: Sequence[Any]) -> Any:
    played = [
        scan
        for scan in scans
        if any(
            browser.IsSynchronizedSequenceNode(segmentations, True) and browser.IsSynchronizedSequenceNode(scan, True)
            for browser in _nodes(scan.GetScene(), "vtkMRMLSequenceBrowserNode")
        )
    ]
    if _only_of(played) is not None:
        return played[0]
    fitting = [scan for scan in scans if scan.GetNumberOfDataNodes() == segmentations.GetNumberOfDataNodes()]
    same_values = [scan for scan in fitting if _values(scan) == _values(segmentations)]
    on_grid = [scan for scan in fitting if _has_grid_of(items_of(scan)[0], items_of(segmentations)[0])]
    choices = (_in_one_branch(segmentations, fitting), same_values, on_grid, fitting)
    return next(filter(None, map(_only_of, choices)), None)


def _in_one_branch(node: Any, others: Sequence[Any]) -> list[Any]:
    """Those of the same study; if there is none, those of the same patient."""
    levels = slicer.vtkMRMLSubjectHierarchyConstants
    for level in (levels.GetDICOMLevelStudy(), _patient_level()):
        own = _ancestor(node, level)
        found = [other for other in others if own and _ancestor(other, level) == own]
        if found:
            return found
    return []


def _ancestor(node: Any, level: str) -> int:
    """Item of the subject hierarchy above a node, 0 for none."""
    if node is None or node.GetScene() is None:
        return 0
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    return int(hierarchy.GetItemAncestorAtLevel(item, level)) if item else 0


def _patient_level() -> str:
    level: str = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMLevelPatient()
    return level


def _has_grid_of(volume: Any, segmentation: Any) -> bool:
    name = slicer.vtkSegmentationConverter.GetReferenceImageGeometryParameterName()
    text = segmentation.GetSegmentation().GetConversionParameter(name)
    geometry = slicer.vtkOrientedImageData()
    if not text or not slicer.vtkSegmentationConverter.DeserializeImageGeometry(text, geometry, False):
        return False
    return volume.GetImageData() is not None and _same_grid(volume, geometry)


def _same_grid(volume: Any, geometry: Any) -> bool:
    ours, theirs = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(ours)
    geometry.GetImageToWorldMatrix(theirs)
    pair = (slicer.util.arrayFromVTKMatrix(one) for one in (ours, theirs))
    same_size = volume.GetImageData().GetDimensions() == geometry.GetDimensions()
    return bool(same_size and np.allclose(*pair, atol=_CLOSE))


def _proxies(scene: Any) -> set[str]:
    """IDs of the nodes that only show one item of a sequence."""
    found = set()
    for browser in _nodes(scene, "vtkMRMLSequenceBrowserNode"):
        sequences = (one for one in _nodes(scene, "vtkMRMLSequenceNode"))
        shown = (browser.GetProxyNode(one) for one in sequences if browser.IsSynchronizedSequenceNode(one, True))
        found |= {node.GetID() for node in shown if node is not None}
    return found


def _values(sequence: Any) -> list[str]:
    return [sequence.GetNthIndexValue(number) for number in range(sequence.GetNumberOfDataNodes())]


def _holds(sequence: Any, kind: str) -> bool:
    return all(node is not None and node.IsA(kind) for node in items_of(sequence))


def _is_scan(node: Any) -> bool:
    image = node.GetImageData()
    return not node.IsA("vtkMRMLLabelMapVolumeNode") and image is not None and image.GetNumberOfScalarComponents() == 1


def _nodes(scene: Any, kind: str, but: AbstractSet[str] = frozenset()) -> list[Any]:
    """Those that the user sees, but those with some IDs."""
    every = (scene.GetNthNodeByClass(number, kind) for number in range(scene.GetNumberOfNodesByClass(kind)))
    return [node for node in every if not node.GetHideFromEditors() and node.GetID() not in but]


def _only_of(found: Iterable[Any]) -> Any:
    """The only one; None for none, and where it would have to be guessed."""
    every = list(found)
    return every[0] if len(every) == 1 else None
