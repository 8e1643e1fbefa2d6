"""What the logic of both modules shares: the parameters, and which engine to use."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from TopoGANLib import user_settings
from TopoGANLib.engine_process import Engine


class PanelLogic(ScriptedLoadableModuleLogic):
    """Base of both modules' logic."""

    def __init__(self, parameter_node: Any) -> None:
        """Nothing runs yet.

        Args:
            parameter_node: class of :func:`TopoGANLib.settings.parameter_node_class`.
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
        python = user_settings.read_text(user_settings.ENGINE_PYTHON) or sys.executable
        return Engine(Path(python), slicer.util.startupEnvironment())

    def _forget_unknown_choices(self, node: slicer.vtkMRMLScriptedModuleNode) -> None:
        """A scene may be of another version, which knew other choices; Slicer's wrapper would fail on them."""
        for name, words in self._make_parameter_node.choiceWords.items():
            word = node.GetParameter(name)
            if word and word not in words:
                logging.warning("%s: the scene's %s %r is not known here and is left out.", self.moduleName, name, word)
                node.UnsetParameter(name)
