"""Folders of the subject hierarchy: the nodes of a synthesis lie in one of their own."""

from __future__ import annotations

from collections.abc import Iterable

import slicer


def put_into_folder(name: str, nodes: Iterable[slicer.vtkMRMLNode], scene: slicer.vtkMRMLScene) -> None:
    """Put nodes into a new folder; ``name`` is made unique."""
    hierarchy = _hierarchy(scene)
    folder = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), hierarchy.GenerateUniqueItemName(name))
    for node in nodes:
        hierarchy.CreateItem(folder, node)


def put_beside(one: slicer.vtkMRMLNode, *others: slicer.vtkMRMLNode) -> None:
    """Put nodes into the folder of another one."""
    hierarchy, folder = _hierarchy(one.GetScene()), folder_of(one)
    for node in others:
        hierarchy.CreateItem(folder, node)


def folder_of(node: slicer.vtkMRMLNode) -> int:
    """The item of the folder that a node lies in, or of the scene."""
    hierarchy = _hierarchy(node.GetScene())
    return hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node))


def remove_if_empty(folder: int, scene: slicer.vtkMRMLScene) -> None:
    """Remove a folder in which nothing lies any more; never its branch: what the user has put there is not ours."""
    hierarchy = _hierarchy(scene)
    if folder != hierarchy.GetSceneItemID() and hierarchy.GetNumberOfItemChildren(folder) == 0:
        hierarchy.RemoveItem(folder)


def _hierarchy(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLSubjectHierarchyNode:
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
