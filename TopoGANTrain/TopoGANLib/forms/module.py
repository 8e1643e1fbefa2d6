"""What both modules share: the logic's parameters and engine, and the life of a panel in the application."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any, Protocol

import slicer
import vtk
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic, ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from TopoGANLib.engine.process import Engine
from TopoGANLib.forms import user_settings


class PanelLogic(ScriptedLoadableModuleLogic):
    """Base of both modules' logic."""

    def __init__(self, parameter_node: Any) -> None:
        """Nothing runs yet.

        Args:
            parameter_node: class of :func:`TopoGANLib.forms.settings.parameter_node_class`.
        """
        super().__init__()
        self._make_parameter_node = parameter_node
        self._parameter_node: Any = None

    def getParameterNode(self) -> Any:
        """The parameters, the same object for the same node."""
        node = super().getParameterNode()
        if self._parameter_node is None or self._parameter_node.parameterNode is not node:
            self._forget_unknown_choices(node)
            self._parameter_node = self._make_parameter_node(node)
        return self._parameter_node

    def engine(self) -> Engine:
        """The engine with the Python that the user has chosen, or with Slicer's own."""
        return chosen_engine()

    def _forget_unknown_choices(self, node: slicer.vtkMRMLScriptedModuleNode) -> None:
        """A scene may be of another version, which knew other choices; Slicer's wrapper would fail on them."""
        for name, words in self._make_parameter_node.choiceWords.items():
            word = node.GetParameter(name)
            if word and word not in words:
                logging.warning("%s: the scene's %s %r is not known here and is left out.", self.moduleName, name, word)
                node.UnsetParameter(name)


def chosen_engine() -> Engine:
    """The engine with the Python that the user has chosen, or with Slicer's own."""
    python = user_settings.read_text(user_settings.ENGINE_PYTHON) or sys.executable
    return Engine(Path(python), slicer.util.startupEnvironment())


class Panel(Protocol):
    """What is shown."""

    def enter(self) -> None:
        """The user looks at it."""

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""

    def refresh(self) -> None:
        """The parameters have changed."""

    def close(self) -> None:
        """Let go of everything; it will not be used again."""


class PanelWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Base of both modules' widgets, which say what is shown in :meth:`makePanel`."""

    formNames: tuple[str, ...] = ()
    """Forms below the one that has the module's name, in their order; names of widgets are unique among all of them."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: Any = None
        self.panel: Panel | None = None
        self._parameters: Any = None
        self._guiTag: int | None = None

    def makeLogic(self) -> Any:
        """The module's logic."""
        raise NotImplementedError

    def makePanel(self) -> Panel:
        """What works with ``self.ui`` and ``self.logic``."""
        raise NotImplementedError

    def setup(self) -> None:
        """Called once, when the user opens the module for the first time, and after a reload."""
        ScriptedLoadableModuleWidget.setup(self)
        top, *parts = (
            slicer.util.loadUI(self.resourcePath(f"UI/{name}.ui")) for name in (self.moduleName, *self.formNames)
        )
        for part in parts:
            top.layout().addWidget(part)
        self.layout.addWidget(top)
        if parts:
            self.layout.addStretch(1)
        self.ui = slicer.util.childWidgetVariables(top)
        # Each form hands the scene on to the widgets in it.
        for form in (top, *parts):
            form.setMRMLScene(slicer.mrmlScene)
        self.logic = self.makeLogic()
        self.panel = self.makePanel()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        # The selectors of nodes are empty for a moment, which must not become a choice.
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartImportEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndImport)
        self.initializeParameterNode()
        # After a reload the user looks at it already, and nobody says so again.
        if self.parent.isEntered:
            self.panel.enter()

    def cleanup(self) -> None:
        """Called when the application is closed, and before a reload."""
        self.setParameters(None)
        self.removeObservers()
        if self.panel is not None:
            self.panel.close()
            self.panel = None

    def onReload(self) -> None:
        """Reload the module's libraries with it, for there all of its behavior is; Slicer itself reloads one file."""
        libraries = ("topogan_contract", "TopoGANLib", f"{self.moduleName}Lib")
        for name in [name for name in sys.modules if name.partition(".")[0] in libraries]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def enter(self) -> None:
        """Called each time the user opens this module."""
        self.initializeParameterNode()
        if self.panel is not None:
            self.panel.enter()

    def exit(self) -> None:
        """Called each time the user opens another module."""
        self.setParameters(None)

    def onSceneStartClose(self, caller: Any, event: Any) -> None:
        """The parameter node is about to be emptied."""
        self.setParameters(None)

    def onSceneEndClose(self, caller: Any, event: Any) -> None:
        """The scene is empty."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneEndImport(self, caller: Any, event: Any) -> None:
        """A scene was loaded, perhaps with other parameters."""
        if self.parent.isEntered:
            self.setParameters(None)
            self.initializeParameterNode()

    def initializeParameterNode(self) -> None:
        """See that there is a parameter node and that the widgets show it."""
        self.setParameters(self.logic.getParameterNode())

    def setParameters(self, parameters: Any) -> None:
        """Bind the widgets to other parameters, or to none."""
        if parameters is self._parameters:
            return
        if self._parameters is not None:
            self._parameters.disconnectGui(self._guiTag)
            self.removeObserver(self._parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self.onModified)
        self._parameters = parameters
        if self.panel is not None:
            self.panel.set_parameters(parameters)
        if parameters is not None:
            self._guiTag = parameters.connectGui(self.ui)
            self.addObserver(parameters.parameterNode, vtk.vtkCommand.ModifiedEvent, self.onModified)
            self.onModified()

    def onModified(self, caller: Any = None, event: Any = None) -> None:
        """A parameter has changed."""
        if self.panel is not None:
            self.panel.refresh()
