"""Which nodes TopoGAN has made: none of them may be taken for a patient, and they go together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import slicer

from TopoGANLib.scene.sequences import sequences_of

_PREFIX = "TopoGAN."
_OWN = f"{_PREFIX}own"
_ANY, _BROWSER, _TEXT = "vtkMRMLNode", "vtkMRMLSequenceBrowserNode", "vtkMRMLTextNode"
# What refers to the other nodes of a synthesis or a comparison.
_KEEPERS = ("vtkMRMLSegmentationNode", _BROWSER, _TEXT)
_PICTURES = ("vtkMRMLScalarVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLSequenceNode")
_HELPERS = ("display", "storage")
_RENDERING_HELPERS = ("volumeProperty", "roi")


def mark_own(*nodes: slicer.vtkMRMLNode) -> None:
    """Let nodes and their copies be known, also when those that refer to them are gone."""
    for node in nodes:
        node.SetAttribute(_OWN, "yes")


def is_own(node: slicer.vtkMRMLNode) -> bool:
    """Whether a node is marked so."""
    return bool(node.GetAttribute(_OWN))


def own_nodes(scene: slicer.vtkMRMLScene) -> set[str]:
    """IDs of what belongs to a synthesis, to its gallery and marks, or to a comparison: pictures, masks, sequences.

    Older scenes have no marks: there it is what the segmentation, the browser or the text refers to.
    """
    found = {node.GetID() for kind in _PICTURES for node in _nodes(scene, kind) if is_own(node)}
    for keeper in (node for kind in _KEEPERS for node in _nodes(scene, kind)):
        if _references(keeper):
            found |= {node.GetID() for node in family(keeper)}
    return found


def family(keeper: slicer.vtkMRMLNode, but: slicer.vtkMRMLNode | None = None) -> list[slicer.vtkMRMLNode]:
    """A node and all that it refers to in TopoGAN's name, with what browsers play, each once.

    Args:
        keeper: of a synthesis or a comparison.
        but: is left out, with what only it refers to.
    """
    found: list[slicer.vtkMRMLNode] = []
    left = [keeper]
    while left:
        node = left.pop()
        if node is but or node in found:
            continue
        found.append(node)
        left += _references(node)
        if node.IsA(_BROWSER):
            sequences = sequences_of(node)
            left += sequences
            left += filter(None, map(node.GetProxyNode, sequences))
    return found


def comparison_texts(segmentation: slicer.vtkMRMLSegmentationNode) -> list[slicer.vtkMRMLTextNode]:
    """The texts that refer to a synthesis, by its segmentation: what is left of its comparisons hangs on them."""
    return [text for text in _nodes(segmentation.GetScene(), _TEXT) if segmentation in _references(text)]


def remove_nodes(nodes: Sequence[slicer.vtkMRMLNode]) -> None:
    """Take nodes out of their scene, with their display and storage nodes and their items of the hierarchy."""
    # Browsers first: they look after what they play.
    for node in sorted(nodes, key=lambda one: not one.IsA(_BROWSER)):
        scene = node.GetScene()
        if scene is None:  # it went with one before
            continue
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        helpers = _helpers(node, _HELPERS)
        # The application does this itself; without it the item would outlive its node.
        item = hierarchy.GetItemByDataNode(node)
        if item:
            hierarchy.RemoveItem(item, False, False)
        scene.RemoveNode(node)
        # Not before, or the slice views would make an image's display node anew.
        for helper in helpers:
            scene.RemoveNode(helper)


@contextmanager
def added_whole(scene: slicer.vtkMRMLScene) -> Iterator[None]:
    """Take out of a scene again what is put into it meanwhile, if an error ends that: nobody would know of it.

    Usage::

        with added_whole(scene):
            image = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
            slicer.util.updateVolumeFromArray(image, array)
    """
    before = {node.GetID() for node in _nodes(scene, _ANY)}
    try:
        yield
    except BaseException:
        added = (node for node in _nodes(scene, _ANY) if node.GetID() not in before)
        # Others would not find a singleton again, which an application has made beside it.
        remove_nodes([node for node in added if not node.IsSingleton()])
        raise


def _references(node: slicer.vtkMRMLNode) -> list[slicer.vtkMRMLNode]:
    roles = [node.GetNthNodeReferenceRole(n) for n in range(node.GetNumberOfNodeReferenceRoles())]
    return _referred(node, [role for role in roles if role.startswith(_PREFIX)])


def _helpers(node: slicer.vtkMRMLNode, roles: Sequence[str]) -> list[slicer.vtkMRMLNode]:
    """What stays behind when only the node goes: display and storage nodes, and what a volume rendering needs."""
    return [one for helper in _referred(node, roles) for one in (*_helpers(helper, _RENDERING_HELPERS), helper)]


def _referred(node: slicer.vtkMRMLNode, roles: Sequence[str]) -> list[slicer.vtkMRMLNode]:
    found = [node.GetNthNodeReference(role, n) for role in roles for n in range(node.GetNumberOfNodeReferences(role))]
    return [one for one in found if one is not None]


def _nodes(scene: slicer.vtkMRMLScene, kind: str) -> list[slicer.vtkMRMLNode]:
    return list(slicer.util.getNodesByClass(kind, scene))
