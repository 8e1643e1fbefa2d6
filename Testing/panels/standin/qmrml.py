"""The widgets of Slicer that know the scene: a top widget and a selector of nodes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import slicer
from PySide6 import QtCore, QtWidgets
from shiboken6 import isValid

from standin.pythonqt import PythonQtObject
from standin.scene_hub import SceneHub

_hubs: dict[slicer.vtkMRMLScene, SceneHub] = {}


def _hub(scene: slicer.vtkMRMLScene) -> SceneHub:
    if scene not in _hubs:
        _hubs[scene] = SceneHub(scene)
    return _hubs[scene]


def close_hubs() -> None:
    """Stop observing every scene."""
    while _hubs:
        _hubs.popitem()[1].close()


class qMRMLWidget(PythonQtObject, QtWidgets.QWidget):
    """Hands the scene on to the widgets in it (Libs/MRML/Widgets/qMRMLWidget.h)."""

    _stands_for_cpp = True
    _signatures: ClassVar[dict[str, str]] = {"mrmlSceneChanged(vtkMRMLScene*)": "mrmlSceneChanged"}
    _slots: tuple[str, ...] = ("setMRMLScene(vtkMRMLScene*)",)
    mrmlSceneChanged = QtCore.Signal(object)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: slicer.vtkMRMLScene | None = None

    def mrmlScene(self) -> slicer.vtkMRMLScene | None:
        """The scene, None at first."""
        return self._scene

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        """Take another scene."""
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


def _flag(name: str, default: bool) -> QtCore.Property:
    """A property of bool that may change what is listed."""

    def change(self: qMRMLNodeComboBox, value: bool) -> None:
        self.__dict__[f"_{name}"] = value
        self._refresh()

    return QtCore.Property(bool, lambda self: self.__dict__.get(f"_{name}", default), change)


class qMRMLNodeComboBox(PythonQtObject, QtWidgets.QWidget):
    """Chooses a node of the scene (Libs/MRML/Widgets/qMRMLNodeComboBox.h)."""

    _stands_for_cpp = True
    _signatures: ClassVar[dict[str, str]] = {
        "currentNodeChanged(vtkMRMLNode*)": "currentNodeChanged",
        "currentNodeChanged(bool)": "_validChanged",
        "currentNodeIDChanged(QString)": "currentNodeIDChanged",
    }
    _slots: tuple[str, ...] = ("setMRMLScene(vtkMRMLScene*)", "setCurrentNode(vtkMRMLNode*)")
    currentNodeChanged = QtCore.Signal(object)
    currentNodeIDChanged = QtCore.Signal(str)
    _validChanged = QtCore.Signal(bool)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: slicer.vtkMRMLScene | None = None
        self._types: list[str] = []
        self._none_display = "None"
        self._nodes: list[slicer.vtkMRMLNode | None] = []
        self._current: slicer.vtkMRMLNode | None = None
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._combo = QtWidgets.QComboBox()
        self._combo.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Expanding)
        self._combo.currentIndexChanged.connect(self._chosen)
        layout.addWidget(self._combo)

    noneEnabled = _flag("noneEnabled", False)
    addEnabled = _flag("addEnabled", True)
    removeEnabled = _flag("removeEnabled", True)
    editEnabled = _flag("editEnabled", False)
    renameEnabled = _flag("renameEnabled", False)
    showHidden = _flag("showHidden", False)
    showChildNodeTypes = _flag("showChildNodeTypes", True)
    selectNodeUponCreation = _flag("selectNodeUponCreation", True)

    def _set_types(self, types: Iterable[str]) -> None:
        self._types = list(types)
        self._refresh()

    def _set_none_display(self, text: str) -> None:
        self._none_display = text
        self._refresh()

    nodeTypes = QtCore.Property("QStringList", lambda self: self._types, _set_types)
    noneDisplay = QtCore.Property(str, lambda self: self._none_display, _set_none_display)
    currentNodeID = QtCore.Property(
        str,
        lambda self: self._current.GetID() if self._current else "",
        lambda self, identifier: self.setCurrentNode(self._scene.GetNodeByID(identifier) if self._scene else None),
    )

    def mrmlScene(self) -> slicer.vtkMRMLScene | None:
        """The scene, None at first."""
        return self._scene

    def setMRMLScene(self, scene: slicer.vtkMRMLScene | None) -> None:
        """List the nodes of a scene and follow its changes."""
        self._scene = scene
        if scene is not None:
            _hub(scene).listen(self._follow)
        self._refresh()

    def currentNode(self) -> slicer.vtkMRMLNode | None:
        """The chosen node."""
        return self._current

    def setCurrentNode(self, node: slicer.vtkMRMLNode | None) -> None:
        """Choose a node; one that is not listed counts as none."""
        index = next((index for index, known in enumerate(self._nodes) if known is node), -1)
        self._combo.setCurrentIndex(index)
        self._chosen(index)

    def nodeCount(self) -> int:
        """Number of nodes to choose from."""
        return sum(node is not None for node in self._nodes)

    def _follow(self, event: str, leaving: slicer.vtkMRMLNode | None = None) -> None:
        if event == "EndImportEvent" and isValid(self):
            # qMRMLSceneModel::onMRMLSceneImported takes all items away before it lists the nodes anew.
            self._chosen(-1)
            self._nodes = []
        self._refresh(leaving)

    def _refresh(self, leaving: slicer.vtkMRMLNode | None = None) -> None:
        if not isValid(self) or not hasattr(self, "_combo"):
            return
        before, row = self._nodes, self._combo.currentIndex()
        listed = [node for node in self._listed() if node is not leaving]
        self._nodes = ([None] if self.noneEnabled else []) + listed
        names = [self._none_display if node is None else node.GetName() for node in self._nodes]
        index = self._index_after(before, listed)
        self._combo.blockSignals(True)
        self._combo.clear()
        self._combo.addItems(names)
        self._combo.setCurrentIndex(index)
        self._combo.blockSignals(False)
        # QComboBox tells of another row of the same node, too.
        self._chosen(index, again=0 <= index != row)

    def _index_after(self, before: list[slicer.vtkMRMLNode | None], listed: list[slicer.vtkMRMLNode]) -> int:
        """Row of the chosen node; where it has left, of the one after it or before it, though None could be chosen."""
        chosen = self._current
        if chosen is not None and chosen not in listed and chosen in before and listed:
            place = [node for node in before if node is not None].index(chosen)
            chosen = listed[min(place, len(listed) - 1)]
        elif chosen is None and not self.noneEnabled and not before and not (self.addEnabled or self.removeEnabled):
            return 0 if listed else -1
        return next((index for index, node in enumerate(self._nodes) if node is chosen), -1)

    def _listed(self) -> list[slicer.vtkMRMLNode]:
        if self._scene is None:
            return []
        nodes = [self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes())]
        wanted = [node for node in nodes if any(node.IsA(kind) for kind in self._types)]
        return [node for node in wanted if self.showHidden or not node.GetHideFromEditors()]

    def _chosen(self, index: int, again: bool = False) -> None:
        node = self._nodes[index] if 0 <= index < len(self._nodes) else None
        if node is not self._current or (again and node is not None):
            self._current = node
            self.currentNodeChanged.emit(node)
            self._validChanged.emit(node is not None)
            self.currentNodeIDChanged.emit(node.GetID() if node else "")
