"""Chosen nodes that leave the scene: parameters let go of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer
import vtk


class LeavingNodes:
    """Sets parameters to None whose node is removed, for its selector goes to a neighbor, which is nobody's choice."""

    def __init__(self, names: Sequence[str]) -> None:
        """Follow no parameters yet.

        Args:
            names: of the parameters that are nodes of the scene.
        """
        self._names = names
        self._parameters: Any = None
        self._tag = 0

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none."""
        self._parameters = parameters
        scene = slicer.mrmlScene
        if self._tag:
            scene.RemoveObserver(self._tag)
        # Before the selectors hear of it: their models observe the scene with a lower priority.
        wanted = parameters is not None
        self._tag = scene.AddObserver(scene.NodeAboutToBeRemovedEvent, self._let_go) if wanted else 0

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _let_go(self, caller: Any, event: Any, node: Any) -> None:
        for name in self._names:
            if getattr(self._parameters, name) is node:
                setattr(self._parameters, name, None)
