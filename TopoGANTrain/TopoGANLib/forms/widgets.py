"""What the widgets of a form need beyond their .ui file and Slicer's own connectors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import qt
import slicer

from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.settings import Setting

_FEW_DECIMALS = 2


def describe_widgets(ui: Any, settings: Iterable[Setting]) -> None:
    """Give each bound widget the help of its setting, and boxes for numbers unit and digits.

    Args:
        ui: the form's widgets by name.
        settings: what the engine knows.
    """
    known = {setting.attribute: setting for setting in settings}
    for widget in vars(ui).values():
        setting = known.get(widget.property("SlicerParameterName"))
        if setting is None:
            continue
        widget.toolTip = setting.tool_tip()
        # As annotations of the parameters they would work too, but Slicer logs a warning for each.
        if type(widget) is qt.QDoubleSpinBox:
            widget.decimals = setting.decimals
            widget.singleStep = 0.1 if setting.decimals == _FEW_DECIMALS else 10.0 ** -(setting.decimals - 1)
        if setting.unit and type(widget) in (qt.QSpinBox, qt.QDoubleSpinBox):
            widget.suffix = f" {setting.unit}"


class SegmentChoice:
    """Keeps a qMRMLSegmentSelectorWidget and the parameters of node and segment equal, whichever changes."""

    def __init__(self, selector: Any, node_name: str, segment_name: str) -> None:
        """Listen to the selector.

        Args:
            selector: qMRMLSegmentSelectorWidget.
            node_name: parameter that holds the segmentation.
            segment_name: parameter that holds the segment's id.
        """
        self._selector, self._node_name, self._segment_name = selector, node_name, segment_name
        self._parameters: Any = None
        self._showing = False
        self._connections = Connections()
        self._connections.add(selector, "currentNodeChanged(vtkMRMLNode*)", self._take)
        self._connections.add(selector, "currentSegmentChanged(QString)", self._take)

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none: show what they say, or keep what is shown."""
        self._parameters = parameters
        if parameters is None:
            return
        node, segment = getattr(parameters, self._node_name), getattr(parameters, self._segment_name)
        if node is not None:
            self._showing = True
            self._selector.setCurrentNode(node)
            if segment:
                self._selector.setCurrentSegmentID(segment)
            self._showing = False
        self._take()

    def close(self) -> None:
        """Let go of the selector."""
        self._connections.close()
        self._parameters = None

    def _take(self) -> None:
        if self._showing or self._parameters is None:
            return
        node = self._selector.currentNode()
        segment = self._selector.currentSegmentID() if node is not None else ""
        # The selector remembers the segment of the segmentation before, until another is chosen.
        if node is not None and node.GetSegmentation().GetSegment(segment) is None:
            segment = ""
        with slicer.util.NodeModify(self._parameters.parameterNode):
            setattr(self._parameters, self._node_name, node)
            setattr(self._parameters, self._segment_name, segment)
