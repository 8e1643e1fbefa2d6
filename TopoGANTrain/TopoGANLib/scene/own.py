"""Which nodes TopoGAN has made, so that none of them is taken for a patient."""

from __future__ import annotations

import slicer

from TopoGANLib.scene.sequences import sequences_of

_PREFIX = "TopoGAN."
_OWN = f"{_PREFIX}own"
# What refers to the other nodes of a synthesis or a comparison.
_KEEPERS = ("vtkMRMLSegmentationNode", "vtkMRMLSequenceBrowserNode", "vtkMRMLTextNode")
_PICTURES = ("vtkMRMLScalarVolumeNode", "vtkMRMLSegmentationNode", "vtkMRMLSequenceNode")


def mark_own(*nodes: slicer.vtkMRMLNode) -> None:
    """Let nodes and their copies be known, also when those that refer to them are gone."""
    for node in nodes:
        node.SetAttribute(_OWN, "yes")


def own_nodes(scene: slicer.vtkMRMLScene) -> set[str]:
    """IDs of what belongs to a synthesis, to its gallery and marks, or to a comparison: pictures, masks, sequences.

    Older scenes have no marks: there it is what the segmentation, the browser or the text refers to.
    """
    found = {node.GetID() for kind in _PICTURES for node in _nodes(scene, kind) if node.GetAttribute(_OWN)}
    for keeper in (node for kind in _KEEPERS for node in _nodes(scene, kind)):
        roles = [keeper.GetNthNodeReferenceRole(n) for n in range(keeper.GetNumberOfNodeReferenceRoles())]
        mine = [keeper.GetNodeReference(role) for role in roles if role.startswith(_PREFIX)]
        if mine:
            browsers = [node for node in (keeper, *mine) if node is not None and node.IsA(_KEEPERS[1])]
            sequences = [(browser, one) for browser in browsers for one in sequences_of(browser)]
            proxies = [browser.GetProxyNode(one) for browser, one in sequences]
            every = (keeper, *mine, *(one for _browser, one in sequences), *proxies)
            found |= {node.GetID() for node in every if node is not None}
    return found


def _nodes(scene: slicer.vtkMRMLScene, kind: str) -> list[slicer.vtkMRMLNode]:
    return list(slicer.util.getNodesByClass(kind, scene))
