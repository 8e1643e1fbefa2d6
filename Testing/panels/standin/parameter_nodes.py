"""``slicer.parameterNodeWrapper``: typed parameters of a MRML node, bound to widgets by SlicerParameterName."""

from __future__ import annotations

import enum
import typing
from collections.abc import Callable
from typing import Any

import qt
import slicer
import vtk


class WithinRange:
    """Limits of a number, both included."""

    def __init__(self, minimum: float, maximum: float) -> None:
        self.minimum, self.maximum = minimum, maximum

    def validate(self, value: float) -> None:
        """Raise ValueError for a number outside."""
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be within range [{self.minimum}, {self.maximum}], is {value}")


class _Parameter:
    def __init__(self, name: str, annotated: Any, default: Any) -> None:
        self.name = name
        arguments = typing.get_args(typing.Annotated[annotated, None])
        self.type, self.notes = arguments[0], arguments[1:-1]
        self.default = default
        if not self._is_node and self.type not in (int, float, str, bool) and not issubclass(self.type, enum.Enum):
            raise TypeError(f"the stand-in has no parameter of type {self.type}: add it if Slicer has it")
        if default is None and not self._is_node:
            self.default = next(iter(self.type)) if issubclass(self.type, enum.Enum) else self.type()

    @property
    def _is_node(self) -> bool:
        return issubclass(self.type, slicer.vtkMRMLNode)

    def note(self, kind: type) -> Any:
        return next((note for note in self.notes if isinstance(note, kind)), None)

    def read(self, node: slicer.vtkMRMLScriptedModuleNode) -> Any:
        if not node.HasParameter(self.name):
            self.write(node, self.default)  # the scene was closed
        if self._is_node:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        if self.type is bool:
            return text == "True"
        if issubclass(self.type, enum.Enum):
            if text not in self.type.__members__:
                raise ValueError(f"Found {text!r} in parameter node but it is not a name in {self.type!r}")
            return self.type[text]
        return self.type(text)

    def write(self, node: slicer.vtkMRMLScriptedModuleNode, value: Any) -> None:
        accepted = (int, float) if self.type is float else self.type
        if not isinstance(value, accepted) and not (value is None and self._is_node):
            raise TypeError(f"{self.name} must be of type {self.type}, is {value!r}")
        limits = self.note(WithinRange)
        if limits:
            limits.validate(value)
        if self._is_node:
            node.SetParameter(self.name, "")
            node.SetNodeReferenceID(self.name, value.GetID() if value else None)
        else:
            node.SetParameter(self.name, value.name if isinstance(value, enum.Enum) else str(value))


class _Connector:
    """Ties a parameter to a widget; which ones fit is the table of guiConnectors.py."""

    def __init__(self, parameter: _Parameter, widget: Any, changed: Callable[[str, Any], None]) -> None:
        self.parameter, self.widget, self._changed = parameter, widget, changed
        kind = type(widget)
        self._signal, self._member = self._fit(kind)
        if kind in (qt.QSpinBox, qt.QDoubleSpinBox):
            limits = parameter.note(WithinRange)
            if limits:
                widget.setRange(limits.minimum, limits.maximum)
        if kind is qt.QComboBox:
            widget.clear()
            for member in parameter.type:
                widget.addItem(member.label() if hasattr(member, "label") else member.name)

    def _fit(self, kind: type) -> tuple[str, str]:
        table = {
            (bool, qt.QCheckBox): ("stateChanged", "checked"),
            (int, qt.QSpinBox): ("valueChanged", "value"),
            (float, qt.QDoubleSpinBox): ("valueChanged", "value"),
            (str, qt.QLineEdit): ("textChanged", "text"),
            (enum.Enum, qt.QComboBox): ("currentIndexChanged", "currentIndex"),
            (slicer.vtkMRMLNode, slicer.qMRMLNodeComboBox): ("currentNodeChanged", ""),
        }
        for (kind_of_value, kind_of_widget), how in table.items():
            if kind is kind_of_widget and issubclass(self.parameter.type, kind_of_value):
                return how
        raise RuntimeError(f"Unable to create GUI connector from {self.parameter.type} to {kind}")

    def start(self) -> None:
        getattr(self.widget, self._signal).connect(self.read)

    def stop(self) -> None:
        getattr(self.widget, self._signal).disconnect(self.read)

    def read(self) -> None:
        value = getattr(self.widget, self._member) if self._member else self.widget.currentNode()
        if issubclass(self.parameter.type, enum.Enum):
            value = list(self.parameter.type)[value]
        self._changed(self.parameter.name, value)

    def write(self, value: Any) -> None:
        if not self._member:
            self.widget.setCurrentNode(value)
            return
        if isinstance(value, enum.Enum):
            value = list(self.parameter.type).index(value)
        if getattr(self.widget, self._member) != value:
            setattr(self.widget, self._member, value)


class _Wrapper:
    """What the decorator adds to a class."""

    allParameters: dict[str, _Parameter]

    def __init__(self, parameterNode: slicer.vtkMRMLScriptedModuleNode) -> None:
        self.parameterNode = parameterNode
        self._connected: dict[int, tuple[list[_Connector], int]] = {}
        self._updating = False
        for parameter in self.allParameters.values():
            parameter.read(parameterNode)

    def getValue(self, name: str) -> Any:
        return self.allParameters[name].read(self.parameterNode)

    def setValue(self, name: str, value: Any) -> None:
        with slicer.util.NodeModify(self.parameterNode):
            self.allParameters[name].write(self.parameterNode, value)

    def connectGui(self, gui: Any) -> int:
        named = ((w.property("SlicerParameterName"), w) for w in vars(gui).values())
        connectors = [
            _Connector(self.allParameters[name], widget, self._widget_changed) for name, widget in named if name
        ]
        for connector in connectors:
            connector.write(self.getValue(connector.parameter.name))
            connector.start()
        observer = self.parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._update(connectors))
        self._connected[observer] = (connectors, observer)
        return observer

    def disconnectGui(self, tag: int) -> None:
        connectors, observer = self._connected.pop(tag)
        for connector in connectors:
            connector.stop()
        self.parameterNode.RemoveObserver(observer)

    def AddObserver(self, event: Any, callback: Callable[..., None], priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def StartModify(self) -> int:
        return self.parameterNode.StartModify()

    def EndModify(self, was_modified: int) -> None:
        self.parameterNode.EndModify(was_modified)

    def _widget_changed(self, name: str, value: Any) -> None:
        if not self._updating:
            self.setValue(name, value)

    def _update(self, connectors: list[_Connector]) -> None:
        if self._updating:
            return
        self._updating = True
        try:
            for connector in connectors:
                connector.write(self.getValue(connector.parameter.name))
        finally:
            self._updating = False


def parameterNodeWrapper(kind: type) -> type:
    """Make the annotated class a typed view of a parameter node."""
    annotations = typing.get_type_hints(kind, include_extras=True)
    parameters = {name: _Parameter(name, hint, kind.__dict__.get(name)) for name, hint in annotations.items()}
    members: dict[str, Any] = {
        name: property(
            lambda self, name=name: self.getValue(name), lambda self, value, name=name: self.setValue(name, value)
        )
        for name in parameters
    }
    return type(kind.__name__, (_Wrapper,), {**members, "allParameters": parameters, "__doc__": kind.__doc__})
