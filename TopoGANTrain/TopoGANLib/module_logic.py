"""What the logic of both modules shares: the parameters, and which engine to use."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from TopoGANLib import user_settings
from TopoGANLib.engine_process import Engine


class PanelLogic(ScriptedLoadableModuleLogic):
    """Base of both modules' logic."""

    def __init__(self, parameter_node: Callable[[Any], Any]) -> None:
        """Nothing runs yet.

        Args:
            parameter_node: wraps the module's node.
        """
        super().__init__()
        self._make_parameter_node = parameter_node
        self._parameter_node: Any = None

    def getParameterNode(self) -> Any:
        """The parameters, the same object for the same node."""
        node = super().getParameterNode()
        if self._parameter_node is None or self._parameter_node.parameterNode is not node:
            self._parameter_node = self._wrap(node)
        return self._parameter_node

    def engine(self) -> Engine:
        """The engine with the Python that the user has chosen, or with Slicer's own."""
        python = user_settings.read_text(user_settings.ENGINE_PYTHON) or sys.executable
        return Engine(Path(python), slicer.util.startupEnvironment())

    def _wrap(self, node: slicer.vtkMRMLScriptedModuleNode) -> Any:
        try:
            return self._make_parameter_node(node)
        except ValueError as error:
            logging.warning("The scene's %s settings are of another version and start anew: %s", self.moduleName, error)
            node.UnsetAllParameters()
            return self._make_parameter_node(node)
