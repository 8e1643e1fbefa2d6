"""What the widgets of a form need beyond their .ui file and Slicer's own connectors."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from typing import Any

import qt
import slicer

from TopoGANLib.forms.connections import Connections
from TopoGANLib.forms.settings import Setting, SettingChoice

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


def offer(box: Any, chosen: SettingChoice, values: Collection[int]) -> bool:
    """Leave only some values of a choice's box to choose from; tell whether what is chosen is among them.

    Args:
        box: QComboBox that is bound to the choice.
        chosen: a member of the choice.
        values: as the engine has them.
    """
    words = {str(value) for value in values}
    for row, member in enumerate(type(chosen)):
        # What Qt's own model of a box takes for an item's flags: 0 is skipped by wheel and keyboard, None the default.
        box.setItemData(row, None if member.name in words else 0, qt.Qt.UserRole - 1)
        box.view().setRowHidden(row, member.name not in words)
    return chosen.name in words


class SegmentChoice:
    """Keeps a qMRMLSegmentSelectorWidget for several segments equal to the parameters, whichever changes.

    The parameter ``segmentation`` holds the node, ``segmentIds`` the ids as a JSON list; scenes of version 0.1 have one
    id in ``segmentId``.
    """

    def __init__(self, selector: Any, changed: Callable[[], None]) -> None:
        """Listen to the selector.

        Args:
            selector: the widget.
            changed: is called when the segmentation has other segments, or they other names.
        """
        self._selector, self._changed = selector, changed
        self._observed: slicer.vtkMRMLSegmentationNode | None = None
        self._tags: list[int] = []
        self._parameters: Any = None
        self._showing = False
        self._connections = Connections()
        self._connections.add(selector, "currentNodeChanged(vtkMRMLNode*)", self._take_node)
        self._connections.add(selector, "segmentSelectionChanged(QStringList)", self._take)

    @property
    def identifiers(self) -> list[str]:
        """The chosen segments that there are, in the order of the segmentation."""
        if self._parameters is None or self._parameters.segmentation is None:
            return []
        chosen = self._wanted(self._parameters)
        return [one for one in self._parameters.segmentation.GetSegmentation().GetSegmentIDs() if one in chosen]

    @property
    def names(self) -> list[str]:
        """Of these segments."""
        if self._parameters is None or self._parameters.segmentation is None:
            return []
        segmentation = self._parameters.segmentation.GetSegmentation()
        return [segmentation.GetSegment(one).GetName() for one in self.identifiers]

    def set_parameters(self, parameters: Any) -> None:
        """Other parameters, None while there are none: show what they say, or keep what is shown."""
        self._parameters = parameters
        if parameters is None:
            self._observe(None)
            return
        node = parameters.segmentation
        if node is not None:
            self._showing = True
            self._selector.setCurrentNode(node)
            self._showing = False
        # A selector that does not know a loaded node yet will say so when it does.
        if node is None or self._selector.currentNode() is node:
            self._take_node()

    def refresh(self) -> None:
        """Show what the parameters say, be it a script that has set them, and no segment that is gone."""
        if self._showing or self._parameters is None:
            return
        node = self._parameters.segmentation
        self._observe(node)
        self._showing = True
        if self._selector.currentNode() is not node:
            self._selector.setCurrentNode(node)
        chosen = self.identifiers
        if node is self._selector.currentNode() and list(self._selector.selectedSegmentIDs()) != chosen:
            self._selector.setSelectedSegmentIDs(chosen)
        self._showing = False

    def close(self) -> None:
        """Let go of the selector and of the segmentation."""
        self._connections.close()
        self._observe(None)
        self._parameters = None

    def _observe(self, node: slicer.vtkMRMLSegmentationNode | None) -> None:
        """The selector says nothing when the last segment is removed."""
        if node is self._observed:
            return
        for tag in self._tags:
            self._observed.RemoveObserver(tag)
        kind = slicer.vtkSegmentation
        events = () if node is None else (kind.SegmentAdded, kind.SegmentRemoved, kind.SegmentModified)
        self._tags = [node.AddObserver(event, self._segments_changed) for event in events]
        self._observed = node

    def _segments_changed(self, caller: Any, event: Any) -> None:
        self._changed()

    def _wanted(self, parameters: Any) -> list[str]:
        before = parameters.parameterNode.GetParameter("segmentId")
        try:
            chosen = json.loads(parameters.segmentIds or json.dumps([before]))
        except (ValueError, RecursionError):
            chosen = []
        return [one for one in chosen if isinstance(one, str) and one] if isinstance(chosen, list) else []

    def _take_node(self) -> None:
        if self._showing or self._parameters is None:
            return
        node = self._selector.currentNode()
        if node is not None:
            known = node.GetSegmentation().GetSegmentIDs()
            # What the selector remembers may be of the scene before.
            wanted = self._wanted(self._parameters) if node is self._parameters.segmentation else ()
            chosen = [one for one in wanted or self._selector.selectedSegmentIDs() if one in known]
            # One structure is the usual case.
            self._selector.setSelectedSegmentIDs(chosen or list(known[:1]))
        self._take()

    def _take(self) -> None:
        if self._showing or self._parameters is None:
            return
        node = self._selector.currentNode()
        # The selector remembers those of the segmentation before, until others are chosen.
        known = [] if node is None else node.GetSegmentation().GetSegmentIDs()
        chosen = [one for one in self._selector.selectedSegmentIDs() if one in known]
        with slicer.util.NodeModify(self._parameters.parameterNode):
            self._parameters.segmentation = node
            self._parameters.segmentIds = json.dumps(chosen)
            self._parameters.parameterNode.UnsetParameter("segmentId")
